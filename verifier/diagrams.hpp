#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

/// Decision diagrams (Bryant 1986; with more than two ends: Fujita, McGeer, Yang 1997): functions
/// of many bits, kept so that two functions are the same if and only if their references are.
namespace callgate::verifier {

class Diagrams {
 public:
  /// A function: an end, or a question about one variable.
  using Ref = std::uint32_t;

  /// Thrown where an operation would make more nodes, or take more work, than is allowed; what
  /// stood before stands.
  struct Full {};

  /// How many nodes there may be, and how much may be done: questions that choose() parted.
  struct Budget {
    std::size_t nodes = 0;
    std::size_t work = 0;
  };

  /// The ends of conditions.
  static constexpr Ref kFalse = 0;
  static constexpr Ref kTrue = 1;

  /// Work in proportion.
  explicit Diagrams(std::size_t most_nodes);

  /// An end that carries a number; 0 and 1 are kFalse and kTrue.
  [[nodiscard]] Ref end(std::uint32_t number);
  /// The condition that a variable is 1. Lower variables are asked first.
  [[nodiscard]] Ref variable(std::uint32_t variable) { return node(variable, kFalse, kTrue); }
  /// A question whose answers ask for higher variables only.
  [[nodiscard]] Ref node(std::uint32_t variable, Ref no, Ref yes);

  /// `yes` where the condition holds, else `no`; both may have any ends.
  [[nodiscard]] Ref choose(Ref condition, Ref yes, Ref no);
  [[nodiscard]] Ref both(Ref a, Ref b) { return choose(a, b, kFalse); }
  [[nodiscard]] Ref either(Ref a, Ref b) { return choose(a, kTrue, b); }
  [[nodiscard]] Ref negated(Ref a) { return choose(a, kFalse, kTrue); }
  [[nodiscard]] Ref without(Ref a, Ref b) { return choose(b, kFalse, a); }
  [[nodiscard]] Ref unequal(Ref a, Ref b) { return choose(a, negated(b), b); }

  /// The function with each end replaced by what `change(number)` gives.
  template <typename Change>
  [[nodiscard]] Ref changed(Ref function, Change&& change) {
    std::unordered_map<Ref, Ref> known;
    return changed(function, change, known);
  }

  /// What `join(Ref end, Ref end)` makes of the ends that two functions come to.
  template <typename Join>
  [[nodiscard]] Ref joined(Ref a, Ref b, Join&& join) {
    std::unordered_map<std::uint64_t, Ref> known;
    return joined(a, b, join, known);
  }

  [[nodiscard]] bool is_end(Ref ref) const noexcept { return nodes_[ref].variable == kNoVariable; }
  /// Of an end.
  [[nodiscard]] std::uint32_t number(Ref ref) const noexcept { return nodes_[ref].no; }
  /// Of a question; above all others for an end.
  [[nodiscard]] std::uint32_t variable_of(Ref ref) const noexcept { return nodes_[ref].variable; }
  [[nodiscard]] Ref no(Ref ref) const noexcept { return nodes_[ref].no; }
  [[nodiscard]] Ref yes(Ref ref) const noexcept { return nodes_[ref].yes; }

  /// Nodes that there are, of all functions together.
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  /// Nodes of one function.
  [[nodiscard]] std::size_t size(Ref function) const;
  /// The ends that a function has, by rising reference.
  [[nodiscard]] std::vector<Ref> ends(Ref function) const;
  /// Whether a variable from this one on is asked for.
  [[nodiscard]] bool asks_from(Ref function, std::uint32_t variable) const;

  /// What is allowed from the beginning on; returns what was before.
  Budget allow(const Budget& all) noexcept {
    const Budget before = budget_;
    budget_ = all;
    return before;
  }
  /// Allows so many nodes more than there are, with work in proportion, but no more than was
  /// allowed before; returns that.
  Budget allow_at_most(std::size_t more_nodes) noexcept;
  /// Allows so many nodes more than were allowed, and are there; returns what was allowed before.
  Budget allow_more(std::size_t more_nodes) noexcept;

  static constexpr std::uint32_t kNoVariable = ~0U;

 private:
  struct Node {
    std::uint32_t variable;
    Ref no;
    Ref yes;
    friend bool operator==(const Node&, const Node&) = default;
  };
  struct Choice {
    Ref condition = 0;
    Ref yes = 0;
    Ref no = 0;
    Ref result = 0;
  };

  [[nodiscard]] Ref keep(const Node& node);
  void grow();
  [[nodiscard]] Ref side(Ref ref, std::uint32_t variable, bool yes) const noexcept {
    if (nodes_[ref].variable != variable) return ref;
    return yes ? nodes_[ref].yes : nodes_[ref].no;
  }

  template <typename Change>
  Ref changed(Ref function, Change& change, std::unordered_map<Ref, Ref>& known) {
    if (const auto found = known.find(function); found != known.end()) return found->second;
    Ref result = 0;
    if (is_end(function)) {
      result = change(number(function));
    } else {
      const Node here = nodes_[function];
      const Ref no = changed(here.no, change, known);
      const Ref yes = changed(here.yes, change, known);
      result = choose(variable(here.variable), yes, no);
    }
    known.emplace(function, result);
    return result;
  }

  template <typename Join>
  Ref joined(Ref a, Ref b, Join& join, std::unordered_map<std::uint64_t, Ref>& known) {
    const std::uint64_t key = static_cast<std::uint64_t>(a) << 32U | b;
    if (const auto found = known.find(key); found != known.end()) return found->second;
    Ref result = 0;
    const std::uint32_t top =
        nodes_[a].variable < nodes_[b].variable ? nodes_[a].variable : nodes_[b].variable;
    if (top == kNoVariable) {
      result = join(a, b);
    } else {
      const Ref no = joined(side(a, top, false), side(b, top, false), join, known);
      const Ref yes = joined(side(a, top, true), side(b, top, true), join, known);
      result = choose(variable(top), yes, no);
    }
    known.emplace(key, result);
    return result;
  }

  Budget budget_;
  std::size_t work_ = 0;
  std::vector<Node> nodes_;
  std::vector<Ref> table_;       // places of nodes by their hash; 0: free (kFalse is not looked up)
  std::vector<Choice> choices_;  // results of choose(), the last one of each hash
};

}  // namespace callgate::verifier
