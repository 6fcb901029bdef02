#pragma once

#include "harness/front_ends/policy.hpp"
#include "harness/random/generator.hpp"

/// Policies and calls to test lowering with.
namespace callgate::random {

/// A policy of a few rules for ABIs that go together; tests lean to edges and to each other, names
/// to those that ABIs have differently. What libseccomp always refuses is left out: rules equal to
/// the default, two tests of one argument, masks with other comparisons than ==.
[[nodiscard]] front_ends::Policy policy(Source& source);

/// A call that the policy's rules are about, most of the time.
[[nodiscard]] SeccompData call_for(Source& source, const front_ends::Policy& policy);

}  // namespace callgate::random
