#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "harness/live/child.hpp"
#include "harness/random/generator.hpp"
#include "harness/task/live_tasks.hpp"
#include "harness/task/play.hpp"
#include "harness/task/script.hpp"

/// Scripts made in real processes of the running kernel, beside the model. x86_64 only.
namespace callgate::task {

/// A step that came to something else than the model says, or could not be made.
struct LiveDifference {
  std::size_t step = 0;  ///< its place among the script's steps
  std::string ours;
  std::string kernel;
};

/// How a script went.
struct LiveRun {
  std::size_t made = 0;                      ///< steps that the kernel was asked for
  std::optional<LiveDifference> difference;  ///< the first; nothing after it is made
  /// Why no step was made from some point on: this process may not trace its children, or have
  /// their descriptors; a tracer would let a call through that may do harm. Empty where all were.
  std::string cut{};
};

/// Whether the runner can make a step: no execve, calls that are harmless, also where a tracer
/// makes others of them, and of the settings only who answers.
[[nodiscard]] bool can_be_made(const Step& step) noexcept;

/// Makes a script's steps, one after the other, in processes of their own, and compares what each
/// returned, who was asked about it, who lives after it, with which mode, filters and no_new_privs
/// (in /proc), and how processes ended. A task has a tracer while it makes a call, and only where
/// one is in force. A call that waits for a supervisor is let go once it is seen to wait. For the
/// tasks to be heard, filters must let read and write pass; random_script() sees to it. Needs
/// CAP_SYS_ADMIN where the script's first task has it. All processes are reaped when it returns.
/// `pace` is the caller's, of the whole campaign; `patience`: milliseconds that a task may need to
/// answer.
[[nodiscard]] std::expected<LiveRun, live::LiveError> run_live(const Script& script,
                                                               const KernelModel& model,
                                                               live::Pace& pace,
                                                               int patience = live::kPatience);

/// A script of up to `longest` steps that run_live() can make. `may_have_cap`: the first task may
/// have CAP_SYS_ADMIN. The same source and model give the same script.
[[nodiscard]] Script random_script(random::Source& source, std::size_t longest, bool may_have_cap,
                                   const KernelModel& model);

/// A script's steps as text, for a person to play again.
[[nodiscard]] std::string text_of(const Script& script);

}  // namespace callgate::task
