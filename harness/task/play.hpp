#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/task/script.hpp"
#include "vm/task.hpp"

/// Plays scripts in the model.
namespace callgate::task {

/// What a step came to.
struct StepResult {
  enum class Kind : std::uint8_t {
    NotMade,     ///< its task has ended, or is not there yet
    Set,         ///< it set the scene
    Met,         ///< `call` says what became of it: the kernel was never reached, or it waits
    Replied,     ///< `reply`
    Created,     ///< the task `created`
    Ended,       ///< by exit(2)
    Execs,       ///< execve(2) is let in
    Descriptor,  ///< a supervisor's ADDFD gave it one, and returned it: the lowest that was free
    Executes,    ///< a call whose result is the kernel's
    Unknown,     ///< `reason`
  };
  Kind kind = Kind::Set;
  CallResult call;
  Reply reply;
  TaskId created = 0;
  std::string_view reason{};
};

/// A played script.
struct Played {
  Tasks tasks;
  std::vector<StepResult> results;  ///< one for each step
};

/// The argument that a script's filter is to the model.
[[nodiscard]] FilterArgument argument_of(const ScriptFilter& filter, const KernelModel& model);

/// Plays the steps of a script, one at a time.
class Player {
 public:
  /// Starts as the script's `process` says; its steps are not looked at.
  Player(const Script& script, const KernelModel& model);
  /// What the step comes to. One of a task or a filter that does not exist by then is an error.
  [[nodiscard]] std::expected<StepResult, ScriptError> play(const Step& step);
  [[nodiscard]] const Tasks& tasks() const noexcept { return tasks_; }

 private:
  Tasks tasks_;
  Answers answers_;
};

/// Plays a script step by step. A step of a task or a filter that does not exist by then is the
/// script's error.
[[nodiscard]] std::expected<Played, ScriptError> play(const Script& script,
                                                      const KernelModel& model);

/// "returns 0", "returns -1, EINVAL", "the process dies by SIGSYS", "task 2", …
[[nodiscard]] std::string words(const StepResult& result, const Step& step);

/// "returns", "listener", "thread-id", "task", "executes", "process-dies", …: one word, for
/// programs to read.
[[nodiscard]] std::string_view kind_word(const StepResult& result);

}  // namespace callgate::task
