#pragma once

#include <expected>
#include <vector>

#include "harness/live/call_sites.hpp"
#include "harness/live/child.hpp"
#include "harness/live/seen.hpp"
#include "vm/instruction.hpp"
#include "vm/outcome.hpp"

namespace callgate::live {

/// What the asking thread does about SIGSYS.
enum class SigsysSetting : std::uint8_t {
  Handled,  ///< a handler that notes its siginfo
  Blocked,
  Ignored,
};

/// A call under a stack of filters, and who is there.
struct SurroundedCall {
  std::vector<Program> oldest_first;  ///< let everything through but the call
  Call call;                          ///< one that is_harmless()
  /// tracer, listener and log_flag (of the newest filter) and only_thread are made so
  Surroundings around{};
  SigsysSetting sigsys = SigsysSetting::Handled;
};

/// Whether a call may be executed without doing any harm: the x86_64 and i386 numbers that return
/// an id of the caller.
[[nodiscard]] bool is_harmless(const SeccompData& data) noexcept;

/// Makes the call in a child of its own, in those surroundings, and says what was seen. Unlike
/// outcomes() no filter of ours is there, so that an unknown action weaker than TRACE is seen too,
/// and what is allowed is executed: that is why the call must be harmless. At a stop for the tracer
/// and at a notification the call is not let go on: the child is killed.
[[nodiscard]] std::expected<Seen, LiveError> surrounded(const SurroundedCall& asked,
                                                        CallSites& sites,
                                                        int patience_milliseconds = kPatience);

}  // namespace callgate::live
