#include "vm/jit/plan.hpp"

#include <algorithm>
#include <bit>

namespace callgate::jit {

Plan::Plan(const CheckedProgram& program)
    : program_(program.instructions()),
      shifts_may_end_(!shift_rule(program.model())),
      lands_(past_jumps(program_)),
      same_return_(program_.size()),
      chains_(equality_chains(program_, lands_, kShortestChain)),
      chain_of_(program_.size()),
      live_(program_.size()),
      needed_(program_.size()),
      fused_(program_.size()) {
  rows_.reserve(program_.size());
  for (const Instruction& each : program_) rows_.push_back(find_opcode(each.code));
  for (std::size_t i = 0; i < chains_.size(); ++i) {
    chain_of_[chains_[i].head] = static_cast<std::uint16_t>(i + 1);
  }
  find_returns();
  find_live();
  find_needed();
}

void Plan::find_returns() {
  // Places of returns, found by their constant: open addressing, at most half full.
  std::vector<std::uint16_t> seen(2 * std::bit_ceil(program_.size() + 1));
  for (std::size_t i = 0; i < program_.size(); ++i) {
    if (!is_constant_return(i)) continue;
    std::size_t slot = (program_[i].k * 0x9e3779b1U) & (seen.size() - 1);
    while (seen[slot] != 0 && program_[seen[slot] - 1U].k != program_[i].k) {
      slot = (slot + 1) & (seen.size() - 1);
    }
    if (seen[slot] == 0) seen[slot] = static_cast<std::uint16_t>(i + 1);
    same_return_[i] = static_cast<std::uint16_t>(seen[slot] - 1U);
  }
}

std::uint32_t Plan::sets(std::size_t at) const noexcept {
  switch (rows_[at]->kind) {
    case OpcodeKind::Load:
    case OpcodeKind::Alu:
    case OpcodeKind::Txa:
      return kA;
    case OpcodeKind::LoadX:
    case OpcodeKind::Tax:
      return kX;
    case OpcodeKind::Store:
    case OpcodeKind::StoreX:
      return 1U << program_[at].k;
    case OpcodeKind::Jump:
    case OpcodeKind::Branch:
    case OpcodeKind::Return:
      break;
  }
  return 0;
}

std::uint32_t Plan::reads(std::size_t at) const noexcept {
  const OpcodeInfo& row = *rows_[at];
  const std::uint32_t x = row.operand == Operand::X ? kX : 0;
  switch (row.kind) {
    case OpcodeKind::Load:
    case OpcodeKind::LoadX:
      return row.operand == Operand::Memory ? 1U << program_[at].k : 0;
    case OpcodeKind::Alu:
    case OpcodeKind::Branch:
      return kA | x;
    case OpcodeKind::Return:
      return row.operand == Operand::A ? kA : 0;
    case OpcodeKind::Store:
    case OpcodeKind::Tax:
      return kA;
    case OpcodeKind::StoreX:
    case OpcodeKind::Txa:
      return kX;
    case OpcodeKind::Jump:
      break;
  }
  return 0;
}

// Whether the run may end at an instruction that is no return.
bool Plan::may_end(std::size_t at) const noexcept {
  const OpcodeInfo& row = *rows_[at];
  if (row.kind != OpcodeKind::Alu) return false;
  const bool by_x = row.operand == Operand::X;
  switch (alu_of(row.opcode)) {
    case Alu::Div:
      return by_x || program_[at].k == 0;
    case Alu::Lsh:
    case Alu::Rsh:
      return by_x ? shifts_may_end_ : program_[at].k >= 32;
    case Alu::Add:
    case Alu::Sub:
    case Alu::Mul:
    case Alu::Or:
    case Alu::And:
    case Alu::Neg:
    case Alu::Xor:
      break;
  }
  return false;
}

bool Plan::is_dead(std::size_t at) const noexcept {
  const std::uint32_t set = sets(at);
  return set != 0 && (live_[lands_[at + 1]] & set) == 0 && !may_end(at);
}

void Plan::find_live() {
  for (std::size_t i = program_.size(); i-- > 0;) {
    switch (rows_[i]->kind) {
      case OpcodeKind::Return:
        live_[i] = reads(i);
        break;
      case OpcodeKind::Jump:
        live_[i] = live_[lands_[i]];
        break;
      case OpcodeKind::Branch: {
        const std::size_t yes = lands_[i + 1U + program_[i].jt];
        const std::size_t no = lands_[i + 1U + program_[i].jf];
        live_[i] = yes == no ? live_[yes] : live_[yes] | live_[no] | reads(i);
        break;
      }
      case OpcodeKind::Load:
      case OpcodeKind::LoadX:
      case OpcodeKind::Store:
      case OpcodeKind::StoreX:
      case OpcodeKind::Alu:
      case OpcodeKind::Tax:
      case OpcodeKind::Txa: {
        const std::uint32_t after = live_[lands_[i + 1]];
        live_[i] = is_dead(i) ? after : (after & ~sets(i)) | reads(i);
      }
    }
  }
}

bool Plan::can_fuse(std::size_t at, std::span<const std::uint16_t> arrivals) const {
  if (rows_[at]->opcode != Opcode::LdAbs) return false;
  const std::size_t compare = lands_[at + 1];
  if (rows_[compare]->kind != OpcodeKind::Branch || rows_[compare]->operand != Operand::K) {
    return false;
  }
  const std::size_t yes = lands_[compare + 1 + program_[compare].jt];
  const std::size_t no = lands_[compare + 1 + program_[compare].jf];
  return yes != no && chain_of_[compare] == 0 && arrivals[compare] == 1 &&
         ((live_[yes] | live_[no]) & kA) == 0;
}

void Plan::find_needed() {
  std::vector<std::uint16_t> arrivals(program_.size());
  const auto arrive = [&](std::size_t at) {
    ++arrivals[at];
    needed_[at] = !is_constant_return(at);
  };
  arrive(lands_[0]);
  for (std::size_t i = 0; i < program_.size(); ++i) {
    if (!is_needed(i)) continue;
    if (const EqualityChain* chain = chain_at(i)) {
      for (const EqualityChain::Key& key : chain->keys) arrive(key.target);
      arrive(chain->otherwise);
      continue;
    }
    switch (rows_[i]->kind) {
      case OpcodeKind::Return:
      case OpcodeKind::Jump:
        break;
      case OpcodeKind::Branch:
        arrive(lands_[i + 1U + program_[i].jt]);
        arrive(lands_[i + 1U + program_[i].jf]);
        break;
      case OpcodeKind::Load:
      case OpcodeKind::LoadX:
      case OpcodeKind::Store:
      case OpcodeKind::StoreX:
      case OpcodeKind::Alu:
      case OpcodeKind::Tax:
      case OpcodeKind::Txa:
        uses_memory_ = uses_memory_ || (rows_[i]->operand == Operand::Memory && !is_dead(i));
        arrive(lands_[i + 1]);
    }
  }
  for (std::size_t i = 0; i < program_.size(); ++i) {
    if (!is_needed(i) || !can_fuse(i, arrivals)) continue;
    fused_[i] = 1;
    needed_[lands_[i + 1]] = 0;
  }
}

}  // namespace callgate::jit
