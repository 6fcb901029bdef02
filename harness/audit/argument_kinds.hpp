#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "vm/arches.hpp"

namespace callgate::audit {

/// What the kernel takes an argument as.
enum class ArgumentKind : std::uint8_t {
  Absent,    ///< the call has fewer
  Signed32,  ///< only the lower half of the register counts
  Unsigned32,
  Unsigned64,
  Signed64,
  Pointer,
};

[[nodiscard]] constexpr bool is_32_bits(ArgumentKind kind) noexcept {
  return kind == ArgumentKind::Signed32 || kind == ArgumentKind::Unsigned32;
}

/// Of a call of a 64-bit ABI; nothing where the table (argument_kinds.def) does not know the call.
[[nodiscard]] std::optional<ArgumentKind> argument_kind(Arch arch, std::string_view syscall,
                                                        unsigned index) noexcept;

}  // namespace callgate::audit
