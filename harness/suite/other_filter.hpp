#pragma once

#include "harness/suite/results.hpp"
#include "harness/suite/target.hpp"
#include "verifier/levels.hpp"
#include "vm/filter_stack.hpp"

/// One filter held against another.
namespace callgate::suite {

/// Puts into `out` whether `target` does for all calls what `other`, a stack for the same machine,
/// does at a level; with `no_laxer` only that it does nothing less strict. Failures are of the
/// target: `expected` is what the other does.
void compare_with(Target& target, const FilterStack& other, verifier::Level level, bool no_laxer,
                  CaseResult& out);

}  // namespace callgate::suite
