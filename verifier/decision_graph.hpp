#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "verifier/expected_cost.hpp"
#include "verifier/flow_graph.hpp"
#include "verifier/meaning.hpp"
#include "verifier/search_tree.hpp"
#include "verifier/test_search.hpp"
#include "vm/kernel_model.hpp"

/// Graphs of instructions that decide a function of seccomp_data, made for the calls of a workload.
namespace callgate::verifier {

/// Why there is no graph, in words. Thrown.
struct NotDecided {
  std::string reason;
};

/// Why no graph can decide a function, whatever is tried: an end that is no constant, or not known.
[[nodiscard]] std::optional<std::string> not_decidable(const Endings& endings, Space::Ref function);

class DecisionGraph {
 public:
  DecisionGraph(Endings& endings, const KernelModel& model, const GraphOptions& options);
  DecisionGraph(const DecisionGraph&) = delete;
  DecisionGraph& operator=(const DecisionGraph&) = delete;

  /// Where the graph starts that decides `function`, whose ends are Endings: the architecture by a
  /// search tree, then the number by another one, then arguments, for each function of them by
  /// itself, as TestSearch finds it or word by word, whichever is cheaper for its calls. The
  /// architecture and the number are asked for with what the kernel's cache can follow. Throws
  /// NotDecided and Diagrams::Full.
  [[nodiscard]] FlowId made(Space::Ref function, std::span<const WeighedCall> calls);

  /// The same by tests of all words in any order, as TestSearch finds it; nothing where that would
  /// be too much.
  [[nodiscard]] std::optional<FlowId> made_of_tests(Space::Ref function,
                                                    std::span<const WeighedCall> calls);

  [[nodiscard]] const FlowGraph& graph() const noexcept { return graph_; }

 private:
  using Calls = std::vector<WeighedCall>;
  // Functions by the place of the word that they ask for first, with the calls that come to each.
  using Reached = std::map<std::pair<std::uint32_t, Space::Ref>, Calls>;
  struct Pass {
    Reached reached;
    std::map<Space::Ref, FlowId> nodes;
    std::uint32_t up_to = 0;  ///< words from this place on are not asked word by word
  };

  [[nodiscard]] FlowId word_by_word(Space::Ref function, const Calls& calls, std::uint32_t up_to);
  void reach(Pass& pass, Space::Ref function, const Calls& calls) const;
  [[nodiscard]] std::vector<Space::Ref> exits(Space::Ref function, std::uint32_t end) const;
  [[nodiscard]] FlowId node(Pass& pass, Space::Ref function);
  [[nodiscard]] FlowId word_node(Pass& pass, Space::Ref function, std::uint32_t place);
  [[nodiscard]] FlowId tree_node(std::span<const RangeLead> leads, const Calls& calls,
                                 std::uint32_t place);
  [[nodiscard]] FlowId masks_node(Pass& pass, Space::Ref function, std::uint32_t place);
  [[nodiscard]] Space::Ref cut(Space::Ref function, std::uint32_t end,
                               const std::map<Space::Ref, Space::Ref>& ends,
                               std::map<Space::Ref, Space::Ref>& known);
  [[nodiscard]] FlowId masks_chain(Pass& pass, Space::Ref function, std::uint32_t place);
  [[nodiscard]] std::optional<FlowId> tested(Space::Ref function,
                                             std::span<const WeighedCall> calls,
                                             std::size_t effort);
  [[nodiscard]] FlowId arguments(Space::Ref function, const Calls& calls);
  [[nodiscard]] FlowId end(Space::Ref end);
  [[nodiscard]] double objective(FlowId start, const Calls& calls) const;
  [[nodiscard]] FlowId load(std::uint32_t place, FlowId next);

  Endings& endings_;
  Space& space_;
  Diagrams& diagrams_;
  KernelModel model_;
  ByteOrder order_;
  GraphOptions options_;
  FlowGraph graph_;
  std::map<Space::Ref, FlowId> places_;  // nodes that ends of functions of one word stand for
  TestSearch tests_;
};

}  // namespace callgate::verifier
