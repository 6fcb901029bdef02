#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/front_ends/policy_text.hpp"

/// The words of policies for compile_seccomp_policy.
namespace callgate::front_ends {

enum class MinijailToken : std::uint8_t {
  Default,
  Include,
  Frequency,
  Denylist,
  Path,
  Number,
  Operator,  ///< & in == != <= < >= >
  Argument,  ///< arg0, arg12
  Return,
  Action,
  Identifier,
  Mark,  ///< : ; , ~ ( ) { } [ ] || && | =
};

struct MinijailWord {
  MinijailToken kind = MinijailToken::Mark;
  std::size_t offset = 0;
  std::string_view text;
};

/// One statement: the words of a line, and of those after it while lines end in a backslash.
struct MinijailStatement {
  std::vector<MinijailWord> words;
  std::size_t end = 0;  ///< the offset of its end
};

/// Takes the statement that begins at `at`, and moves `at` behind it. Nothing where none is left;
/// `unfinished` is set where that is so because the file ends behind a backslash.
[[nodiscard]] std::optional<MinijailStatement> next_minijail_statement(const PolicyText& source,
                                                                       std::size_t& at,
                                                                       bool& unfinished);

}  // namespace callgate::front_ends
