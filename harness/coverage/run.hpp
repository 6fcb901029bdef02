#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vm/arithmetic.hpp"
#include "vm/instruction.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"

/// Counts where runs come to.
namespace callgate::coverage {

/// The conditional jumps of a program, so that an observer can tell which way they go.
class Jumps {
 public:
  explicit Jumps(std::span<const Instruction> program) : program_(program) {
    for (std::size_t at = 0; at < program.size(); ++at) {
      const OpcodeInfo* row = find_opcode(program[at].code);
      const bool branch = row != nullptr && row->kind == OpcodeKind::Branch;
      taken_to_.push_back(branch ? at + 1 + program[at].jt : kNoBranch);
    }
  }

  [[nodiscard]] bool is_branch(std::size_t at) const { return taken_to_[at] != kNoBranch; }

  /// Whether a step took a conditional jump; false for other instructions.
  [[nodiscard]] bool took(const reference::Step& step) const {
    if (taken_to_[step.at] != step.next) return false;
    const Instruction& here = program_[step.at];
    if (here.jt != here.jf) return true;
    const OpcodeInfo& row = *find_opcode(here.code);
    return holds(test_of(row.opcode), step.a, row.operand == Operand::X ? step.x : here.k);
  }

 private:
  static constexpr std::size_t kNoBranch = ~std::size_t{0};  // where no step goes
  std::span<const Instruction> program_;
  std::vector<std::size_t> taken_to_;
};

/// How often instructions were executed, and conditional jumps taken.
struct Tally {
  explicit Tally(std::size_t instructions) : executed(instructions), taken(instructions) {}

  std::vector<std::uint64_t> executed;
  std::vector<std::uint64_t> taken;
};

/// The observer that counts.
struct Counter {
  const Jumps& jumps;
  Tally& tally;

  void step(const reference::Step& step) const {
    ++tally.executed[step.at];
    if (jumps.took(step)) ++tally.taken[step.at];
  }
};

/// Runs a program and counts; an instruction that a run ends at by a fault was executed, too.
inline reference::Result counted(std::span<const Instruction> program, const SeccompData& data,
                                 const KernelModel& model, const Jumps& jumps, Tally& tally) {
  const reference::Result result = reference::run(program, data, model, Counter{jumps, tally});
  if (result.fault != reference::Fault::None) ++tally.executed[result.last];
  return result;
}

}  // namespace callgate::coverage
