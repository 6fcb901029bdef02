#pragma once

#include <span>

#include "vm/checked_program.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

namespace callgate::verifier {

/// How many eBPF instructions the kernel makes of a program (bpf_convert_filter(), and with
/// `model`'s blinding bpf_jit_blind_constants()): what the limit counts since 3.17. Every
/// instruction counts, reachable or not. Instructions that seccomp refuses count as 0.
[[nodiscard]] std::size_t converted_length(std::span<const Instruction> program,
                                           const KernelModel& model) noexcept;

/// What one instruction becomes. Instructions that seccomp refuses count as 0.
[[nodiscard]] std::size_t converted_length_of(const Instruction& instruction,
                                              const KernelModel& model) noexcept;

/// What stands before the program: registers set to 0, the context kept.
[[nodiscard]] std::size_t converted_prologue(const KernelModel& model) noexcept;

/// Whether a conditional jump becomes two: one where its test holds, and behind it another that is
/// reached only where it does not.
[[nodiscard]] bool jumps_twice(const Instruction& branch, const KernelModel& model) noexcept;

/// Whether this kernel runs programs as they are, without converting them.
[[nodiscard]] bool runs_classic_programs(const KernelModel& model) noexcept;

/// What a program counts towards kMaxInstructionsPerTask on that kernel: classic instructions
/// before 3.15, converted ones for those already attached from 3.15, converted ones throughout
/// from 3.17.
[[nodiscard]] LimitCost limit_cost(std::span<const Instruction> program,
                                   const KernelModel& model) noexcept;

}  // namespace callgate::verifier
