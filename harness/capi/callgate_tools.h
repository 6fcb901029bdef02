#ifndef CALLGATE_TOOLS_H
#define CALLGATE_TOOLS_H

/* More of the C library: filters of every form, what the process sees, explanations, comparisons,
 * suites. What callgate.h says of options, errors and stability holds here too. The functions of
 * this header are in the shared library alone (libcallgate.so); libcallgate.a has those of
 * callgate.h.
 *
 * Functions that can fail return 0 or a positive errno: EINVAL for a wrong argument or a text or
 * file that cannot be read as what it should be, EACCES where the kernel refuses a filter, ENOENT
 * and other errnos of the system for files, E2BIG for structs of a later version, ENOMEM, EFAULT
 * for NULL where a pointer is needed, EIO for an error in Callgate itself. Where there is a `char**
 * message` that is not NULL, it is set to NULL, or with an error to a sentence with the place, to
 * be freed by callgate_text_free(). Texts are UTF-8; paths are bytes. What is given as `char** out`
 * is NULL unless 0 is returned, and freed the same way. Documents in JSON are those of the command,
 * described in harness/cli/README.md.
 *
 * Handles that are given as const may be used by several threads at once; runs of one suite wait
 * for each other.
 *
 * Nothing is printed, no signal's handling is changed and no standard input is read ("-" is a file
 * of that name). What a caller should know: where libseccomp makes a program of a profile (those of
 * OCI and LXC, say), it works in a child made by fork(), in suites too; the child is waited for by
 * its id, and others who wait for any child may have it without harm. Units of systemd whose sets
 * shall be the installed version's (`systemd` NULL, and a path) have systemd-analyze run for that,
 * which must be left to be waited for. Suites, and comparisons that Z3 is asked in, start threads,
 * which are gone when the function returns. */

#include "callgate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0"; not to be freed. */
CALLGATE_API const char* callgate_version(void);

/* NULL is allowed. */
CALLGATE_API void callgate_text_free(char* text);

/* ---- Names ---- */

/* The number of a syscall, or -1 where the ABI ("x86_64", "aarch64", "x32", "i386", …; NULL:
 * x86_64) has none of that name, or is not known. */
CALLGATE_API int64_t callgate_syscall_number(const char* abi, const char* name);

/* Its name, or NULL. Not to be freed. */
CALLGATE_API const char* callgate_syscall_name(const char* abi, uint32_t number);

/* Reads one call, all of it: "openat(AT_FDCWD, 0, O_RDONLY)", "i386:socketcall(1, 0xffffe000)",
 * "read(0, 0x1000, 12, ip=0x401000)", "1234()". Arguments that are left out are 0. */
CALLGATE_API int callgate_call_read(const char* text, const char* arch, callgate_data* out,
                                    char** message);

/* The text that is read as this call. */
CALLGATE_API int callgate_call_write(const callgate_data* data, const char* arch, char** out);

/* ---- Filters of any form ---- */

typedef struct callgate_filters callgate_filters;

/* How a file is read and a profile deployed; as the command's options of the same names. */
typedef struct callgate_load_options {
  size_t size;              /* sizeof(callgate_load_options) */
  const char* kernel;       /* NULL: the newest */
  const char* arch;         /* NULL: x86_64 */
  const char* input_format; /* NULL: told by content and name */
  const char* caps;         /* NULL: the engine's default; else as --caps */
  const char* runtime;      /* NULL: "runc" */
  const char* systemd;      /* NULL: as --systemd is where it is not given */
  int denylist;             /* not 0: as --denylist */
} callgate_load_options;

/* Reads a file, a folder of a capture, FILE#NAME or DIR#TID: raw programs, assembler, profiles … */
CALLGATE_API int callgate_filters_load(const char* path, const callgate_load_options* options,
                                       callgate_filters** out, char** message);

/* Reads bytes, 8 MiB at most. `name` (or NULL) stands for their file's: some formats are told by
 * it, and what a profile names is looked for beside it. */
CALLGATE_API int callgate_filters_read(const void* bytes, size_t length, const char* name,
                                       const callgate_load_options* options, callgate_filters** out,
                                       char** message);

/* Puts the filters of `newer` on top of those of `filters`, as if they were installed later. What
 * was returned of `filters` before stays valid. */
CALLGATE_API int callgate_filters_append(callgate_filters* filters, const callgate_filters* newer);

/* NULL is allowed. */
CALLGATE_API void callgate_filters_destroy(callgate_filters* filters);

/* How many there are; a profile may install none. */
CALLGATE_API size_t callgate_filters_count(const callgate_filters* filters);

/* The format that the (first) file was read in ("oci", "raw"), and what its reader had to say, a
 * line each, empty where nothing. They live as long as the filters. */
CALLGATE_API const char* callgate_filters_format(const callgate_filters* filters);
CALLGATE_API const char* callgate_filters_notes(const callgate_filters* filters);

/* The program of a filter, from the oldest (0); NULL and length 0 beyond the last. It lives as long
 * as the filters. */
CALLGATE_API const callgate_instruction* callgate_filters_program(const callgate_filters* filters,
                                                                  size_t index, size_t* length);

/* Its file, with the layer's name where that has several: "FILE (NAME)"; NULL beyond the last. */
CALLGATE_API const char* callgate_filters_name(const callgate_filters* filters, size_t index);

/* The document of `callgate check --format json`. 0 whether they are accepted or not; *accepted
 * (where not NULL) says that. */
CALLGATE_API int callgate_check(const callgate_filters* filters, const callgate_options* options,
                                int* accepted, char** out, char** message);

/* A stack of them, oldest first. EACCES where the kernel would refuse one; the message has its
 * diagnostics. */
CALLGATE_API int callgate_stack_of(const callgate_filters* filters, const callgate_options* options,
                                   callgate_stack** out, char** message);

/* ---- What a call gets ---- */

/* Who is there when a call is made. All 0: no tracer, no listener, one thread. */
typedef struct callgate_surroundings {
  size_t size;
  int tracer;         /* a tracer with PTRACE_O_TRACESECCOMP is attached */
  int listener;       /* the winning filter's listener is open */
  int threads;        /* the caller is not the last thread of its process */
  int sigsys_blocked; /* SIGSYS is blocked or ignored */
} callgate_surroundings;

typedef enum callgate_outcome {
  CALLGATE_EXECUTES = 0,
  CALLGATE_RETURNS = 1,      /* skipped; `returns` is what the call returns */
  CALLGATE_SIGSYS = 2,       /* skipped; SIGSYS is delivered */
  CALLGATE_THREAD_DIES = 3,  /* by `signal` */
  CALLGATE_PROCESS_DIES = 4, /* by `signal` */
  CALLGATE_TRACER = 5,       /* the tracer decides; `data` is its message */
  CALLGATE_LISTENER = 6,     /* the listener decides */
  CALLGATE_UNKNOWN = 7       /* cannot be told; `reason` says why */
} callgate_outcome;

typedef struct callgate_verdict {
  size_t size; /* set by the caller to sizeof(callgate_verdict); fields beyond it are not written */
  int known;   /* 0: the kernel leaves it undefined; `reason` says why, and value is 0 */
  uint32_t value;     /* what the stack returns: action and data */
  int exempt;         /* not 0: no filter is asked for this call; it executes */
  size_t winner;      /* index of the deciding filter from the oldest; SIZE_MAX: none was stricter
                       * than ALLOW. Where nothing is known: the filter that leaves it undefined */
  size_t instruction; /* of the winner, at which it ended; SIZE_MAX without one */
  size_t executed;    /* instructions, of all filters */
  callgate_outcome outcome;
  int64_t returns;    /* with CALLGATE_RETURNS: negative errnos included */
  int signal;         /* with CALLGATE_SIGSYS and the deaths */
  uint16_t data;      /* the action's data bits, where they matter */
  int core_dump;      /* where limits allow one */
  int logged;         /* an audit record, with the default kernel.seccomp.actions_logged */
  const char* reason; /* of what is unknown, or NULL; never to be freed */
} callgate_verdict;

/* What becomes of a call. `around` may be NULL: all 0. */
CALLGATE_API int callgate_stack_decide(const callgate_stack* stack, const callgate_data* data,
                                       const callgate_surroundings* around, callgate_verdict* out);

/* "ERRNO(1)", as the command writes verdicts of this stack's machine. */
CALLGATE_API int callgate_value_words(const callgate_stack* stack, uint32_t value, char** out);

/* ---- What filters mean ---- */

/* What each call gets, under which conditions, as `callgate explain` writes it. `format`: "text",
 * "json", "markdown"; NULL: json. *whole (where not NULL) is 0 where something was left out. */
CALLGATE_API int callgate_explain(const callgate_filters* filters, const callgate_options* options,
                                  const char* format, int* whole, char** out, char** message);

/* Why one call gets what it gets, as `callgate explain SYSCALL …`. `format`: "text", "json"; NULL:
 * json. A call whose result the kernel leaves undefined has in JSON the verdict "unknown" and a
 * "reason" alone. */
CALLGATE_API int callgate_explain_call(const callgate_filters* filters,
                                       const callgate_options* options, const callgate_data* data,
                                       const char* format, char** out, char** message);

typedef enum callgate_answer {
  CALLGATE_EQUAL = 0,     /* or subset; proved for all inputs */
  CALLGATE_DIFFERENT = 1, /* or no subset */
  CALLGATE_UNDECIDED = 3
} callgate_answer;

typedef struct callgate_diff_options {
  size_t size;
  const char* level; /* "raw", "verdict", "outcome"; NULL: "verdict" */
  int subset;     /* not 0: whether `b` allows nothing that `a` does not, as `callgate subset`; the
                   * level is not looked at then */
  int allow_only; /* with subset: as --allow-only */
} callgate_diff_options;

/* Two stacks compared for all inputs: the document of `callgate diff`, `subset`. EACCES where one
 * is refused. Filters that were read from bytes without a name have no command that shows a
 * difference ("run": null). `answer` may be NULL. */
CALLGATE_API int callgate_diff(const callgate_filters* a, const callgate_filters* b,
                               const callgate_options* options, const callgate_diff_options* how,
                               callgate_answer* answer, char** out, char** message);

/* ---- Suites ---- */

typedef struct callgate_suite callgate_suite;
typedef struct callgate_results callgate_results;

typedef struct callgate_suite_options {
  size_t size;
  const char*
      names;     /* of cases that are run alone, as -k; several are parted by newlines; NULL: all */
  unsigned jobs; /* threads; 0: one a processor */
  int coverage;  /* not 0: it is collected */
  int fail_fast; /* not 0: nothing is begun after a failure */
} callgate_suite_options;

/* Reads a suite and the filters that it names, which are looked for beside it. EINVAL where one of
 * those cannot be read, or no case is left; EACCES where the kernel would refuse one (of filters
 * that it compares with, the cases tell that). */
CALLGATE_API int callgate_suite_load(const char* path, const callgate_suite_options* options,
                                     callgate_suite** out, char** message);

/* NULL is allowed. */
CALLGATE_API void callgate_suite_destroy(callgate_suite* suite);

CALLGATE_API size_t callgate_suite_count(const callgate_suite* suite);

typedef struct callgate_case {
  size_t size;
  const char* name; /* "allow: read [x86_64]"; it and `file` live as long as the suite */
  const char* file;
  unsigned line;
  unsigned column;
} callgate_case;

/* ERANGE beyond the last. */
CALLGATE_API int callgate_suite_case(const callgate_suite* suite, size_t index, callgate_case* out);

/* Runs its cases; each run is one of its own. Where the suite says how much shall be covered at
 * least, that is told by further cases at the end of the results. */
CALLGATE_API int callgate_suite_run(const callgate_suite* suite, callgate_results** out,
                                    char** message);

/* NULL is allowed. The suite may be destroyed before its results. */
CALLGATE_API void callgate_results_destroy(callgate_results* results);

typedef struct callgate_counts {
  size_t size;
  size_t passed, failed, absent, unknown, errors, not_run;
} callgate_counts;

CALLGATE_API int callgate_results_counts(const callgate_results* results, callgate_counts* out);

/* As `callgate test --report`: "text", "tap", "tap13", "junit", "json", "github"; of what cases
 * covered, where that was collected (else EINVAL): "coverage-text", "coverage-listing",
 * "coverage-lcov", "coverage-cobertura", "coverage-json". `json` has each case that was run with
 * its status and failures, in the order of callgate_suite_case(). */
CALLGATE_API int callgate_results_write(const callgate_results* results, const char* format,
                                        char** out, char** message);

#ifdef __cplusplus
}
#endif

#endif
