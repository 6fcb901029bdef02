// The language of `seccomp-tools asm`: rows as `seccomp-tools disasm --asm-able` writes them.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/report/syntaxes.hpp"
#include "vm/opcodes.hpp"

namespace callgate::report {
namespace {

std::string word(std::uint32_t offset, ByteOrder order) {
  if (offset == 0) return "sys_number";
  if (offset == 4) return "arch";
  const bool high = ((offset & 4U) != 0) == (order == ByteOrder::Little);
  const std::string_view shift = high ? " >> 32" : "";
  if (offset < 16) return fmt::format("instruction_pointer{}", shift);
  return fmt::format("args[{}]{}", (offset - 16) / 8, shift);
}

struct KnownArch {
  Arch arch;
  std::string_view constant;
  std::string_view name;
};
// Those whose names the tool has.
constexpr std::array kArches = {KnownArch{Arch::X86_64, "ARCH_X86_64", "amd64"},
                                KnownArch{Arch::X86, "ARCH_I386", "i386"},
                                KnownArch{Arch::AArch64, "ARCH_AARCH64", "aarch64"},
                                KnownArch{Arch::Riscv64, "ARCH_RISCV64", "riscv64"},
                                KnownArch{Arch::S390x, "ARCH_S390X", "s390x"}};

std::string name(const NamedConstant& named, Arch arch) {
  const auto* const row = std::ranges::find(kArches, named.arch, &KnownArch::arch);
  if (row == kArches.end()) return {};
  if (named.call.empty()) return std::string(row->constant);
  return named.arch == arch ? std::string(named.call) : fmt::format("{}.{}", row->name, named.call);
}

constexpr PseudoC kWords{.a = "A",
                         .x = "X",
                         .memory = "mem",
                         .length = "len",
                         .length_in_x = false,
                         .otherwise = " else goto ",
                         .user_notif = "USER_NOTIF",
                         .word = word,
                         .label = [](std::size_t at) { return fmt::format("{:04}", at); },
                         .name = name};

}  // namespace

SourceText seccomp_tools(std::span<const Instruction> program, Arch arch) {
  const std::vector<Known> known = known_before(program);
  SourceText out;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Instruction& i = program[at];
    const auto statement = pseudo_c_statement(program, at, known[at], arch, kWords);
    if (!statement) {
      out.text += fmt::format("# {:04}: code 0x{:04x} jt {} jf {} k 0x{:08x}\n", at, i.code, i.jt,
                              i.jf, i.k);
      out.unsaid.push_back(no_words(i, at));
      continue;
    }
    out.text += fmt::format("{:04}: {}\n", at, *statement);
    const std::size_t before = out.unsaid.size();
    note_what_is_unused(program, at, out);
    const OpcodeInfo* row = find_opcode(i.code);
    const bool merges = row->kind == OpcodeKind::Branch && i.jt == i.jf;
    if (merges && out.unsaid.size() == before) {
      out.unsaid.push_back({at, false, "a test with one target becomes a jump"});
    }
  }
  return out;
}

}  // namespace callgate::report
