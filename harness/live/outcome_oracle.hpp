#pragma once

#include <expected>
#include <span>
#include <vector>

#include "harness/live/call_sites.hpp"
#include "harness/live/child.hpp"
#include "harness/live/seen.hpp"
#include "vm/instruction.hpp"

namespace callgate::live {

/// How outcomes are asked.
struct OutcomeOptions {
  int patience_milliseconds = kPatience;  ///< without any progress
  bool traced = true;  ///< where tracing is denied, it is done without all the same
};

/// Installs the filters, oldest first, as they are, and makes the calls; nothing that they allow is
/// executed. Each call is made by the second thread of a traced child, so that the end of a thread
/// and the end of the process differ; an older filter of ours turns what is allowed into a stop, at
/// which the call is dropped. The child sees a tracer, so TRACE stops (TracerStop) and does not
/// give ENOSYS. Untraced, that older filter returns ERRNO(4095), and less can be told apart. Where
/// this process is under filters itself, their answers would be taken for the stack's: an error.
/// Our filter counts towards the limit of a task, as a filter of one instruction does.
[[nodiscard]] std::expected<StackSeen, LiveError> outcomes(std::span<const Program> oldest_first,
                                                           std::span<const Call> calls,
                                                           CallSites& sites,
                                                           const OutcomeOptions& options = {});

}  // namespace callgate::live
