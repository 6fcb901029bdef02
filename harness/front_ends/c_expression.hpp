#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "harness/front_ends/c_lexer.hpp"
#include "vm/arches.hpp"

namespace callgate::front_ends {

/// Reads a constant expression and makes it fit an unsigned field: at most `most`, or negative and
/// no smaller than the least number of as many bits. `field` is its name in messages. Numbers are
/// 64 bits wide while they are computed.
[[nodiscard]] std::expected<std::uint32_t, ReadError> parse_field(Lexer& lexer, Arch arch,
                                                                  std::string_view field,
                                                                  std::uint32_t most);

}  // namespace callgate::front_ends
