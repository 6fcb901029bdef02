#include "harness/live/traced_child.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace callgate::live {
namespace {

constexpr long kOptions = PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;
// After SIGKILL a child that the kernel does not hold is gone at once.
constexpr std::chrono::milliseconds kBurial{5'000};

// The second thread of the child: installs the stack, makes the calls, ends by a trap.
CALLGATE_IN_CHILD void ask(void* argument) {
  const auto* const work = static_cast<const TracedWork*>(argument);
  TracedShared* const shared = work->shared;
  while (shared->go == 0) raw::call(SYS_sched_yield);
  const Filter* const filters = shared->passes != 0 ? work->passing : work->filters;
  for (std::size_t i = 0; i < work->filter_count; ++i) {
    const long result = install(filters[i], &shared->supervision);
    if (result != 0) {
      shared->install_error = static_cast<std::int32_t>(-result);
      raw::callgate_live_end();
    }
    shared->installed = i + 1;
  }
  raw::callgate_live_stop();
  for (std::size_t i = work->first; i < work->calls; ++i) {
    shared->at = i;
    work->results[i] = static_cast<std::int64_t>(raw::callgate_live_call(&work->registers[i]));
  }
  shared->at = work->calls;
  raw::callgate_live_end();
}

// The first thread: starts the second and answers pings until it is killed.
CALLGATE_IN_CHILD void live_on(TracedWork& work, std::byte* stack) {
  TracedShared* const shared = work.shared;
  shared->setup = allow_filters();
  if (shared->setup != 0) return;
  Pace pace;  // of the second thread too
  pace.step(work.filter_count);
  const long id = raw::callgate_live_clone(
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
      stack + kAskerStack, ask, &work);
  shared->second = id;
  if (id < 0) shared->setup = static_cast<std::int32_t>(-id);
  while (id >= 0) {
    shared->pong = shared->ping;
    supervise(shared->supervision);
  }
}

void nap() {
  const timespec pause{0, 20'000};
  nanosleep(&pause, nullptr);
}

}  // namespace

TracedChild::TracedChild(TracedWork& work, std::byte* stack, int patience_milliseconds)
    : work_(work), shared_(work.shared), patience_(patience_milliseconds) {
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ < 0) fork_error_ = errno;
  if (process_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  live_on(work, stack);
  _exit(0);
}

TracedChild::~TracedChild() {
  if (process_ <= 0 || process_gone_) return;
  kill(process_, SIGKILL);
  // The traced thread is reaped first, then the process; what the kernel itself holds is left.
  const auto start = Clock::now();
  while (Clock::now() - start < kBurial) {
    int status = 0;
    if (!thread_gone_ && thread_ > 0 && waitpid(thread_, &status, WNOHANG | __WALL) < 0) {
      thread_gone_ = true;
    }
    const pid_t reaped = waitpid(process_, &status, WNOHANG | __WALL);
    if (reaped == process_ && (WIFEXITED(status) || WIFSIGNALED(status))) return;
    if (reaped < 0 && errno == ECHILD) return;
    nap();
  }
}

bool TracedChild::over(Clock::time_point start) const { return Clock::now() - start >= patience_; }

bool TracedChild::process_ended() {
  int status = 0;
  const pid_t reaped = waitpid(process_, &status, WNOHANG | __WALL);
  process_gone_ = process_gone_ || reaped == process_ || (reaped < 0 && errno == ECHILD);
  return process_gone_;
}

std::optional<LiveError> TracedChild::attach() {
  if (process_ < 0) {
    return LiveError{fmt::format("no process can be started: errno {}", fork_error_)};
  }
  const auto start = Clock::now();
  while (shared_->second == 0 && shared_->setup == 0) {
    if (over(start)) {
      return LiveError{"the asking child did not start within the deadline", LiveFault::Deadline};
    }
    if (process_ended() && shared_->second == 0 && shared_->setup == 0) {
      return LiveError{"the asking child died before it could start"};
    }
    nap();
  }
  if (const int setup = shared_->setup; setup != 0) return what_went_wrong({}, setup);
  thread_ = static_cast<pid_t>(shared_->second);
  // Root may have the filters not asked until they all stand.
  if (ptrace(PTRACE_SEIZE, thread_, 0, kOptions | PTRACE_O_SUSPEND_SECCOMP) != 0) {
    if (ptrace(PTRACE_SEIZE, thread_, 0, kOptions) != 0) {
      return LiveError{fmt::format("the asking child cannot be traced: errno {}", errno),
                       LiveFault::TracingDenied};
    }
    if (work_.passing == nullptr) {
      return LiveError{
          "without CAP_SYS_ADMIN only a stack's newest filter may have more than 4088 "
          "instructions: the others are installed with some in front of them"};
    }
    shared_->passes = 1;
  }
  shared_->go = 1;
  return std::nullopt;
}

void TracedChild::ask_filters() { ptrace(PTRACE_SETOPTIONS, thread_, 0, kOptions); }

void TracedChild::go_on(int signal) { ptrace(PTRACE_CONT, thread_, 0, signal); }

std::optional<int> TracedChild::wait() {
  auto start = Clock::now();
  std::uint64_t moved = shared_->at + shared_->installed;
  for (int spins = 0;; ++spins) {
    int status = 0;
    const pid_t reaped = waitpid(thread_, &status, WNOHANG | __WALL);
    if (reaped == thread_) {
      if (WIFEXITED(status) || WIFSIGNALED(status)) thread_gone_ = true;
      return status;
    }
    if (reaped < 0 && errno == ECHILD) {
      thread_gone_ = true;
      return std::nullopt;
    }
    if (spins < 200) {
      sched_yield();
      continue;
    }
    if (const std::uint64_t now = shared_->at + shared_->installed; now != moved) {
      moved = now;
      start = Clock::now();
    }
    if (over(start)) return std::nullopt;
    nap();
  }
}

std::optional<bool> TracedChild::process_lives() {
  // A process that is to end has its end pending before its second thread's is reported. Its first
  // thread may still answer once, from where it was; to answer twice it must pass through the
  // kernel, which it does not survive.
  const auto start = Clock::now();
  for (int answers = 0; answers < 2; ++answers) {
    const std::uint64_t asked = shared_->ping + 1;
    shared_->ping = asked;
    while (shared_->pong != asked) {
      if (process_ended()) return false;
      if (over(start)) return std::nullopt;
      nap();
    }
  }
  return true;
}

}  // namespace callgate::live
