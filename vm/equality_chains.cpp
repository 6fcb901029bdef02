#include "vm/equality_chains.hpp"

#include <algorithm>
#include <utility>

#include "vm/opcodes.hpp"

namespace callgate {
namespace {

bool is(const Instruction& instruction, Opcode opcode) {
  return instruction.code == static_cast<std::uint16_t>(opcode);
}

bool is_branch(const Instruction& instruction) {
  const OpcodeInfo* row = find_opcode(instruction.code);
  return row != nullptr && row->kind == OpcodeKind::Branch;
}

bool returns(const Instruction& instruction) {
  const OpcodeInfo* row = find_opcode(instruction.code);
  return row != nullptr && row->kind == OpcodeKind::Return;
}

// From how many instructions control comes to each, jumps left out: they lead on.
std::vector<std::uint32_t> arrivals(std::span<const Instruction> program,
                                    std::span<const std::uint16_t> lands) {
  std::vector<std::uint32_t> count(program.size());
  ++count[lands[0]];
  for (std::size_t i = 0; i < program.size(); ++i) {
    const Instruction& instruction = program[i];
    if (is(instruction, Opcode::Ja) || returns(instruction)) continue;
    if (is_branch(instruction)) {
      ++count[lands[i + 1 + instruction.jt]];
      ++count[lands[i + 1 + instruction.jf]];
    } else {
      ++count[lands[i + 1]];
    }
  }
  return count;
}

// Sorts keys that stand in the order of the run; of equal ones the first stays.
void sort_keys(std::vector<EqualityChain::Key>& keys) {
  // One number each, in whose order they are: constant, place in the run, target.
  static_assert(kMaxProgramLength <= 0x10000);
  std::vector<std::uint64_t> packed;
  packed.reserve(keys.size());
  for (const EqualityChain::Key& key : keys) {
    packed.push_back(std::uint64_t{key.k} << 32U | packed.size() << 16U | key.target);
  }
  std::ranges::sort(packed);
  keys.clear();
  for (const std::uint64_t each : packed) {
    const auto k = static_cast<std::uint32_t>(each >> 32U);
    if (keys.empty() || keys.back().k != k) keys.push_back({k, static_cast<std::uint16_t>(each)});
  }
}

}  // namespace

std::vector<std::uint16_t> past_jumps(std::span<const Instruction> program) {
  std::vector<std::uint16_t> lands(program.size());
  for (std::size_t i = program.size(); i-- > 0;) {
    lands[i] =
        is(program[i], Opcode::Ja) ? lands[i + 1 + program[i].k] : static_cast<std::uint16_t>(i);
  }
  return lands;
}

std::vector<EqualityChain> equality_chains(std::span<const Instruction> program,
                                           std::span<const std::uint16_t> lands,
                                           std::size_t shortest) {
  const std::vector<std::uint32_t> count = arrivals(program, lands);
  std::vector<bool> taken(program.size());
  std::vector<EqualityChain> chains;
  for (std::size_t head = 0; head < program.size(); ++head) {
    if (taken[head] || !is(program[head], Opcode::JeqK)) continue;
    EqualityChain chain;
    chain.head = head;
    std::size_t at = head;
    for (;;) {
      taken[at] = true;
      const Instruction& compare = program[at];
      chain.keys.push_back({compare.k, lands[at + 1 + compare.jt]});
      at = lands[at + 1 + compare.jf];
      if (!is(program[at], Opcode::JeqK) || count[at] != 1) break;
    }
    chain.otherwise = at;
    if (chain.keys.size() < shortest) continue;
    sort_keys(chain.keys);
    chains.push_back(std::move(chain));
  }
  return chains;
}

}  // namespace callgate
