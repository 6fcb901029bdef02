#include "verifier/exact_tree.hpp"

#include <array>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>

namespace callgate::verifier {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

class ExactTree::Exact {
 public:
  Exact(std::vector<Atom> atoms, const TreeOptions& options)
      : atoms_(std::move(atoms)), options_(options), n_(atoms_.size()) {
    constexpr std::array<std::array<std::size_t, 3>, 3> kLimits{
        {{160, 6, 3}, {280, 4, 2}, {kMostExactAtoms, 3, 1}}};
    for (const auto& [most, tested, apart] : kLimits) {
      most_tested_ = tested;
      most_apart_ = apart;
      if (n_ <= most) break;
    }
    if (std::ranges::none_of(atoms_, &Atom::apart)) most_apart_ = 0;
    states_ = (most_tested_ + 1) * (most_apart_ + 1);
    costs_.assign(n_ * n_ * states_, kNever);
    choices_.assign(n_ * n_ * states_, kLeaf);
    tested_.resize(n_ * n_);
    apart_.resize(n_ * n_);
    ranks_.assign(n_, kNoRank);
    apart_ranks_.assign(n_, kNoRank);
    for (const Atom& each : atoms_) {
      const auto next = static_cast<std::uint32_t>(places_.size());
      classes_.push_back(places_.try_emplace(each.lead.to, next).first->second);
    }
    for (std::size_t first = n_; first-- > 0;) solve_from(first);
  }

  [[nodiscard]] double objective() const { return costs_[at(0, n_ - 1, 0, 0)]; }
  [[nodiscard]] FlowId emitted(FlowGraph& graph) const { return emitted(graph, 0, n_ - 1, 0, 0); }

 private:
  static constexpr std::uint16_t kLeaf = 0xffff;
  static constexpr std::uint16_t kTestSingle = 0xfffe;
  static constexpr std::uint16_t kTestApart = 0xfffd;
  static constexpr std::uint16_t kChain = 0xfffc;
  static constexpr std::uint8_t kNoRank = 0xff;

  // The heaviest atoms of a stretch, by falling weight.
  struct Top {
    std::array<std::uint16_t, 6> atoms{};
    std::uint8_t count = 0;
  };

  [[nodiscard]] std::size_t at(std::size_t first, std::size_t last, std::size_t p,
                               std::size_t q) const {
    return (first * n_ + last) * states_ + p * (most_apart_ + 1) + q;
  }

  void insert(Top& top, std::size_t atom, std::size_t most) const {
    std::size_t place = top.count;
    while (place > 0 && atoms_[top.atoms[place - 1]].weight < atoms_[atom].weight) --place;
    if (place >= most) return;
    if (top.count < most) ++top.count;
    for (std::size_t i = top.count - 1U; i > place; --i) top.atoms[i] = top.atoms[i - 1];
    top.atoms[place] = static_cast<std::uint16_t>(atom);
  }

  void solve_from(std::size_t first) {
    std::vector<std::uint32_t> counts(places_.size());
    std::size_t distinct = 0;
    double weight = 0;
    Top tested;
    Top apart;
    for (std::size_t last = first; last < n_; ++last) {
      if (counts[classes_[last]]++ == 0) ++distinct;
      weight += atoms_[last].weight;
      if (atoms_[last].apart) {
        insert(apart, last, most_apart_);
      } else if (atoms_[last].single()) {
        insert(tested, last, most_tested_);
      }
      tested_[first * n_ + last] = tested;
      apart_[first * n_ + last] = apart;
      solve(first, last, counts, distinct, weight);
    }
  }

  void solve(std::size_t first, std::size_t last, std::vector<std::uint32_t>& counts,
             std::size_t distinct, double all) {
    const Top& tested = tested_[first * n_ + last];
    const Top& apart = apart_[first * n_ + last];
    const auto rank = [](std::vector<std::uint8_t>& ranks, const Top& top, bool is_top) {
      for (std::uint8_t i = 0; i < top.count; ++i) ranks[top.atoms[i]] = is_top ? i : kNoRank;
    };
    rank(ranks_, tested, true);
    rank(apart_ranks_, apart, true);
    for (std::size_t p = tested.count + 1U; p-- > 0;) {
      for (std::size_t q = apart.count + 1U; q-- > 0;) {
        std::size_t left = distinct;
        double weight = all;
        const auto take = [&](const Top& top, std::size_t count) {
          for (std::size_t i = 0; i < count; ++i) {
            if (--counts[classes_[top.atoms[i]]] == 0) --left;
            weight -= atoms_[top.atoms[i]].weight;
          }
        };
        const auto put_back = [&](const Top& top, std::size_t count) {
          for (std::size_t i = 0; i < count; ++i) ++counts[classes_[top.atoms[i]]];
        };
        take(tested, p);
        take(apart, q);
        put_back(tested, p);
        put_back(apart, q);
        decide(first, last, p, q, left <= 1, std::max(0.0, weight));
      }
    }
    rank(ranks_, tested, false);
    rank(apart_ranks_, apart, false);
  }

  void decide(std::size_t first, std::size_t last, std::size_t p, std::size_t q, bool leaf,
              double weight) {
    double& best = costs_[at(first, last, p, q)];
    std::uint16_t& choice = choices_[at(first, last, p, q)];
    if (leaf) {
      best = 0;
      choice = kLeaf;
      return;
    }
    const Top& tested = tested_[first * n_ + last];
    const Top& apart = apart_[first * n_ + last];
    const auto test = [&](const Top& top, std::size_t done, std::size_t then, std::uint16_t name) {
      if (done >= top.count) return;
      const double yes = atoms_[top.atoms[done]].weight;
      const double cost = compare_cost(yes, std::max(0.0, weight - yes), options_) + costs_[then];
      if (cost < best) best = cost, choice = name;
    };
    test(tested, p, at(first, last, p + 1, q), kTestSingle);
    test(apart, q, at(first, last, p, q + 1), kTestApart);
    if (const auto chain = exceptions(first, last, ranks_, p, apart_ranks_, q)) {
      double left = weight;
      double cost = 0;
      for (const std::size_t atom : chain->atoms) {
        left = std::max(0.0, left - atoms_[atom].weight);
        cost += compare_cost(atoms_[atom].weight, left, options_);
      }
      if (cost < best) best = cost, choice = kChain;
    }
    double left_weight = 0;
    std::size_t left_p = 0;
    std::size_t left_q = 0;
    const bool jumps = options_.prices.jump_taken != 0;
    const double plain =
        compare_cost(weight, 0, {{options_.prices.instruction, 0, 0}, options_.size_price, 0});
    for (std::size_t k = first; k < last; ++k) {
      if (ranks_[k] < p) {
        ++left_p;
      } else if (apart_ranks_[k] < q) {
        ++left_q;
      } else {
        left_weight += atoms_[k].weight;
      }
      double cost =
          costs_[at(first, k, left_p, left_q)] + costs_[at(k + 1, last, p - left_p, q - left_q)];
      cost +=
          jumps ? compare_cost(left_weight, std::max(0.0, weight - left_weight), options_) : plain;
      if (cost < best) best = cost, choice = static_cast<std::uint16_t>(k);
    }
  }

  // Few single atoms, the heaviest first, and where all others lead; nothing where there is more to
  // a stretch.
  struct Exceptions {
    std::vector<std::size_t> atoms;
    std::uint32_t others = 0;  // class
  };
  [[nodiscard]] std::optional<Exceptions> exceptions(std::size_t first, std::size_t last,
                                                     const std::vector<std::uint8_t>& ranks,
                                                     std::size_t p,
                                                     const std::vector<std::uint8_t>& apart_ranks,
                                                     std::size_t q) const {
    std::optional<std::uint32_t> others;
    for (std::size_t k = first; k <= last; ++k) {
      if (atoms_[k].single() || others == classes_[k]) continue;
      if (others) return std::nullopt;
      others = classes_[k];
    }
    Exceptions found;
    for (std::size_t k = first; k <= last; ++k) {
      if (ranks[k] < p || apart_ranks[k] < q) continue;
      if (!others) others = classes_[k];
      if (classes_[k] == *others) continue;
      if (found.atoms.size() == kMostExceptions) return std::nullopt;
      found.atoms.push_back(k);
    }
    if (!others) return std::nullopt;
    found.others = *others;
    std::ranges::sort(found.atoms, [&](std::size_t a, std::size_t b) {
      return atoms_[a].weight != atoms_[b].weight ? atoms_[a].weight > atoms_[b].weight : a < b;
    });
    return found;
  }

  [[nodiscard]] FlowId emitted(FlowGraph& graph, std::size_t first, std::size_t last, std::size_t p,
                               std::size_t q) const {
    const Top& tested = tested_[first * n_ + last];
    const Top& apart = apart_[first * n_ + last];
    const auto taken = [&](std::size_t atom) {
      return std::find(tested.atoms.begin(), tested.atoms.begin() + p, atom) !=
                 tested.atoms.begin() + p ||
             std::find(apart.atoms.begin(), apart.atoms.begin() + q, atom) !=
                 apart.atoms.begin() + q;
    };
    const std::uint16_t choice = choices_[at(first, last, p, q)];
    if (choice == kLeaf) {
      std::size_t atom = first;
      while (atom < last && taken(atom)) ++atom;
      return atoms_[atom].lead.to;
    }
    if (choice == kTestSingle || choice == kTestApart) {
      const bool single = choice == kTestSingle;
      const RangeLead& lead = atoms_[single ? tested.atoms[p] : apart.atoms[q]].lead;
      const FlowId rest = emitted(graph, first, last, p + (single ? 1 : 0), q + (single ? 0 : 1));
      return compared(graph, Opcode::JeqK, lead.first, lead.to, rest);
    }
    if (choice == kChain) {
      std::vector<std::uint8_t> ranks(n_, kNoRank);
      std::vector<std::uint8_t> apart_ranks(n_, kNoRank);
      for (std::uint8_t i = 0; i < tested.count; ++i) ranks[tested.atoms[i]] = i;
      for (std::uint8_t i = 0; i < apart.count; ++i) apart_ranks[apart.atoms[i]] = i;
      const auto chain = exceptions(first, last, ranks, p, apart_ranks, q);
      const auto other = std::ranges::find(classes_, chain->others) - classes_.begin();
      FlowId node = atoms_[static_cast<std::size_t>(other)].lead.to;
      for (std::size_t i = chain->atoms.size(); i-- > 0;) {
        const RangeLead& lead = atoms_[chain->atoms[i]].lead;
        node = compared(graph, Opcode::JeqK, lead.first, lead.to, node);
      }
      return node;
    }
    std::size_t left_p = 0;
    std::size_t left_q = 0;
    for (std::size_t i = 0; i < p; ++i) left_p += tested.atoms[i] <= choice ? 1U : 0U;
    for (std::size_t i = 0; i < q; ++i) left_q += apart.atoms[i] <= choice ? 1U : 0U;
    const FlowId left = emitted(graph, first, choice, left_p, left_q);
    const FlowId right = emitted(graph, choice + 1U, last, p - left_p, q - left_q);
    return compared(graph, Opcode::JgeK, atoms_[choice + 1U].lead.first, right, left);
  }

  std::vector<Atom> atoms_;
  TreeOptions options_;
  std::size_t n_;
  std::size_t most_tested_ = 0;
  std::size_t most_apart_ = 0;
  std::size_t states_ = 0;
  std::vector<double> costs_;
  std::vector<std::uint16_t> choices_;
  std::vector<Top> tested_;
  std::vector<Top> apart_;
  // Of the stretch that is being looked at: which of its heaviest an atom is.
  std::vector<std::uint8_t> ranks_;
  std::vector<std::uint8_t> apart_ranks_;
  std::map<FlowId, std::uint32_t> places_;
  std::vector<std::uint32_t> classes_;
};

ExactTree::ExactTree(std::vector<Atom> atoms, const TreeOptions& options)
    : exact_(std::make_unique<const Exact>(std::move(atoms), options)) {}

ExactTree::~ExactTree() = default;

double ExactTree::objective() const { return exact_->objective(); }

FlowId ExactTree::emitted(FlowGraph& graph) const { return exact_->emitted(graph); }

}  // namespace callgate::verifier
