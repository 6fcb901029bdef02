#include "harness/random/generator.hpp"

#include <algorithm>
#include <array>

#include "vm/actions.hpp"
#include "vm/opcodes.hpp"

namespace callgate::random {
namespace {

std::uint64_t rotate_left(std::uint64_t x, unsigned bits) { return x << bits | x >> (64U - bits); }

constexpr std::array<std::uint32_t, 14> kEdges = {
    0,           1,           2,           31,          32,          33,          63,
    0x7fffffffU, 0x80000000U, 0x80000001U, 0xfffffffeU, 0xffffffffU, 0x40000000U, 0xc000003eU};

constexpr std::array<Opcode, 8> kBranches = {Opcode::JeqK,  Opcode::JgtK, Opcode::JgeK,
                                             Opcode::JsetK, Opcode::JeqX, Opcode::JgtX,
                                             Opcode::JgeX,  Opcode::JsetX};

const OpcodeInfo& any_accepted(Source& source) {
  for (;;) {
    const OpcodeInfo& row = opcodes()[source.below(static_cast<std::uint32_t>(opcodes().size()))];
    if (row.acceptance == Acceptance::Seccomp) return row;
  }
}

// What a filter returns: an action with data, or anything.
std::uint32_t return_value(Source& source) {
  if (source.one_in(3)) return static_cast<std::uint32_t>(source.next());
  const auto& row = actions()[source.below(static_cast<std::uint32_t>(actions().size()))];
  return static_cast<std::uint32_t>(row.action) | (source.below(0x10000) & source.below(0x10000));
}

// Fields that an operation does not use hold noise now and then: the kernel does not look at them.
std::uint8_t unused_byte(Source& source) {
  return source.one_in(8) ? static_cast<std::uint8_t>(source.next()) : std::uint8_t{0};
}

class Builder {
 public:
  Builder(Source& source, const Shape& shape) : source_(source), shape_(shape) {}

  Program build() {
    const std::uint32_t length = 2 + source_.below(std::max(shape_.longest, 2U) - 1);
    // Slots that are stored before anything else may be read anywhere. A and X are 0 at the start:
    // what is stored is something else, and not the same in both.
    const std::uint32_t stores = std::min(source_.below(4), (length - 2) / 2);
    for (std::uint32_t i = 0; i < stores; ++i) {
      if (source_.one_in(2)) {
        push(Opcode::LdAbs, 4 * source_.below(16));
      } else {
        push(source_.one_in(2) ? Opcode::LdxImm : Opcode::LdImm, edge_word(source_));
      }
      const std::uint32_t slot = source_.below(kMemoryWords);
      slots_.push_back(slot);
      const Opcode store = source_.one_in(2) ? Opcode::St : Opcode::Stx;
      push(store, slot);
    }
    while (program_.size() + 1 < length) push_any(length);
    if (source_.one_in(2)) {
      push(Opcode::RetA, source_.one_in(8) ? static_cast<std::uint32_t>(source_.next()) : 0);
    } else {
      push(Opcode::RetK, return_value(source_));
    }
    return std::move(program_);
  }

 private:
  void push(Opcode opcode, std::uint32_t k) {
    program_.push_back(
        {static_cast<std::uint16_t>(opcode), unused_byte(source_), unused_byte(source_), k});
  }

  void push_any(std::uint32_t length) {
    const auto left = static_cast<std::uint32_t>(length - program_.size() - 1);
    // One in three tests something; loads of seccomp_data come often, or nothing would depend on
    // it.
    if (source_.one_in(3)) return push_branch(left);
    if (source_.one_in(3)) return push(Opcode::LdAbs, 4 * source_.below(16));
    const OpcodeInfo& row = any_accepted(source_);
    const bool by_x = row.opcode == Opcode::LshX || row.opcode == Opcode::RshX;
    if (by_x && !shape_.shifts_by_x) return push(Opcode::Txa, 0);
    switch (row.k_rule) {
      case KRule::Target:
        return push(row.opcode, source_.below(std::min(left, 1 + source_.below(16))));
      case KRule::Slot:
        if (row.kind == OpcodeKind::Load || row.kind == OpcodeKind::LoadX) {
          if (slots_.empty()) return push(Opcode::LdLen, source_.below(100));
          return push(row.opcode, slots_[source_.below(static_cast<std::uint32_t>(slots_.size()))]);
        }
        return push(row.opcode, source_.below(kMemoryWords));
      case KRule::DataOffset:
        return push(row.opcode, 4 * source_.below(16));
      case KRule::Shift:
        return push(row.opcode, source_.below(32));
      case KRule::NonZero:
        return push(row.opcode, std::max(1U, edge_word(source_)));
      case KRule::Any:
        break;
    }
    if (row.kind == OpcodeKind::Branch) return push_branch(left);
    // Returns in the middle end most runs early: fewer of them.
    if (row.kind == OpcodeKind::Return && !source_.one_in(4)) return push(Opcode::Tax, 0);
    push(row.opcode, row.opcode == Opcode::RetK ? return_value(source_) : edge_word(source_));
  }

  void push_branch(std::uint32_t left) {
    const Opcode opcode = kBranches[source_.below(kBranches.size())];
    const auto distance = [&] {
      return static_cast<std::uint8_t>(
          source_.below(std::min({left, 256U, 1 + source_.below(12)})));
    };
    program_.push_back(
        {static_cast<std::uint16_t>(opcode), distance(), distance(), edge_word(source_)});
  }

  Source& source_;
  Shape shape_;
  Program program_;
  std::vector<std::uint32_t> slots_;
};

std::uint32_t index(Source& source, std::size_t size) {
  return source.below(static_cast<std::uint32_t>(size));
}

}  // namespace

Source::Source(std::uint64_t seed) noexcept : state_{} {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t z = seed;
    z = (z ^ z >> 30U) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27U) * 0x94d049bb133111ebU;
    word = z ^ z >> 31U;
  }
}

Source::Source(std::span<const std::uint8_t> bytes) noexcept
    : state_{}, bytes_(bytes), from_bytes_(true) {}

std::uint64_t Source::take(std::size_t count) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count && !bytes_.empty(); ++i) {
    value |= std::uint64_t{bytes_.front()} << (8 * i);
    bytes_ = bytes_.subspan(1);
  }
  return value;
}

std::uint64_t Source::next() noexcept {
  if (from_bytes_) return take(8);
  const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotate_left(state_[3], 45);
  return result;
}

std::uint32_t Source::below(std::uint32_t bound) noexcept {
  // As few bytes as will do: a fuzzer that changes one changes one choice.
  if (from_bytes_) {
    return static_cast<std::uint32_t>(take(bound <= 0x100 ? 1 : bound <= 0x10000 ? 2 : 4) % bound);
  }
  return static_cast<std::uint32_t>((next() >> 32U) * bound >> 32U);
}

Program valid_program(Source& source, const Shape& shape) { return Builder(source, shape).build(); }

std::uint32_t edge_word(Source& source, std::span<const Instruction> program) {
  switch (source.below(5)) {
    case 0:
      return static_cast<std::uint32_t>(source.next());
    case 1:
      return source.below(600);
    case 2:
      if (!program.empty()) {
        return program[index(source, program.size())].k + source.below(3) - 1;
      }
      return (1U << source.below(32)) + source.below(3) - 1;
    case 3:
      return (1U << source.below(32)) + source.below(3) - 1;
    default:
      return kEdges[index(source, kEdges.size())];
  }
}

SeccompData input(Source& source, std::span<const Instruction> program, std::uint32_t arch) {
  SeccompData data;
  data.arch = arch;
  data.nr =
      static_cast<std::int32_t>(source.one_in(2) ? source.below(480) : edge_word(source, program));
  const auto word64 = [&] {
    const std::uint64_t low = edge_word(source, program);
    // A high half of noise, of ones, or of nothing.
    const std::uint64_t high = source.one_in(2) ? 0 : edge_word(source, program);
    return high << 32U | low;
  };
  data.instruction_pointer = word64();
  for (std::uint64_t& argument : data.args) argument = word64();
  return data;
}

}  // namespace callgate::random
