#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "vm/jit/jit.hpp"

namespace callgate::jit {

/// A line of a listing of machine code.
struct Line {
  std::size_t offset = 0;  ///< from the start of the code
  std::vector<std::uint8_t> bytes;
  std::string text;  ///< "mov eax, dword ptr [rdi + 4]"; ".word 0x7fff0000" in a table
};

/// The lines of code that assemble() made for `target`, by capstone; or what capstone could not do.
[[nodiscard]] std::expected<std::vector<Line>, std::string> listing(const MachineCode& code,
                                                                    Target target);

}  // namespace callgate::jit
