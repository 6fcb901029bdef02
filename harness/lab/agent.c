// The /init of a lab kernel: asks it what /request holds, prints the answers, powers off.
// /request is words in the guest's byte order: magic, jit (0, 1, 2: leave), probes, programs,
// stacks; for each probe: kind, argument; for each program: calls (0: install only), instructions;
// 8 bytes an instruction; 56 bytes a call: nr, 0, six arguments of 64 bits; for each stack whose
// cost is asked: filters, calls; for each filter: instructions, 8 bytes an instruction; 56 bytes a
// call. A line of output ends in a checksum, and so does the whole: a damaged console is
// noticed.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { kMostCalls = 4096, kUnset = 0xffff };

// What a child under a filter tells: it cannot write, nor exit, so that it stores and traps.
struct answers {
  uint32_t installed;
  uint32_t error;
  uint32_t done;
  uint16_t values[kMostCalls];
};

static volatile struct answers* shared;
static uint32_t sum = 2166136261U;
static char line[kMostCalls * 4 + 64];

static void say(void) {
  for (const char* c = line; *c; ++c) sum = (sum ^ (uint8_t)*c) * 16777619U;
  printf("\n@%s %08x", line, sum);
}

static uint32_t word(const uint8_t* at) {
  uint32_t out;
  memcpy(&out, at, 4);
  return out;
}

#include "harness/lab/agent_probes.h"

static const long kPass = 0x3b52c7e4;

static int install(const uint8_t* code, uint32_t length) {
  struct sock_fprog program = {(unsigned short)length, (struct sock_filter*)(uintptr_t)code};
  // Filters that shall let this call pass, and no other of prctl, know it by the sixth argument.
  return syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0L, 0L, kPass) == 0
             ? 0
             : errno;
}

#include "harness/lab/agent_costs.h"

static void call(const uint8_t* at, uint32_t index) {
  uint64_t a[6];
  memcpy(a, at + 8, sizeof a);
  const long got = syscall((long)(int32_t)word(at), (long)a[0], (long)a[1], (long)a[2], (long)a[3],
                           (long)a[4], (long)a[5]);
  shared->values[index] = (uint16_t)(got == 0 ? 0 : got == -1 ? errno : kUnset);
}

// A child that installs and makes the calls from `first` on; its wait status.
static int child(const uint8_t* code, uint32_t length, const uint8_t* calls, uint32_t count,
                 uint32_t first) {
  shared->installed = 0;
  shared->error = kUnset;
  shared->done = first;
  const pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid == 0) {
    shared->error = (uint32_t)install(code, length);
    shared->installed = 1;
    for (uint32_t i = first; shared->error == 0 && i < count; ++i) {
      call(calls + 56 * i, i);
      shared->done = i + 1;
    }
    __builtin_trap();
  }
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) return -1;
  return status;
}

static void ask(uint32_t index, const uint8_t* code, uint32_t length, const uint8_t* calls,
                uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) shared->values[i] = kUnset;
  uint32_t first = 0;
  for (;;) {
    const int status = child(code, length, calls, count, first);
    if (status < 0 || !shared->installed || shared->error != 0 || shared->done >= count) break;
    // Killed by a call: kill is told from any other death, and the next calls get a new child.
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) shared->values[shared->done] = 0xfffe;
    first = shared->done + 1;
    if (first >= count) break;
  }
  char* end = line + sprintf(line, "p %u %u ", index, shared->error);
  for (uint32_t i = 0; i < count && shared->error == 0; ++i) {
    end += sprintf(end, "%04x", shared->values[i]);
  }
  say();
}

static void set_jit(uint32_t wanted) {
  const char* path = "/proc/sys/net/core/bpf_jit_enable";
  char got[8] = "-";
  mkdir("/proc", 0755);
  mount("proc", "/proc", "proc", 0, NULL);
  int fd = open(path, O_RDWR);
  if (fd >= 0) {
    if (wanted < 2) (void)!write(fd, wanted ? "1" : "0", 1);
    close(fd);
    fd = open(path, O_RDONLY);
    if (fd >= 0 && read(fd, got, 1) == 1) got[1] = 0;
    close(fd);
  }
  sprintf(line, "j %s", got);
  say();
}

int main(void) {
  const int console = open("/dev/console", O_RDWR);
  if (console >= 0) {
    for (int i = 0; i < 3; ++i) dup2(console, i);
  }
  klogctl(8, NULL, 1);  // the kernel's messages, but a panic, would stand in the middle of answers
  const int fd = open("/request", O_RDONLY);
  struct stat about;
  struct utsname name;
  struct rlimit none = {0, 0};
  if (fd < 0 || fstat(fd, &about) != 0) goto off;
  const uint8_t* at = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  counted = mmap(NULL, sizeof *counted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED || shared == MAP_FAILED || result == MAP_FAILED || counted == MAP_FAILED ||
      word(at) != 0x43474c42U)
    goto off;
  setrlimit(RLIMIT_CORE, &none);
  uname(&name);
  snprintf(line, sizeof line, "u %s %s", name.release, name.version);
  say();
  set_jit(word(at + 4));
  const uint32_t probes = word(at + 8);
  const uint32_t programs = word(at + 12);
  const uint32_t stacks = word(at + 16);
  at += 20;
  // What a kernel does on the side after its start would be counted too.
  if (stacks > 0) sleep(10);
  for (uint32_t i = 0; i < probes; ++i, at += 8) {
    sprintf(line, "f %u %lld", i, (long long)probe(word(at), word(at + 4)));
    say();
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (uint32_t i = 0; i < programs; ++i) {
    const uint32_t length = word(at + 4);
    const uint32_t calls = word(at);
    const uint8_t* code = at + 8;
    ask(i, code, length, code + 8 * (size_t)length, calls);
    at = code + 8 * (size_t)length + 56 * (size_t)calls;
  }
  for (uint32_t i = 0; i < stacks; ++i) at = ask_costs(i, at);
  sprintf(line, "e %u %u %u", probes, programs, stacks);
  say();
  printf("\n");
  fflush(stdout);
  tcdrain(1);  // 7.3 powers off with the last lines unsent
off:
  reboot(RB_POWER_OFF);
  for (;;) pause();
}
