#include "vm/syscalls.hpp"

#include <gtest/gtest.h>
#include <seccomp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

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
  EXPECT_EQ(syscall_number(Arch::Arm, "breakpoint"), 0xf0001U);
  EXPECT_EQ(syscall_number(Arch::Arm, "cacheflush"), 0xf0002U);
  EXPECT_EQ(syscall_number(Arch::Arm, "set_tls"), 0xf0005U);
  EXPECT_EQ(syscall_number(Arch::Arm, "get_tls"), 0xf0006U);
  EXPECT_EQ(syscall_number(Arch::Riscv64, "riscv_flush_icache"), 259U);
  EXPECT_EQ(syscall_number(Arch::S390x, "seccomp"), 348U);
  EXPECT_EQ(syscall_number(Arch::S390x, "s390_pci_mmio_write"), 352U);
  EXPECT_EQ(syscall_number(Arch::S390, "chown"), 182U);
  EXPECT_EQ(syscall_number(Arch::S390, "chown32"), 212U);
  EXPECT_EQ(syscall_number(Arch::S390x, "chown"), 212U);
  EXPECT_EQ(syscall_number(Arch::Ppc64le, "seccomp"), 358U);
  EXPECT_EQ(syscall_number(Arch::Ppc, "swapcontext"), 249U);
  EXPECT_EQ(syscall_number(Arch::Parisc, "seccomp"), 338U);
  EXPECT_EQ(syscall_number(Arch::M68k, "atomic_cmpxchg_32"), 335U);
  EXPECT_EQ(syscall_number(Arch::Sh, "cacheflush"), 123U);
  EXPECT_EQ(syscall_number(Arch::Mips, "read"), 4003U);
  EXPECT_EQ(syscall_number(Arch::Mipsel64, "read"), 5000U);
  EXPECT_EQ(syscall_number(Arch::Mips64n32, "read"), 6000U);
  EXPECT_EQ(syscall_number(Arch::AArch64, "open"), std::nullopt);
}

TEST(Syscalls, are_found_by_plain_names_only) {
  for (const char* const name :
       {"", "no_such_call", "39", "READ", " read", "read ", "sys_read", "__NR_read", "SYS_read"}) {
    EXPECT_EQ(syscall_number(Arch::X86_64, name), std::nullopt) << name;
  }
}

TEST(Syscalls, go_up_to_linux_6_18) {
  for (const ArchInfo& arch : arches()) {
    EXPECT_EQ(syscall_number(arch.arch, "file_setattr"), arch.number_base + 469U) << arch.name;
    EXPECT_EQ(syscall_number(arch.arch, "open_tree_attr"), arch.number_base + 467U) << arch.name;
    EXPECT_EQ(syscall_number(arch.arch, "mseal"), arch.number_base + 462U) << arch.name;
    EXPECT_EQ(syscall_number(arch.arch, "listns"), std::nullopt) << arch.name;
  }
  EXPECT_EQ(syscall_number(Arch::X86_64, "uretprobe"), 335U);
  EXPECT_EQ(syscall_number(Arch::X86_64, "uprobe"), 336U);
  EXPECT_EQ(syscall_number(Arch::X32, "uprobe"), kX32Bit + 336U);  // "common" in syscall_64.tbl
  EXPECT_EQ(syscall_number(Arch::X86, "uprobe"), std::nullopt);
  // Proposed in January 2026, while 6.19 was being made.
  EXPECT_EQ(syscall_number(Arch::LoongArch64, "memfd_secret"), std::nullopt);
}

TEST(Syscalls, of_x32_carry_bit_30) {
  for (const SyscallRow& row : syscalls(Arch::X32)) EXPECT_EQ(row.nr & kX32Bit, kX32Bit);
  EXPECT_EQ(syscall_number(Arch::X32, "read"), kX32Bit);
  EXPECT_EQ(syscall_number(Arch::X32, "ioctl"), kX32Bit + 514U);
  EXPECT_EQ(syscall_number(Arch::X32, "preadv2"), kX32Bit + 546U);
  EXPECT_EQ(syscall_name(Arch::X32, 514), std::nullopt);
}

TEST(Syscalls, of_x32_are_x86_64s_or_its_own_from_512_on) {
  std::size_t own = 0;
  for (const SyscallRow& row : syscalls(Arch::X32)) {
    const std::uint32_t low = row.nr & ~kX32Bit;
    if (low < 512U) {
      EXPECT_EQ(syscall_name(Arch::X86_64, low), row.name);
      continue;
    }
    ++own;
    // Each replaces a call that only 64-bit programs have.
    const auto theirs = syscall_number(Arch::X86_64, row.name);
    ASSERT_TRUE(theirs.has_value()) << row.name;
    EXPECT_EQ(syscall_name(Arch::X32, *theirs | kX32Bit), std::nullopt) << row.name;
  }
  EXPECT_EQ(own, 36U);  // 512 to 547
}

TEST(Syscalls, go_both_ways) {
  for (const ArchInfo& arch : arches()) {
    const std::span<const SyscallRow> rows = syscalls(arch.arch);
    EXPECT_GT(rows.size(), 300U) << arch.name;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const SyscallRow& row = rows[i];
      EXPECT_EQ(syscall_number(arch.arch, row.name), row.nr) << arch.name << ' ' << row.name;
      if (i == 0 || rows[i - 1].nr != row.nr) {
        EXPECT_EQ(syscall_name(arch.arch, row.nr), row.name) << arch.name << ' ' << row.nr;
      }
    }
    EXPECT_EQ(syscall_name(arch.arch, 0xffffffffU), std::nullopt);
  }
}

TEST(Syscalls, rise_and_have_each_name_once) {
  for (const ArchInfo& arch : arches()) {
    const std::span<const SyscallRow> rows = syscalls(arch.arch);
    EXPECT_TRUE(std::ranges::is_sorted(rows, {}, &SyscallRow::nr)) << arch.name;
    std::set<std::string_view> names;
    for (const SyscallRow& row : rows) {
      EXPECT_TRUE(names.insert(row.name).second) << arch.name << ' ' << row.name;
      EXPECT_GE(row.nr, arch.number_base) << arch.name << ' ' << row.name;
    }
  }
}

TEST(Syscalls, share_a_number_on_arm_only_and_the_tables_own_name_comes_first) {
  for (const ArchInfo& arch : arches()) {
    const std::span<const SyscallRow> rows = syscalls(arch.arch);
    for (std::size_t i = 1; i < rows.size(); ++i) {
      if (rows[i - 1].nr != rows[i].nr) continue;
      EXPECT_EQ(arch.arch, Arch::Arm) << arch.name << ' ' << rows[i].name;
      EXPECT_EQ(rows[i].nr, 341U) << rows[i].name;
    }
  }
  EXPECT_EQ(syscall_number(Arch::Arm, "arm_sync_file_range"), 341U);
  EXPECT_EQ(syscall_number(Arch::Arm, "sync_file_range2"), 341U);  // asm/unistd.h
  EXPECT_EQ(syscall_name(Arch::Arm, 341), "arm_sync_file_range");
}

// Where libseccomp has another number, and why ours stands. What it has not, or has as a number of
// its own (negative) for a call that is multiplexed elsewhere, is no difference.
struct Difference {
  Arch arch;
  std::string_view name;
};
constexpr Difference kDifferences[] = {
    // 2.5.4 and 2.6.0: the kernel's table has it for 32-bit programs only
    // (arch/parisc/kernel/syscalls/syscall.tbl); 2.6.1 agrees with us.
    {Arch::Parisc64, "_llseek"},
    // Not in Linux 6.18; for a libseccomp that may come to have it.
    {Arch::LoongArch64, "memfd_secret"},
};

bool is_listed(Arch arch, std::string_view name) {
  return std::ranges::any_of(
      kDifferences, [&](const Difference& each) { return each.arch == arch && each.name == name; });
}

// A call that came after Linux 6.18 (libseccomp 2.6.1 has some): numbers of new calls are the same
// on every architecture above its base, 469 is 6.18's last, x32's own start at 512.
bool is_after_linux_6_18(const ArchInfo& arch, std::uint32_t nr) {
  return nr - arch.number_base > 469U && nr - arch.number_base < 512U;
}

std::uint32_t libseccomp_token(Arch arch) {
  // libseccomp tells x32 from x86_64 by a token of its own.
  return arch == Arch::X32 ? SCMP_ARCH_X32 : info(arch).token;
}

// Every name that libseccomp gives to a number of some architecture, and every name of ours.
std::set<std::string> all_names() {
  std::set<std::string> names;
  const auto ask = [&](Arch arch, std::int64_t nr) {
    char* const found =
        seccomp_syscall_resolve_num_arch(libseccomp_token(arch), static_cast<int>(nr));
    if (found == nullptr) return;
    names.emplace(found);
    std::free(found);
  };
  for (const ArchInfo& arch : arches()) {
    for (const SyscallRow& row : syscalls(arch.arch)) names.emplace(row.name);
    // By number it takes x32's with bit 30, but those of MIPS without their base.
    const std::uint32_t base = arch.arch == Arch::X32 ? kX32Bit : 0U;
    for (std::uint32_t nr = 0; nr < 1000; ++nr) ask(arch.arch, base + nr);
  }
  for (std::uint32_t nr = 0xf0000U; nr < 0xf0010U; ++nr) ask(Arch::Arm, nr);
  // Its own numbers for what an architecture has not, and for parts of socketcall and ipc.
  for (std::int64_t nr = -10400; nr <= -10000; ++nr) ask(Arch::X86_64, nr);
  for (std::int64_t nr = -300; nr <= -100; ++nr) ask(Arch::X86, nr);
  return names;
}

TEST(Syscalls, have_the_number_that_libseccomp_has) {
  const std::set<std::string> names = all_names();
  EXPECT_GT(names.size(), 500U);
  std::size_t compared = 0;
  for (const ArchInfo& arch : arches()) {
    std::size_t here = 0;
    for (const std::string& name : names) {
      const int theirs =
          seccomp_syscall_resolve_name_arch(libseccomp_token(arch.arch), name.c_str());
      if (theirs < 0) continue;
      ++here;
      const auto nr = static_cast<std::uint32_t>(theirs);
      const auto ours = syscall_number(arch.arch, name);
      EXPECT_TRUE(ours == nr || is_listed(arch.arch, name) || is_after_linux_6_18(arch, nr))
          << arch.name << ": libseccomp has " << name << " at " << nr << ", we "
          << (ours ? std::to_string(*ours) : "nowhere");
    }
    // An architecture that this libseccomp does not know gives none.
    EXPECT_TRUE(here == 0 || here > 300U) << arch.name << ' ' << here;
    compared += here;
  }
  EXPECT_GT(compared, 7000U);
}

}  // namespace
}  // namespace callgate
