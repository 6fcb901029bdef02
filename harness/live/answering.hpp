#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "vm/task.hpp"

/// Who answers for one call of a task of the running kernel: a tracer that is there for that call
/// alone, and a supervisor that holds a descriptor of the listener for as long. The caller looks
/// from time to time, and waits for nothing else in between.
namespace callgate::live {

/// Traces one thread, by the thread that made the object, and answers its stops for TRACE.
class AnsweringTracer {
 public:
  AnsweringTracer(pid_t thread, const Tracer& answer) : thread_(thread), answer_(answer) {}
  ~AnsweringTracer() = default;
  AnsweringTracer(const AnsweringTracer&) = delete;
  AnsweringTracer& operator=(const AnsweringTracer&) = delete;

  /// Attaches; 0 or an errno.
  [[nodiscard]] int attach();
  /// Answers a stop, if there is one; the wait status where the thread has ended, which reaps it.
  std::optional<int> look();
  /// What somebody else got of waitpid(2) for this thread.
  void stopped(int status);
  /// Lets the thread go, as soon as it has stopped for that, however long that takes up to the
  /// milliseconds; the wait status where it has ended, which reaps it.
  std::optional<int> detach(int milliseconds);

  [[nodiscard]] bool attached() const { return attached_; }
  /// The thread has stopped for TRACE.
  [[nodiscard]] bool asked() const { return asked_; }
  /// The answer would have executed a call that is neither the thread's own nor harmless: it was
  /// skipped.
  [[nodiscard]] bool harmful() const { return harmful_; }

 private:
  [[nodiscard]] std::optional<int> next();
  void answer_stop();

  pid_t thread_;
  Tracer answer_;
  bool attached_ = false;
  bool letting_go_ = false;
  bool asked_ = false;
  bool harmful_ = false;
};

/// What the kernel made of a supervisor's ADDFD.
struct GivenFd {
  int error = 0;       ///< errno of the ioctl
  int descriptor = 0;  ///< what it returned otherwise
};

/// Holds a descriptor of a listener and answers a notification. A call that nobody answers, or
/// whose answer the kernel refuses, waits: that is noted, and the call then ended with 0. What is
/// given by ADDFD is a descriptor of an eventfd(2).
class AnsweringSupervisor {
 public:
  explicit AnsweringSupervisor(const std::optional<Supervisor>& answer) : answer_(answer) {}
  ~AnsweringSupervisor();
  AnsweringSupervisor(const AnsweringSupervisor&) = delete;
  AnsweringSupervisor& operator=(const AnsweringSupervisor&) = delete;

  /// Takes a copy of a descriptor of a thread that lives; 0 or an errno.
  [[nodiscard]] int take(pid_t process, pid_t thread, int descriptor);
  /// Answers a notification, if there is one.
  void look();

  [[nodiscard]] int descriptor() const { return listener_; }
  /// The number in the notification, where there was one.
  [[nodiscard]] std::optional<std::int32_t> notified() const { return notified_; }
  [[nodiscard]] bool waited() const { return waited_; }
  /// The errno of the answer, 0 where it was taken or never given.
  [[nodiscard]] int send_error() const { return send_error_; }
  /// Nothing where none was to be given, or nobody asked.
  [[nodiscard]] std::optional<GivenFd> given() const { return given_; }

 private:
  [[nodiscard]] GivenFd give(const AddFd& addfd, std::uint64_t id) const;

  std::optional<Supervisor> answer_;
  int listener_ = -1;
  std::optional<std::int32_t> notified_;
  bool waited_ = false;
  int send_error_ = 0;
  std::optional<GivenFd> given_;
};

}  // namespace callgate::live
