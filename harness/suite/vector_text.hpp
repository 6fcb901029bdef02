#pragma once

#include <span>
#include <string>

#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

/// Parts of a vector file, for those that write one (corpus/README.md describes the format).
namespace callgate::suite {

/// A `program:` block, an instruction a line; what has no name of its own, or fields that its text
/// has no place for, stands field by field. Long runs of the same are `repeat N:`.
[[nodiscard]] std::string program_block(std::span<const Instruction> program);

/// An `input:` line; what is 0 is left out.
[[nodiscard]] std::string input_line(const SeccompData& data);

/// A filter's result: "ERRNO(2)", "ALLOW"; what is no action as a number.
[[nodiscard]] std::string result_text(std::uint32_t value);

}  // namespace callgate::suite
