#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/boolean.hpp"
#include "harness/front_ends/kafel_lexer.hpp"

/// Conditions of kafel's rules.
namespace callgate::front_ends {

/// An argument that a condition may speak of.
struct KafelArgument {
  std::string_view name;
  unsigned bytes = 8;  ///< fewer: kafel looks at the low word alone
};

/// What a name stands for in a condition: a number, or an argument.
struct KafelScope {
  std::function<const std::uint64_t*(std::string_view)> constant;
  std::vector<KafelArgument> arguments;  ///< at most 6
  std::string unknown;                   ///< what to say of other names
  int bits = 64;                         ///< of the machine
};

/// Takes the condition at words[at], up to the } that ends it. Throws where there is none, where it
/// is nested too deeply, and where it compares in a way that no policy of ours can: two arguments
/// with each other.
[[nodiscard]] Boolean read_kafel_condition(const std::vector<KafelWord>& words, std::size_t& at,
                                           const KafelScope& scope);

}  // namespace callgate::front_ends
