#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "harness/front_ends/policy.hpp"

/// Boolean expressions over tests of arguments, and the rules that they come to.
namespace callgate::front_ends {

/// An expression: a constant, a test, or others put together.
struct Boolean {
  enum class Kind : std::uint8_t { False, True, Test, Not, And, Or };

  Kind kind = Kind::True;
  ArgTest test{};                ///< of Test
  std::vector<Boolean> parts{};  ///< of Not one, of And and Or any number

  [[nodiscard]] static Boolean constant(bool value) {
    return {value ? Kind::True : Kind::False, {}, {}};
  }
};

/// Conjunctions of tests of which one holds where the expression does: for rules with one action
/// after each other. Nothing where they would have more than `most` tests in all.
[[nodiscard]] std::optional<std::vector<std::vector<ArgTest>>> disjunction_of(
    const Boolean& expression, std::size_t most);

/// The test that holds where this one does not.
[[nodiscard]] ArgTest negated(const ArgTest& test) noexcept;

}  // namespace callgate::front_ends
