#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vm/arithmetic.hpp"
#include "vm/checked_program.hpp"
#include "vm/equality_chains.hpp"
#include "vm/opcodes.hpp"

namespace callgate::jit {

/// What is to be translated of a program, found in one pass forward and one back: jumps only go
/// forward, so that both are exact.
class Plan {
 public:
  /// Runs of equality compares shorter than this stay compares.
  static constexpr std::size_t kShortestChain = 4;

  explicit Plan(const CheckedProgram& program);

  [[nodiscard]] std::span<const Instruction> program() const noexcept { return program_; }
  [[nodiscard]] const OpcodeInfo& row(std::size_t at) const noexcept { return *rows_[at]; }

  /// The instruction where control really goes that goes to `at`.
  [[nodiscard]] std::size_t lands(std::size_t at) const noexcept { return lands_[at]; }

  /// Whether `at` is translated at its place. Returns of a constant never are: they are translated
  /// where control goes to them.
  [[nodiscard]] bool is_needed(std::size_t at) const noexcept { return needed_[at] != 0; }

  /// Whether what `at` computes is never read, and the run cannot end there.
  [[nodiscard]] bool is_dead(std::size_t at) const noexcept;

  /// Whether the load at `at` is made one with the compare after it: nobody else comes to that, and
  /// A is not read afterwards.
  [[nodiscard]] bool is_fused(std::size_t at) const noexcept { return fused_[at] != 0; }

  /// The chain that begins at `at`, or nullptr.
  [[nodiscard]] const EqualityChain* chain_at(std::size_t at) const noexcept {
    return chain_of_[at] == 0 ? nullptr : &chains_[chain_of_[at] - 1U];
  }

  [[nodiscard]] bool is_constant_return(std::size_t at) const noexcept {
    return rows_[at]->opcode == Opcode::RetK;
  }
  /// The first return of the same constant.
  [[nodiscard]] std::size_t same_return(std::size_t at) const noexcept { return same_return_[at]; }

  /// Whether A and X are read before they are set: they begin as 0.
  [[nodiscard]] bool reads_a_first() const noexcept { return (live_[lands_[0]] & kA) != 0; }
  [[nodiscard]] bool reads_x_first() const noexcept { return (live_[lands_[0]] & kX) != 0; }
  [[nodiscard]] bool uses_memory() const noexcept { return uses_memory_; }

 private:
  // Bits of what is read later on: the slots, then A and X.
  static constexpr std::uint32_t kA = 1U << 16U;
  static constexpr std::uint32_t kX = 1U << 17U;

  void find_returns();
  void find_live();
  void find_needed();
  [[nodiscard]] std::uint32_t sets(std::size_t at) const noexcept;
  [[nodiscard]] std::uint32_t reads(std::size_t at) const noexcept;
  [[nodiscard]] bool may_end(std::size_t at) const noexcept;
  [[nodiscard]] bool can_fuse(std::size_t at, std::span<const std::uint16_t> arrivals) const;

  std::span<const Instruction> program_;
  bool shifts_may_end_;
  std::vector<const OpcodeInfo*> rows_;
  std::vector<std::uint16_t> lands_;
  std::vector<std::uint16_t> same_return_;
  std::vector<EqualityChain> chains_;
  std::vector<std::uint16_t> chain_of_;  // 1 and up
  std::vector<std::uint32_t> live_;      // what is read later, seen from before the instruction
  std::vector<std::uint8_t> needed_;
  std::vector<std::uint8_t> fused_;
  bool uses_memory_ = false;
};

}  // namespace callgate::jit
