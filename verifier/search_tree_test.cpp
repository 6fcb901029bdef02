// Search trees against the best of all trees, for few ranges.

#include "verifier/search_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <random>
#include <set>

#include "vm/arithmetic.hpp"

namespace callgate::verifier {
namespace {

struct Ranges {
  FlowGraph graph;
  std::vector<RangeLead> leads;
  std::vector<ValueWeight> weights;

  // Where so many ranges begin, and to which of how many ends each leads.
  Ranges(std::minstd_rand& chance, std::size_t count, std::uint32_t ends) {
    std::set<std::uint32_t> borders{0};
    while (borders.size() < count) borders.insert(static_cast<std::uint32_t>(chance() % 9));
    for (const std::uint32_t border : borders) {
      if (!leads.empty()) leads.back().last = border - 1;
      const FlowId to =
          graph.keep(Instruction{0x06, 0, 0, static_cast<std::uint32_t>(chance() % ends)}, 0, 0);
      leads.push_back({border, 0xffffffffU, to});
    }
    for (std::uint32_t value = 0; value < 11; ++value) {
      if (chance() % 3 == 0) weights.push_back({value, static_cast<double>(chance() % 100)});
    }
  }

  [[nodiscard]] FlowId end_of(std::uint32_t value) const {
    return std::ranges::find_if(
               leads,
               [&](const RangeLead& each) { return each.first <= value && value <= each.last; })
        ->to;
  }
};

// What compares cost on the way of a value.
double compares(const FlowGraph& graph, FlowId node, std::uint32_t value, FlowId& end) {
  double count = 0;
  while (!graph.is_return(node)) {
    const FlowNode& here = graph[node];
    const bool yes = holds(test_of(static_cast<Opcode>(here.code)), value, here.k);
    node = yes ? here.next : here.otherwise;
    ++count;
  }
  end = node;
  return count;
}

// The least of all trees of JEQ and JGE, over the values that are left. Some stand for several that
// are alike: no JEQ asks for those.
double least(const Ranges& of, std::vector<std::uint32_t> values,
             const std::set<std::uint32_t>& several) {
  const auto same = [&](std::uint32_t value) { return of.end_of(value) == of.end_of(values[0]); };
  if (values.empty() || std::ranges::all_of(values, same)) return 0;
  double weight = 0;
  for (const ValueWeight& each : of.weights) {
    if (std::ranges::find(values, each.value) != values.end()) weight += each.weight;
  }
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) {
      const auto middle = values.begin() + static_cast<std::ptrdiff_t>(i);
      best = std::min(best, least(of, {values.begin(), middle}, several) +
                                least(of, {middle, values.end()}, several));
    }
    if (several.contains(values[i])) continue;
    std::vector<std::uint32_t> others = values;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    best = std::min(best, least(of, others, several));
  }
  return weight + best;
}

// In turns of asking for one number and for an order there are trees that the search does not see.
TEST(SearchTrees, are_right_and_nearly_always_as_cheap_as_the_best_of_all_trees) {
  std::minstd_rand chance(1);
  double sum = 0;
  double best = 0;
  int compared = 0;
  int least_cost = 0;
  for (int i = 0; i < 300; ++i) {
    const auto ends = 2 + static_cast<std::uint32_t>(chance() % 3);
    const auto count = 2 + chance() % 4;
    Ranges ranges(chance, count, ends);
    const FlowId tree = search_tree(ranges.graph, ranges.leads, ranges.weights, {{}, 0, 0});
    std::vector<std::uint32_t> values;
    for (std::uint32_t value = 0; value < 15; ++value) {
      FlowId end = 0;
      static_cast<void>(compares(ranges.graph, tree, value, end));
      ASSERT_EQ(end, ranges.end_of(value));
      values.push_back(value);
    }
    double cost = 0;
    for (const ValueWeight& each : ranges.weights) {
      FlowId end = 0;
      cost += each.weight * compares(ranges.graph, tree, each.value, end);
    }
    // Values that are like their neighbours in all need not be told apart.
    std::vector<std::uint32_t> few;
    std::set<std::uint32_t> several{14};  // and all above
    for (const std::uint32_t value : values) {
      const auto weighs = [&](std::uint32_t of) {
        return std::ranges::find(ranges.weights, of, &ValueWeight::value) != ranges.weights.end();
      };
      const bool like = !few.empty() && !weighs(value) && !weighs(few.back()) &&
                        ranges.end_of(value) == ranges.end_of(few.back());
      if (like) several.insert(few.back());
      if (!like || value == 14) few.push_back(value);
    }
    if (few.size() > 7) continue;
    const double optimum = least(ranges, few, several);
    EXPECT_GE(cost, optimum - 1e-6);
    EXPECT_LE(cost, 1.1 * optimum + 1e-6);
    least_cost += cost <= optimum + 1e-6 ? 1 : 0;
    sum += cost;
    best += optimum;
    ++compared;
  }
  std::printf("%d trees, cost %.0f, least %.0f\n", compared, sum, best);
  EXPECT_GT(compared, 50);
  EXPECT_GE(least_cost, compared * 95 / 100);
}

TEST(SearchTrees, of_thousands_of_ranges_are_right) {
  FlowGraph graph;
  std::vector<RangeLead> leads;
  for (std::uint32_t i = 0; i < 4000; ++i) {
    const FlowId to = graph.keep(Instruction{0x06, 0, 0, i % 5}, 0, 0);
    if (!leads.empty()) leads.back().last = 3 * i - 1;
    leads.push_back({3 * i, 0xffffffffU, to});
  }
  const std::vector<ValueWeight> weights = {{7, 100}, {6000, 10}, {8001, 1}};
  const FlowId tree = search_tree(graph, leads, weights, {{}, 0.001, 1});
  for (std::uint32_t value = 0; value < 12'100; ++value) {
    FlowId end = 0;
    const double count = compares(graph, tree, value, end);
    ASSERT_EQ(graph[end].k, std::min(value / 3, 3999U) % 5);
    ASSERT_LT(count, 40);
  }
  FlowId end = 0;
  EXPECT_LE(compares(graph, tree, 7, end), 3);
}

}  // namespace
}  // namespace callgate::verifier
