#include "harness/report/syntaxes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/report/disassembly.hpp"
#include "vm/opcodes.hpp"

namespace callgate::report {
namespace {

constexpr std::array kSyntaxes = {
    SyntaxRow{"callgate", "place, fields, statement",
              [](std::span<const Instruction> program, const KernelModel& model) {
                return SourceText{listing(program, model), {}};
              }},
    SyntaxRow{"bpf_asm", "the kernel's assembler",
              [](std::span<const Instruction> program, const KernelModel& /*model*/) {
                return bpf_asm(program);
              }},
    SyntaxRow{"seccomp-tools", "that tool's assembler",
              [](std::span<const Instruction> program, const KernelModel& model) {
                return seccomp_tools(program, model.arch);
              }},
    SyntaxRow{"ceccomp", "that tool's listing, which its assembler reads",
              [](std::span<const Instruction> program, const KernelModel& model) {
                return ceccomp(program, model.arch);
              }},
};

bool uses_k(const OpcodeInfo& row) {
  return row.operand == Operand::K || row.operand == Operand::Data ||
         row.operand == Operand::Memory || row.kind == OpcodeKind::Jump;
}

}  // namespace

std::span<const SyntaxRow> syntaxes() noexcept { return kSyntaxes; }

const SyntaxRow* find_syntax(std::string_view name) noexcept {
  const auto* const row = std::ranges::find(kSyntaxes, name, &SyntaxRow::name);
  return row == kSyntaxes.end() ? nullptr : row;
}

Instruction used_fields(const Instruction& instruction) noexcept {
  const OpcodeInfo* row = find_opcode(instruction.code);
  Instruction out{instruction.code, 0, 0, 0};
  if (row == nullptr) return out;
  if (uses_k(*row)) out.k = instruction.k;
  if (row->kind == OpcodeKind::Branch) {
    out.jt = instruction.jt;
    out.jf = instruction.jf;
  }
  return out;
}

std::vector<bool> jump_targets(std::span<const Instruction> program) {
  std::vector<bool> out(program.size());
  for (std::size_t at = 0; at < program.size(); ++at) {
    const OpcodeInfo* row = find_opcode(program[at].code);
    if (row == nullptr || (row->kind != OpcodeKind::Jump && row->kind != OpcodeKind::Branch)) {
      continue;
    }
    for (const std::size_t target : targets(program[at], at)) {
      if (target < program.size()) out[target] = true;
    }
  }
  return out;
}

Unsaid no_words(const Instruction& instruction, std::size_t at) {
  const OpcodeInfo* row = find_opcode(instruction.code);
  const std::string name = row == nullptr ? "which is no instruction" : std::string(row->name);
  return {at, true,
          fmt::format("there are no words for code 0x{:04x} ({}), jt {}, jf {}, k 0x{:x}",
                      instruction.code, name, instruction.jt, instruction.jf, instruction.k)};
}

void note_what_is_unused(std::span<const Instruction> program, std::size_t at, SourceText& out) {
  const Instruction& i = program[at];
  const OpcodeInfo* row = find_opcode(i.code);
  if (row != nullptr && (row->kind == OpcodeKind::Jump || row->kind == OpcodeKind::Branch)) {
    for (const std::size_t target : targets(i, at)) {
      if (target < program.size()) continue;
      out.unsaid.push_back({at, true, "a jump beyond the end, where no label can stand"});
      return;
    }
  }
  if (used_fields(i) == i) return;
  out.unsaid.push_back({at, false,
                        fmt::format("fields that it does not use are not 0, and are left out: jt "
                                    "{}, jf {}, k 0x{:x}",
                                    i.jt, i.jf, i.k)});
}

}  // namespace callgate::report
