#include "vm/opcodes.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

namespace callgate {
namespace {

// kernel-semantics 2.2, once more by hand.
const std::set<std::uint16_t> kAccepted = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0c, 0x14, 0x15, 0x16, 0x1c, 0x1d,
    0x20, 0x24, 0x25, 0x2c, 0x2d, 0x34, 0x35, 0x3c, 0x3d, 0x44, 0x45, 0x4c, 0x4d, 0x54,
    0x5c, 0x60, 0x61, 0x64, 0x6c, 0x74, 0x7c, 0x80, 0x81, 0x84, 0x87, 0xa4, 0xac};
const std::set<std::uint16_t> kClassicOnly = {0x28, 0x30, 0x40, 0x48, 0x50, 0x94, 0x9c, 0xb1};

TEST(Opcodes, are_found_by_all_16_bits_of_their_code) {
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    const auto code16 = static_cast<std::uint16_t>(code);
    const OpcodeInfo* row = find_opcode(code16);
    const bool seccomp = kAccepted.contains(code16);
    ASSERT_EQ(row != nullptr, seccomp || kClassicOnly.contains(code16)) << code;
    if (row == nullptr) continue;
    ASSERT_EQ(static_cast<std::uint16_t>(row->opcode), code16);
    ASSERT_EQ(row->acceptance, seccomp ? Acceptance::Seccomp : Acceptance::ClassicOnly) << code;
  }
}

TEST(Opcodes, that_seccomp_takes_differ_in_mnemonic_or_operand) {
  std::set<std::pair<std::string_view, Operand>> seen;
  for (const OpcodeInfo& row : opcodes()) {
    if (row.acceptance != Acceptance::Seccomp) continue;
    EXPECT_TRUE(seen.emplace(row.mnemonic, row.operand).second) << row.name;
  }
}

// The code's own bits (linux/bpf_common.h): the class in the low 3, K or X in bit 3.
TEST(Opcodes, agree_with_the_class_in_their_code) {
  for (const OpcodeInfo& row : opcodes()) {
    const auto code = static_cast<std::uint16_t>(row.opcode);
    switch (row.kind) {
      case OpcodeKind::Load:
        EXPECT_EQ(code & 7U, 0U) << row.name;
        break;
      case OpcodeKind::LoadX:
        EXPECT_EQ(code & 7U, 1U) << row.name;
        break;
      case OpcodeKind::Store:
        EXPECT_EQ(code, 2U) << row.name;
        break;
      case OpcodeKind::StoreX:
        EXPECT_EQ(code, 3U) << row.name;
        break;
      case OpcodeKind::Alu:
        EXPECT_EQ(code & 7U, 4U) << row.name;
        break;
      case OpcodeKind::Jump:
        EXPECT_EQ(code, 5U) << row.name;
        break;
      case OpcodeKind::Branch:
        EXPECT_EQ(code & 7U, 5U) << row.name;
        EXPECT_NE(code, 5U) << row.name;
        break;
      case OpcodeKind::Return:
        EXPECT_EQ(code & 7U, 6U) << row.name;
        break;
      case OpcodeKind::Tax:
        EXPECT_EQ(code, 0x07U) << row.name;
        break;
      case OpcodeKind::Txa:
        EXPECT_EQ(code, 0x87U) << row.name;
        break;
    }
    const bool two_forms = row.kind == OpcodeKind::Branch ||
                           (row.kind == OpcodeKind::Alu && row.opcode != Opcode::Neg);
    if (two_forms) {
      EXPECT_EQ(row.operand, (code & 8U) != 0 ? Operand::X : Operand::K) << row.name;
    }
  }
}

TEST(Opcodes, that_seccomp_takes_count_at_least_one_instruction) {
  for (const OpcodeInfo& row : opcodes()) {
    if (row.acceptance == Acceptance::Seccomp) {
      EXPECT_GE(row.ebpf, 1) << row.name;
      EXPECT_GE(row.blinded, row.ebpf) << row.name;
    } else {
      EXPECT_EQ(row.ebpf, 0) << row.name;
    }
  }
}

}  // namespace
}  // namespace callgate
