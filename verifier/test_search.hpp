#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "verifier/expected_cost.hpp"
#include "verifier/flow_graph.hpp"
#include "verifier/meaning.hpp"

/// Graphs of tests for what filters ask of arguments.
namespace callgate::verifier {

/// What the graphs of a rewritten program are chosen by.
struct GraphOptions {
  Prices prices;
  double size_price = 0;  ///< of an instruction
};

/// Finds in which order to ask for what a function depends on: each word is tested as the function
/// itself tells values apart (==, >=, bits), or where that would be too many tests, also as the
/// filters did whose meaning was found in this space. No test is made twice on a way, and none
/// that nothing depends on any more. The state of the search is the function, left open where tests
/// have excluded calls, and without the words that do not matter any more; so equal states, and by
/// FlowGraph equal ends, are one.
class TestSearch {
 public:
  /// `end` gives the node for an end of the function.
  TestSearch(Endings& endings, FlowGraph& graph, ByteOrder order, const GraphOptions& options,
             std::function<FlowId(Space::Ref)> end);

  /// Where the graph starts that decides `function` at the least of weight times cost, plus
  /// size_price for each instruction of the tree: of all orders of up to 9 tests, with more by
  /// looking one test ahead. Nothing where that would be too much: more than `effort`, where
  /// parting a function by a test is 1 for each 64 nodes of its diagram. Throws Diagrams::Full.
  [[nodiscard]] std::optional<FlowId> found(Space::Ref function, std::span<const WeighedCall> calls,
                                            std::size_t effort);

 private:
  struct WordTest {
    std::uint32_t offset = 0;
    std::uint32_t mask = ~0U;  ///< what A is masked with before
    Opcode opcode = Opcode::JeqK;
    std::uint32_t k = 0;
    Space::Ref condition = 0;
  };
  // Calls that the tests do not tell apart: a bit for each test.
  struct Sample {
    std::uint64_t holds = 0;
    std::uint64_t unknown = 0;
    double weight = 0;
  };
  // What A holds.
  struct Content {
    std::uint32_t offset = ~0U;
    std::uint32_t mask = 0;
    friend auto operator<=>(const Content&, const Content&) = default;
  };
  struct Step {
    bool load = false;
    bool mask = false;
    Content after;
  };
  struct Choice {
    double objective = 0;
    int test = -1;  ///< none: an end is come to
  };
  using Key = std::tuple<Space::Ref, Content, std::uint64_t>;
  using Samples = std::vector<Sample>;
  struct GivenUp {};

  void collect(Space::Ref function);
  void collect_asked(Space::Ref function);
  [[nodiscard]] std::optional<WordTest> made_test(std::uint32_t offset, std::uint32_t mask,
                                                  Opcode opcode, std::uint32_t k);
  void add_test(const WordTest& test);
  void spend(Space::Ref function);
  [[nodiscard]] std::size_t size_of(Space::Ref function);
  [[nodiscard]] Samples samples_of(std::span<const WeighedCall> calls) const;

  [[nodiscard]] std::optional<Space::Ref> only_end(Space::Ref function);
  [[nodiscard]] std::pair<Space::Ref, Space::Ref> parted(Space::Ref function, std::size_t test);
  [[nodiscard]] Space::Ref simplified(Space::Ref function);
  [[nodiscard]] std::optional<Space::Ref> merged(Space::Ref a, Space::Ref b,
                                                 std::map<std::uint64_t, Space::Ref>& known);
  [[nodiscard]] std::optional<Space::Ref> without_word(Space::Ref function, std::uint32_t first,
                                                       std::map<Space::Ref, Space::Ref>& known);

  [[nodiscard]] Step step_to(const WordTest& test, const Content& content) const;
  [[nodiscard]] double step_cost(const Step& step, double yes, double no) const;
  [[nodiscard]] Samples kept(const Samples& samples, std::size_t test, bool yes) const;
  [[nodiscard]] double guessed(Space::Ref function, double weight);
  Choice choose(Space::Ref function, const Content& content, const Samples& samples,
                std::uint64_t useful);
  [[nodiscard]] FlowId emitted(Space::Ref function, const Content& content, const Samples& samples);

  Endings& endings_;
  Space& space_;
  Diagrams& diagrams_;
  FlowGraph& graph_;
  ByteOrder order_;
  GraphOptions options_;
  std::function<FlowId(Space::Ref)> end_;
  Space::Ref open_;  // the end of calls that tests have excluded

  std::vector<WordTest> tests_;
  bool exact_ = true;
  std::size_t budget_ = 0;  // of functions that may still be parted by tests
  std::size_t budget_of_all_;
  std::map<Key, Choice> choices_;
  std::map<Key, FlowId> nodes_;
  std::map<std::pair<Space::Ref, std::size_t>, std::pair<Space::Ref, Space::Ref>> parted_;
  std::map<Space::Ref, Space::Ref> simplified_;
  std::map<Space::Ref, std::optional<Space::Ref>> only_ends_;
  std::map<Space::Ref, std::size_t> sizes_;
};

/// The word whose 32 variables have a place among all (variable / 32).
[[nodiscard]] Word word_of_place(std::uint32_t place) noexcept;
/// Where a word of seccomp_data lies, by that place.
[[nodiscard]] std::uint32_t offset_of_word(std::uint32_t place, ByteOrder order);

/// The words that a function asks for: their places, rising.
[[nodiscard]] std::vector<std::uint32_t> words_of(const Diagrams& diagrams, Space::Ref function);

}  // namespace callgate::verifier
