#pragma once

#include <vector>

#include "harness/tune/tune.hpp"

namespace callgate::tune {

/// What there is to know of a stack's cost, dearest first, each with its figure: what the filters
/// cost at all, what keeps calls out of the kernel's cache, what one filter in place of several
/// would save. The report has its proposals.
[[nodiscard]] std::vector<Advice> advice_for(const FilterStack& stack, const Report& report);

}  // namespace callgate::tune
