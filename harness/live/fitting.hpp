#pragma once

#include <cstdint>
#include <expected>
#include <span>

#include "harness/live/child.hpp"
#include "vm/instruction.hpp"

namespace callgate::live {

/// How many filters were attached, one after the other, and the errno of the next one, 0 if there
/// was none.
struct Fitted {
  std::uint64_t count = 0;
  int error = 0;
};

/// Installs the programs in one child until one is refused. All but the last must let seccomp(2)
/// through.
[[nodiscard]] std::expected<Fitted, LiveError> fitting(std::span<const Program* const> programs,
                                                       int patience_milliseconds = kPatience);

}  // namespace callgate::live
