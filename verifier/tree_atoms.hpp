#pragma once

#include <algorithm>
#include <cstdint>

#include "verifier/flow_graph.hpp"
#include "verifier/search_tree.hpp"

/// What search trees are made of; for search_tree.cpp and exact_tree.cpp.
namespace callgate::verifier {

/// What a compare costs that so much weight goes through on each side.
[[nodiscard]] inline double compare_cost(double yes, double no, const TreeOptions& options) {
  const double jumps = options.prices.jump_taken;
  return (yes + no) * options.prices.instruction + options.size_price +
         jumps * (jumps > 0 ? std::min(yes, no) : std::max(yes, no));
}

[[nodiscard]] inline FlowId compared(FlowGraph& graph, Opcode opcode, std::uint32_t k, FlowId yes,
                                     FlowId no) {
  return graph.keep(Instruction{static_cast<std::uint16_t>(opcode), 0, 0, k}, yes, no);
}

/// A range, or a value that was taken out of its range because it is often asked for.
struct Atom {
  RangeLead lead;
  double weight = 0;
  bool apart = false;

  [[nodiscard]] bool single() const { return lead.first == lead.last; }
};

/// Single values between others that lead to one place, which a leaf may test for.
inline constexpr std::size_t kMostExceptions = 4;

}  // namespace callgate::verifier
