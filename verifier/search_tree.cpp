#include "verifier/search_tree.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>

namespace callgate::verifier {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::size_t kMostExact = 420;      // ranges
constexpr std::size_t kMostMonotone = 1500;  // ranges
constexpr std::size_t kMostApart = 16;       // values in the midst of ranges that may be tested for
constexpr std::size_t kMostExceptions = 4;   // of a stretch

// What a compare costs that so much weight goes through on each side.
double compare_cost(double yes, double no, const TreeOptions& options) {
  const double jumps = options.prices.jump_taken;
  return (yes + no) * options.prices.instruction + options.size_price +
         jumps * (jumps > 0 ? std::min(yes, no) : std::max(yes, no));
}

FlowId compared(FlowGraph& graph, Opcode opcode, std::uint32_t k, FlowId yes, FlowId no) {
  return graph.keep(Instruction{static_cast<std::uint16_t>(opcode), 0, 0, k}, yes, no);
}

// A range, or a value that was taken out of its range because it is often asked for.
struct Atom {
  RangeLead lead;
  double weight = 0;
  bool apart = false;

  [[nodiscard]] bool single() const { return lead.first == lead.last; }
};

std::vector<Atom> atoms_of(std::span<const RangeLead> ranges, std::span<const ValueWeight> weights,
                           double spread) {
  std::vector<Atom> atoms;
  for (const RangeLead& each : ranges) {
    if (!atoms.empty() && atoms.back().lead.to == each.to) {
      atoms.back().lead.last = each.last;
    } else {
      atoms.push_back({each});
    }
  }
  for (Atom& each : atoms) each.weight = spread / static_cast<double>(atoms.size());
  for (const ValueWeight& each : weights) {
    const auto after = std::ranges::upper_bound(atoms, each.value, {},
                                                [](const Atom& atom) { return atom.lead.first; });
    (after - 1)->weight += each.weight;
  }
  return atoms;
}

// By falling weight.
std::vector<ValueWeight> heaviest(std::span<const ValueWeight> weights) {
  std::vector<ValueWeight> sorted;
  for (const ValueWeight& each : weights) {
    if (each.weight > 0) sorted.push_back(each);
  }
  std::ranges::sort(sorted, [](const ValueWeight& a, const ValueWeight& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.value < b.value;
  });
  return sorted;
}

std::vector<Atom> with_values_apart(const std::vector<Atom>& atoms,
                                    std::span<const ValueWeight> heavy) {
  std::map<std::uint32_t, double> apart;
  for (const ValueWeight& each : heavy) {
    if (apart.size() == kMostApart) break;
    const auto after = std::ranges::upper_bound(atoms, each.value, {},
                                                [](const Atom& atom) { return atom.lead.first; });
    if (!(after - 1)->single()) apart.emplace(each.value, each.weight);
  }
  std::vector<Atom> all;
  for (Atom rest : atoms) {
    for (auto each = apart.lower_bound(rest.lead.first);
         !rest.single() && each != apart.end() && each->first <= rest.lead.last; ++each) {
      const auto& [value, weight] = *each;
      rest.weight = std::max(0.0, rest.weight - weight);
      const FlowId to = rest.lead.to;
      if (value != rest.lead.first) {
        all.push_back({{rest.lead.first, value - 1, to}});  // what it weighs stays with the rest
      }
      all.push_back({{value, value, to}, weight, true});
      if (value == rest.lead.last) {
        rest.lead.first = rest.lead.last;
        rest.weight = -1;  // nothing is left
        break;
      }
      rest.lead.first = value + 1;
    }
    if (rest.weight >= 0) all.push_back(rest);
  }
  return all;
}

// All trees within its limits: the state is a stretch of atoms and how many of the heaviest single
// ones in it, of ranges and apart, were tested for already.
class Exact {
 public:
  Exact(std::vector<Atom> atoms, const TreeOptions& options)
      : atoms_(std::move(atoms)), options_(options), n_(atoms_.size()) {
    constexpr std::array<std::array<std::size_t, 3>, 3> kLimits{
        {{160, 6, 3}, {280, 4, 2}, {kMostExact + 2 * kMostApart, 3, 1}}};
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
    std::ranges::stable_sort(found.atoms, std::greater{},
                             [&](std::size_t atom) { return atoms_[atom].weight; });
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

// Some values first, then ranges; single values between ranges that lead to one place at the
// leaves.
class Parted {
 public:
  Parted(const std::vector<Atom>& atoms, std::span<const ValueWeight> first,
         const TreeOptions& options)
      : options_(options), first_(first.begin(), first.end()) {
    std::map<std::uint32_t, double> gone;
    for (const ValueWeight& each : first) gone.emplace(each.value, each.weight);
    std::vector<Atom> left;
    std::optional<std::uint32_t> open;  // where a range begins that a value was taken out of
    for (Atom atom : atoms) {
      const FlowId to = atom.lead.to;
      if (atom.single() && gone.contains(atom.lead.first)) {
        first_to_[atom.lead.first] = to;
        if (left.empty()) {
          if (!open) open = atom.lead.first;
        } else {
          left.back().lead.last = atom.lead.last;
        }
        continue;
      }
      for (auto each = gone.lower_bound(atom.lead.first);
           each != gone.end() && each->first <= atom.lead.last; ++each) {
        first_to_[each->first] = to;
        atom.weight = std::max(0.0, atom.weight - each->second);
      }
      if (open) atom.lead.first = *std::exchange(open, std::nullopt);
      if (!left.empty() && left.back().lead.to == to) {
        left.back().lead.last = atom.lead.last;
        left.back().weight += atom.weight;
      } else {
        left.push_back(atom);
      }
    }
    for (const Atom& each : left) add(each);
    sums_.push_back(0);
    for (Stretch& each : stretches_) {
      std::ranges::stable_sort(each.exceptions, std::greater{}, &Atom::weight);
      sums_.push_back(sums_.back() + each.weight);
    }
    if (stretches_.size() <= kMostMonotone) find_roots();
  }

  [[nodiscard]] double objective() const {
    if (stretches_.empty()) return kNever;
    double weight = sums_.back();
    for (const ValueWeight& each : first_) weight += each.weight;
    double cost = 0;
    for (const ValueWeight& each : first_) {
      weight -= each.weight;
      cost += compare_cost(each.weight, std::max(0.0, weight), options_);
    }
    return cost + cost_of(0, stretches_.size() - 1);
  }

  [[nodiscard]] FlowId emitted(FlowGraph& graph) const {
    FlowId node = emitted(graph, 0, stretches_.size() - 1);
    for (std::size_t i = first_.size(); i-- > 0;) {
      const std::uint32_t value = first_[i].value;
      node = compared(graph, Opcode::JeqK, value, first_to_.at(value), node);
    }
    return node;
  }

 private:
  struct Stretch {
    RangeLead lead;
    double weight = 0;  // with the exceptions
    std::vector<Atom> exceptions;
  };

  void add(const Atom& atom) {
    if (stretches_.size() >= 2) {
      Stretch& before = stretches_[stretches_.size() - 2];
      const Stretch& single = stretches_.back();
      const bool is_exception = single.lead.first == single.lead.last &&
                                single.exceptions.empty() && before.lead.to == atom.lead.to &&
                                before.exceptions.size() < kMostExceptions;
      if (is_exception) {
        before.exceptions.push_back({single.lead, single.weight});
        before.lead.last = atom.lead.last;
        before.weight += single.weight + atom.weight;
        stretches_.pop_back();
        return;
      }
    }
    stretches_.push_back({atom.lead, atom.weight, {}});
  }

  [[nodiscard]] double weight(std::size_t first, std::size_t last) const {
    return std::max(0.0, sums_[last + 1] - sums_[first]);
  }

  [[nodiscard]] double leaf_cost(const Stretch& stretch) const {
    double left = stretch.weight;
    double cost = 0;
    for (const Atom& each : stretch.exceptions) {
      left = std::max(0.0, left - each.weight);
      cost += compare_cost(each.weight, left, options_);
    }
    return cost;
  }

  void find_roots() {
    const std::size_t n = stretches_.size();
    std::vector<double> costs(n * n);
    roots_.resize(n * n);
    for (std::size_t first = n; first-- > 0;) {
      costs[first * n + first] = leaf_cost(stretches_[first]);
      roots_[first * n + first] = static_cast<std::uint16_t>(first);
      for (std::size_t last = first + 1; last < n; ++last) {
        double best = kNever;
        const std::size_t from = roots_[first * n + last - 1];
        const std::size_t to = std::min<std::size_t>(roots_[(first + 1) * n + last], last - 1);
        std::size_t root = std::min(from, to);
        for (std::size_t k = root; k <= to; ++k) {
          const double cost = costs[first * n + k] + costs[(k + 1) * n + last] +
                              compare_cost(weight(k + 1, last), weight(first, k), options_);
          if (cost < best) best = cost, root = k;
        }
        costs[first * n + last] = best;
        roots_[first * n + last] = static_cast<std::uint16_t>(root);
      }
    }
  }

  // The last stretch of the left part.
  [[nodiscard]] std::size_t parting(std::size_t first, std::size_t last) const {
    const std::size_t n = stretches_.size();
    if (!roots_.empty()) return roots_[first * n + last];
    const double middle = (sums_[first] + sums_[last + 1]) / 2;
    const auto begin = sums_.begin();
    const auto above = std::lower_bound(begin + static_cast<std::ptrdiff_t>(first + 1),
                                        begin + static_cast<std::ptrdiff_t>(last + 1), middle);
    std::size_t k = static_cast<std::size_t>(above - begin) - 1;
    if (k > first && middle - sums_[k] < sums_[k + 1] - middle) --k;
    return std::min(k, last - 1);
  }

  [[nodiscard]] double cost_of(std::size_t first, std::size_t last) const {
    if (first == last) return leaf_cost(stretches_[first]);
    const std::size_t k = parting(first, last);
    return compare_cost(weight(k + 1, last), weight(first, k), options_) + cost_of(first, k) +
           cost_of(k + 1, last);
  }

  [[nodiscard]] FlowId emitted(FlowGraph& graph, std::size_t first, std::size_t last) const {
    if (first == last) {
      const Stretch& stretch = stretches_[first];
      FlowId node = stretch.lead.to;
      for (std::size_t i = stretch.exceptions.size(); i-- > 0;) {
        const RangeLead& lead = stretch.exceptions[i].lead;
        node = compared(graph, Opcode::JeqK, lead.first, lead.to, node);
      }
      return node;
    }
    const std::size_t k = parting(first, last);
    const FlowId left = emitted(graph, first, k);
    const FlowId right = emitted(graph, k + 1, last);
    return compared(graph, Opcode::JgeK, stretches_[k + 1].lead.first, right, left);
  }

  TreeOptions options_;
  std::vector<ValueWeight> first_;
  std::map<std::uint32_t, FlowId> first_to_;
  std::vector<Stretch> stretches_;
  std::vector<double> sums_;
  std::vector<std::uint16_t> roots_;
};

}  // namespace

FlowId search_tree(FlowGraph& graph, std::span<const RangeLead> ranges,
                   std::span<const ValueWeight> weights, const TreeOptions& options) {
  const std::vector<Atom> atoms = atoms_of(ranges, weights, options.spread);
  if (atoms.size() == 1) return atoms.front().lead.to;
  const std::vector<ValueWeight> heavy = heaviest(weights);
  std::optional<Parted> parted;
  double least = kNever;
  for (const std::size_t first : {0U, 1U, 2U, 3U, 4U, 6U, 8U, 12U, 16U, 24U, 32U}) {
    if (first > heavy.size()) break;
    Parted next(atoms, std::span(heavy).first(first), options);
    if (next.objective() >= least) continue;
    least = next.objective();
    parted = std::move(next);
  }
  if (atoms.size() <= kMostExact) {
    const Exact exact(with_values_apart(atoms, heavy), options);
    if (!parted || exact.objective() <= least) return exact.emitted(graph);
  }
  return parted->emitted(graph);
}

}  // namespace callgate::verifier
