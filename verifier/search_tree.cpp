#include "verifier/search_tree.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "verifier/exact_tree.hpp"
#include "verifier/tree_atoms.hpp"

namespace callgate::verifier {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::size_t kMostExact = 420;      // ranges
constexpr std::size_t kMostMonotone = 1500;  // ranges
constexpr std::size_t kMostApart = 16;       // values in the midst of ranges that may be tested for

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
      std::ranges::sort(each.exceptions, [](const Atom& a, const Atom& b) {
        return a.weight != b.weight ? a.weight > b.weight : a.lead.first < b.lead.first;
      });
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
    if (weight(first, last) <= 0) return first + (last - first) / 2;
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
    const ExactTree exact(with_values_apart(atoms, heavy), options);
    if (!parted || exact.objective() <= least) return exact.emitted(graph);
  }
  return parted->emitted(graph);
}

}  // namespace callgate::verifier
