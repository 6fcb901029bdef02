#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "vm/arches.hpp"

namespace callgate::front_ends {

/// The value of a constant of the kernel's headers ("O_RDONLY", "AF_INET", "CLONE_NEWUSER",
/// "EPERM"), or why there is none: a name that is not known, or one whose value on that ABI is not
/// in the table. Negative values are extended to 64 bits. Source: include/uapi of Linux 6.18.
[[nodiscard]] std::expected<std::uint64_t, std::string> find_constant(std::string_view name,
                                                                      Arch arch);

}  // namespace callgate::front_ends
