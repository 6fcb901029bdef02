/* The number -1 is what a tracer leaves where it skips a call: libseccomp takes rules for it where
 * SCMP_FLTATR_API_TSKIP is set. */
#include "corpus/suites/scmp/generators/generator.h"

int main(int argc, char** argv) {
  scmp_filter_ctx filter = filter_for_all(SCMP_ACT_KILL);
  must(seccomp_attr_set(filter, SCMP_FLTATR_API_TSKIP, 1), "SCMP_FLTATR_API_TSKIP");
  must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, -1, 0), "-1");
  RULE(filter, SCMP_ACT_ALLOW, getpid, 0);
  return write_filter(filter, argc, argv);
}
