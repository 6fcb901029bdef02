// Statements with signs of C, as seccomp-tools and ceccomp have them.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/report/syntaxes.hpp"
#include "vm/actions.hpp"
#include "vm/opcodes.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::report {
namespace {

std::string hexadecimal(std::uint32_t k) { return fmt::format("0x{:x}", k); }

std::string_view alu_sign(Opcode opcode) {
  struct Sign {
    Opcode with_k;
    Opcode with_x;
    std::string_view sign;
  };
  constexpr std::array kSigns = {
      Sign{Opcode::AddK, Opcode::AddX, "+="},  Sign{Opcode::SubK, Opcode::SubX, "-="},
      Sign{Opcode::MulK, Opcode::MulX, "*="},  Sign{Opcode::DivK, Opcode::DivX, "/="},
      Sign{Opcode::AndK, Opcode::AndX, "&="},  Sign{Opcode::OrK, Opcode::OrX, "|="},
      Sign{Opcode::XorK, Opcode::XorX, "^="},  Sign{Opcode::LshK, Opcode::LshX, "<<="},
      Sign{Opcode::RshK, Opcode::RshX, ">>="},
  };
  const auto* const row = std::ranges::find_if(
      kSigns, [&](const Sign& each) { return each.with_k == opcode || each.with_x == opcode; });
  return row == kSigns.end() ? std::string_view{} : row->sign;
}

class Statement {
 public:
  Statement(std::span<const Instruction> program, std::size_t at, const Known& known, Arch arch,
            const PseudoC& words)
      : i_(program[at]), at_(at), known_(known), arch_(arch), words_(words) {}

  std::optional<std::string> write() const {
    const OpcodeInfo* row = find_opcode(i_.code);
    if (row == nullptr || row->acceptance == Acceptance::ClassicOnly) return std::nullopt;
    switch (row->kind) {
      case OpcodeKind::Load:
        return load(*row);
      case OpcodeKind::LoadX:
        return load_x(*row);
      case OpcodeKind::Store:
        return memory() ? std::optional(fmt::format("{} = {}", *memory(), words_.a)) : std::nullopt;
      case OpcodeKind::StoreX:
        return memory() ? std::optional(fmt::format("{} = {}", *memory(), words_.x)) : std::nullopt;
      case OpcodeKind::Alu:
        if (row->opcode == Opcode::Neg) return fmt::format("{0} = -{0}", words_.a);
        return fmt::format("{} {} {}", words_.a, alu_sign(row->opcode), operand(*row));
      case OpcodeKind::Jump:
        return fmt::format("goto {}", words_.label(at_ + 1 + std::size_t{i_.k}));
      case OpcodeKind::Branch:
        return branch(*row);
      case OpcodeKind::Return:
        if (row->operand == Operand::A) return fmt::format("return {}", words_.a);
        return fmt::format("return {}", result());
      case OpcodeKind::Tax:
        return fmt::format("{} = {}", words_.x, words_.a);
      case OpcodeKind::Txa:
        return fmt::format("{} = {}", words_.a, words_.x);
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> memory() const {
    if (i_.k >= kMemoryWords) return std::nullopt;
    return fmt::format("{}[{}]", words_.memory, i_.k);
  }

  std::string operand(const OpcodeInfo& row) const {
    return row.operand == Operand::X ? std::string(words_.x) : hexadecimal(i_.k);
  }

  std::optional<std::string> load(const OpcodeInfo& row) const {
    const auto of_a = [&](const std::string& value) {
      return fmt::format("{} = {}", words_.a, value);
    };
    if (row.operand == Operand::Length) return of_a(std::string(words_.length));
    if (row.operand == Operand::K) return of_a(hexadecimal(i_.k));
    if (row.operand == Operand::Memory)
      return memory() ? std::optional(of_a(*memory())) : std::nullopt;
    if (i_.k >= kSeccompDataSize || i_.k % 4 != 0) return std::nullopt;
    return of_a(words_.word(i_.k, info(arch_).byte_order));
  }

  std::optional<std::string> load_x(const OpcodeInfo& row) const {
    const auto of_x = [&](const std::string& value) {
      return fmt::format("{} = {}", words_.x, value);
    };
    if (row.operand == Operand::Length) {
      return words_.length_in_x ? std::optional(of_x(std::string(words_.length))) : std::nullopt;
    }
    if (row.operand == Operand::K) return of_x(hexadecimal(i_.k));
    return memory() ? std::optional(of_x(*memory())) : std::nullopt;
  }

  std::string compared(const OpcodeInfo& row) const {
    if (row.opcode != Opcode::JeqK) return operand(row);
    const auto named = named_constant(known_, i_.k, arch_);
    const std::string name = named ? words_.name(*named, arch_) : std::string{};
    return name.empty() ? hexadecimal(i_.k) : name;
  }

  std::optional<std::string> branch(const OpcodeInfo& row) const {
    const std::size_t yes = at_ + 1 + i_.jt;
    const std::size_t no = at_ + 1 + i_.jf;
    // The side that falls through needs no word.
    const bool inverted = i_.jt == 0 && i_.jf != 0;
    std::string test;
    if (row.opcode == Opcode::JsetK || row.opcode == Opcode::JsetX) {
      test = fmt::format("{}({} & {})", inverted ? "!" : "", words_.a, operand(row));
    } else {
      const bool equal = row.opcode == Opcode::JeqK || row.opcode == Opcode::JeqX;
      const bool greater = row.opcode == Opcode::JgtK || row.opcode == Opcode::JgtX;
      const std::string_view sign = equal     ? (inverted ? "!=" : "==")
                                    : greater ? (inverted ? "<=" : ">")
                                              : (inverted ? "<" : ">=");
      test = fmt::format("({} {} {})", words_.a, sign, compared(row));
    }
    if (inverted) return fmt::format("if {} goto {}", test, words_.label(no));
    if (i_.jf == 0) return fmt::format("if {} goto {}", test, words_.label(yes));
    return fmt::format("if {} goto {}{}{}", test, words_.label(yes), words_.otherwise,
                       words_.label(no));
  }

  std::string result() const {
    const ActionInfo* action = find_action(i_.k & kActionMask);
    if (action == nullptr) return hexadecimal(i_.k);
    const std::uint32_t data = i_.k & kDataMask;
    std::string_view name = action->name;
    if (action->action == Action::KillThread) name = "KILL";
    if (action->action == Action::UserNotif) name = words_.user_notif;
    const bool with_data = action->action == Action::Errno || action->action == Action::Trap ||
                           action->action == Action::Trace;
    if (data == 0 && !with_data) return std::string(name);
    // Data of other actions do nothing; languages have no place for them everywhere.
    if (!with_data) return hexadecimal(i_.k);
    return fmt::format("{}({})", name, data);
  }

  const Instruction& i_;
  std::size_t at_;
  const Known& known_;
  Arch arch_;
  const PseudoC& words_;
};

}  // namespace

std::optional<std::string> pseudo_c_statement(std::span<const Instruction> program, std::size_t at,
                                              const Known& known, Arch arch, const PseudoC& words) {
  return Statement(program, at, known, arch, words).write();
}

}  // namespace callgate::report
