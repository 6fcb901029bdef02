#ifndef CALLGATE_H
#define CALLGATE_H

/* The C library of Callgate: what Linux does with seccomp filters, in userspace.
 *
 * Numbers in callgate_data are plain numbers in the caller's byte order, whatever the architecture;
 * the options' `arch` says in which byte order the filter sees their words (on s390x the word at
 * offset 16 is the high half of args[0]). No function prints, aborts or throws. This interface is
 * stable: functions and fields may be added, nothing is changed. callgate_tools.h has more, in the
 * shared library. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CALLGATE_API __attribute__((visibility("default")))
#else
#define CALLGATE_API
#endif

/* Bit for bit a struct sock_filter. */
typedef struct callgate_instruction {
  uint16_t code;
  uint8_t jt;
  uint8_t jf;
  uint32_t k;
} callgate_instruction;

/* What a filter sees of a call: struct seccomp_data. */
typedef struct callgate_data {
  int32_t nr;
  uint32_t arch; /* AUDIT_ARCH_* */
  uint64_t instruction_pointer;
  uint64_t args[6];
} callgate_data;

/* `size` is sizeof(callgate_options) of the caller; what lies beyond a smaller size is taken as 0.
 * A larger one is E2BIG unless all that lies beyond is 0. */
typedef struct callgate_options {
  size_t size;
  const char* engine; /* NULL: the default; else "reference", "decoded", "specialised", or "jit"
                       * where it was built; a name not known is ENOTSUP */
  const char* kernel; /* "6.18"; NULL: the newest; one that is no version is EINVAL */
  const char* arch;   /* "aarch64", "amd64", …; NULL: x86_64; a name not known is EINVAL */
  int jit_harden;     /* not 0: constants are blinded, and the instruction limit counts that */
} callgate_options;

typedef struct callgate_filter callgate_filter;
typedef struct callgate_stack callgate_stack;

/* Checks a program as the kernel would and makes it ready. 0, or a positive errno: EINVAL where the
 * kernel refuses the program (or an option is wrong), ENOTSUP for an unknown engine, E2BIG for
 * options of a later version, ENOMEM without memory, EFAULT for NULL where a pointer is needed.
 * *out is NULL unless 0 is returned. The program is copied. */
CALLGATE_API int callgate_filter_create(const callgate_instruction* program, size_t length,
                                        const callgate_options* options, callgate_filter** out);

/* What the program returns, all 32 bits. Neither pointer may be NULL: it is not looked at, as calls
 * are asked for by the million. Thread-safe. Where the kernel leaves a result undefined (a shift by
 * X above 31 in an interpreter before 5.14 on some architectures, a shift by a constant above 31
 * before 4.5) it is 0. */
CALLGATE_API uint32_t callgate_filter_run(const callgate_filter* filter, const callgate_data* data);

/* NULL is allowed. */
CALLGATE_API void callgate_filter_destroy(callgate_filter* filter);

/* An empty stack, or NULL with errno set as callgate_filter_create() returns it. */
CALLGATE_API callgate_stack* callgate_stack_create(const callgate_options* options);

/* Adds a filter on top. As callgate_filter_create(), and ENOMEM where the task would hold more than
 * the 32768 converted instructions that the kernel allows. Not to be called while another thread
 * uses the stack. */
CALLGATE_API int callgate_stack_push(callgate_stack* stack, const callgate_instruction* program,
                                     size_t length);

/* What the whole stack returns: action and data. *winner (where not NULL) is the deciding filter's
 * index from the oldest (0), or SIZE_MAX where none was stricter than ALLOW. The other pointers may
 * not be NULL. Thread-safe. */
CALLGATE_API uint32_t callgate_stack_run(const callgate_stack* stack, const callgate_data* data,
                                         size_t* winner);

/* NULL is allowed. */
CALLGATE_API void callgate_stack_destroy(callgate_stack* stack);

#ifdef __cplusplus
}
#endif

#endif
