#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "vm/instruction.hpp"

/// Changes of programs: for campaigns, fuzz targets, and the shrinking of what they find.
namespace callgate::random {

class Source;

/// The program without `count` instructions from `first` on; jumps keep their targets, or go to
/// what follows those taken out.
[[nodiscard]] Program without(std::span<const Instruction> program, std::size_t first,
                              std::size_t count);

/// The program with others put in before the instruction `at` (0 to the program's length). Jumps
/// keep their targets; one whose distance then has no room in its field keeps its distance.
[[nodiscard]] Program with_inserted(std::span<const Instruction> program, std::size_t at,
                                    std::span<const Instruction> others);

/// The same operation with its operand from X in place of k, or from k in place of X, as the opcode
/// table has them; nothing where there is no such operation.
[[nodiscard]] std::optional<Instruction> with_other_operand(const Instruction& instruction);

/// A changed copy: fields set to edges or noise, constants to edges that the operation's rule has,
/// operands exchanged, jumps led elsewhere, instructions taken out, put in or doubled (jumps keep
/// their targets, or do not), a piece of `other` put in, its tail put on, the tail cut off.
/// Accepted or not.
[[nodiscard]] Program mutated(Source& source, std::span<const Instruction> program,
                              std::span<const Instruction> other);

}  // namespace callgate::random
