// BPF_STMT and BPF_JUMP rows, with the names of include/uapi/linux/bpf_common.h.

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "harness/report/disassembly.hpp"
#include "vm/opcodes.hpp"

namespace callgate::report {
namespace {

constexpr std::array<std::string_view, 8> kClasses = {"BPF_LD",  "BPF_LDX", "BPF_ST",  "BPF_STX",
                                                      "BPF_ALU", "BPF_JMP", "BPF_RET", "BPF_MISC"};
constexpr std::array<std::string_view, 8> kModes = {"BPF_IMM", "BPF_ABS", "BPF_IND", "BPF_MEM",
                                                    "BPF_LEN", "BPF_MSH", "",        ""};
constexpr std::array<std::string_view, 4> kSizes = {"BPF_W", "BPF_H", "BPF_B", ""};
constexpr std::array<std::string_view, 16> kArithmetic = {
    "BPF_ADD", "BPF_SUB", "BPF_MUL", "BPF_DIV", "BPF_OR", "BPF_AND", "BPF_LSH", "BPF_RSH",
    "BPF_NEG", "BPF_MOD", "BPF_XOR", "",        "",       "",        "",        ""};
constexpr std::array<std::string_view, 5> kJumps = {"BPF_JA", "BPF_JEQ", "BPF_JGT", "BPF_JGE",
                                                    "BPF_JSET"};

// The names of a code that is an instruction, joined.
std::string code_names(std::uint16_t code) {
  const std::size_t kind = code & 7U;
  const std::string_view base = kClasses[kind];
  const std::string_view source = (code & 8U) != 0 ? "BPF_X" : "BPF_K";
  const std::size_t operation = (code >> 4U) & 15U;
  switch (kind) {
    case 0:
    case 1:
      return fmt::format("{} | {} | {}", base, kSizes[(code >> 3U) & 3U],
                         kModes[(code >> 5U) & 7U]);
    case 4:
      return fmt::format("{} | {} | {}", base, kArithmetic[operation], source);
    case 5:
      return fmt::format("{} | {} | {}", base, kJumps[operation], source);
    case 6:
      return fmt::format("{} | {}", base, (code & 0x18U) == 0x10 ? "BPF_A" : source);
    case 7:
      return fmt::format("{} | {}", base, code == 0x87 ? "BPF_TXA" : "BPF_TAX");
    default:
      return std::string(base);
  }
}

}  // namespace

std::string c_macros(std::span<const Instruction> program) {
  std::string out;
  for (const Instruction& i : program) {
    const std::string code =
        find_opcode(i.code) != nullptr ? code_names(i.code) : fmt::format("0x{:04x}", i.code);
    out += i.jt == 0 && i.jf == 0
               ? fmt::format("BPF_STMT({}, 0x{:08x}),\n", code, i.k)
               : fmt::format("BPF_JUMP({}, 0x{:08x}, {}, {}),\n", code, i.k, i.jt, i.jf);
  }
  return out;
}

std::string c_bytes(std::span<const Instruction> program, ByteOrder order) {
  std::string out = "{\n";
  const std::string bytes = raw_bytes(program, order);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    out += fmt::format("{},{}", static_cast<unsigned char>(bytes[at]), at % 8 == 7 ? "\n" : " ");
  }
  return out + "}\n";
}

}  // namespace callgate::report
