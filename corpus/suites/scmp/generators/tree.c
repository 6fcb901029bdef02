/* Many calls, found by a binary tree of their numbers (libseccomp's optimisation 2).
 *
 * Big-endian, two architectures alone: where a return lies more than 255 instructions away,
 * libseccomp 2.5.4 makes another one beside it and swaps its bytes twice, so that on a
 * little-endian machine the filter returns 0x0000ff7f (KILL) in place of ALLOW. */
#include "corpus/suites/scmp/generators/generator.h"

int main(int argc, char** argv) {
  static const char* const kCalls[] = {
      "read",  "write",  "close",  "lseek",  "mmap",     "munmap",    "brk",    "ioctl",
      "readv", "writev", "dup",    "getpid", "sendfile", "exit",      "wait4",  "kill",
      "uname", "fcntl",  "fsync",  "getcwd", "chdir",    "fchdir",    "umask",  "getrlimit",
      "sync",  "mount",  "reboot", "gettid", "futex",    "tgkill",    "openat", "mkdirat",
      "ppoll", "splice", "tee",    "dup3",   "pipe2",    "prlimit64", "setns",  "getrandom",
  };
#ifdef BIG_ENDIAN_ARCHES
  scmp_filter_ctx filter = empty_filter(SCMP_ACT_ERRNO(1));
  add_arch(filter, SCMP_ARCH_S390X);
  add_arch(filter, SCMP_ARCH_PPC64);
#else
  scmp_filter_ctx filter = filter_for_all(SCMP_ACT_ERRNO(1));
#endif
  must(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "SCMP_FLTATR_CTL_OPTIMIZE");
  for (size_t i = 0; i < sizeof kCalls / sizeof kCalls[0]; ++i) {
    const int number = seccomp_syscall_resolve_name(kCalls[i]);
    must(seccomp_rule_add(filter, i % 2 == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_TRACE((uint16_t)i), number,
                          0),
         kCalls[i]);
  }
  return write_filter(filter, argc, argv);
}
