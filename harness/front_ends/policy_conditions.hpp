#pragma once

#include <vector>

#include "harness/front_ends/policy.hpp"
#include "verifier/space.hpp"

/// Rules of policies as conditions on calls: the same as PolicyEvaluator says, for all calls.
namespace callgate::front_ends {

/// The condition that an argument passes a test. Throws Diagrams::Full.
[[nodiscard]] verifier::Space::Ref holds(verifier::Space& space, const ArgTest& test,
                                         bool low_words);

/// The calls of a rule.
struct RuleCalls {
  bool resolves = false;             ///< some ABI of the policy has its call
  verifier::Space::Ref fits = 0;     ///< that it is about
  verifier::Space::Ref decides = 0;  ///< that no earlier rule decides, and that can be told
};

/// Of each rule of a policy. Throws Diagrams::Full.
[[nodiscard]] std::vector<RuleCalls> calls_of_rules(verifier::Space& space, const Policy& policy);

}  // namespace callgate::front_ends
