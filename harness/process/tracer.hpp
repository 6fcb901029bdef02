#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "vm/seccomp_data.hpp"

/// Processes as they are: what they install and which calls they make, seen through ptrace(2).
namespace callgate::process {

/// Why a process could not be watched, in words that say what to do next.
struct ProcessError {
  std::string message;
};

/// How a task ended: its exit code, or the signal that ended it.
struct TaskEnd {
  int code = 0;
  int signal = 0;  ///< 0: it exited by itself
};

/// Told by a session what its tasks do, in the order in which the tracer sees it; each task stands
/// still while it is told of. `tid` is the thread's id.
class Observer {
 public:
  Observer() = default;
  virtual ~Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// A thread or a child; 0 as creator: the command itself.
  virtual void started(pid_t tid, pid_t creator) = 0;
  /// It is about to make a call; no filter has been asked yet.
  virtual void entered(pid_t tid, const SeccompData& call) = 0;
  /// Its call returned. Only where wants_results().
  virtual void left(pid_t tid, std::int64_t result) = 0;
  /// execve(2) was successful. `former` is the id that the thread had; all others are gone.
  virtual void executed(pid_t tid, pid_t former) = 0;
  /// It is about to end, and can still be looked at. Only where wants_endings().
  virtual void ending(pid_t tid) = 0;
  virtual void ended(pid_t tid, const TaskEnd& end) = 0;

  [[nodiscard]] virtual bool wants_results() const = 0;
  [[nodiscard]] virtual bool wants_endings() const = 0;
  /// Asked after each event: true lets all tasks go on untraced.
  [[nodiscard]] virtual bool has_enough() const = 0;
};

/// How far a session goes.
struct SessionLimits {
  std::optional<std::chrono::milliseconds> timeout;  ///< then every task is killed
  bool follow = false;  ///< until the last child has ended, not only the command
};

/// How a session ended.
struct SessionEnd {
  TaskEnd command;
  bool timed_out = false;
};

/// Runs a command to its end with all its threads and children traced. Signals, stops, the exit
/// code and death by a signal are as they would be untraced; SIGINT, SIGTERM, SIGHUP and SIGQUIT
/// that somebody sends to this process are passed on (those of a terminal reach the command by
/// themselves). Children that live longer than the command are let go. The command's call of
/// execve(2) is the first that is told of. Call it from a process with one thread.
[[nodiscard]] std::expected<SessionEnd, ProcessError> run_traced(
    std::span<const std::string> command, const SessionLimits& limits, Observer& observer);

/// Stops a thread that runs already, for as long as the object lives; it goes on as it was.
class StoppedThread {
 public:
  [[nodiscard]] static std::expected<StoppedThread, ProcessError> stop(pid_t tid);
  ~StoppedThread();
  StoppedThread(StoppedThread&& other) noexcept : tid_(std::exchange(other.tid_, -1)) {}
  StoppedThread(const StoppedThread&) = delete;
  StoppedThread& operator=(const StoppedThread&) = delete;
  StoppedThread& operator=(StoppedThread&&) = delete;

  [[nodiscard]] pid_t tid() const { return tid_; }

 private:
  explicit StoppedThread(pid_t tid) : tid_(tid) {}
  pid_t tid_;
};

}  // namespace callgate::process
