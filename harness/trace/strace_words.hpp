#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "vm/arches.hpp"

/// Arguments as strace prints them.
namespace callgate::trace {

/// The arguments of a call as pieces of its line.
struct Arguments {
  std::vector<std::string_view> pieces;
  bool named = false;  ///< "flags=…": their order need not be that of the registers
};

/// Splits what stands after a call's "(". Of a line that ends before its ")" and has no
/// "<unfinished ...>" the last piece is left out.
[[nodiscard]] Arguments split_arguments(std::string_view text);

/// What a piece tells of a register.
struct Register {
  std::uint64_t value = 0;
  bool low = false;   ///< its low half is known
  bool high = false;  ///< its high half is known
};

/// Numbers and constants of the tables tell the low half, numbers that do not fit in 32 bits and
/// NULL both; what is octal may have lost bits, and what is symbolic, quoted, a structure or cut is
/// not known. `trusting`: see ReadOptions.
[[nodiscard]] Register register_of(std::string_view piece, Arch arch, bool trusting);

}  // namespace callgate::trace
