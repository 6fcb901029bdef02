#pragma once

#include <span>
#include <vector>

#include "harness/tune/orders.hpp"
#include "harness/tune/tune.hpp"

namespace callgate::tune {

/// How often each call is made for which filters run: what its place in them costs by.
[[nodiscard]] CallWeights weights_of(const cost::Prediction& prediction);

/// What can be changed in the profile, or told to its generator, for people who cannot change that:
/// with the programs that the generator makes then, which are neither proved nor priced yet. Why
/// there are none, or no more, is a proposal that is refused.
[[nodiscard]] std::vector<Proposal> profile_proposals(const ProfileText& profile,
                                                      const CallWeights& weights);

/// Other ways to order the filters of a profile, to compare with: libseccomp's linear and tree
/// forms, and a search tree over frequencies alone, each layer by itself. Frequencies are those of
/// all calls. None where a filter comes from no profile.
[[nodiscard]] std::vector<Proposal> yardsticks(std::span<const filters::FilterFile> files,
                                               const KernelModel& model,
                                               const cost::Prediction& prediction);

}  // namespace callgate::tune
