// What tests of capturing run: installs filters that allow everything, as its first word says.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace {

// Programs are told apart by their length.
long install(std::uint16_t length, bool by_prctl, unsigned flags) {
  static sock_filter rows[16];
  for (sock_filter& row : rows) row = {0x06, 0, 0, 0x7fff0000U};
  const sock_fprog program{length, rows};
  if (by_prctl) return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

void* wait_for_ever(void* /*unused*/) {
  for (;;) pause();
}

#if defined(__x86_64__)
// seccomp(2) of i386, from memory that 32 bits reach.
long install_by_int80(std::uint16_t length) {
  void* const low =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED) return -1;
  auto* const header = static_cast<std::uint32_t*>(low);
  auto* const rows = reinterpret_cast<sock_filter*>(header + 2);
  for (int i = 0; i < length; ++i) rows[i] = {0x06, 0, 0, 0x7fff0000U};
  header[0] = length;
  header[1] = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(rows));
  long result = 354;
  __asm__ volatile("int $0x80"
                   : "+a"(result)
                   : "b"(SECCOMP_SET_MODE_FILTER), "c"(0), "d"(header)
                   : "memory", "r8", "r9", "r10", "r11");
  return result;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (what == "both_ways") return install(1, true, 0) == 0 && install(2, false, 2) == 0 ? 7 : 1;
  if (what == "refused") {
    install(0, true, 0);
    static_cast<void>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 8));
    install(1, false, 1024);
    return 0;
  }
  if (what == "tsync") {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, wait_for_ever, nullptr) != 0) return 1;
    return install(3, false, SECCOMP_FILTER_FLAG_TSYNC) == 0 ? 0 : 1;
  }
  if (what == "children") {
    install(4, true, 0);
    const pid_t child = fork();
    if (child == 0) {
      install(5, true, 0);
      execl("/bin/true", "true", nullptr);
      _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }
  if (what == "dies") {
    install(6, true, 0);
    raise(SIGUSR1);
  }
  if (what == "listener") return install(7, false, SECCOMP_FILTER_FLAG_NEW_LISTENER) > 0 ? 0 : 1;
#if defined(__x86_64__)
  if (what == "int80") return install_by_int80(8) == 0 ? 0 : 9;
#endif
  if (what == "waits") {  // says so when it is ready
    install(9, true, 0);
    install(10, false, 2);
    static_cast<void>(write(1, "ready", 5));
    alarm(60);
    pause();
  }
  return 2;
}
