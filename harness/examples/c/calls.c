/* calls PROFILE CALL...: what becomes of calls under a filter or profile, on x86_64. Exit code 1:
 * one is not executed; 2: the profile or a call cannot be read, or the kernel would refuse the
 * filter. */
#include <callgate_tools.h>
#include <stdio.h>
#include <string.h>

static int failed(const char* what, int error, char* message) {
  fprintf(stderr, "%s: %s\n", what, message != NULL ? message : strerror(error));
  callgate_text_free(message);
  return 2;
}

static void print_outcome(const callgate_verdict* verdict) {
  switch (verdict->outcome) {
    case CALLGATE_EXECUTES:
      printf("executes\n");
      break;
    case CALLGATE_RETURNS:
      printf("returns %lld\n", (long long)verdict->returns);
      break;
    case CALLGATE_SIGSYS:
      printf("signal %d is delivered\n", verdict->signal);
      break;
    case CALLGATE_THREAD_DIES:
      printf("its thread dies by signal %d\n", verdict->signal);
      break;
    case CALLGATE_PROCESS_DIES:
      printf("its process dies by signal %d\n", verdict->signal);
      break;
    case CALLGATE_TRACER:
      printf("a tracer decides\n");
      break;
    case CALLGATE_LISTENER:
      printf("a listener decides\n");
      break;
    case CALLGATE_UNKNOWN:
      printf("unknown, because %s\n", verdict->reason);
      break;
  }
}

/* 0: it is executed, 1: it is not, 2: it cannot be read. */
static int decide(const callgate_stack* stack, const char* call) {
  callgate_data data;
  char* message = NULL;
  int error = callgate_call_read(call, "x86_64", &data, &message);
  if (error != 0) return failed(call, error, message);
  callgate_verdict verdict = {.size = sizeof verdict};
  error = callgate_stack_decide(stack, &data, NULL, &verdict);
  if (error != 0) return failed(call, error, NULL);
  if (verdict.known) {
    char* words = NULL;
    error = callgate_value_words(stack, verdict.value, &words);
    if (error != 0) return failed(call, error, NULL);
    printf("%s: %s, ", call, words);
    callgate_text_free(words);
  } else {
    printf("%s: ", call);
  }
  print_outcome(&verdict);
  return verdict.outcome == CALLGATE_EXECUTES ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: calls PROFILE CALL...\n");
    return 2;
  }
  const callgate_load_options load = {.size = sizeof load, .arch = "x86_64"};
  const callgate_options machine = {.size = sizeof machine, .arch = "x86_64"};
  callgate_filters* filters = NULL;
  callgate_stack* stack = NULL;
  char* message = NULL;
  int error = callgate_filters_load(argv[1], &load, &filters, &message);
  if (error != 0) return failed(argv[1], error, message);
  error = callgate_stack_of(filters, &machine, &stack, &message);
  callgate_filters_destroy(filters);
  if (error != 0) return failed(argv[1], error, message);
  int worst = 0;
  for (int index = 2; index < argc; ++index) {
    const int result = decide(stack, argv[index]);
    if (result > worst) worst = result;
  }
  callgate_stack_destroy(stack);
  return worst;
}
