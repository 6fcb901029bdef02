#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "verifier/solver.hpp"

/// Conditions with opaque comparisons, decided by Z3: words of seccomp_data become bit vectors.
namespace callgate::verifier {

/// How much Z3 may be asked for.
struct Z3Limits {
  std::chrono::milliseconds of_a_question{5'000};
  std::chrono::milliseconds in_all{30'000};
  std::size_t nodes = 200'000;  ///< of one condition's diagram
};

/// Each model that Z3 gives is tried out; one for which the condition does not hold is not
/// believed, and the answer is NotKnown. Its time goes over all questions of one solver.
[[nodiscard]] std::unique_ptr<Solver> z3_solver(const Z3Limits& limits = {});

}  // namespace callgate::verifier
