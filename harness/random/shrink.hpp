#pragma once

#include <functional>
#include <span>
#include <vector>

#include "harness/random/mutations.hpp"
#include "vm/instruction.hpp"

namespace callgate::random {

/// Says of each candidate whether it still shows what is being looked for.
using Shows = std::function<std::vector<bool>(std::span<const Program>)>;

/// A smaller program that still shows it: instructions taken out, jumps kept to their targets,
/// fields set to 0. `program` itself must show it. Asks in batches, a few hundred times at most.
[[nodiscard]] Program shrunk(Program program, const Shows& shows);

}  // namespace callgate::random
