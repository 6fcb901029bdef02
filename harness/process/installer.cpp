// A program for tests: installs filters in every way that a capture tells apart.
//   installer exit 7 | signal 9 | installs | pause

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace {

// Allows everything; `mark` tells programs apart.
long install(unsigned mark, bool by_prctl, unsigned long flags, unsigned short length = 2) {
  sock_filter code[2] = {{BPF_LD | BPF_IMM, 0, 0, mark},
                         {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  sock_fprog program{length, code};
  if (by_prctl) return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

int installs() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 2;
  install(1, true, 0);
  install(2, false, SECCOMP_FILTER_FLAG_LOG);
  install(3, false, 0, 0);  // EINVAL
  if (const pid_t child = fork(); child == 0) {
    install(4, true, 0);
    _exit(0);
  } else {
    waitpid(child, nullptr, 0);
  }
  std::thread([] { install(5, false, SECCOMP_FILTER_FLAG_TSYNC); }).join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  if (std::strcmp(argv[1], "exit") == 0) return std::atoi(argv[2]);
  if (std::strcmp(argv[1], "signal") == 0) {
    raise(std::atoi(argv[2]));
    return 2;
  }
  const int done = installs();
  if (std::strcmp(argv[1], "pause") == 0) {
    std::puts("ready");
    std::fflush(stdout);
    pause();
  }
  return done;
}
