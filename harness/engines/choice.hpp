#pragma once

#include <cstdint>

#include "vm/checked_program.hpp"
#include "vm/engine.hpp"

namespace callgate {

/// The engine that is likely to be done first when a program, not yet prepared, is to give so many
/// verdicts: preparing counts. Runs the program on a few calls to see what it executes; one verdict
/// is the reference's without looking.
[[nodiscard]] const Engine& engine_for(const CheckedProgram& program, std::uint64_t verdicts);

}  // namespace callgate
