#include "vm/opcodes.hpp"

#include <array>

namespace callgate {
namespace {

constexpr std::array kOpcodes = {
#define OPCODE(enumerator, code, mnemonic, kind, operand, k_rule, ebpf, blinded, acceptance)     \
  OpcodeInfo{Opcode::enumerator, #enumerator, mnemonic, OpcodeKind::kind,      Operand::operand, \
             KRule::k_rule,      ebpf,        blinded,  Acceptance::acceptance},
#include "vm/opcodes.def"
#undef OPCODE
};

constexpr std::size_t kCodes = 256;
constexpr std::uint8_t kNone = 0xff;

// The row of each code below 256. Evaluated by the compiler alone: a code that stands twice, or out
// of order, does not build.
consteval std::array<std::uint8_t, kCodes> decode_table() {
  std::array<std::uint8_t, kCodes> table{};
  table.fill(kNone);
  for (std::size_t row = 0; row < kOpcodes.size(); ++row) {
    const auto code = static_cast<std::size_t>(kOpcodes[row].opcode);
    if (code >= kCodes) throw "a code beyond 8 bits";
    if (table[code] != kNone) throw "a code that stands twice";
    if (row > 0 && kOpcodes[row - 1].opcode >= kOpcodes[row].opcode) throw "codes out of order";
    table[code] = static_cast<std::uint8_t>(row);
  }
  return table;
}

constexpr std::array<std::uint8_t, kCodes> kRowOfCode = decode_table();

consteval std::size_t accepted() {
  std::size_t count = 0;
  for (const OpcodeInfo& row : kOpcodes) count += row.acceptance == Acceptance::Seccomp ? 1 : 0;
  return count;
}
static_assert(kOpcodes.size() == 49 && accepted() == 41);

}  // namespace

std::span<const OpcodeInfo> opcodes() noexcept { return kOpcodes; }

const OpcodeInfo* find_opcode(std::uint16_t code) noexcept {
  if (code >= kCodes || kRowOfCode[code] == kNone) return nullptr;
  return &kOpcodes[kRowOfCode[code]];
}

}  // namespace callgate
