#include "verifier/limits.hpp"

#include "vm/opcodes.hpp"

namespace callgate::verifier {
namespace {

// A conditional jump: the compare, one more jump where both sides go somewhere (or where the
// condition cannot be turned round), and a load of the constant where that is negative.
std::size_t branch_length(const Instruction& i, const OpcodeInfo& row, const KernelModel& model) {
  const bool has_constant = row.operand == Operand::K;
  std::size_t length = 1;
  if (has_constant && i.k >= 0x80000000U) {
    length = model.blinds_constants ? std::size_t{row.blinded} + 1 : 2;
  } else if (model.blinds_constants) {
    length = row.blinded;
  }
  return jumps_twice(i, model) ? length + 1 : length;
}

// ARM's own JIT ran classic programs from 4.3 until 4.14.
bool has_classic_jit(const KernelModel& model) {
  return model.arch == Arch::Arm && model.engine == KernelEngine::Jit &&
         model.version >= Version{4, 3, 0} && model.version < Version{4, 14, 0};
}

}  // namespace

std::size_t converted_length_of(const Instruction& i, const KernelModel& model) noexcept {
  const OpcodeInfo* row = find_opcode(i.code);
  if (row == nullptr || row->acceptance != Acceptance::Seccomp) return 0;
  if (row->kind == OpcodeKind::Branch) return branch_length(i, *row, model);
  if (row->opcode == Opcode::DivX && !model.has(Feature::DivXChecked)) return 1;
  const bool moves_constant =
      row->opcode == Opcode::LdImm || row->opcode == Opcode::LdxImm || row->opcode == Opcode::RetK;
  const bool blinded = model.blinds_constants && !(moves_constant && i.k == 0);
  return blinded ? row->blinded : row->ebpf;
}

bool jumps_twice(const Instruction& branch, const KernelModel& model) noexcept {
  if (branch.jf == 0) return false;
  if (branch.jt != 0) return true;
  const auto opcode = static_cast<Opcode>(branch.code);
  const bool is_jset = opcode == Opcode::JsetK || opcode == Opcode::JsetX;
  const bool is_jeq = opcode == Opcode::JeqK || opcode == Opcode::JeqX;
  const bool can_invert = is_jeq || (!is_jset && model.has(Feature::InvertedJumps));
  return !can_invert;
}

bool runs_classic_programs(const KernelModel& model) noexcept {
  return !model.has(Feature::EbpfConversion) || has_classic_jit(model);
}

std::size_t converted_prologue(const KernelModel& model) noexcept {
  return model.has(Feature::LongPrologue) ? 3 : 1;
}

std::size_t converted_length(std::span<const Instruction> program,
                             const KernelModel& model) noexcept {
  std::size_t length = converted_prologue(model);
  for (const Instruction& i : program) length += converted_length_of(i, model);
  return length;
}

LimitCost limit_cost(std::span<const Instruction> program, const KernelModel& model) noexcept {
  const std::size_t classic = program.size();
  if (runs_classic_programs(model)) return {classic, classic};
  const std::size_t converted = converted_length(program, model);
  return {model.has(Feature::EbpfLimit) ? converted : classic, converted};
}

}  // namespace callgate::verifier
