#include "vm/arches.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace callgate {
namespace {

TEST(Arches, are_found_by_name_and_by_every_alias) {
  std::set<std::string> seen;
  for (const ArchInfo& row : arches()) {
    EXPECT_EQ(&info(row.arch), &row);
    EXPECT_EQ(arch_from_name(row.name), row.arch) << row.name;
    EXPECT_TRUE(seen.insert(std::string(row.name)).second) << row.name << " stands twice";
    std::string_view rest = row.aliases;
    while (!rest.empty()) {
      const std::string_view alias = rest.substr(0, rest.find(' '));
      EXPECT_EQ(arch_from_name(alias), row.arch) << alias;
      EXPECT_TRUE(seen.insert(std::string(alias)).second) << alias << " stands twice";
      rest.remove_prefix(std::min(alias.size() + 1, rest.size()));
    }
  }
}

TEST(Arches, are_found_in_upper_and_lower_case) {
  EXPECT_EQ(arch_from_name("AMD64"), Arch::X86_64);
  EXPECT_EQ(arch_from_name("scmp_arch_s390x"), Arch::S390x);
}

TEST(Arches, are_not_found_by_parts_of_names) {
  EXPECT_EQ(arch_from_name(""), std::nullopt);
  EXPECT_EQ(arch_from_name("x86_6"), std::nullopt);
  EXPECT_EQ(arch_from_name("amd64 "), std::nullopt);
  EXPECT_EQ(arch_from_name("amd64 x64"), std::nullopt);
}

TEST(Arches, have_a_token_of_their_own_all_but_x32) {
  std::set<std::uint32_t> tokens;
  for (const ArchInfo& row : arches()) {
    if (row.arch == Arch::X32) continue;
    EXPECT_TRUE(tokens.insert(row.token).second) << row.name;
    EXPECT_EQ(arch_from_token(row.token), row.arch) << row.name;
  }
  EXPECT_EQ(info(Arch::X32).token, info(Arch::X86_64).token);
  EXPECT_EQ(arch_from_token(0), std::nullopt);
  EXPECT_EQ(arch_from_token(0xffffffffU), std::nullopt);
}

// linux/audit.h: bit 31 says 64 bits, bit 30 little-endian; n32 of mips is the exception that
// carries the 64-bit mark though its registers have 32 bits, and x32 shares x86_64's token.
TEST(Arches, agree_with_the_marks_in_their_tokens) {
  for (const ArchInfo& row : arches()) {
    const bool little = (row.token & 0x40000000U) != 0;
    EXPECT_EQ(row.byte_order, little ? ByteOrder::Little : ByteOrder::Big) << row.name;
    const bool is_wide = (row.token & 0x80000000U) != 0;
    const bool exception =
        row.arch == Arch::X32 || row.arch == Arch::Mips64n32 || row.arch == Arch::Mipsel64n32;
    EXPECT_EQ(row.bits, is_wide && !exception ? 64 : 32) << row.name;
  }
}

TEST(Arches, of_a_call_are_told_by_bit_30_on_x86_64_alone) {
  const std::uint32_t x86_64 = info(Arch::X86_64).token;
  EXPECT_EQ(arch_of_call(x86_64, 39), Arch::X86_64);
  EXPECT_EQ(arch_of_call(x86_64, kX32Bit | 39U), Arch::X32);
  EXPECT_EQ(arch_of_call(x86_64, 0xffffffffU), Arch::X86_64) << "-1 is no x32 call";
  EXPECT_EQ(arch_of_call(info(Arch::AArch64).token, kX32Bit), Arch::AArch64);
  EXPECT_EQ(arch_of_call(7, 0), std::nullopt);
}

TEST(Arches, of_the_host_have_its_byte_order) {
  EXPECT_EQ(info(host_arch()).byte_order, kHostByteOrder);
}

}  // namespace
}  // namespace callgate
