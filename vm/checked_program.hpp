#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

namespace callgate {

namespace verifier {
class Checker;
}

/// What a program counts towards the limit of kMaxInstructionsPerTask.
struct LimitCost {
  std::size_t as_new = 0;       ///< while it is being installed
  std::size_t as_attached = 0;  ///< once it is, without the 4 that each older filter costs besides
};

/// A program that a kernel accepts. Only verifier::check() makes one, so whoever holds one need not
/// look again: every jump stays inside, every load and slot is in range, it ends by a return.
class CheckedProgram {
 public:
  [[nodiscard]] std::span<const Instruction> instructions() const noexcept { return program_; }
  /// The kernel it was checked for.
  [[nodiscard]] const KernelModel& model() const noexcept { return model_; }
  [[nodiscard]] const LimitCost& limit_cost() const noexcept { return cost_; }

 private:
  friend class verifier::Checker;
  CheckedProgram(Program program, const KernelModel& model, const LimitCost& cost)
      : program_(std::move(program)), model_(model), cost_(cost) {}

  Program program_;
  KernelModel model_;
  LimitCost cost_;
};

}  // namespace callgate
