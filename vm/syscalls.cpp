#include "vm/syscalls.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace callgate {
namespace {

// The names of a table in alphabetical order, as indexes: made by the compiler.
template <std::size_t kSize>
consteval std::array<std::uint16_t, kSize> by_name(const SyscallRow (&rows)[kSize]) {
  std::array<std::uint16_t, kSize> order{};
  for (std::size_t i = 0; i < kSize; ++i) order[i] = static_cast<std::uint16_t>(i);
  std::ranges::sort(order, {}, [&](std::uint16_t i) { return rows[i].name; });
  return order;
}

// Numbers rise (a binary search needs it) and no name is there twice.
template <std::size_t kSize>
consteval bool is_right(const SyscallRow (&rows)[kSize],
                        const std::array<std::uint16_t, kSize>& order) {
  return std::ranges::is_sorted(rows, {}, &SyscallRow::nr) &&
         std::ranges::adjacent_find(order, {}, [&](std::uint16_t i) { return rows[i].name; }) ==
             order.end();
}

#define SYSCALL(nr, name) {#name, nr},
constexpr SyscallRow kX86_64[] = {
#include "vm/syscalls/x86_64.def"
};
constexpr auto kX86_64ByName = by_name(kX86_64);
static_assert(is_right(kX86_64, kX86_64ByName));
constexpr SyscallRow kX86[] = {
#include "vm/syscalls/x86.def"
};
constexpr auto kX86ByName = by_name(kX86);
static_assert(is_right(kX86, kX86ByName));
constexpr SyscallRow kX32[] = {
#include "vm/syscalls/x32.def"
};
constexpr auto kX32ByName = by_name(kX32);
static_assert(is_right(kX32, kX32ByName));
constexpr SyscallRow kArm[] = {
#include "vm/syscalls/arm.def"
};
constexpr auto kArmByName = by_name(kArm);
static_assert(is_right(kArm, kArmByName));
constexpr SyscallRow kAArch64[] = {
#include "vm/syscalls/aarch64.def"
};
constexpr auto kAArch64ByName = by_name(kAArch64);
static_assert(is_right(kAArch64, kAArch64ByName));
constexpr SyscallRow kLoongArch64[] = {
#include "vm/syscalls/loongarch64.def"
};
constexpr auto kLoongArch64ByName = by_name(kLoongArch64);
static_assert(is_right(kLoongArch64, kLoongArch64ByName));
constexpr SyscallRow kM68k[] = {
#include "vm/syscalls/m68k.def"
};
constexpr auto kM68kByName = by_name(kM68k);
static_assert(is_right(kM68k, kM68kByName));
constexpr SyscallRow kMips[] = {
#include "vm/syscalls/mips.def"
};
constexpr auto kMipsByName = by_name(kMips);
static_assert(is_right(kMips, kMipsByName));
constexpr SyscallRow kMipsel[] = {
#include "vm/syscalls/mipsel.def"
};
constexpr auto kMipselByName = by_name(kMipsel);
static_assert(is_right(kMipsel, kMipselByName));
constexpr SyscallRow kMips64[] = {
#include "vm/syscalls/mips64.def"
};
constexpr auto kMips64ByName = by_name(kMips64);
static_assert(is_right(kMips64, kMips64ByName));
constexpr SyscallRow kMipsel64[] = {
#include "vm/syscalls/mipsel64.def"
};
constexpr auto kMipsel64ByName = by_name(kMipsel64);
static_assert(is_right(kMipsel64, kMipsel64ByName));
constexpr SyscallRow kMips64n32[] = {
#include "vm/syscalls/mips64n32.def"
};
constexpr auto kMips64n32ByName = by_name(kMips64n32);
static_assert(is_right(kMips64n32, kMips64n32ByName));
constexpr SyscallRow kMipsel64n32[] = {
#include "vm/syscalls/mipsel64n32.def"
};
constexpr auto kMipsel64n32ByName = by_name(kMipsel64n32);
static_assert(is_right(kMipsel64n32, kMipsel64n32ByName));
constexpr SyscallRow kParisc[] = {
#include "vm/syscalls/parisc.def"
};
constexpr auto kPariscByName = by_name(kParisc);
static_assert(is_right(kParisc, kPariscByName));
constexpr SyscallRow kParisc64[] = {
#include "vm/syscalls/parisc64.def"
};
constexpr auto kParisc64ByName = by_name(kParisc64);
static_assert(is_right(kParisc64, kParisc64ByName));
constexpr SyscallRow kPpc[] = {
#include "vm/syscalls/ppc.def"
};
constexpr auto kPpcByName = by_name(kPpc);
static_assert(is_right(kPpc, kPpcByName));
constexpr SyscallRow kPpc64[] = {
#include "vm/syscalls/ppc64.def"
};
constexpr auto kPpc64ByName = by_name(kPpc64);
static_assert(is_right(kPpc64, kPpc64ByName));
constexpr SyscallRow kPpc64le[] = {
#include "vm/syscalls/ppc64le.def"
};
constexpr auto kPpc64leByName = by_name(kPpc64le);
static_assert(is_right(kPpc64le, kPpc64leByName));
constexpr SyscallRow kRiscv64[] = {
#include "vm/syscalls/riscv64.def"
};
constexpr auto kRiscv64ByName = by_name(kRiscv64);
static_assert(is_right(kRiscv64, kRiscv64ByName));
constexpr SyscallRow kS390[] = {
#include "vm/syscalls/s390.def"
};
constexpr auto kS390ByName = by_name(kS390);
static_assert(is_right(kS390, kS390ByName));
constexpr SyscallRow kS390x[] = {
#include "vm/syscalls/s390x.def"
};
constexpr auto kS390xByName = by_name(kS390x);
static_assert(is_right(kS390x, kS390xByName));
constexpr SyscallRow kSheb[] = {
#include "vm/syscalls/sheb.def"
};
constexpr auto kShebByName = by_name(kSheb);
static_assert(is_right(kSheb, kShebByName));
constexpr SyscallRow kSh[] = {
#include "vm/syscalls/sh.def"
};
constexpr auto kShByName = by_name(kSh);
static_assert(is_right(kSh, kShByName));
#undef SYSCALL

struct Table {
  std::span<const SyscallRow> rows;
  std::span<const std::uint16_t> by_name;
};

constexpr std::array kTables = {
#define ARCH(enumerator, ...) Table{k##enumerator, k##enumerator##ByName},
#include "vm/arches.def"
#undef ARCH
};

const Table& table(Arch arch) noexcept { return kTables[static_cast<std::size_t>(arch)]; }

}  // namespace

std::span<const SyscallRow> syscalls(Arch arch) noexcept { return table(arch).rows; }

std::optional<std::uint32_t> syscall_number(Arch arch, std::string_view name) noexcept {
  const Table& here = table(arch);
  const auto name_at = [&](std::uint16_t i) { return here.rows[i].name; };
  const auto found = std::ranges::lower_bound(here.by_name, name, {}, name_at);
  if (found == here.by_name.end() || name_at(*found) != name) return std::nullopt;
  return here.rows[*found].nr;
}

std::optional<std::string_view> syscall_name(Arch arch, std::uint32_t nr) noexcept {
  const std::span<const SyscallRow> rows = table(arch).rows;
  const auto found = std::ranges::lower_bound(rows, nr, {}, &SyscallRow::nr);
  if (found == rows.end() || found->nr != nr) return std::nullopt;
  return found->name;
}

}  // namespace callgate
