// What tests of capturing run: installs filters that allow everything, as its first word says.
#include <fcntl.h>
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

// Ends at once; its child waits for that and for a file, and installs a filter then. What became of
// it goes to another file: "untraced" or "traced".
int outlived(const char* path) {
  const pid_t parent = getpid();
  if (fork() != 0) return 5;
  alarm(60);
  while (getppid() == parent || access(path, F_OK) != 0) usleep(1000);
  const bool well = install(11, true, 0) == 0;
  char status[4096] = {};
  const int in = open("/proc/self/status", O_RDONLY);
  static_cast<void>(read(in, status, sizeof status - 1));
  const bool untraced = std::strstr(status, "TracerPid:\t0\n") != nullptr;
  const int out = open(path, O_WRONLY);
  const std::string_view word = !well ? "refused" : untraced ? "untraced" : "traced";
  static_cast<void>(write(out, word.data(), word.size()));
  return 0;
}

// 0 where a child that stops itself is seen stopped, stays so, and is seen to go on after SIGCONT.
int stopped_and_continued() {
  int ends[2];
  if (pipe(ends) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    raise(SIGSTOP);
    install(12, true, 0);
    // An end would hide that it went on.
    char byte = 0;
    _exit(read(ends[0], &byte, 1) == 1 ? 3 : 4);
  }
  int status = 0;
  if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) return 10;
  if (WSTOPSIG(status) != SIGSTOP) return 11;
  usleep(100'000);
  if (waitpid(child, &status, WNOHANG | WUNTRACED | WCONTINUED) != 0) return 12;
  kill(child, SIGCONT);
  if (waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status)) return 13;
  static_cast<void>(write(ends[1], "", 1));
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 14;
  return WEXITSTATUS(status) == 3 ? 0 : 15;
}

// A thread with a filter of its own stands in the way of TSYNC: 0 where its tid is returned.
void* install_beside(void* pipe) {
  install(13, true, 0);
  const auto tid = static_cast<pid_t>(syscall(SYS_gettid));
  static_cast<void>(write(static_cast<int*>(pipe)[1], &tid, sizeof tid));
  return wait_for_ever(nullptr);
}

int tsync_fails() {
  int ends[2];
  pthread_t thread;
  pid_t tid = 0;
  if (pipe(ends) != 0 || pthread_create(&thread, nullptr, install_beside, ends) != 0) return 1;
  if (read(ends[0], &tid, sizeof tid) != sizeof tid) return 1;
  return install(16, false, SECCOMP_FILTER_FLAG_TSYNC) == tid ? 0 : 1;
}

// What is executed then has the process's first tid, and this thread's filters.
void* execute_beside(void* program) {
  install(15, true, 0);
  execl(static_cast<const char*>(program), "subject", "both_ways", nullptr);
  _exit(1);
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
  if (what == "outlives" && argc > 2) return outlived(argv[2]);
  if (what == "stops") return stopped_and_continued();
  if (what == "tsync_fails") return tsync_fails();
  if (what == "executes_beside") {
    install(14, true, 0);
    pthread_t thread;
    if (pthread_create(&thread, nullptr, execute_beside, argv[0]) != 0) return 1;
    wait_for_ever(nullptr);
  }
  return 2;
}
