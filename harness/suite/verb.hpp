#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/suite/call_pattern.hpp"
#include "verifier/levels.hpp"
#include "vm/kernel_model.hpp"

/// What is expected of calls: "allow", "errno EPERM", "never allow", "returns -1 ENOSYS".
namespace callgate::suite {

/// Numbers of a level: those whose bits under `mask` are `value`.
struct Wanted {
  std::uint32_t mask = 0xffffffffU;
  std::uint32_t value = 0;
};

struct Verb {
  enum class Quantifier : std::uint8_t {
    Always,     ///< of every call of a pattern
    Never,      ///< of none
    Sometimes,  ///< of one at least
  };

  Quantifier quantifier = Quantifier::Always;
  verifier::Level level = verifier::Level::Verdict;
  std::vector<Wanted> wanted;  ///< in one of them
  std::string text;            ///< as it was written
  std::string words;           ///< "ERRNO(1), EPERM"; "anything but ALLOW"
  /// What is above values of 32 bits where the author does not say: what is refused shall be
  /// refused whatever stands there, what is permitted as programs send it.
  HighHalf high = HighHalf::Any;

  /// Whether a number of its level is one that it names.
  [[nodiscard]] bool names(std::uint32_t number) const noexcept;
  /// Whether one call may have it: of Sometimes, whether it is what is looked for.
  [[nodiscard]] bool fits(std::uint32_t number) const noexcept {
    return names(number) != (quantifier == Quantifier::Never);
  }
};

/// Reads an expectation's key; errnos are those of the machine. The error is a sentence.
[[nodiscard]] std::expected<Verb, std::string> parse_verb(std::string_view text, Arch machine);

/// The verdict that a recorded text says: "ALLOW", "ERRNO(1)", "ERRNO(EPERM)", "0x00060001".
[[nodiscard]] std::optional<std::uint32_t> parse_recorded_verdict(std::string_view text,
                                                                  Arch machine);

}  // namespace callgate::suite
