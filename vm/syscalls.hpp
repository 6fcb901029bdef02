#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "vm/arches.hpp"

namespace callgate {

/// One syscall of one ABI.
struct SyscallRow {
  std::string_view name;
  std::uint32_t nr;  ///< as `nr` of seccomp_data holds it: x32's bit 30 and the MIPS bases included
};

/// The table of an ABI, by rising number; where two names share one number (aliases), the name that
/// the kernel's own table uses comes first. Up to Linux 6.18. Made by vm/syscalls/make_tables.py.
[[nodiscard]] std::span<const SyscallRow> syscalls(Arch arch) noexcept;

/// The number of a name, or nothing where this ABI has no such call.
[[nodiscard]] std::optional<std::uint32_t> syscall_number(Arch arch,
                                                          std::string_view name) noexcept;

/// The name of a number, or nothing where this ABI's table has none.
[[nodiscard]] std::optional<std::string_view> syscall_name(Arch arch, std::uint32_t nr) noexcept;

}  // namespace callgate
