/* Each comparison of an argument, one a call: a number that needs both halves of 64 bits is named
 * where the architecture has them, and libseccomp drops the upper half where it has not. */
#include "corpus/suites/scmp/generators/generator.h"

#define LIMIT 0x100000010ULL

int main(int argc, char** argv) {
  scmp_filter_ctx filter = filter_for_all(SCMP_ACT_KILL);
  RULE(filter, SCMP_ACT_ALLOW, read, 1, SCMP_A0(SCMP_CMP_NE, LIMIT));
  RULE(filter, SCMP_ACT_ALLOW, write, 1, SCMP_A1(SCMP_CMP_LT, LIMIT));
  RULE(filter, SCMP_ACT_ALLOW, close, 1, SCMP_A0(SCMP_CMP_LE, LIMIT));
  RULE(filter, SCMP_ACT_ALLOW, dup, 1, SCMP_A0(SCMP_CMP_EQ, LIMIT));
  RULE(filter, SCMP_ACT_ALLOW, readv, 1, SCMP_A2(SCMP_CMP_GE, LIMIT));
  RULE(filter, SCMP_ACT_ALLOW, writev, 1, SCMP_A2(SCMP_CMP_GT, LIMIT));
  RULE(filter, SCMP_ACT_ALLOW, fcntl, 1,
       SCMP_A5(SCMP_CMP_MASKED_EQ, 0xf000000f0ULL, 0x300000050ULL));
  RULE(filter, SCMP_ACT_ALLOW, fsync, 1, SCMP_A0_32(SCMP_CMP_EQ, 0x10));
  RULE(filter, SCMP_ACT_ALLOW, fchdir, 1, SCMP_A0_32(SCMP_CMP_LT, 0x10));
  return write_filter(filter, argc, argv);
}
