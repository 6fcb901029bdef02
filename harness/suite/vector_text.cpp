#include "harness/suite/vector_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vm/actions.hpp"
#include "vm/opcodes.hpp"

namespace callgate::suite {
namespace {

std::string operand_text(const OpcodeInfo& row, std::uint32_t k) {
  switch (row.operand) {
    case Operand::None:
      return row.kind == OpcodeKind::Jump ? fmt::format(" {}", k) : "";
    case Operand::K:
      return fmt::format(" #0x{:x}", k);
    case Operand::X:
      return " x";
    case Operand::A:
      return " a";
    case Operand::Data:
      return fmt::format(" [{}]", k);
    case Operand::Memory:
      return fmt::format(" M[{}]", k);
    case Operand::Length:
      return " len";
  }
  return "";
}

bool uses_k(const OpcodeInfo& row) {
  return row.operand == Operand::K || row.operand == Operand::Data ||
         row.operand == Operand::Memory || row.kind == OpcodeKind::Jump;
}

std::string instruction_text(const Instruction& i) {
  const OpcodeInfo* row = find_opcode(i.code);
  const bool branches = row != nullptr && row->kind == OpcodeKind::Branch;
  const bool plain = row != nullptr && row->acceptance == Acceptance::Seccomp &&
                     (branches || (i.jt == 0 && i.jf == 0)) && (uses_k(*row) || i.k == 0);
  if (!plain) return fmt::format("{{ 0x{:x}, {}, {}, 0x{:x} }}", i.code, i.jt, i.jf, i.k);
  std::string out = std::string(row->mnemonic) + operand_text(*row, i.k);
  if (branches) out += fmt::format(", {}, {}", i.jt, i.jf);
  return out;
}

}  // namespace

std::string program_block(std::span<const Instruction> program) {
  std::string out = "program:\n";
  for (std::size_t i = 0; i < program.size();) {
    std::size_t same = 1;
    while (i + same < program.size() && program[i + same] == program[i]) ++same;
    const std::string text = instruction_text(program[i]);
    if (same >= 4) {
      out += fmt::format("  repeat {}: {}\n", same, text);
    } else {
      for (std::size_t n = 0; n < same; ++n) out += fmt::format("  {}\n", text);
    }
    i += same;
  }
  return out;
}

std::string input_line(const SeccompData& data) {
  std::string out = fmt::format("input: nr={} arch=0x{:x}", data.nr, data.arch);
  if (data.instruction_pointer != 0) out += fmt::format(" ip=0x{:x}", data.instruction_pointer);
  std::size_t count = data.args.size();
  while (count > 0 && data.args[count - 1] == 0) --count;
  for (std::size_t i = 0; i < count; ++i) {
    out += fmt::format("{}0x{:x}", i == 0 ? " args=" : ",", data.args[i]);
  }
  return out + "\n";
}

std::string result_text(std::uint32_t value) {
  const ActionInfo* action = find_action(value & kActionMask);
  if (action == nullptr) return fmt::format("0x{:08x}", value);
  const std::uint32_t data = value & kDataMask;
  return data == 0 ? std::string(action->name) : fmt::format("{}({})", action->name, data);
}

}  // namespace callgate::suite
