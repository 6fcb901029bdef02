/* Tests within a rule must all hold, and of rules one is enough; an action other than the rest's.
 */
#include "corpus/suites/scmp/generators/generator.h"

int main(int argc, char** argv) {
  scmp_filter_ctx filter = filter_for_all(SCMP_ACT_ERRNO(38));
  /* a box: 3 to 9, and 100 to 109 */
  RULE(filter, SCMP_ACT_ALLOW, writev, 4, SCMP_A0(SCMP_CMP_GE, 3), SCMP_A1(SCMP_CMP_GE, 100),
       SCMP_A2(SCMP_CMP_LT, 8), SCMP_A3(SCMP_CMP_NE, 5));
  /* one value of many */
  RULE(filter, SCMP_ACT_ALLOW, ioctl, 1, SCMP_A1(SCMP_CMP_EQ, 0x5401));
  RULE(filter, SCMP_ACT_ALLOW, ioctl, 1, SCMP_A1(SCMP_CMP_EQ, 0x5413));
  RULE(filter, SCMP_ACT_ALLOW, ioctl, 1, SCMP_A1(SCMP_CMP_EQ, 0x541b));
  RULE(filter, SCMP_ACT_TRAP, ioctl, 1, SCMP_A1(SCMP_CMP_EQ, 0x5412));
  /* all six */
  RULE(filter, SCMP_ACT_LOG, prctl, 6, SCMP_A0(SCMP_CMP_EQ, 1), SCMP_A1(SCMP_CMP_EQ, 2),
       SCMP_A2(SCMP_CMP_EQ, 3), SCMP_A3(SCMP_CMP_EQ, 4), SCMP_A4(SCMP_CMP_EQ, 5),
       SCMP_A5(SCMP_CMP_EQ, 6));
  return write_filter(filter, argc, argv);
}
