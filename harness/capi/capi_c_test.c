/* The header as a C compiler sees it. */
#include <errno.h>

#include "harness/capi/callgate.h"

int callgate_capi_from_c(void);

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
