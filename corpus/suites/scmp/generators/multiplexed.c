/* Calls that some architectures have through socketcall(2) or ipc(2), too. */
#include "corpus/suites/scmp/generators/generator.h"

int main(int argc, char** argv) {
  scmp_filter_ctx filter = filter_for_all(SCMP_ACT_KILL);
  RULE(filter, SCMP_ACT_ALLOW, socket, 0);
  RULE(filter, SCMP_ACT_ALLOW, accept4, 0);
  RULE(filter, SCMP_ACT_ERRNO(13), connect, 0);
  RULE(filter, SCMP_ACT_ALLOW, semget, 0);
  RULE(filter, SCMP_ACT_ERRNO(28), shmget, 0);
  return write_filter(filter, argc, argv);
}
