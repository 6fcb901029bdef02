#include "harness/live/surrounded.hpp"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <optional>

#include "vm/arches.hpp"

namespace callgate::live {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kBurial{5'000};
constexpr int kSeccompStop = SIGTRAP | PTRACE_EVENT_SECCOMP << 8;

// Between the child and its watcher.
struct Shared {
  volatile std::int32_t setup;          // errno of the preparation
  volatile std::int32_t install_error;  // errno of the installation
  volatile std::int32_t thread;         // id of the asking thread, once it is there
  volatile std::int32_t go;             // it may install
  volatile std::int32_t listener;       // its descriptor + 1
  volatile std::int32_t listener_held;  // the watcher has its own
  volatile std::int64_t before;         // what the call returned without a filter
  volatile std::int64_t result;
  volatile std::int32_t returned;
  volatile std::int32_t trapped;      // the handler ran, with `siginfo`
  volatile std::int32_t thread_died;  // the asking thread ended, and the process goes on
  SigsysInfo siginfo;
};

void nap() {
  const timespec pause{0, 20'000};
  nanosleep(&pause, nullptr);
}

Shared* g_shared = nullptr;  // of the child alone: a signal handler can be told in no other way

void note(int signo, siginfo_t* info, void* /*context*/) {
  g_shared->siginfo = {.signo = signo,
                       .code = info->si_code,
                       .error = info->si_errno,
                       .call_addr = reinterpret_cast<std::uint64_t>(info->si_call_addr),
                       .syscall = info->si_syscall,
                       .arch = info->si_arch};
  g_shared->trapped = 1;
}

struct Work {
  const SurroundedCall* asked;
  raw::Registers registers;
  Shared* shared;
};

// The asking thread.
void* ask(void* argument) {
  const auto* const work = static_cast<const Work*>(argument);
  Shared* const shared = work->shared;
  shared->before = static_cast<std::int64_t>(raw::callgate_live_call(&work->registers));
  shared->thread = static_cast<std::int32_t>(raw::call(SYS_gettid));
  while (shared->go == 0) nap();
  const Surroundings& around = work->asked->around;
  const unsigned long flags = (around.listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0UL) |
                              (around.log_flag ? SECCOMP_FILTER_FLAG_LOG : 0UL);
  long installed = 0;
  for (const Program& program : work->asked->oldest_first) {
    const bool newest = &program == &work->asked->oldest_first.back();
    installed = install(program.data(), program.size(), newest ? flags : 0);
    if (installed >= 0) continue;
    shared->install_error = static_cast<std::int32_t>(-installed);
    return nullptr;
  }
  if (around.listener) {
    shared->listener = static_cast<std::int32_t>(installed) + 1;
    while (shared->listener_held == 0) nap();
  }
  shared->result = static_cast<std::int64_t>(raw::callgate_live_call(&work->registers));
  shared->returned = 1;
  return nullptr;
}

// The child's first thread.
void be_asked(Work& work) {
  Shared* const shared = work.shared;
  g_shared = shared;
  shared->setup = allow_filters();
  if (shared->setup != 0) return;
  struct sigaction action{};
  switch (work.asked->sigsys) {
    case SigsysSetting::Handled:
    case SigsysSetting::Blocked:
      action.sa_sigaction = note;
      action.sa_flags = SA_SIGINFO;
      break;
    case SigsysSetting::Ignored:
      action.sa_handler = SIG_IGN;
      break;
  }
  sigaction(SIGSYS, &action, nullptr);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGSYS);
  sigprocmask(work.asked->sigsys == SigsysSetting::Blocked ? SIG_BLOCK : SIG_UNBLOCK, &mask,
              nullptr);
  if (work.asked->around.only_thread) {
    ask(&work);
    return;
  }
  pthread_t thread{};
  shared->setup = pthread_create(&thread, nullptr, ask, &work);
  if (shared->setup != 0) return;
  pthread_join(thread, nullptr);  // a thread that a filter ends is joined all the same
  if (shared->returned == 0 && shared->install_error == 0) shared->thread_died = 1;
}

// The watcher's view of one child.
class Watch {
 public:
  Watch(Work& work, int patience_milliseconds)
      : work_(work), shared_(work.shared), patience_(patience_milliseconds) {
    const pid_t parent = getpid();
    process_ = fork();
    if (process_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    be_asked(work);
    raw::call(SYS_exit_group, 0);
  }

  ~Watch() {
    if (listener_ >= 0) close(listener_);
    if (process_ <= 0 || gone_) return;
    kill(process_, SIGKILL);
    for (const auto start = Clock::now(); Clock::now() - start < kBurial && !process_ended();) {
      reap_thread();
      nap();
    }
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  std::expected<Seen, LiveError> run(const SeccompData& data) {
    if (process_ < 0) return std::unexpected(LiveError{"no process can be started"});
    seen_.data = data;
    const auto start = Clock::now();
    while (Clock::now() - start < patience_) {
      if (auto wrong = start_thread()) return std::unexpected(std::move(*wrong));
      if (watch_thread() || watch_listener()) return seen_;
      if (process_ended()) return ended();
      nap();
    }
    return std::unexpected(LiveError{"no answer within the deadline", LiveFault::Deadline});
  }

 private:
  bool process_ended() {
    const pid_t reaped = waitpid(process_, &status_, WNOHANG | __WALL);
    // The traced first thread's stops come here too.
    if (reaped == process_ && WIFSTOPPED(status_)) {
      stopped_ = true;
      return false;
    }
    gone_ = gone_ || reaped == process_ || (reaped < 0 && errno == ECHILD);
    return gone_;
  }

  void reap_thread() {
    int status = 0;
    if (thread_ > 0 && thread_ != process_) waitpid(thread_, &status, WNOHANG | __WALL);
  }

  // Once the asking thread is there: traces it if that is asked for, and lets it go.
  std::optional<LiveError> start_thread() {
    if (thread_ != 0 || shared_->thread == 0) return std::nullopt;
    thread_ = shared_->thread;
    if (work_.asked->around.tracer &&
        ptrace(PTRACE_SEIZE, thread_, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) != 0) {
      return LiveError{fmt::format("the asking child cannot be traced: errno {}", errno),
                       LiveFault::TracingDenied};
    }
    shared_->go = 1;
    return std::nullopt;
  }

  // The traced thread's stops: signals go on to it, a stop of seccomp is an answer.
  bool watch_thread() {
    if (!work_.asked->around.tracer || thread_ == 0) return false;
    int status = 0;
    if (thread_ == process_) {
      if (!stopped_) return false;
      stopped_ = false;
      status = status_;
    } else if (waitpid(thread_, &status, WNOHANG | __WALL) != thread_ || !WIFSTOPPED(status)) {
      return false;
    }
    if (status >> 8 == kSeccompStop) {
      unsigned long message = 0;
      ptrace(PTRACE_GETEVENTMSG, thread_, 0, &message);
      seen_.kind = Seen::Kind::TracerStop;
      seen_.message = static_cast<std::uint32_t>(message);
      return true;
    }
    const int signal = status >> 16 == 0 ? WSTOPSIG(status) : 0;
    ptrace(PTRACE_CONT, thread_, 0, static_cast<long>(signal));
    return false;
  }

  bool watch_listener() {
    if (!work_.asked->around.listener || shared_->listener == 0) return false;
    if (listener_ < 0) {
      const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, process_, 0));
      listener_ = static_cast<int>(syscall(SYS_pidfd_getfd, pidfd, shared_->listener - 1, 0));
      if (pidfd >= 0) close(pidfd);
      if (listener_ >= 0) shared_->listener_held = 1;
      return false;
    }
    pollfd descriptor{listener_, POLLIN, 0};
    if (poll(&descriptor, 1, 0) != 1 || (descriptor.revents & POLLIN) == 0) return false;
    seccomp_notif notification{};
    if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0) return false;

    seen_.notified = std::bit_cast<SeccompData>(notification.data);
    seen_.kind = Seen::Kind::Notified;
    return true;
  }

  std::expected<Seen, LiveError> ended() {
    if (shared_->setup != 0) return std::unexpected(*what_went_wrong({}, shared_->setup));
    if (shared_->install_error != 0) {
      return std::unexpected(
          LiveError{fmt::format("a filter was refused: errno {}", +shared_->install_error)});
    }
    if (WIFSIGNALED(status_)) {
      seen_.kind = Seen::Kind::ProcessDied;
      seen_.signal = WTERMSIG(status_);
    } else if (shared_->trapped != 0) {
      seen_.kind = Seen::Kind::Sigsys;
      seen_.siginfo = shared_->siginfo;
    } else if (shared_->thread_died != 0) {
      seen_.kind = Seen::Kind::ThreadDied;
      seen_.signal = SIGSYS;
    } else if (shared_->returned != 0) {
      const bool executed = shared_->result == shared_->before;
      seen_.kind = executed ? Seen::Kind::Allowed : Seen::Kind::Returned;
      seen_.value = shared_->result;
    } else {
      seen_.why = "the asking child ended before it had an answer";
    }
    return seen_;
  }

  Work& work_;
  Shared* shared_;
  std::chrono::milliseconds patience_;
  pid_t process_ = -1;
  pid_t thread_ = 0;
  int listener_ = -1;
  int status_ = 0;
  bool stopped_ = false;
  bool gone_ = false;
  Seen seen_;
};

}  // namespace

bool is_harmless(const SeccompData& data) noexcept {
  constexpr std::int32_t kGetpid = 39;
  constexpr std::int32_t kGetppid = 110;
  constexpr std::int32_t kGetpid32 = 20;
  constexpr std::int32_t kGetppid32 = 64;
  if (data.arch == info(Arch::X86_64).token) return data.nr == kGetpid || data.nr == kGetppid;
  return data.arch == info(Arch::X86).token && (data.nr == kGetpid32 || data.nr == kGetppid32);
}

std::expected<Seen, LiveError> surrounded(const SurroundedCall& asked, CallSites& sites,
                                          int patience_milliseconds) {
  Seen unreachable;
  unreachable.kind = Seen::Kind::NotReachable;
  unreachable.data = asked.call.data;
  const auto reached = sites.reach(asked.call);
  if (!reached) {
    unreachable.why = reached.error();
    return unreachable;
  }
  if (!is_harmless(asked.call.data)) {
    unreachable.why = "the call might be executed, and that could do harm";
    return unreachable;
  }
  const SharedMemory memory(sizeof(Shared));
  Work work{&asked, reached->registers, memory.as<Shared>()};
  Watch watch(work, patience_milliseconds);
  return watch.run(reached->data);
}

}  // namespace callgate::live
