#pragma once

#include <span>
#include <vector>

#include "harness/tune/tune.hpp"

namespace callgate::tune {

/// What can be changed in the profile, or told to its generator, for people who cannot change that:
/// with the programs that the generator makes then, which are neither proved nor priced yet. None
/// for filters that come from no profile. `report` has the original.
[[nodiscard]] std::vector<Proposal> profile_proposals(std::span<const filters::FilterFile> files,
                                                      const FilterStack& stack,
                                                      const Report& report);

}  // namespace callgate::tune
