#pragma once

#include <functional>
#include <span>
#include <vector>

#include "vm/instruction.hpp"

namespace callgate::random {

/// Says of each candidate whether it still shows what is being looked for.
using Shows = std::function<std::vector<bool>(std::span<const Program>)>;

/// A smaller program that still shows it: instructions taken out, jumps kept to their targets,
/// fields set to 0. `program` itself must show it. Asks in batches, a few hundred times at most.
[[nodiscard]] Program shrunk(Program program, const Shows& shows);

/// The program without `count` instructions from `first` on; jumps keep their targets, or go to
/// what follows those taken out.
[[nodiscard]] Program without(std::span<const Instruction> program, std::size_t first,
                              std::size_t count);

}  // namespace callgate::random
