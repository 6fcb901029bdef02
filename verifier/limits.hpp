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

/// What a program counts towards kMaxInstructionsPerTask on that kernel: classic instructions
/// before 3.15, converted ones for those already attached from 3.15, converted ones throughout
/// from 3.17.
[[nodiscard]] LimitCost limit_cost(std::span<const Instruction> program,
                                   const KernelModel& model) noexcept;

}  // namespace callgate::verifier
