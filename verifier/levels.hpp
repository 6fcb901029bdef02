#pragma once

#include <cstdint>

#include "verifier/meaning.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"

/// What of a filter's result counts: the same result at a level is the same number.
namespace callgate::verifier {

enum class Level : std::uint8_t {
  Raw,  ///< all 32 bits that a single program returns
  /// Action and data, as the kernel looks at them: before 4.14 bit 31 does not count. Calls that no
  /// filter is asked for are ALLOW.
  Verdict,
  /// What the calling process sees: Outcome without its log record. So ALLOW is LOG, errnos above
  /// 4095 are 4095, an action that the kernel does not know is the death that it means, TRACE
  /// without a tracer is ENOSYS. The data of a death (si_errno, in a core file at most) do not
  /// count, nor do those of USER_NOTIF, which nobody gets.
  Outcome,
  /// The action's place in the kernel's order, 0 the strictest; data do not count. An action that
  /// the kernel does not know counts as what it does: KILL_PROCESS, before 5.10 KILL_THREAD.
  Strictness,
  /// 1 where the call is executed without that anybody is asked (ALLOW and LOG), else 0.
  Executes,
};

/// "raw", "verdict", "outcome", "strictness", "executes"
[[nodiscard]] std::string_view to_string(Level level) noexcept;

/// The number of outcomes of a kind at Level::Outcome. `detail`: Returns: the errno, 0 for 0;
/// Sigsys and TracerDecides: the data; else 0, where a death's lowest bit says that there may be a
/// core.
[[nodiscard]] constexpr std::uint32_t outcome_number(OutcomeKind kind,
                                                     std::uint32_t detail = 0) noexcept {
  return static_cast<std::uint32_t>(kind) << 24U | detail;
}

/// What a value is at a level for a call; nothing where the kernel leaves it open.
[[nodiscard]] std::optional<std::uint32_t> at_level(Level level, std::uint32_t value,
                                                    const SeccompData& data,
                                                    const KernelModel& model,
                                                    const Surroundings& around);

/// The condition that a call is one that no filter is asked for (is_exempt()).
[[nodiscard]] Space::Ref exempt_calls(Space& space, const KernelModel& model);

/// The same for a function with Endings as its ends; the result has Endings too. That of
/// exempt_calls() is not special in it. Throws Diagrams::Full.
[[nodiscard]] Space::Ref at_level(Level level, Endings& endings, Space::Ref function,
                                  const KernelModel& model, const Surroundings& around);

}  // namespace callgate::verifier
