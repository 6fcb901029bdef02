#pragma once

#include <string>
#include <vector>

#include "harness/cli/cli.hpp"
#include "harness/compare/comparison.hpp"
#include "harness/compare/writers.hpp"

/// What `diff` and `subset` share: two stacks, how they are compared, and what is printed.
namespace callgate::cli {

/// The answer is not known, within the limits or because the kernel leaves it open.
inline constexpr int kUndecided = 3;

struct ComparingOptions {
  ModelOptions model;
  InputOptions input;
  std::vector<std::string> both;  ///< A and B
  std::vector<std::string> a;
  std::vector<std::string> b;
  std::string arch_a;
  std::string arch_b;
  std::string format = "text";
  std::size_t inputs = 20'000;
  unsigned seconds = 10;

  void add_to(CLI::App& command);
};

/// Reads both, compares, prints; the exit code.
[[nodiscard]] int compare_and_print(const ComparingOptions& options, compare::Question question);

}  // namespace callgate::cli
