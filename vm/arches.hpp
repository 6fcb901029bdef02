#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "vm/byte_order.hpp"

namespace callgate {

/// An application binary interface that filters tell apart; one row of arches.def each.
enum class Arch : std::uint8_t {
#define ARCH(enumerator, ...) enumerator,
#include "vm/arches.def"
#undef ARCH
};

/// What a shift by X does when X is 32 or more.
enum class ShiftRule : std::uint8_t {
  Mask5,      ///< the count is X & 31
  Mask6Zero,  ///< the count is X & 63; 32 and above give 0
  Mask8Zero,  ///< the count is X & 255; 32 and above give 0
};

/// Numbers that are not the same everywhere (asm/errno.h, asm/signal.h, asm/fcntl.h).
struct SystemNumbers {
  int enosys;
  int eopnotsupp;
  int sigsys;
  std::uint32_t o_cloexec;
};
inline constexpr SystemNumbers kGenericNumbers{
    .enosys = 38, .eopnotsupp = 95, .sigsys = 31, .o_cloexec = 0x80000};
inline constexpr SystemNumbers kMipsNumbers{
    .enosys = 89, .eopnotsupp = 122, .sigsys = 12, .o_cloexec = 0x80000};
inline constexpr SystemNumbers kPariscNumbers{
    .enosys = 251, .eopnotsupp = 223, .sigsys = 31, .o_cloexec = 0x200000};

/// A row of arches.def.
struct ArchInfo {
  Arch arch;
  std::string_view name;
  std::uint32_t token;  ///< AUDIT_ARCH_*: `arch` of seccomp_data
  int bits;             ///< width of a register of this ABI: 32 or 64
  ByteOrder byte_order;
  ShiftRule shift_rule;  ///< of the architecture's JIT; an interpreter masks with 31
  std::uint32_t number_base;
  SystemNumbers numbers;
  std::string_view aliases;  ///< space separated
};

/// Every row, in the order of the table.
[[nodiscard]] std::span<const ArchInfo> arches() noexcept;

/// The row of one architecture.
[[nodiscard]] const ArchInfo& info(Arch arch) noexcept;

/// Its byte order, where the whole row is more than is needed.
[[nodiscard]] constexpr ByteOrder byte_order(Arch arch) noexcept {
  switch (arch) {
#define ARCH(enumerator, name, token, bits, order, ...) \
  case Arch::enumerator:                                \
    return ByteOrder::order;
#include "vm/arches.def"
#undef ARCH
  }
  return kHostByteOrder;
}

/// The architecture that a name or an alias stands for; upper and lower case alike.
[[nodiscard]] std::optional<Arch> arch_from_name(std::string_view name) noexcept;

/// The architecture of a token; x86_64 for the token that x32 shares.
[[nodiscard]] std::optional<Arch> arch_from_token(std::uint32_t token) noexcept;

/// As above, and tells x32 from x86_64 by bit 30 of the number, as x86 does.
[[nodiscard]] std::optional<Arch> arch_of_call(std::uint32_t token, std::uint32_t nr) noexcept;

/// The ABI that this was built for.
[[nodiscard]] Arch host_arch() noexcept;

/// __X32_SYSCALL_BIT: the bit that marks an x32 number.
inline constexpr std::uint32_t kX32Bit = 0x40000000U;

}  // namespace callgate
