#include <callgate.h>
#include <stddef.h>

int main(void) {
  const callgate_instruction program = {0x06, 0, 0, 0x00050001};
  callgate_filter* filter = NULL;
  const callgate_data data = {39, 0xc000003e, 0, {0}};
  if (callgate_filter_create(&program, 1, NULL, &filter) != 0) return 1;
  const int right = callgate_filter_run(filter, &data) == 0x00050001;
  callgate_filter_destroy(filter);
  return right ? 0 : 1;
}
