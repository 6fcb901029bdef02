#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "harness/suite/vector.hpp"
#include "vm/instruction.hpp"

/// Vectors written as corpus/README.md describes them: what parse_vector() reads back as the same.
namespace callgate::suite {

/// "ERRNO(2)", "ALLOW", or "0x00060001" where no action has such bits.
[[nodiscard]] std::string result_text(std::uint32_t value);

/// A line for each instruction, or for as many as are the same; fields that its words do not say
/// are written out as `{ CODE, JT, JF, K }`.
[[nodiscard]] std::string program_text(std::span<const Instruction> program,
                                       const std::string& indent = "  ");

/// What follows `input:`. What is 0 is left out, and `arch` where it is `token`.
[[nodiscard]] std::string input_text(const SeccompData& data, std::uint32_t token);

/// A whole vector file. Keys that say what holds when they are left out are left out.
[[nodiscard]] std::string vector_text(const Vector& vector);

}  // namespace callgate::suite
