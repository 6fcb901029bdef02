// The grammar is that of tools/bpf/bpf_exp.y of the kernel; it has words for all of classic BPF.

#include <fmt/format.h>

#include "harness/report/disassembly.hpp"
#include "harness/report/syntaxes.hpp"
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
      // The kernel's assembler takes +4 for a number: the sign stands alone.
      if (is_indirect(row.opcode)) return fmt::format(" [x + {}]", i.k);
      return fmt::format(" [{}]", i.k);
    case Operand::Memory:
      return fmt::format(" M[{}]", i.k);
    case Operand::Length:
      return " #len";
  }
  return "";
}

// BPF_RET | BPF_X: bpf_asm has words for it, though no kernel takes it.
constexpr std::uint16_t kRetX = 0x0e;

}  // namespace

SourceText bpf_asm(std::span<const Instruction> program) {
  const std::vector<bool> labelled = jump_targets(program);
  const auto label = [](std::size_t at) { return fmt::format("L{:04}", at); };
  SourceText out;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Instruction& i = program[at];
    out.text += labelled[at] ? label(at) + ": " : std::string(7, ' ');
    const OpcodeInfo* row = find_opcode(i.code);
    if (row == nullptr && i.code != kRetX) {
      out.text +=
          fmt::format("/* code 0x{:04x} jt {} jf {} k 0x{:08x} */\n", i.code, i.jt, i.jf, i.k);
      out.unsaid.push_back(no_words(i, at));
      continue;
    }
    if (row == nullptr) {
      out.text += "ret x";
    } else if (row->kind == OpcodeKind::Jump) {
      out.text += fmt::format("jmp {}", label(at + 1 + i.k));
    } else if (row->kind == OpcodeKind::Branch) {
      out.text += fmt::format("{}{}, {}, {}", row->mnemonic, asm_operand(i, *row),
                              label(at + 1 + i.jt), label(at + 1 + i.jf));
    } else {
      out.text += fmt::format("{}{}", row->mnemonic, asm_operand(i, *row));
    }
    if (used_fields(i) != i)
      out.text += fmt::format(" /* jt {} jf {} k 0x{:x} */", i.jt, i.jf, i.k);
    out.text += '\n';
    note_what_is_unused(program, at, out);
  }
  return out;
}

}  // namespace callgate::report
