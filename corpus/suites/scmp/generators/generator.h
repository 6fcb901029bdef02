/* What the generators share. Each is a small program that makes one filter with libseccomp and
 * writes it: `NAME -b` as raw BPF, as libseccomp's test runner calls it; `NAME -p` as libseccomp's
 * pseudo code, to read it.
 *
 * A filter holds architectures of one byte order only, so most sources are compiled twice: as
 * NAME_le and, with BIG_ENDIAN_ARCHES defined, as NAME_be.
 */
#ifndef CALLGATE_SCMP_GENERATOR_H
#define CALLGATE_SCMP_GENERATOR_H

#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint32_t kArches[] = {
#ifdef BIG_ENDIAN_ARCHES
    SCMP_ARCH_MIPS, SCMP_ARCH_MIPS64, SCMP_ARCH_MIPS64N32, SCMP_ARCH_PARISC, SCMP_ARCH_PARISC64,
    SCMP_ARCH_PPC,  SCMP_ARCH_PPC64,  SCMP_ARCH_S390,      SCMP_ARCH_S390X,
#ifdef SCMP_ARCH_M68K
    SCMP_ARCH_M68K,
#endif
#ifdef SCMP_ARCH_SHEB
    SCMP_ARCH_SHEB,
#endif
#else
    SCMP_ARCH_X86_64,      SCMP_ARCH_X86,     SCMP_ARCH_X32,      SCMP_ARCH_ARM,
    SCMP_ARCH_AARCH64,     SCMP_ARCH_MIPSEL,  SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32,
    SCMP_ARCH_PPC64LE,     SCMP_ARCH_RISCV64,
#ifdef SCMP_ARCH_LOONGARCH64
    SCMP_ARCH_LOONGARCH64,
#endif
#ifdef SCMP_ARCH_SH
    SCMP_ARCH_SH,
#endif
#endif
};

/* Ends the program where something did not work: a filter that lacks a rule must not be tested. */
static inline void must(int result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s\n", what, strerror(-result));
  exit(1);
}

/* A filter of no architecture. Whatever kernel this is run on, libseccomp takes it for one that has
 * every action (API level 6). */
static inline scmp_filter_ctx empty_filter(uint32_t otherwise) {
  must(seccomp_api_set(6), "seccomp_api_set");
  scmp_filter_ctx filter = seccomp_init(otherwise);
  if (filter == NULL) must(-EINVAL, "seccomp_init");
  must(seccomp_arch_remove(filter, SCMP_ARCH_NATIVE), "seccomp_arch_remove");
  return filter;
}

static inline void add_arch(scmp_filter_ctx filter, uint32_t arch) {
  must(seccomp_arch_add(filter, arch), "seccomp_arch_add");
}

/* A filter of all the architectures of the byte order. */
static inline scmp_filter_ctx filter_for_all(uint32_t otherwise) {
  scmp_filter_ctx filter = empty_filter(otherwise);
  for (size_t i = 0; i < sizeof kArches / sizeof kArches[0]; ++i) add_arch(filter, kArches[i]);
  return filter;
}

/* A rule for whichever architectures have the call. */
#define RULE(filter, action, call, ...) \
  must(seccomp_rule_add((filter), (action), SCMP_SYS(call), __VA_ARGS__), #call)

static inline int write_filter(scmp_filter_ctx filter, int argc, char** argv) {
  if (argc != 2 || (strcmp(argv[1], "-b") != 0 && strcmp(argv[1], "-p") != 0)) {
    fprintf(stderr, "usage: %s -b|-p\n", argv[0]);
    seccomp_release(filter);
    return 2;
  }
  const int result = strcmp(argv[1], "-b") == 0 ? seccomp_export_bpf(filter, STDOUT_FILENO)
                                                : seccomp_export_pfc(filter, STDOUT_FILENO);
  seccomp_release(filter);
  must(result, "seccomp_export");
  return 0;
}

#endif
