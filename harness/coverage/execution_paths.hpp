#pragma once

#include <functional>

#include "verifier/meaning.hpp"
#include "vm/filter_stack.hpp"

namespace callgate::coverage {

/// Calls `visit` with the calls of `among` that go each way through all filters of a stack, from
/// the oldest, until it returns false; returns false then. Each call goes exactly one way; jumps
/// that are taken come first. A way that opaque comparisons are on may have no calls. What the
/// analysis gave up is not visited. Throws Diagrams::Full.
bool for_each_execution(const FilterStack& stack, verifier::Space& space,
                        const verifier::StackMeaning& meaning, verifier::Space::Ref among,
                        const std::function<bool(verifier::Space::Ref)>& visit);

}  // namespace callgate::coverage
