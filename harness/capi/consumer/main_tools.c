#include <callgate_tools.h>
#include <stddef.h>
#include <string.h>

/* With the shared library alone. */
int main(void) {
  static const char filter[] =
      "{0x20, 0, 0, 0}, {0x15, 0, 1, 39}, {0x06, 0, 0, 0x00050001}, "
      "{0x06, 0, 0, 0x7fff0000}";
  callgate_filters* filters = NULL;
  callgate_stack* stack = NULL;
  callgate_data data;
  callgate_verdict verdict;
  char* why = NULL;
  verdict.size = sizeof(verdict);
  if (callgate_filters_read(filter, strlen(filter), NULL, NULL, &filters, NULL) != 0) return 1;
  if (callgate_stack_of(filters, NULL, &stack, NULL) != 0) return 2;
  if (callgate_call_read("getpid()", NULL, &data, NULL) != 0) return 3;
  if (callgate_stack_decide(stack, &data, NULL, &verdict) != 0) return 4;
  if (callgate_explain_call(filters, NULL, &data, "text", &why, NULL) != 0) return 5;
  const int right = verdict.outcome == CALLGATE_RETURNS && verdict.returns == -1 &&
                    strstr(why, "every getpid gets this") != NULL;
  callgate_text_free(why);
  callgate_stack_destroy(stack);
  callgate_filters_destroy(filters);
  return right ? 0 : 6;
}
