#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/front_ends/policy.hpp"
#include "harness/tune/call_weights.hpp"

namespace callgate::tune {

/// A call of a policy that weighs something.
struct RankedCall {
  std::string syscall;   ///< as the policy calls it; as the weights do, where that has a number
  std::uint32_t nr = 0;  ///< of the policy's first architecture
  std::size_t rule = 0;  ///< the policy's first one about it
  double weight = 0;
};

/// Which calls are to be asked before others where one is asked after the other: those of the most
/// weight for each comparison that the others are spared (Smith's rule). ABIs of one token share a
/// chain, and a call that both have takes a comparison of each. Calls are those of the policy's
/// first architecture; a call behind a multiplexer stands for that one.
[[nodiscard]] std::vector<RankedCall> ranked(const front_ends::Policy& policy,
                                             const CallWeights& weights);

}  // namespace callgate::tune
