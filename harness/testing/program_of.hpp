#pragma once

#include <cstdint>

#include "vm/instruction.hpp"

namespace callgate::testing {

/// The program that a range of instructions stands for: of anything that has the fields of the
/// kernel's `struct sock_filter`, `code`, `jt`, `jf` and `k`.
template <typename Range>
[[nodiscard]] Program program_of(const Range& instructions) {
  Program out;
  for (const auto& each : instructions) {
    out.push_back({.code = static_cast<std::uint16_t>(each.code),
                   .jt = static_cast<std::uint8_t>(each.jt),
                   .jf = static_cast<std::uint8_t>(each.jf),
                   .k = static_cast<std::uint32_t>(each.k)});
  }
  return out;
}

}  // namespace callgate::testing
