#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vm/outcome.hpp"
#include "vm/seccomp_data.hpp"

/// What was seen of calls on the running kernel, and how it compares with our answers.
namespace callgate::live {

/// What was seen of one call.
struct Seen {
  enum class Kind : std::uint8_t {
    Allowed,       ///< by ALLOW or LOG, which look alike; not executed
    Returned,      ///< `value`
    Sigsys,        ///< a signal was to be delivered, with `siginfo`
    ThreadDied,    ///< by `signal`, and the process lived on
    ProcessDied,   ///< by `signal`
    TracerStop,    ///< TRACE by the stack, with `message`
    Notified,      ///< the listener was told, of `notified`, and its answer was what came back
    NotRefused,    ///< untraced: anything weaker than ERRNO, or what returns `value`
    Died,          ///< untraced: by SIGSYS, be it for TRAP or for a kill
    NotReachable,  ///< this machine cannot make the call; `why`
    Deadline,      ///< no answer in time; nothing is known of it nor of what comes after it
    Lost,          ///< no answer; `why`
  };
  Kind kind = Kind::Lost;
  std::int64_t value = 0;
  int signal = 0;
  std::uint32_t message = 0;
  SigsysInfo siginfo{};
  SeccompData data;      ///< what the filters saw, the instruction pointer included
  SeccompData notified;  ///< Notified: what the notification says
  std::string_view why{};
};

/// What happened to a stack and its calls.
struct StackSeen {
  int install_error = 0;      ///< errno of the first filter that was refused, 0 if none
  std::size_t installed = 0;  ///< filters that were not
  std::vector<Seen> calls;    ///< one for each call, in order, unless a filter was refused
  /// Why nothing was traced; empty where it was. Untraced, only these can be told apart: values
  /// returned, death by SIGSYS, and what no filter refuses.
  std::string untraced{};
};

/// Whether our answer is what was seen. `ours` was made of `value` for surroundings with a tracer,
/// another thread, and a listener where the winner is the filter that was asked with one. What the
/// filter that stops allowed calls outdoes (an unknown action weaker than TRACE) cannot be seen,
/// and counts as not asked. Untraced, an answer agrees when it is among those that look alike.
enum class Agreement : std::uint8_t { Agrees, Differs, NotAsked };
[[nodiscard]] Agreement compare(const Outcome& ours, std::uint32_t value, const Seen& seen);

/// Why a call was not asked; empty where it was.
[[nodiscard]] std::string_view why_not_asked(std::uint32_t value, const Seen& seen);

/// "returns -1, EPERM", "SIGSYS is delivered, si_errno 7", …
[[nodiscard]] std::string words(const Seen& seen, std::string_view call);

}  // namespace callgate::live
