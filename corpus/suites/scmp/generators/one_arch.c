/* One architecture alone, and an action of its own for all others. */
#include "corpus/suites/scmp/generators/generator.h"

int main(int argc, char** argv) {
#ifdef BIG_ENDIAN_ARCHES
  const uint32_t arch = SCMP_ARCH_S390X;
#else
  const uint32_t arch = SCMP_ARCH_X86_64;
#endif
  scmp_filter_ctx filter = empty_filter(SCMP_ACT_ALLOW);
  add_arch(filter, arch);
  must(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(95)),
       "SCMP_FLTATR_ACT_BADARCH");
  RULE(filter, SCMP_ACT_KILL_PROCESS, ptrace, 0);
  RULE(filter, SCMP_ACT_ERRNO(13), openat, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 3, 1));
  return write_filter(filter, argc, argv);
}
