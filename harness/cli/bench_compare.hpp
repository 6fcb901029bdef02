#pragma once

#include <string>
#include <vector>

#include "harness/cli/cli.hpp"
#include "harness/cost/live_compare.hpp"

namespace callgate::cli {

/// `bench --compare A B --workload FILE`.
struct BenchComparing {
  std::vector<std::string> stacks;  ///< a FILTER each, or several with commas between
  InputOptions input;
  std::string workload;
  cost::CompareOptions how;
  bool json = false;
};

/// Reads, measures, prints; the exit code.
[[nodiscard]] int bench_compare(const BenchComparing& options);

}  // namespace callgate::cli
