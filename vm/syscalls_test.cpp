#include "vm/syscalls.hpp"

#include <gtest/gtest.h>
#include <seccomp.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>

namespace callgate {
namespace {

TEST(Syscalls, have_the_numbers_of_the_kernel) {
  EXPECT_EQ(syscall_number(Arch::X86_64, "getpid"), 39U);
  EXPECT_EQ(syscall_number(Arch::X86_64, "exit_group"), 231U);
  EXPECT_EQ(syscall_number(Arch::X86, "getpid"), 20U);
  EXPECT_EQ(syscall_number(Arch::X86, "socketcall"), 102U);
  EXPECT_EQ(syscall_number(Arch::X86, "ipc"), 117U);
  EXPECT_EQ(syscall_number(Arch::X86, "clock_gettime64"), 403U);
  EXPECT_EQ(syscall_number(Arch::AArch64, "openat"), 56U);
  EXPECT_EQ(syscall_number(Arch::Arm, "seccomp"), 383U);
  EXPECT_EQ(syscall_number(Arch::Arm, "set_tls"), 0xf0005U);
  EXPECT_EQ(syscall_number(Arch::Riscv64, "riscv_flush_icache"), 259U);
  EXPECT_EQ(syscall_number(Arch::S390x, "seccomp"), 348U);
  EXPECT_EQ(syscall_number(Arch::Mips, "read"), 4003U);
  EXPECT_EQ(syscall_number(Arch::Mipsel64, "read"), 5000U);
  EXPECT_EQ(syscall_number(Arch::Mips64n32, "read"), 6000U);
  EXPECT_EQ(syscall_number(Arch::AArch64, "open"), std::nullopt);
  EXPECT_EQ(syscall_number(Arch::X86_64, ""), std::nullopt);
  EXPECT_EQ(syscall_number(Arch::X86_64, "no_such_call"), std::nullopt);
}

TEST(Syscalls, go_up_to_linux_6_18) {
  for (const ArchInfo& arch : arches()) {
    EXPECT_EQ(syscall_number(arch.arch, "file_setattr"), arch.number_base + 469U) << arch.name;
    EXPECT_EQ(syscall_number(arch.arch, "open_tree_attr"), arch.number_base + 467U) << arch.name;
    EXPECT_EQ(syscall_number(arch.arch, "mseal"), arch.number_base + 462U) << arch.name;
    EXPECT_EQ(syscall_number(arch.arch, "listns"), std::nullopt) << arch.name;
  }
  EXPECT_EQ(syscall_number(Arch::X86_64, "uprobe"), 336U);
  EXPECT_EQ(syscall_number(Arch::X86, "uprobe"), std::nullopt);
}

TEST(Syscalls, of_x32_carry_bit_30) {
  for (const SyscallRow& row : syscalls(Arch::X32)) EXPECT_EQ(row.nr & kX32Bit, kX32Bit);
  EXPECT_EQ(syscall_number(Arch::X32, "read"), kX32Bit);
  EXPECT_EQ(syscall_number(Arch::X32, "ioctl"), kX32Bit + 514U);
  EXPECT_EQ(syscall_number(Arch::X32, "preadv2"), kX32Bit + 546U);
  EXPECT_EQ(syscall_name(Arch::X32, 514), std::nullopt);
}

TEST(Syscalls, go_both_ways) {
  for (const ArchInfo& arch : arches()) {
    const std::span<const SyscallRow> rows = syscalls(arch.arch);
    EXPECT_GT(rows.size(), 300U) << arch.name;
    std::set<std::string_view> names;
    for (const SyscallRow& row : rows) {
      EXPECT_TRUE(names.insert(row.name).second) << arch.name << ' ' << row.name;
      EXPECT_EQ(syscall_number(arch.arch, row.name), row.nr) << arch.name << ' ' << row.name;
      EXPECT_TRUE(syscall_name(arch.arch, row.nr).has_value());
    }
    const auto by_number = [](const SyscallRow& a, const SyscallRow& b) { return a.nr == b.nr; };
    EXPECT_EQ(std::ranges::adjacent_find(rows, by_number), rows.end()) << arch.name;
    EXPECT_EQ(syscall_name(arch.arch, 0xffffffffU), std::nullopt);
  }
}

// What libseccomp (2.5.4) says otherwise, and why ours stands.
struct Difference {
  Arch arch;
  std::string_view name;
};
constexpr Difference kDifferences[] = {
    // The kernel's table has it for 32-bit programs only (parisc/kernel/syscalls/syscall.tbl).
    {Arch::Parisc64, "_llseek"},
};

bool is_listed(Arch arch, std::string_view name) {
  return std::ranges::any_of(
      kDifferences, [&](const Difference& each) { return each.arch == arch && each.name == name; });
}

std::uint32_t libseccomp_token(Arch arch) {
  // libseccomp tells x32 from x86_64 by a token of its own.
  return arch == Arch::X32 ? SCMP_ARCH_X32 : info(arch).token;
}

TEST(Syscalls, agree_with_libseccomp_on_every_name_that_it_knows) {
  std::size_t compared = 0;
  for (const ArchInfo& arch : arches()) {
    const std::uint32_t token = libseccomp_token(arch.arch);
    for (std::uint32_t nr = 0; nr < 1000; ++nr) {
      // By number it takes x32's with bit 30, but those of MIPS without their base.
      const std::uint32_t here = nr + arch.number_base;
      const int asked = static_cast<int>(arch.arch == Arch::X32 ? here : nr);
      char* const found = seccomp_syscall_resolve_num_arch(token, asked);
      if (found == nullptr) continue;
      const std::string name(found);
      std::free(found);
      ++compared;
      const auto ours = syscall_number(arch.arch, name);
      const bool same = ours == here;
      EXPECT_TRUE(same || is_listed(arch.arch, name))
          << arch.name << ": libseccomp has " << name << " at " << here << ", we "
          << (ours ? std::to_string(*ours) : "nowhere");
    }
  }
  EXPECT_GT(compared, 5000U);
}

TEST(Syscalls, are_at_the_same_number_where_libseccomp_finds_our_names) {
  for (const ArchInfo& arch : arches()) {
    for (const SyscallRow& row : syscalls(arch.arch)) {
      const std::string name(row.name);
      const int theirs =
          seccomp_syscall_resolve_name_arch(libseccomp_token(arch.arch), name.c_str());
      // Negative: a name that it does not know, or a number of its own for a multiplexed call.
      if (theirs < 0) continue;
      EXPECT_TRUE(static_cast<std::uint32_t>(theirs) == row.nr || is_listed(arch.arch, row.name))
          << arch.name << ' ' << name << ": libseccomp has " << theirs << ", we " << row.nr;
    }
  }
}

}  // namespace
}  // namespace callgate
