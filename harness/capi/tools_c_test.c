/* callgate_tools.h as a C compiler sees it. */
#include <errno.h>

#include "harness/capi/callgate_tools.h"

int callgate_tools_from_c(const char* filter);

/* What programs that were compiled with a release pass on: fields may be added at a struct's end
 * alone. */
#define IS_AT(type, field, offset) \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field ": 0.1.0")
IS_AT(callgate_load_options, kernel, sizeof(size_t));
IS_AT(callgate_load_options, arch, 2 * sizeof(size_t));
IS_AT(callgate_load_options, input_format, 3 * sizeof(size_t));
IS_AT(callgate_load_options, caps, 4 * sizeof(size_t));
IS_AT(callgate_load_options, runtime, 5 * sizeof(size_t));
IS_AT(callgate_load_options, systemd, 6 * sizeof(size_t));
IS_AT(callgate_load_options, denylist, 7 * sizeof(size_t));
IS_AT(callgate_surroundings, tracer, sizeof(size_t));
IS_AT(callgate_surroundings, listener, sizeof(size_t) + 4);
IS_AT(callgate_surroundings, threads, sizeof(size_t) + 8);
IS_AT(callgate_surroundings, sigsys_blocked, sizeof(size_t) + 12);
IS_AT(callgate_diff_options, level, sizeof(size_t));
IS_AT(callgate_diff_options, subset, 2 * sizeof(size_t));
IS_AT(callgate_diff_options, allow_only, 2 * sizeof(size_t) + 4);
IS_AT(callgate_suite_options, names, sizeof(size_t));
IS_AT(callgate_suite_options, jobs, 2 * sizeof(size_t));
IS_AT(callgate_suite_options, coverage, 2 * sizeof(size_t) + 4);
IS_AT(callgate_suite_options, fail_fast, 2 * sizeof(size_t) + 8);
IS_AT(callgate_case, name, sizeof(size_t));
IS_AT(callgate_case, file, 2 * sizeof(size_t));
IS_AT(callgate_case, line, 3 * sizeof(size_t));
IS_AT(callgate_case, column, 3 * sizeof(size_t) + 4);
IS_AT(callgate_counts, passed, sizeof(size_t));
IS_AT(callgate_counts, failed, 2 * sizeof(size_t));
IS_AT(callgate_counts, absent, 3 * sizeof(size_t));
IS_AT(callgate_counts, unknown, 4 * sizeof(size_t));
IS_AT(callgate_counts, errors, 5 * sizeof(size_t));
IS_AT(callgate_counts, not_run, 6 * sizeof(size_t));
IS_AT(callgate_verdict, known, sizeof(size_t));
IS_AT(callgate_verdict, value, sizeof(size_t) + 4);
IS_AT(callgate_verdict, exempt, sizeof(size_t) + 8);
#if UINTPTR_MAX > 0xffffffffU
IS_AT(callgate_verdict, winner, 24);
IS_AT(callgate_verdict, instruction, 32);
IS_AT(callgate_verdict, executed, 40);
IS_AT(callgate_verdict, outcome, 48);
IS_AT(callgate_verdict, returns, 56);
IS_AT(callgate_verdict, signal, 64);
IS_AT(callgate_verdict, data, 68);
IS_AT(callgate_verdict, core_dump, 72);
IS_AT(callgate_verdict, logged, 76);
IS_AT(callgate_verdict, reason, 80);
_Static_assert(sizeof(callgate_verdict) == 88 && sizeof(callgate_load_options) == 64 &&
                   sizeof(callgate_surroundings) == 24 && sizeof(callgate_diff_options) == 24 &&
                   sizeof(callgate_suite_options) == 32 && sizeof(callgate_case) == 32 &&
                   sizeof(callgate_counts) == 56,
               "the structs of 0.1.0");
#endif
_Static_assert(CALLGATE_EXECUTES == 0 && CALLGATE_RETURNS == 1 && CALLGATE_SIGSYS == 2 &&
                   CALLGATE_THREAD_DIES == 3 && CALLGATE_PROCESS_DIES == 4 &&
                   CALLGATE_TRACER == 5 && CALLGATE_LISTENER == 6 && CALLGATE_UNKNOWN == 7,
               "the outcomes of 0.1.0");
_Static_assert(CALLGATE_EQUAL == 0 && CALLGATE_DIFFERENT == 1 && CALLGATE_UNDECIDED == 3,
               "the exit codes of callgate diff");

int callgate_tools_from_c(const char* filter) {
  callgate_filters* filters = NULL;
  callgate_stack* stack = NULL;
  callgate_data data;
  callgate_verdict verdict;
  verdict.size = sizeof(verdict);
  int error = callgate_filters_load(filter, NULL, &filters, NULL);
  if (error != 0) return error;
  error = callgate_stack_of(filters, NULL, &stack, NULL);
  callgate_filters_destroy(filters);
  if (error != 0) return error;
  error = callgate_call_read("getpid()", NULL, &data, NULL);
  if (error == 0) error = callgate_stack_decide(stack, &data, NULL, &verdict);
  callgate_stack_destroy(stack);
  if (error == 0 && verdict.outcome != CALLGATE_EXECUTES) error = EPROTO;
  return error;
}
