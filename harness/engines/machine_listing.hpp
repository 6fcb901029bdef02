#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "vm/checked_program.hpp"

namespace callgate {

/// One instruction, or one word of a table, of the machine code that a program becomes.
struct MachineLine {
  std::size_t address = 0;  ///< from the start of the code
  std::vector<std::uint8_t> bytes;
  std::string text;
  std::vector<std::size_t> instructions;  ///< those of the program whose code begins here
  bool returns_0 = false;  ///< here begins what returns 0 for a division by 0, an undefined shift
  bool in_table = false;
};

/// The machine code that the engine `jit` makes of a program for the architecture of its kernel; or
/// why there is none: an architecture other than x86_64 and aarch64, or a build without asmjit or
/// capstone.
[[nodiscard]] std::expected<std::vector<MachineLine>, std::string> machine_listing(
    const CheckedProgram& program);

}  // namespace callgate
