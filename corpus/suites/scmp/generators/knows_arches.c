/* A test of type `basic`: libseccomp knows the architectures that the generators add. */
#include "corpus/suites/scmp/generators/generator.h"

int main(void) {
  for (size_t i = 0; i < sizeof kArches / sizeof kArches[0]; ++i) {
    scmp_filter_ctx filter = empty_filter(SCMP_ACT_ALLOW);
    add_arch(filter, kArches[i]);
    seccomp_release(filter);
  }
  return 0;
}
