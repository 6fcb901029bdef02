#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "vm/arches.hpp"

namespace callgate::front_ends {

/// The value of a name that C sources of filters use: BPF_*, SECCOMP_RET_*, AUDIT_ARCH_*, EM_*,
/// errno names, __NR_* and SYS_* of `arch`, and what find_constant() knows. Otherwise a message
/// that says what is not known.
[[nodiscard]] std::expected<std::uint64_t, std::string> constant(std::string_view name, Arch arch);

}  // namespace callgate::front_ends
