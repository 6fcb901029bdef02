#pragma once

#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "harness/live/call_sites.hpp"
#include "harness/live/child.hpp"
#include "harness/live/seen.hpp"
#include "vm/instruction.hpp"
#include "vm/outcome.hpp"

namespace callgate::live {

/// What is around the calls that outcomes() makes: a tracer, and another thread.
inline constexpr Surroundings kOracleSurroundings = {.tracer = true,
                                                     .listener = false,
                                                     .only_thread = false,
                                                     .sigsys_blocked_or_ignored = false,
                                                     .log_flag = false};

/// How outcomes are asked.
struct OutcomeOptions {
  int patience_milliseconds = kPatience;  ///< without any progress
  bool traced = true;  ///< where tracing is denied, it is done without all the same
  /// the filter, from the oldest (0), that is installed with a listener; a supervisor answers
  std::optional<std::size_t> listener{};
};

/// Installs the filters, oldest first, as they are, and makes the calls; nothing that they allow is
/// executed. Each call is made by the second thread of a traced child, so that the end of a thread
/// and the end of the process differ; an older filter of ours turns what is allowed into a stop, at
/// which the call is dropped. The child sees a tracer, so TRACE stops (TracerStop) and does not
/// give ENOSYS. Untraced, that older filter returns ERRNO(4095), with a listener in the stack
/// USER_NOTIF without one (ENOSYS), and less can be told apart. Where this process is under filters
/// itself, their answers would be taken for the stack's: an error. A filter's listener is served by
/// a supervisor: what it is told of is Notified, and nothing that it could let continue is
/// executed. Our filter counts towards the limit of a task, as a filter of one instruction does.
[[nodiscard]] std::expected<StackSeen, LiveError> outcomes(std::span<const Program> oldest_first,
                                                           std::span<const Call> calls,
                                                           CallSites& sites,
                                                           const OutcomeOptions& options = {});

}  // namespace callgate::live
