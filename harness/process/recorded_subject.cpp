// What tests of recording run: calls that are told apart by their arguments.
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  constexpr long kMark = 0x1122334455667788;
  syscall(SYS_getpid, kMark, 2L, 3L, 4L, 5L, -6L);
  if (what == "child") {
    const pid_t child = fork();
    if (child == 0) {
      syscall(SYS_getppid, kMark);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
  }
  syscall(SYS_close, -1L, kMark);
  if (what == "dies") raise(SIGUSR1);
  return 7;
}
