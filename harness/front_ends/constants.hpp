#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "vm/arches.hpp"

namespace callgate::front_ends {

/// The value of a constant of the kernel's headers ("O_RDONLY", "AF_INET", "CLONE_NEWUSER",
/// "EPERM"), or why there is none: a name that is not known, or one whose value on that ABI is not
/// in the table. Negative values are extended to 64 bits. Source: include/uapi of Linux 6.18.
[[nodiscard]] std::expected<std::uint64_t, std::string> find_constant(std::string_view name,
                                                                      Arch arch);

/// A constant's name and value.
struct NamedValue {
  std::string_view name;
  std::uint64_t value = 0;
};

/// The constants of a family whose values on that ABI are in the table, by name. A family is words
/// with spaces between: NAME, PREFIX*, PREFIX*SUFFIX, and the same behind a `-` for what is not
/// meant.
[[nodiscard]] std::vector<NamedValue> constants_of(std::string_view family, Arch arch);

/// The names that a value has in a family, by name.
[[nodiscard]] std::vector<std::string_view> constant_names(std::string_view family,
                                                           std::uint64_t value, Arch arch);

}  // namespace callgate::front_ends
