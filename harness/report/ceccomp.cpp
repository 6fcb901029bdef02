// The language of ceccomp: labels, the four fields in columns, statements.

#include <fmt/format.h>

#include "harness/report/syntaxes.hpp"

namespace callgate::report {
namespace {

std::string word(std::uint32_t offset, ByteOrder order) {
  if (offset == 0) return "$syscall_nr";
  if (offset == 4) return "$arch";
  const bool high = ((offset & 4U) != 0) == (order == ByteOrder::Little);
  const std::string_view half = high ? "high" : "low";
  if (offset < 16) return fmt::format("${}_pc", half);
  return fmt::format("${}_args[{}]", half, (offset - 16) / 8);
}

// ARCH_X86_64 and so on; the tool has none for SuperH.
std::string name(const NamedConstant& named, Arch arch) {
  if (named.arch == Arch::Sh || named.arch == Arch::Sheb) return {};
  if (named.call.empty()) {
    std::string out = "ARCH_";
    for (const char c : info(named.arch).name) {
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return out;
  }
  if (named.arch == arch) return std::string(named.call);
  return fmt::format("{}.{}", info(named.arch).name, named.call);
}

// The tool counts from 1.
std::string label(std::size_t at) { return fmt::format("L{:04}", at + 1); }

constexpr PseudoC kWords{.a = "$A",
                         .x = "$X",
                         .memory = "$mem",
                         .length = "$scmp_data_len",
                         .length_in_x = true,
                         .otherwise = ", else goto ",
                         .user_notif = "NOTIFY",
                         .word = word,
                         .label = label,
                         .name = name};

}  // namespace

SourceText ceccomp(std::span<const Instruction> program, Arch arch) {
  const std::vector<Known> known = known_before(program);
  constexpr std::string_view kRule = "#---------------------------------\n";
  SourceText out;
  out.text = fmt::format("#Label  CODE  JT   JF      K\n{}", kRule);
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Instruction& i = program[at];
    const auto statement = pseudo_c_statement(program, at, known[at], arch, kWords);
    if (!statement) {
      out.text += fmt::format("# {}: code 0x{:04x} jt {} jf {} k 0x{:08x}\n", label(at), i.code,
                              i.jt, i.jf, i.k);
      out.unsaid.push_back(no_words(i, at));
      continue;
    }
    out.text += fmt::format(" {}: 0x{:02x} 0x{:02x} 0x{:02x} 0x{:08x} {}\n", label(at), i.code,
                            i.jt, i.jf, i.k, *statement);
    note_what_is_unused(program, at, out);
  }
  out.text += kRule;
  return out;
}

}  // namespace callgate::report
