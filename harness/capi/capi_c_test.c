/* The header as a C compiler sees it. */
#include <errno.h>

#include "harness/capi/callgate.h"

int callgate_capi_from_c(void);

/* What programs that were compiled with a release pass on: fields may be added to callgate_options
 * alone, at its end. */
_Static_assert(sizeof(callgate_instruction) == 8 && offsetof(callgate_instruction, jt) == 2 &&
                   offsetof(callgate_instruction, jf) == 3 &&
                   offsetof(callgate_instruction, k) == 4,
               "a struct sock_filter");
_Static_assert(sizeof(callgate_data) == 64 && offsetof(callgate_data, arch) == 4 &&
                   offsetof(callgate_data, instruction_pointer) == 8 &&
                   offsetof(callgate_data, args) == 16,
               "a struct seccomp_data");
_Static_assert(offsetof(callgate_options, engine) == sizeof(size_t) &&
                   offsetof(callgate_options, kernel) == 2 * sizeof(size_t) &&
                   offsetof(callgate_options, arch) == 3 * sizeof(size_t) &&
                   offsetof(callgate_options, jit_harden) == 4 * sizeof(size_t),
               "the options of 0.1.0");

int callgate_capi_from_c(void) {
  const callgate_instruction program[] = {{0x20, 0, 0, 0}, {0x16, 0, 0, 0}};
  callgate_options options = {sizeof(options), "reference", "6.18", "x86_64", 0};
  callgate_filter* filter = NULL;
  callgate_data data = {39, 0xc000003e, 0, {0}};
  int error = callgate_filter_create(program, 2, &options, &filter);
  if (error != 0) return error;
  if (callgate_filter_run(filter, &data) != 39) error = EPROTO;
  callgate_filter_destroy(filter);
  return error;
}
