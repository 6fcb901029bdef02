/* Four calls are allowed, as strict mode has them; every other kills the thread. */
#include "corpus/suites/scmp/generators/generator.h"

int main(int argc, char** argv) {
  scmp_filter_ctx filter = filter_for_all(SCMP_ACT_KILL);
  RULE(filter, SCMP_ACT_ALLOW, read, 0);
  RULE(filter, SCMP_ACT_ALLOW, write, 0);
  RULE(filter, SCMP_ACT_ALLOW, exit, 0);
  RULE(filter, SCMP_ACT_ALLOW, rt_sigreturn, 0);
  return write_filter(filter, argc, argv);
}
