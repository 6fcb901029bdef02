#pragma once

#include <expected>
#include <span>

#include "vm/checked_program.hpp"
#include "vm/diagnostics.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

namespace callgate::verifier {

/// Why a program is refused: never empty of diagnostics, which stand in program order.
struct Refusal {
  InstallError error = InstallError::Invalid;  ///< the errno that installing it gives
  Diagnostics diagnostics;
};

/// Accepts exactly the programs that `model`'s kernel accepts (bpf_check_classic(),
/// check_load_and_stores() and seccomp_check_filter()), and says all that is wrong with any other.
/// The limit of a task is not looked at: a single program of 4096 instructions always fits;
/// FilterStack::push() does.
[[nodiscard]] std::expected<CheckedProgram, Refusal> check(std::span<const Instruction> program,
                                                           const KernelModel& model);

}  // namespace callgate::verifier
