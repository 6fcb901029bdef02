#include "harness/process/tracer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "harness/process/relay.hpp"
#include "vm/arches.hpp"
#include "vm/syscalls.hpp"

namespace callgate::process {
namespace {

constexpr int kSyscallStop = SIGTRAP | 0x80;

std::string words_of(int error) {
  return fmt::format("{} ({})", std::strerror(error), strerrorname_np(error));
}

// Names differ between C libraries, numbers do not.
long trace(int request, pid_t tid, std::uintptr_t address, std::uintptr_t data) {
  return syscall(SYS_ptrace, request, tid, address, data);
}

std::string denied(int error) {
  return fmt::format(
      "tracing is refused: {}; ptrace(2) must be allowed here: in a container, by its seccomp "
      "profile and CAP_SYS_PTRACE; for processes of others, by being root and by "
      "/proc/sys/kernel/yama/ptrace_scope; and nobody else may trace it already",
      words_of(error));
}

// What is executed: a path, or the first match in PATH, so that execve(2) is called once.
std::string executable(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* const path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  for (;;) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string folder(end == 0 ? "." : rest.substr(0, end));
    const std::string candidate = folder + '/' + name;
    std::error_code ignored;
    if (access(candidate.c_str(), X_OK) == 0 &&
        std::filesystem::is_regular_file(candidate, ignored)) {
      return candidate;
    }
    if (end == rest.size()) return name;
    rest.remove_prefix(end + 1);
  }
}

// A pipe's two ends, closed by execve(2) and with the object.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  }
  ~Pipe() {
    shut(0);
    shut(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void shut(std::size_t which) {
    if (ends[which] >= 0) close(ends[which]);
    ends[which] = -1;
  }
};

enum class Place : std::uint8_t { Outside, Inside };

struct Task {
  bool announced = false;  // the observer knows of it
  Place place = Place::Outside;
};

class Session {
 public:
  Session(std::span<const std::string> command, const SessionLimits& limits, Observer& observer)
      : command_(command), limits_(limits), observer_(observer) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  std::expected<SessionEnd, ProcessError> run();

 private:
  std::expected<void, ProcessError> begin(const BlockedSignals& signals);
  [[noreturn]] void be_command(const sigset_t& mask, const std::string& path);
  void look_at(pid_t tid, int status);
  void ended(pid_t tid, int status);
  void event(pid_t tid, int event, int signal);
  void born(pid_t creator);
  void executed(pid_t tid);
  void syscall_stop(pid_t tid, Task& task);
  void go_on(pid_t tid, int signal);
  void kill_all();
  void let_go();
  [[nodiscard]] bool is_over() const;

  std::span<const std::string> command_;
  const SessionLimits& limits_;
  Observer& observer_;
  Pipe go_;
  Pipe failure_;
  pid_t root_ = -1;
  int root_fd_ = -1;
  bool root_runs_ = false;
  bool executing_ = false;  // the command's own execve(2) has begun
  bool killed_ = false;
  SessionEnd end_;
  std::unordered_map<pid_t, Task> tasks_;
  std::unordered_set<pid_t> early_;  // stopped before their creator told of them
};

Session::~Session() {
  if (root_runs_) {
    kill(root_, SIGKILL);
    int status = 0;
    while (waitpid(root_, &status, __WALL) == root_ && !WIFEXITED(status) && !WIFSIGNALED(status)) {
      trace(PTRACE_CONT, root_, 0, 0);
    }
  }
  if (root_fd_ >= 0) close(root_fd_);
}

void Session::be_command(const sigset_t& mask, const std::string& path) {
  std::vector<char*> words;
  for (const std::string& each : command_) words.push_back(const_cast<char*>(each.c_str()));
  words.push_back(nullptr);
  char byte = 0;
  if (read(go_.ends[0], &byte, 1) != 1) _exit(1);  // the tracer has ended
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execve(path.c_str(), words.data(), environ);
  const int error = errno;
  [[maybe_unused]] const ssize_t told = write(failure_.ends[1], &error, sizeof error);
  _exit(127);
}

std::expected<void, ProcessError> Session::begin(const BlockedSignals& signals) {
  const std::string path = executable(command_.front());
  if (go_.ends[0] < 0 || failure_.ends[0] < 0) {
    return std::unexpected(ProcessError{"no pipe can be made: " + words_of(errno)});
  }
  root_ = fork();
  if (root_ < 0) {
    return std::unexpected(ProcessError{"no process can be started: " + words_of(errno)});
  }
  if (root_ == 0) {
    go_.shut(1);
    be_command(signals.before(), path);
  }
  root_runs_ = true;
  failure_.shut(1);
  root_fd_ = static_cast<int>(syscall(SYS_pidfd_open, root_, 0));
  std::uintptr_t options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                           PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
  if (observer_.wants_endings()) options |= PTRACE_O_TRACEEXIT;
  if (trace(PTRACE_SEIZE, root_, 0, options) != 0) {
    return std::unexpected(ProcessError{denied(errno)});
  }
  // It stands still once, so that its calls are seen from then on.
  int status = 0;
  if (trace(PTRACE_INTERRUPT, root_, 0, 0) != 0 || waitpid(root_, &status, __WALL) != root_ ||
      !WIFSTOPPED(status)) {
    return std::unexpected(ProcessError{denied(errno)});
  }
  tasks_[root_].announced = true;
  observer_.started(root_, 0);
  go_on(root_, 0);
  if (write(go_.ends[1], "", 1) != 1) {
    return std::unexpected(ProcessError{"the command cannot be started: " + words_of(errno)});
  }
  return {};
}

std::expected<SessionEnd, ProcessError> Session::run() {
  const BlockedSignals signals;
  if (const auto begun = begin(signals); !begun) return std::unexpected(begun.error());
  const SignalRelay relay(signals.blocked(), root_fd_, limits_.timeout);
  bool released = false;
  while (!is_over()) {
    int status = 0;
    const pid_t tid = waitpid(released ? root_ : -1, &status, __WALL);
    if (relay.is_time_over() && !killed_) {
      end_.timed_out = true;
      kill_all();
    }
    if (tid < 0) {
      if (errno == EINTR) continue;
      break;
    }
    if (released) {
      ended(tid, status);
      continue;
    }
    look_at(tid, status);
    if (!killed_ && root_runs_ && observer_.has_enough()) {
      let_go();
      released = true;
    }
  }
  if (!tasks_.empty() && !released) let_go();
  int error = 0;
  if (read(failure_.ends[0], &error, sizeof error) == sizeof error) {
    return std::unexpected(ProcessError{fmt::format("{}: {}", command_.front(), words_of(error))});
  }
  return end_;
}

bool Session::is_over() const { return !root_runs_ && (!limits_.follow || tasks_.empty()); }

void Session::go_on(pid_t tid, int signal) {
  trace(PTRACE_SYSCALL, tid, 0, static_cast<std::uintptr_t>(signal));
}

void Session::look_at(pid_t tid, int status) {
  if (!WIFSTOPPED(status)) {
    ended(tid, status);
    return;
  }
  const auto found = tasks_.find(tid);
  if (found == tasks_.end()) {
    early_.insert(tid);  // it waits until its creator's event has been seen
    return;
  }
  const int signal = WSTOPSIG(status);
  if (signal == kSyscallStop) {
    syscall_stop(tid, found->second);
    go_on(tid, 0);
    return;
  }
  const int kind = status >> 16;
  if (kind != 0) {
    event(tid, kind, signal);
    return;
  }
  go_on(tid, signal);
}

void Session::syscall_stop(pid_t tid, Task& task) {
  // An exit that nobody wants to know of needs no look.
  if (task.place == Place::Inside && !observer_.wants_results()) {
    task.place = Place::Outside;
    return;
  }
  __ptrace_syscall_info info{};
  const long size =
      trace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, reinterpret_cast<std::uintptr_t>(&info));
  if (size <= 0) return;  // it is being killed
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    task.place = Place::Inside;
    SeccompData call;
    call.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(info.entry.nr));
    call.arch = info.arch;
    call.instruction_pointer = info.instruction_pointer;
    std::copy_n(std::begin(info.entry.args), call.args.size(), call.args.begin());
    if (!executing_) {
      // What the child does before is ours.
      const auto exec = syscall_number(host_arch(), "execve");
      executing_ = exec && *exec == static_cast<std::uint32_t>(call.nr);
      if (!executing_) return;
    }
    observer_.entered(tid, call);
  } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    const bool inside = task.place == Place::Inside;
    task.place = Place::Outside;
    if (inside && executing_ && observer_.wants_results()) {
      observer_.left(tid, info.exit.rval);
    }
  }
}

void Session::event(pid_t tid, int kind, int signal) {
  switch (kind) {
    case PTRACE_EVENT_CLONE:
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
      born(tid);
      go_on(tid, 0);
      return;
    case PTRACE_EVENT_EXEC:
      executed(tid);
      go_on(tid, 0);
      return;
    case PTRACE_EVENT_EXIT:
      if (!killed_) observer_.ending(tid);
      go_on(tid, 0);
      return;
    case PTRACE_EVENT_STOP:
      // Stopped as a group, by one of these: it stays so until SIGCONT.
      if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
        trace(PTRACE_LISTEN, tid, 0, 0);
        return;
      }
      go_on(tid, 0);
      return;
    default:
      go_on(tid, 0);
      return;
  }
}

void Session::born(pid_t creator) {
  unsigned long message = 0;
  if (trace(PTRACE_GETEVENTMSG, creator, 0, reinterpret_cast<std::uintptr_t>(&message)) != 0) {
    return;
  }
  const auto tid = static_cast<pid_t>(message);
  tasks_[tid].announced = true;
  observer_.started(tid, creator);
  if (early_.erase(tid) != 0) go_on(tid, 0);
  if (killed_) kill(tid, SIGKILL);
}

void Session::executed(pid_t tid) {
  unsigned long message = 0;
  trace(PTRACE_GETEVENTMSG, tid, 0, reinterpret_cast<std::uintptr_t>(&message));
  const auto former = message != 0 ? static_cast<pid_t>(message) : tid;
  if (former != tid) tasks_.erase(former);
  // The call of execve(2) that it is inside of is its own now.
  tasks_[tid] = {.announced = true, .place = Place::Inside};
  observer_.executed(tid, former);
}

void Session::ended(pid_t tid, int status) {
  if (!WIFEXITED(status) && !WIFSIGNALED(status)) return;
  TaskEnd end;
  if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  const bool known = tasks_.erase(tid) != 0;
  early_.erase(tid);
  if (tid == root_) {
    root_runs_ = false;
    end_.command = end;
  }
  if (known) observer_.ended(tid, end);
}

void Session::kill_all() {
  killed_ = true;
  for (const auto& [tid, task] : tasks_) kill(tid, SIGKILL);
  for (const pid_t tid : early_) kill(tid, SIGKILL);
}

// Whoever is traced is stopped once and let go there.
void Session::let_go() {
  for (const pid_t tid : early_) trace(PTRACE_DETACH, tid, 0, 0);
  early_.clear();
  std::unordered_set<pid_t> left;
  for (const auto& [tid, task] : tasks_) {
    if (trace(PTRACE_DETACH, tid, 0, 0) == 0) continue;  // it stands still already
    if (trace(PTRACE_INTERRUPT, tid, 0, 0) == 0 || errno != ESRCH) left.insert(tid);
  }
  while (!left.empty()) {
    int status = 0;
    const pid_t tid = waitpid(-1, &status, __WALL);
    if (tid < 0 && errno == EINTR) continue;
    if (tid < 0) break;
    if (!WIFSTOPPED(status)) {
      left.erase(tid);
      ended(tid, status);
      continue;
    }
    const int kind = status >> 16;
    // A child that is born right now is let go as well, when it stops.
    if (kind == PTRACE_EVENT_CLONE || kind == PTRACE_EVENT_FORK || kind == PTRACE_EVENT_VFORK) {
      unsigned long message = 0;
      trace(PTRACE_GETEVENTMSG, tid, 0, reinterpret_cast<std::uintptr_t>(&message));
      const auto child = static_cast<pid_t>(message);
      if (child != 0 && trace(PTRACE_DETACH, child, 0, 0) != 0) left.insert(child);
    }
    const int signal = WSTOPSIG(status);
    const bool delivered = kind == 0 && signal != kSyscallStop;
    trace(PTRACE_DETACH, tid, 0, static_cast<std::uintptr_t>(delivered ? signal : 0));
    left.erase(tid);
  }
  tasks_.clear();
}

}  // namespace

std::expected<SessionEnd, ProcessError> run_traced(std::span<const std::string> command,
                                                   const SessionLimits& limits,
                                                   Observer& observer) {
  if (command.empty()) return std::unexpected(ProcessError{"there is no command"});
  return Session(command, limits, observer).run();
}

std::expected<StoppedThread, ProcessError> StoppedThread::stop(pid_t tid) {
  if (trace(PTRACE_SEIZE, tid, 0, 0) != 0) {
    const int error = errno;
    if (error == ESRCH) {
      return std::unexpected(ProcessError{fmt::format("{}: there is no such thread", tid)});
    }
    return std::unexpected(ProcessError{fmt::format("{}: {}", tid, denied(error))});
  }
  StoppedThread stopped(tid);
  int status = 0;
  if (trace(PTRACE_INTERRUPT, tid, 0, 0) != 0 || waitpid(tid, &status, __WALL) != tid ||
      !WIFSTOPPED(status)) {
    return std::unexpected(ProcessError{fmt::format("{}: it ended while it was stopped", tid)});
  }
  // A signal was about to be delivered: it is, and the thread stops right after that.
  while (status >> 16 == 0) {
    const int signal = WSTOPSIG(status);
    if (trace(PTRACE_INTERRUPT, tid, 0, 0) != 0 ||
        trace(PTRACE_CONT, tid, 0, static_cast<std::uintptr_t>(signal)) != 0 ||
        waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status)) {
      return std::unexpected(ProcessError{fmt::format("{}: it ended while it was stopped", tid)});
    }
  }
  return stopped;
}

StoppedThread::~StoppedThread() {
  if (tid_ > 0) trace(PTRACE_DETACH, tid_, 0, 0);
}

}  // namespace callgate::process
