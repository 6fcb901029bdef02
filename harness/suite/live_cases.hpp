#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "harness/suite/results.hpp"
#include "harness/suite/runner.hpp"

/// Cases put to the running kernel too.
namespace callgate::suite {

struct LiveReport {
  std::size_t asked = 0;      ///< calls that the kernel answered
  std::size_t not_asked = 0;  ///< that this machine cannot make, or whose answer cannot be seen
  std::size_t elsewhere = 0;  ///< cases of other architectures or kernels than the running one
  std::string untraced;       ///< why less can be told apart; empty: no
};

/// For each case of the results whose machine is this one: calls of it are made under the same
/// filters in a child, none of which is executed, and what the kernel does is compared with what
/// Callgate says. A case with which it does not agree is Failed then. `calls_of_each` is how many
/// calls are made for a pattern at most. `results` are those of `plan`, all of them. The error is a
/// sentence: why the kernel cannot be asked at all.
[[nodiscard]] std::expected<LiveReport, std::string> ask_kernel(const Plan& plan,
                                                                RunResults& results,
                                                                std::size_t calls_of_each = 8);

}  // namespace callgate::suite
