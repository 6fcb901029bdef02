#pragma once

#include <vector>

#include "verifier/meaning.hpp"
#include "vm/filter_stack.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::coverage {

/// Calls beside a call: the same number, one argument another. For each word that some comparison
/// on its way depends on: the values just below, at and just above the places where the comparison
/// changes, the other words as they are; where those are many, each bit that it depends on turned.
/// Then bit 31 turned, and something in the upper half, where the ABI has one. None for calls that
/// the machine has not. Throws Diagrams::Full.
[[nodiscard]] std::vector<SeccompData> neighbours_of(verifier::Space& space,
                                                     const FilterStack& stack,
                                                     const verifier::StackMeaning& meaning,
                                                     const SeccompData& call);

}  // namespace callgate::coverage
