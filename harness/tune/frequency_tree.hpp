#pragma once

#include <expected>

#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/policy.hpp"
#include "harness/tune/call_weights.hpp"

namespace callgate::tune {

/// What to compare other programs with: the plain optimal search tree over the numbers, by how
/// often each call is made. Its inner nodes are `jge`, its leaves the rules of a number, or of a
/// range of numbers that are told apart by nothing, in plain order. It has the least sum of weight
/// x comparisons of numbers of all such trees; what tests of arguments cost, and what the kernel's
/// cache answers, it does not look at. Every leaf weighs a little more than its calls (a millionth
/// of them all, divided by the leaves), so that calls without a weight are not far below the
/// others. Weights are of the policy's first architecture: trees of the others have leaves of equal
/// weight. Refused: a policy of more than kMostLeaves leaves.
[[nodiscard]] std::expected<Program, front_ends::LowerError> frequency_tree(
    const front_ends::Policy& policy, const CallWeights& weights);

inline constexpr std::size_t kMostLeaves = 2048;

}  // namespace callgate::tune
