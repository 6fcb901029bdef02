#include "harness/random/mutations.hpp"

#include <algorithm>
#include <array>

#include "harness/random/generator.hpp"
#include "vm/opcodes.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::random {
namespace {

// A little more than the kernel takes, so that one instruction too many is met too.
constexpr std::size_t kLongest = kMaxProgramLength + 8;
constexpr std::size_t kLargestPiece = 24;

std::uint32_t index(Source& source, std::size_t size) {
  return source.below(static_cast<std::uint32_t>(size));
}

// By the bits of the class, not by the table: programs that are no programs have jumps too.
bool is_jump(const Instruction& i) { return (i.code & 0x7U) == 0x5U; }
bool is_always(const Instruction& i) { return i.code == static_cast<std::uint16_t>(Opcode::Ja); }

// How many of the `offset` instructions after `at` lie in [first, end).
std::uint32_t taken_out(std::size_t at, std::uint32_t offset, std::size_t first, std::size_t end) {
  const std::size_t from = std::max(at + 1, first);
  const std::size_t to = std::min(at + 1 + offset, end);
  return to > from ? static_cast<std::uint32_t>(to - from) : 0;
}

// A distance over the place where `count` instructions were put in.
std::uint32_t over(std::size_t at, std::uint32_t distance, std::size_t place, std::size_t count,
                   std::uint32_t most) {
  const std::size_t target = at + 1 + distance;
  if (at >= place || target <= place) return distance;
  const std::size_t longer = distance + count;
  return longer <= most ? static_cast<std::uint32_t>(longer) : distance;
}

// A constant about where the rule for the operation's k changes its answer.
std::uint32_t edge_of_rule(Source& source, const Instruction& i, std::size_t left) {
  const OpcodeInfo* row = find_opcode(i.code);
  if (row == nullptr) return edge_word(source);
  switch (row->k_rule) {
    case KRule::Any:
      return edge_word(source);
    case KRule::NonZero:
      return source.one_in(3) ? 0 : edge_word(source);
    case KRule::Shift:
      return source.one_in(3) ? 31 + source.below(3) : source.below(32);
    case KRule::Slot:
      return source.one_in(3) ? 14 + source.below(4) : source.below(kMemoryWords);
    case KRule::DataOffset:
      return source.one_in(3) ? source.below(kSeccompDataSize + 8)
                              : 4 * source.below(kSeccompDataSize / 4);
    case KRule::Target:
      return source.below(static_cast<std::uint32_t>(left) + 2);
  }
  return edge_word(source);
}

// Leads one of a jump's ways to another place ahead, at times one past the end.
void retarget(Source& source, Instruction& i, std::size_t left) {
  const auto reach = static_cast<std::uint32_t>(left) + (source.one_in(8) ? 1U : 0U);
  const auto distance = static_cast<std::uint8_t>(source.below(std::clamp(reach, 1U, 256U)));
  if (is_always(i)) {
    i.k = source.below(std::max(reach, 1U));
  } else if (source.one_in(3)) {
    std::swap(i.jt, i.jf);
  } else {
    (source.one_in(2) ? i.jt : i.jf) = distance;
  }
}

void change_field(Source& source, Program& program) {
  const std::size_t at = index(source, program.size());
  const std::size_t left = program.size() - at - 1;
  Instruction& i = program[at];
  switch (source.below(10)) {
    case 0:
      i.code = static_cast<std::uint16_t>(source.one_in(3) ? source.next() : source.below(256));
      break;
    case 1:
      i.code = static_cast<std::uint16_t>(opcodes()[index(source, opcodes().size())].opcode);
      break;
    case 2:
      (source.one_in(2) ? i.jt : i.jf) = static_cast<std::uint8_t>(source.next());
      break;
    case 3:
      i.k = edge_word(source, program);
      break;
    case 4:
      i.k ^= 1U << source.below(32);
      break;
    case 5:
      i = with_other_operand(i).value_or(i);
      break;
    case 6:
    case 7:
      if (is_jump(i)) {
        retarget(source, i, left);
        break;
      }
      [[fallthrough]];
    default:
      i.k = edge_of_rule(source, i, left);
      break;
  }
}

std::span<const Instruction> piece(Source& source, std::span<const Instruction> of) {
  if (of.empty()) return of;
  const std::size_t first = index(source, of.size());
  const std::size_t most = std::min(of.size() - first, kLargestPiece);
  return of.subspan(first, 1 + index(source, most));
}

}  // namespace

Program without(std::span<const Instruction> program, std::size_t first, std::size_t count) {
  const std::size_t end = first + count;
  Program out;
  for (std::size_t at = 0; at < program.size(); ++at) {
    if (at >= first && at < end) continue;
    Instruction i = program[at];
    if (is_always(i)) {
      i.k -= taken_out(at, i.k, first, end);
    } else if (is_jump(i)) {
      i.jt = static_cast<std::uint8_t>(i.jt - taken_out(at, i.jt, first, end));
      i.jf = static_cast<std::uint8_t>(i.jf - taken_out(at, i.jf, first, end));
    }
    out.push_back(i);
  }
  return out;
}

Program with_inserted(std::span<const Instruction> program, std::size_t at,
                      std::span<const Instruction> others) {
  Program out(program.begin(), program.end());
  for (std::size_t i = 0; i < at; ++i) {
    Instruction& each = out[i];
    if (is_always(each)) {
      each.k = over(i, each.k, at, others.size(), UINT32_MAX);
    } else if (is_jump(each)) {
      each.jt = static_cast<std::uint8_t>(over(i, each.jt, at, others.size(), UINT8_MAX));
      each.jf = static_cast<std::uint8_t>(over(i, each.jf, at, others.size(), UINT8_MAX));
    }
  }
  out.insert(out.begin() + static_cast<std::ptrdiff_t>(at), others.begin(), others.end());
  return out;
}

std::optional<Instruction> with_other_operand(const Instruction& instruction) {
  const OpcodeInfo* row = find_opcode(instruction.code);
  if (row == nullptr) return std::nullopt;
  const Operand wanted = row->operand == Operand::K ? Operand::X : Operand::K;
  if (row->operand != Operand::K && row->operand != Operand::X) return std::nullopt;
  for (const OpcodeInfo& other : opcodes()) {
    if (other.mnemonic != row->mnemonic || other.kind != row->kind || other.operand != wanted) {
      continue;
    }
    Instruction out = instruction;
    out.code = static_cast<std::uint16_t>(other.opcode);
    return out;
  }
  return std::nullopt;
}

Program mutated(Source& source, std::span<const Instruction> program,
                std::span<const Instruction> other) {
  Program out(program.begin(), program.end());
  const std::uint32_t changes = 1 + source.below(3);
  for (std::uint32_t change = 0; change < changes && !out.empty(); ++change) {
    const std::size_t place = index(source, out.size());
    const auto at = out.begin() + static_cast<std::ptrdiff_t>(place);
    switch (source.below(16)) {
      case 0:
        out.erase(at);
        break;
      case 1:
        out.insert(at, Instruction{*at});
        break;
      case 2:
        std::swap(*at, out[index(source, out.size())]);
        break;
      case 3:
        out.erase(at + 1, out.end());
        break;
      case 4:
        if (!other.empty()) {
          out.erase(at, out.end());
          out.insert(out.end(), other.begin() + index(source, other.size()), other.end());
        }
        break;
      case 5:
        out = without(out, place, 1 + index(source, std::min(out.size() - place, kLargestPiece)));
        break;
      case 6: {
        const Program again = {*at};
        out = with_inserted(out, place, again);
        break;
      }
      case 7:
        out = with_inserted(out, place, piece(source, other));
        break;
      default:
        change_field(source, out);
        break;
    }
  }
  if (out.size() > kLongest) out.resize(kLongest);
  return out;
}

}  // namespace callgate::random
