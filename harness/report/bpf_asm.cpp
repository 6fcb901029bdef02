// The grammar is that of tools/bpf/bpf_exp.y of the kernel; it has words for all of classic BPF.

#include <fmt/format.h>

#include "harness/report/disassembly.hpp"
#include "vm/opcodes.hpp"

namespace callgate::report {
namespace {

bool is_indirect(Opcode opcode) {
  return opcode == Opcode::LdInd || opcode == Opcode::LdhInd || opcode == Opcode::LdbInd;
}

// The operand of an instruction in bpf_asm's words.
std::string asm_operand(const Instruction& i, const OpcodeInfo& row) {
  switch (row.operand) {
    case Operand::None:
      return "";
    case Operand::K:
      return fmt::format(" #0x{:x}", i.k);
    case Operand::X:
      return " x";
    case Operand::A:
      return " a";
    case Operand::Data:
      if (row.opcode == Opcode::LdxMsh) return fmt::format(" 4*([{}]&0xf)", i.k);
      if (is_indirect(row.opcode)) return fmt::format(" [x+{}]", i.k);
      return fmt::format(" [{}]", i.k);
    case Operand::Memory:
      return fmt::format(" M[{}]", i.k);
    case Operand::Length:
      return " #len";
  }
  return "";
}

bool uses_k(const OpcodeInfo& row) {
  return row.operand == Operand::K || row.operand == Operand::Data ||
         row.operand == Operand::Memory || row.kind == OpcodeKind::Jump;
}

}  // namespace

std::string bpf_asm(std::span<const Instruction> program) {
  std::vector<bool> labelled(program.size());
  for (std::size_t at = 0; at < program.size(); ++at) {
    const OpcodeInfo* row = find_opcode(program[at].code);
    if (row == nullptr || (row->kind != OpcodeKind::Jump && row->kind != OpcodeKind::Branch)) {
      continue;
    }
    for (const std::size_t target : targets(program[at], at)) {
      if (target < program.size()) labelled[target] = true;
    }
  }
  const auto label = [](std::size_t at) { return fmt::format("L{:04}", at); };
  std::string out;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Instruction& i = program[at];
    out += labelled[at] ? label(at) + ": " : std::string(7, ' ');
    const OpcodeInfo* row = find_opcode(i.code);
    if (row == nullptr) {
      out += fmt::format("/* code 0x{:04x} jt {} jf {} k 0x{:08x} */\n", i.code, i.jt, i.jf, i.k);
      continue;
    }
    bool all_said = true;
    if (row->kind == OpcodeKind::Jump) {
      out += fmt::format("jmp {}", label(at + 1 + i.k));
      all_said = i.jt == 0 && i.jf == 0;
    } else if (row->kind == OpcodeKind::Branch) {
      out += fmt::format("{}{}, {}, {}", row->mnemonic, asm_operand(i, *row), label(at + 1 + i.jt),
                         label(at + 1 + i.jf));
      all_said = uses_k(*row) || i.k == 0;
    } else {
      out += fmt::format("{}{}", row->mnemonic, asm_operand(i, *row));
      all_said = i.jt == 0 && i.jf == 0 && (uses_k(*row) || i.k == 0);
    }
    if (!all_said) out += fmt::format(" /* jt {} jf {} k 0x{:x} */", i.jt, i.jf, i.k);
    out += '\n';
  }
  return out;
}

}  // namespace callgate::report
