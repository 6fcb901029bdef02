#include "harness/cost/arm64_code.hpp"

#include <algorithm>
#include <bit>

#include "verifier/limits.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"

namespace callgate::cost {
namespace {

using verifier::Way;

constexpr std::uint32_t kLowHalf = 0xffff;

// Instructions that put a constant into a register: one for each half that a move of zeros or of
// ones does not leave right.
std::size_t moved(std::uint32_t k) {
  const std::uint32_t high = k >> 16U;
  const bool one =
      high == 0 || high == kLowHalf || ((high >> 15U) != 0 && (k & kLowHalf) == kLowHalf);
  return one ? 1 : 2;
}

// add, sub and cmp take 12 bits, perhaps shifted by 12.
bool is_small(std::uint32_t k) { return (k & ~0xfffU) == 0 || (k & ~0xfff000U) == 0; }

// and, or, xor take a run of ones, rotated, repeated over 2, 4, 8, 16 or 32 bits.
bool is_pattern(std::uint32_t k) {
  if (k == 0 || k == ~0U) return false;
  for (const int size : {2, 4, 8, 16, 32}) {
    if (size < 32 && std::rotr(k, size) != k) continue;
    // One run of ones to a period: as many changes from 0 to 1, around, as there are periods.
    return std::popcount(k & ~std::rotl(k, 1)) == 32 / size;
  }
  return false;
}

// tst looks at 64 bits, the upper ones of which are 0: a run, and not a repeated one.
bool is_run(std::uint32_t k) {
  return k != 0 && std::has_single_bit(std::uint64_t{k >> std::countr_zero(k)} + 1);
}

std::size_t alu(Opcode opcode, std::uint32_t k) {
  constexpr std::size_t kTested = 3;  // by 0, or not
  using enum Opcode;
  if (opcode == AddK || opcode == SubK) return is_small(k) || is_small(0U - k) ? 1 : moved(k) + 1;
  if (opcode == AndK || opcode == OrK || opcode == XorK) return is_pattern(k) ? 1 : moved(k) + 1;
  if (opcode == MulK || opcode == DivK) return moved(k) + 1;
  return opcode == DivX ? kTested : 1;
}

std::size_t branch(const Instruction& i, const OpcodeInfo& row, const KernelModel& model, Way way) {
  std::size_t out = 2;  // compare, jump
  if (row.operand == Operand::K) {
    const bool fits = row.opcode == Opcode::JsetK ? is_run(i.k) : is_small(i.k);
    if (!fits || i.k >= 0x80000000U) out += moved(i.k);
  }
  return out + (way == Way::NotTaken && verifier::jumps_twice(i, model) ? 1 : 0);
}

bool has_slots(std::span<const Instruction> program) {
  return std::ranges::any_of(program, [](const Instruction& i) {
    const OpcodeInfo* const row = find_opcode(i.code);
    return row != nullptr && row->operand == Operand::Memory;
  });
}

std::size_t weight(std::span<const Instruction> program, std::size_t at, Way way,
                   const KernelModel& model, const Arm64Code& code) {
  const Instruction& i = program[at];
  const OpcodeInfo& row = *find_opcode(i.code);
  if (row.operand == Operand::Data) return code.load;
  if (row.operand == Operand::Memory) return code.memory;
  using enum OpcodeKind;
  // All but the last jump to the end of the program.
  const std::size_t leaves = row.kind == Return && at + 1 < program.size() ? 1 : 0;
  const bool moves = row.kind == Return || row.kind == Load || row.kind == LoadX;
  if (moves && row.operand == Operand::K) return moved(i.k) + leaves;
  if (row.kind == Return) return leaves;
  if (row.kind == Branch) return branch(i, row, model, way);
  return row.kind == Alu ? alu(row.opcode, i.k) : 1;
}

// Weighs each instruction as it runs.
struct Weighing {
  std::span<const Instruction> program;
  const KernelModel& model;
  const Arm64Code& code;
  std::size_t sum = 0;

  void step(const reference::Step& step) {
    const bool branches = find_opcode(program[step.at].code)->kind == OpcodeKind::Branch;
    const bool taken = step.next == step.at + 1 + program[step.at].jt;
    const Way way = !branches ? Way::Plain : taken ? Way::Taken : Way::NotTaken;
    sum += weight(program, step.at, way, model, code);
  }
};

}  // namespace

verifier::Count arm64_body(const FilterStack& stack, std::uint32_t nr, const Arm64Code& code) {
  const auto weigh = [&](std::span<const Instruction> program, std::size_t at, Way way) {
    return weight(program, at, way, stack.model(), code);
  };
  verifier::Count sum;
  const std::uint32_t token = info(stack.model().arch).token;
  for (std::size_t filter = 0; filter < stack.size(); ++filter) {
    const auto one = verifier::weighed_path(stack.checked(filter), nr, token, weigh);
    const std::size_t slots = has_slots(stack.program(filter)) ? code.frame : 0;
    sum = {sum.least + one.least + slots, sum.most + one.most + slots};
  }
  return sum;
}

std::size_t arm64_body(const FilterStack& stack, const SeccompData& data, const Arm64Code& code) {
  std::size_t sum = 0;
  for (std::size_t filter = 0; filter < stack.size(); ++filter) {
    const std::span<const Instruction> program = stack.program(filter);
    Weighing weighing{program, stack.model(), code};
    static_cast<void>(reference::run(program, data, stack.model(), weighing));
    sum += weighing.sum + (has_slots(program) ? code.frame : 0);
  }
  return sum;
}

}  // namespace callgate::cost
