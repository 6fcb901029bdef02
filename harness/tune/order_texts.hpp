#pragma once

#include <span>
#include <string>
#include <string_view>

#include "harness/front_ends/lower.hpp"
#include "harness/tune/order_ranks.hpp"

/// Orders of calls as texts: profiles in their own format with the lines that matter in another
/// order, and what other generators take.
namespace callgate::tune {

/// A policy of libminijail with the lines of some calls before all others, in the order of `first`.
/// All else stays where it is, comments too; but one that stands directly above a single line, not
/// at the text's beginning, goes along with it. Calls that the text has no line for (an included
/// file may) are passed over.
[[nodiscard]] std::string minijail_lines_first(std::string_view text,
                                               std::span<const std::string> first);

/// A firejail profile with some calls at the beginning of its lists (seccomp, seccomp.drop,
/// seccomp.keep), in the order of `first`: those that a list names, or has by a group, which stays.
/// All other text stays as it is.
[[nodiscard]] std::string firejail_calls_first(std::string_view text,
                                               std::span<const std::string> first);

/// A file for `@frequency` of compile_seccomp_policy: the weights in whole numbers, the greatest a
/// million, none below 1. Calls that are not in it count 1 there.
[[nodiscard]] std::string minijail_frequencies(std::span<const RankedCall> calls);

/// Lines of C for a filter that stands in `ctx`.
[[nodiscard]] std::string priorities_in_c(std::span<const front_ends::CallPriority> priorities);

}  // namespace callgate::tune
