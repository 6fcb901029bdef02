#pragma once

#include <cstddef>
#include <vector>

#include "harness/front_ends/policy.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

/// Calls that show what a policy's rules are about.
namespace callgate::front_ends {

/// For each ABI and number of a policy: calls that its rules fit, and such that miss a test by one,
/// by a half of an argument, or by all of it; one number without a rule, and a foreign call. The
/// same for the same policy; at most `limit`.
[[nodiscard]] std::vector<SeccompData> telling_calls(const Policy& policy,
                                                     std::size_t limit = 200'000);

/// A call on which a policy and a program differ.
struct Disagreement {
  SeccompData data;
  Decision said;            ///< by the policy
  std::uint32_t value = 0;  ///< of the program
};

/// What of telling_calls() a program answers otherwise than the policy does, one for each number of
/// an ABI; at most `limit`.
[[nodiscard]] std::vector<Disagreement> disagreements(const Policy& policy, const Program& program,
                                                      const KernelModel& model,
                                                      std::size_t limit = 20);

}  // namespace callgate::front_ends
