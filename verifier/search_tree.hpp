#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "verifier/expected_cost.hpp"
#include "verifier/flow_graph.hpp"

/// Search trees of compares: from the value of a register to where the range that it lies in leads.
namespace callgate::verifier {

/// Values from first to last lead there.
struct RangeLead {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  FlowId to = 0;
};

/// How often a value comes.
struct ValueWeight {
  std::uint32_t value = 0;
  double weight = 0;
};

struct TreeOptions {
  Prices prices;
  double size_price = 0;  ///< of a compare
  /// On top of the weights of values: so much is spread over all ranges, each as much as any other.
  double spread = 0;
};

/// A tree of JEQ, JGE and JGT on A for ranges that follow each other and make up all 32-bit values.
/// The sum of weight times cost, plus size_price for each compare, is the least that is found:
///   - up to some 400 ranges, of all trees that part ranges at their borders or test for a single
///     value, where those that are tested for are always the heaviest that are left (the number of
///     such tests on a way is bounded: 6 and 3 for few ranges, less for many);
///   - up to 1500, of trees that first test for some of the heaviest values and then part ranges,
///     by Knuth's monotone roots (single values between ranges that lead to one place are tested
///     for at the leaves);
///   - beyond, the ranges are parted where the weights are balanced.
[[nodiscard]] FlowId search_tree(FlowGraph& graph, std::span<const RangeLead> ranges,
                                 std::span<const ValueWeight> weights, const TreeOptions& options);

}  // namespace callgate::verifier
