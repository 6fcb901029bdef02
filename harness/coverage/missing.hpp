#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "harness/coverage/coverage.hpp"

namespace callgate::coverage {

/// An instruction, or one direction of a conditional jump, that is not covered.
struct Missing {
  std::size_t at = 0;
  std::optional<bool> taken{};   ///< the direction; nothing: the instruction itself
  const Point* point = nullptr;  ///< of the program that was asked about
};

/// What of a program is not covered, to be told to people: what comes next to what was covered
/// first, then what is behind it. An instruction is left out where a direction that leads to it is
/// named, or where what leads to it is; so is a jump that is unreachable, with its directions.
[[nodiscard]] std::vector<Missing> missing_of(const ProgramCoverage& program);

}  // namespace callgate::coverage
