#include "harness/report/disassembly.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/report/known.hpp"
#include "harness/report/words.hpp"
#include "verifier/check.hpp"
#include "vm/actions.hpp"
#include "vm/opcodes.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::report {
namespace {

std::string word_name(std::uint32_t offset, ByteOrder order) {
  if (offset == 0) return "nr";
  if (offset == 4) return "arch";
  const bool high = ((offset & 4U) != 0) == (order == ByteOrder::Little);
  const std::string_view half = high ? "high" : "low";
  if (offset < 16) return fmt::format("ip.{}", half);
  return fmt::format("args[{}].{}", (offset - 16) / 8, half);
}

std::string constant(std::uint32_t k) {
  return k < 10 ? fmt::format("{}", k) : fmt::format("0x{:x}", k);
}

std::string return_words(std::uint32_t k, Arch arch) {
  const ActionInfo* action = find_action(k & kActionMask);
  if (action == nullptr) return fmt::format("return 0x{:08x}  # unknown action", k);
  const std::uint32_t data = k & kDataMask;
  if (data == 0 && action->action != Action::Errno) return fmt::format("return {}", action->name);
  std::string out = fmt::format("return {}({})", action->name, data);
  if (action->action == Action::Errno) {
    if (const auto name = errno_name(data, arch)) out += "  # " + *name;
  }
  return out;
}

std::string_view alu_sign(std::string_view mnemonic) {
  struct Sign {
    std::string_view mnemonic;
    std::string_view sign;
  };
  constexpr Sign kSigns[] = {{"add", "+="},  {"sub", "-="}, {"mul", "*="}, {"div", "/="},
                             {"mod", "%="},  {"and", "&="}, {"or", "|="},  {"xor", "^="},
                             {"lsh", "<<="}, {"rsh", ">>="}};
  const auto* const row = std::ranges::find(kSigns, mnemonic, &Sign::mnemonic);
  return row == std::ranges::end(kSigns) ? "?" : row->sign;
}

class Statements {
 public:
  Statements(std::span<const Instruction> program, Arch arch)
      : program_(program),
        arch_(arch),
        order_(info(arch).byte_order),
        known_(known_before(program)) {}

  std::vector<std::string> write() {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < program_.size(); ++at) out.push_back(statement(at));
    return out;
  }

 private:
  // A constant that A is compared with, by name where one fits.
  [[nodiscard]] std::string compared(std::size_t at, std::uint32_t k) const {
    if (const auto named = named_constant(known_[at], k, arch_)) {
      return std::string(named->call.empty() ? info(named->arch).name : named->call);
    }
    return constant(k);
  }

  [[nodiscard]] std::string left_side(std::size_t at) const {
    switch (known_[at].a) {
      case Holds::Nr:
        return "nr";
      case Holds::ArchToken:
        return "arch";
      case Holds::Unvisited:
      case Holds::Other:
        return "A";
    }
    return "A";
  }

  [[nodiscard]] std::string branch(std::size_t at, const OpcodeInfo& row) const {
    const Instruction& i = program_[at];
    const bool with_x = row.operand == Operand::X;
    const bool equality = row.opcode == Opcode::JeqK;
    const std::string right = with_x ? "X" : equality ? compared(at, i.k) : constant(i.k);
    const std::size_t yes = at + 1 + i.jt;
    const std::size_t no = at + 1 + i.jf;
    const std::string left = left_side(at);
    const bool set = row.opcode == Opcode::JsetK || row.opcode == Opcode::JsetX;
    if (i.jt == i.jf) {
      return fmt::format("goto {:04}  # whatever {} and {} are", yes, left, right);
    }
    // The side that falls through needs no word.
    const bool inverted = i.jt == 0;
    std::string test;
    if (set) {
      const std::string bits = with_x ? "X" : constant(i.k);
      test = fmt::format("({} & {}) {} 0", left, bits, inverted ? "==" : "!=");
    } else {
      const bool equal = row.opcode == Opcode::JeqK || row.opcode == Opcode::JeqX;
      const bool greater = row.opcode == Opcode::JgtK || row.opcode == Opcode::JgtX;
      const std::string_view sign = equal     ? (inverted ? "!=" : "==")
                                    : greater ? (inverted ? "<=" : ">")
                                              : (inverted ? "<" : ">=");
      test = fmt::format("{} {} {}", left, sign, right);
    }
    if (inverted) return fmt::format("if ({}) goto {:04}", test, no);
    if (i.jf == 0) return fmt::format("if ({}) goto {:04}", test, yes);
    return fmt::format("if ({}) goto {:04} else {:04}", test, yes, no);
  }

  [[nodiscard]] std::string statement(std::size_t at) const {
    const Instruction& i = program_[at];
    const OpcodeInfo* row = find_opcode(i.code);
    if (row == nullptr || row->acceptance == Acceptance::ClassicOnly) {
      return fmt::format(
          ".code 0x{:04x}{}", i.code,
          row == nullptr ? std::string{} : fmt::format("  # {}: for socket filters", row->name));
    }
    const std::string_view target = row->kind == OpcodeKind::LoadX ? "X" : "A";
    switch (row->kind) {
      case OpcodeKind::Load:
      case OpcodeKind::LoadX:
        if (row->operand == Operand::Data) {
          if (i.k >= kSeccompDataSize || i.k % 4 != 0) return fmt::format("A = data[{}]", i.k);
          return fmt::format("A = {}", word_name(i.k, order_));
        }
        if (row->operand == Operand::Memory) return fmt::format("{} = M[{}]", target, i.k);
        if (row->operand == Operand::Length) return fmt::format("{} = 64", target);
        return fmt::format("{} = {}", target, constant(i.k));
      case OpcodeKind::Store:
        return fmt::format("M[{}] = A", i.k);
      case OpcodeKind::StoreX:
        return fmt::format("M[{}] = X", i.k);
      case OpcodeKind::Alu:
        if (row->opcode == Opcode::Neg) return "A = -A";
        return fmt::format("A {} {}", alu_sign(row->mnemonic),
                           row->operand == Operand::X ? "X" : constant(i.k));
      case OpcodeKind::Jump:
        return fmt::format("goto {:04}", at + 1 + std::uint64_t{i.k});
      case OpcodeKind::Branch:
        return branch(at, *row);
      case OpcodeKind::Return:
        return row->operand == Operand::A ? "return A" : return_words(i.k, arch_);
      case OpcodeKind::Tax:
        return "X = A";
      case OpcodeKind::Txa:
        return "A = X";
    }
    return "";
  }

  std::span<const Instruction> program_;
  Arch arch_;
  ByteOrder order_;
  std::vector<Known> known_;
};

std::array<std::uint8_t, 8> bytes_of(const Instruction& i, ByteOrder order) {
  const auto code = [&](unsigned shift) { return static_cast<std::uint8_t>(i.code >> shift); };
  const auto k = [&](unsigned shift) { return static_cast<std::uint8_t>(i.k >> shift); };
  if (order == ByteOrder::Little) return {code(0), code(8), i.jt, i.jf, k(0), k(8), k(16), k(24)};
  return {code(8), code(0), i.jt, i.jf, k(24), k(16), k(8), k(0)};
}

}  // namespace

std::vector<std::string> statements(std::span<const Instruction> program, Arch arch) {
  return Statements(program, arch).write();
}

std::vector<std::size_t> targets(const Instruction& instruction, std::size_t at) {
  const OpcodeInfo* row = find_opcode(instruction.code);
  if (row == nullptr || row->kind == OpcodeKind::Return) return {};
  if (row->kind == OpcodeKind::Jump) return {at + 1 + instruction.k};
  if (row->kind == OpcodeKind::Branch) {
    return {at + 1 + instruction.jt, at + 1 + instruction.jf};
  }
  return {at + 1};
}

Refusals refusals(std::span<const Instruction> program, const KernelModel& model) {
  Refusals out{std::vector<std::vector<std::string>>(program.size()), {}};
  const auto checked = verifier::check(program, model);
  if (checked) return out;
  for (const Diagnostic& each : checked.error().diagnostics) {
    auto& where = each.instruction ? out.of_instruction[*each.instruction] : out.of_program;
    where.push_back(message(each));
  }
  return out;
}

std::string listing(std::span<const Instruction> program, const KernelModel& model) {
  const std::vector<std::string> lines = statements(program, model.arch);
  const Refusals refused = refusals(program, model);
  std::string out;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Instruction& i = program[at];
    out += fmt::format("{:04}  {:02x} {:02x} {:02x} {:08x}  {}", at, i.code, i.jt, i.jf, i.k,
                       lines[at]);
    for (const std::string& why : refused.of_instruction[at]) {
      out += fmt::format("  # refused: {}", why);
    }
    out += '\n';
  }
  for (const std::string& why : refused.of_program) out += fmt::format("# refused: {}\n", why);
  return out;
}

std::string raw_bytes(std::span<const Instruction> program, ByteOrder order) {
  std::string out;
  for (const Instruction& i : program) {
    const auto bytes = bytes_of(i, order);
    out.append(bytes.begin(), bytes.end());
  }
  return out;
}

std::string hex_text(std::span<const Instruction> program, ByteOrder order) {
  std::string out;
  for (const Instruction& i : program) {
    out += fmt::format("{:02x}\n", fmt::join(bytes_of(i, order), ""));
  }
  return out;
}

std::string c_string(std::span<const Instruction> program, ByteOrder order) {
  std::string out;
  for (const Instruction& i : program) {
    out += '"';
    for (const std::uint8_t byte : bytes_of(i, order)) out += fmt::format("\\x{:02x}", byte);
    out += "\"\n";
  }
  return out;
}

std::string c_rows(std::span<const Instruction> program) {
  std::string out;
  for (const Instruction& i : program) {
    out += fmt::format("{{ 0x{:02x}, {}, {}, 0x{:08x} }},\n", i.code, i.jt, i.jf, i.k);
  }
  return out;
}

std::string decimal(std::span<const Instruction> program) {
  std::string out = fmt::format("{}\n", program.size());
  for (const Instruction& i : program) {
    out += fmt::format("{} {} {} {}\n", i.code, i.jt, i.jf, i.k);
  }
  return out;
}

}  // namespace callgate::report
