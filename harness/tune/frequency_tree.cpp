#include "harness/tune/frequency_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "vm/opcodes.hpp"
#include "vm/syscalls.hpp"

namespace callgate::tune {
namespace {

using front_ends::CallRules;
using front_ends::LowerError;
using front_ends::Policy;

constexpr double kSmall = 1e-6;      // of all weights, for all leaves together
constexpr std::size_t kReach = 255;  // of a conditional jump

// The numbers from `first` to the next leaf's.
struct Leaf {
  std::uint32_t first = 0;
  Program code;
  double weight = 0;
};

std::vector<Leaf> leaves_of(const Policy& policy, Arch arch) {
  std::vector<CallRules> calls = front_ends::rules_by_call(policy, arch);
  std::ranges::sort(calls, {}, &CallRules::nr);
  const Program otherwise = front_ends::lower_rules({}, policy.default_value, arch);
  std::vector<Leaf> out;
  const auto add = [&](std::uint32_t first, Program code) {
    if (out.empty() || out.back().code != code) out.push_back({first, std::move(code), 0});
  };
  std::uint64_t next = 0;  // the first number that no leaf has
  for (const CallRules& call : calls) {
    if (call.nr != next) add(static_cast<std::uint32_t>(next), otherwise);
    add(call.nr, front_ends::lower_rules(call, policy.default_value, arch));
    next = std::uint64_t{call.nr} + 1;
  }
  if (next <= 0xffffffffU) add(static_cast<std::uint32_t>(next), otherwise);
  return out;
}

void weigh(std::vector<Leaf>& leaves, Arch arch, const CallWeights& weights) {
  double all = 0;
  for (const auto& [name, weight] : weights) {
    const auto nr = syscall_number(arch, name);
    if (!nr) continue;
    const auto behind = std::ranges::upper_bound(leaves, *nr, {}, &Leaf::first);
    std::prev(behind)->weight += weight;
    all += weight;
  }
  const double more = (all > 0 ? all * kSmall : 1.0) / static_cast<double>(leaves.size());
  for (Leaf& each : leaves) each.weight += more;
}

// The tree of least cost. An optimal root of an interval lies between those of the two intervals
// that lack one of its ends (Knuth), so that all roots are found in a time of leaves squared.
class Tree {
 public:
  explicit Tree(const std::vector<Leaf>& leaves)
      : leaves_(leaves),
        count_(leaves.size()),
        costs_(count_ * count_, 0.0),
        roots_(count_ * count_) {
    std::vector<double> sums{0};
    for (const Leaf& each : leaves) sums.push_back(sums.back() + each.weight);
    for (std::size_t i = 0; i < count_; ++i) roots_[at(i, i)] = i;
    for (std::size_t length = 2; length <= count_; ++length) {
      for (std::size_t first = 0; first + length <= count_; ++first) {
        find_root(first, first + length - 1, sums[first + length] - sums[first]);
      }
    }
  }

  [[nodiscard]] Program code() const { return code(0, count_ - 1); }

 private:
  [[nodiscard]] std::size_t at(std::size_t first, std::size_t last) const {
    return first * count_ + last;
  }

  // A root is the last leaf of its left part.
  void find_root(std::size_t first, std::size_t last, double weight) {
    const std::size_t from = roots_[at(first, last - 1)];
    const std::size_t to = std::min(roots_[at(first + 1, last)], last - 1);
    double best = 0;
    std::size_t root = last;
    for (std::size_t each = std::min(from, to); each <= to; ++each) {
      const double cost = costs_[at(first, each)] + costs_[at(each + 1, last)];
      if (root == last || cost < best) {
        best = cost;
        root = each;
      }
    }
    costs_[at(first, last)] = best + weight;
    roots_[at(first, last)] = root;
  }

  [[nodiscard]] Program code(std::size_t first, std::size_t last) const {
    if (first == last) return leaves_[first].code;
    const std::size_t root = roots_[at(first, last)];
    const Program lower = code(first, root);
    const Program upper = code(root + 1, last);
    const auto jge = static_cast<std::uint16_t>(Opcode::JgeK);
    const std::uint32_t border = leaves_[root + 1].first;
    Program out;
    if (lower.size() <= kReach) {
      out.push_back({jge, static_cast<std::uint8_t>(lower.size()), 0, border});
    } else {
      out.push_back({jge, 0, 1, border});
      out.push_back(
          {static_cast<std::uint16_t>(Opcode::Ja), 0, 0, static_cast<std::uint32_t>(lower.size())});
    }
    std::ranges::copy(lower, std::back_inserter(out));
    std::ranges::copy(upper, std::back_inserter(out));
    return out;
  }

  const std::vector<Leaf>& leaves_;
  std::size_t count_;
  std::vector<double> costs_;
  std::vector<std::size_t> roots_;
};

}  // namespace

std::expected<Program, LowerError> frequency_tree(const Policy& policy,
                                                  const CallWeights& weights) {
  for (const Arch arch : policy.arches) {
    if (const std::size_t count = leaves_of(policy, arch).size(); count > kMostLeaves) {
      return std::unexpected(
          LowerError{fmt::format("{} ranges of numbers on {}; trees are made of up to {}", count,
                                 info(arch).name, kMostLeaves),
                     {}});
    }
  }
  return front_ends::lower_sections(policy, [&](Arch arch) {
    std::vector<Leaf> leaves = leaves_of(policy, arch);
    weigh(leaves, arch, arch == policy.arches.front() ? weights : CallWeights());
    return Tree(leaves).code();
  });
}

}  // namespace callgate::tune
