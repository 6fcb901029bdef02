#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/live/call_sites.hpp"
#include "harness/live/child.hpp"
#include "vm/instruction.hpp"
#include "vm/outcome.hpp"

namespace callgate::live {

/// What was seen of one call.
struct Seen {
  enum class Kind : std::uint8_t {
    Allowed,       ///< by ALLOW, LOG or what is weaker than TRACE, which look alike; not executed
    Returned,      ///< `value`
    Sigsys,        ///< a signal was to be delivered, with `siginfo`
    ThreadDied,    ///< and the process lived on
    ProcessDied,   ///< by `signal`
    TracerStop,    ///< TRACE by the stack, with `message`
    NotReachable,  ///< this machine cannot make the call; `why`
    Lost,          ///< no answer; `why`
  };
  Kind kind = Kind::Lost;
  std::int64_t value = 0;
  int signal = 0;
  std::uint32_t message = 0;
  SigsysInfo siginfo{};
  SeccompData data;  ///< what the filters saw, the instruction pointer included
  std::string_view why{};
};

/// What happened to a stack and its calls.
struct StackSeen {
  int install_error = 0;      ///< errno of the first filter that was refused, 0 if none
  std::size_t installed = 0;  ///< filters that were
  std::vector<Seen> calls;    ///< one for each call, in order, unless a filter was refused
};

/// Installs the filters, oldest first, as they are, and makes the calls; nothing that they allow is
/// executed. Each call is made by the second thread of a traced child, so that the end of a thread
/// and the end of the process differ; an older filter of ours turns what is allowed into a stop, at
/// which the call is dropped. The child sees a tracer, so TRACE stops (TracerStop) and does not
/// give ENOSYS.
[[nodiscard]] std::expected<StackSeen, LiveError> outcomes(std::span<const Program> oldest_first,
                                                           std::span<const Call> calls,
                                                           CallSites& sites);

/// Whether our answer is what was seen. `ours` was made of `value` for surroundings with a tracer,
/// no listener, and another thread. What the filter that stops allowed calls outdoes (an unknown
/// action weaker than TRACE) cannot be seen this way, and counts as not asked.
enum class Agreement : std::uint8_t { Agrees, Differs, NotAsked };
[[nodiscard]] Agreement compare(const Outcome& ours, std::uint32_t value, const Seen& seen);

/// Why a call was not asked; empty where it was.
[[nodiscard]] std::string_view why_not_asked(std::uint32_t value, const Seen& seen);

/// "returns -1, EPERM", "SIGSYS is delivered, si_errno 7", …
[[nodiscard]] std::string words(const Seen& seen, std::string_view call);

}  // namespace callgate::live
