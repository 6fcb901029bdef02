#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/front_ends/lower.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

// What one argument may still be: an interval, and bits that are known.
struct Possible {
  std::uint64_t low = 0;
  std::uint64_t high = kAllBits;
  std::uint64_t known = 0;
  std::uint64_t bits = 0;
  bool none = false;
};

void narrow(Possible& all, const ArgTest& test, std::uint64_t width) {
  const std::uint64_t value = test.value & width;
  if ((test.mask & width) != width) {
    if (test.comparison != Comparison::Equal) return;
    const std::uint64_t mask = test.mask & width;
    if ((value & ~mask) != 0 || ((all.bits ^ value) & all.known & mask) != 0) all.none = true;
    all.known |= mask;
    all.bits |= value & mask;
    return;
  }
  switch (test.comparison) {
    case Comparison::Equal:
      all.low = std::max(all.low, value);
      all.high = std::min(all.high, value);
      break;
    case Comparison::NotEqual:
      if (all.low == value && all.low < all.high) ++all.low;
      if (all.high == value && all.low < all.high) --all.high;
      if (all.low == value && all.high == value) all.none = true;
      break;
    case Comparison::Less:
      all.none = all.none || value == 0;
      if (value != 0) all.high = std::min(all.high, value - 1);
      break;
    case Comparison::LessEqual:
      all.high = std::min(all.high, value);
      break;
    case Comparison::Greater:
      all.none = all.none || value == width;
      if (value != width) all.low = std::max(all.low, value + 1);
      break;
    case Comparison::GreaterEqual:
      all.low = std::max(all.low, value);
      break;
  }
}

// Whether no call can pass the tests of both; false where that is not seen.
bool disjoint(const ResolvedRule& a, const ResolvedRule& b, std::uint64_t width) {
  for (unsigned index = 0; index < 6; ++index) {
    Possible all;
    all.high = width;
    // Twice: what != cuts off depends on the bounds that the others set.
    for (int round = 0; round < 2; ++round) {
      for (const ResolvedRule* rule : {&a, &b}) {
        for (const ArgTest& test : rule->tests) {
          if (test.index == index) narrow(all, test, width);
        }
      }
    }
    if (all.none || all.low > all.high) return true;
    if (all.low == all.high && ((all.low ^ all.bits) & all.known) != 0) return true;
  }
  return false;
}

bool masked(const ArgTest& test, std::uint64_t width) { return (test.mask & width) != width; }

bool joined_well(const ResolvedRule& rule, std::uint64_t width) {
  return std::ranges::all_of(rule.tests, [&](const ArgTest& test) {
    return !masked(test, width) &&
           (test.comparison == Comparison::Equal || test.comparison == Comparison::NotEqual);
  });
}

// What can be said of one architecture; false: there are `limit` of them.
class Finder {
 public:
  Finder(const Policy& policy, Arch arch, std::size_t limit, std::vector<Departure>& out)
      : policy_(policy),
        arch_(arch),
        width_(info(arch).bits == 32 ? 0xffffffffU : kAllBits),
        limit_(limit),
        out_(out) {}

  void find(bool binary_tree) {
    const std::vector<ResolvedRule> rules = resolve(policy_, arch_);
    std::map<std::uint32_t, std::vector<const ResolvedRule*>> by_number;
    bool any_tests = false;
    for (const ResolvedRule& rule : rules) {
      by_number[rule.nr].push_back(&rule);
      any_tests = any_tests || !rule.tests.empty();
      for (const ArgTest& test : rule.tests) {
        if ((test.value & ~test.mask & width_) != 0) {
          add(DepartureKind::OutsideMask, rule.rule, rule.rule);
        }
      }
    }
    for (const auto& [nr, group] : by_number) pairs(group);
    numbers(!binary_tree && any_tests);
  }

 private:
  void add(DepartureKind kind, std::size_t first, std::size_t second) {
    if (out_.size() < limit_) out_.push_back({kind, first, second, arch_});
  }

  void pairs(const std::vector<const ResolvedRule*>& group) {
    for (std::size_t j = 1; j < group.size() && out_.size() < limit_; ++j) {
      for (std::size_t i = 0; i < j; ++i) {
        const ResolvedRule& first = *group[i];
        const ResolvedRule& second = *group[j];
        // The first rule without tests decides in either order of things.
        if (first.tests.empty()) break;
        if (first.value != second.value && !disjoint(first, second, width_)) {
          add(DepartureKind::Order, first.rule, second.rule);
        } else if (!second.tests.empty() &&
                   !(joined_well(first, width_) && joined_well(second, width_))) {
          add(DepartureKind::Joined, first.rule, second.rule);
        }
      }
    }
  }

  // Calls of which libseccomp's table does not say what the kernel's does.
  void numbers(bool may_not_load) {
    for (std::size_t i = 0; i < policy_.rules.size() && out_.size() < limit_; ++i) {
      const Rule& rule = policy_.rules[i];
      if (rule.number) continue;
      const auto theirs = libseccomp_number(arch_, rule.syscall);
      const auto ours = syscall_number(arch_, rule.syscall);
      if (!theirs) continue;
      const bool multiplexed =
          std::ranges::find(multiplexed_calls(), rule.syscall, &MultiplexedCall::name) !=
          multiplexed_calls().end();
      if (ours && !multiplexed && *theirs != static_cast<std::int32_t>(*ours)) {
        add(DepartureKind::OtherNumber, i, i);
      }
      if (!ours && *theirs < 0 && may_not_load) add(DepartureKind::NumberNotLoaded, i, i);
    }
  }

  const Policy& policy_;
  Arch arch_;
  std::uint64_t width_;
  std::size_t limit_;
  std::vector<Departure>& out_;
};

}  // namespace

std::string_view name_of(DepartureKind kind) noexcept {
  switch (kind) {
    case DepartureKind::Order:
      return "order";
    case DepartureKind::OutsideMask:
      return "outside-mask";
    case DepartureKind::Joined:
      return "joined";
    case DepartureKind::NumberNotLoaded:
      return "number-not-loaded";
    case DepartureKind::OtherNumber:
      return "other-number";
  }
  return "";
}

std::string departure_words(const Departure& departure, const Policy& policy) {
  const Place& other = policy.rules[departure.second].place;
  const std::string where = other.line == 0 ? fmt::format("rule {}", departure.second)
                                            : fmt::format("line {}", other.line);
  switch (departure.kind) {
    case DepartureKind::Order:
      return fmt::format(
          "the rule of {} can fit the same call and says something else; libseccomp "
          "does not try rules in the order of the profile",
          where);
    case DepartureKind::OutsideMask:
      return "the value has bits outside of its mask; libseccomp drops them";
    case DepartureKind::Joined:
      return fmt::format(
          "this rule and that of {} have tests by order or with masks; libseccomp may "
          "join them so that other calls pass",
          where);
    case DepartureKind::NumberNotLoaded:
      return "the architecture lacks this call; libseccomp's linear program may then forget to "
             "load "
             "the number before the next test";
    case DepartureKind::OtherNumber:
      return "libseccomp's table has another number for this call, or none: the rule does not fit "
             "it";
  }
  return "";
}

std::vector<Departure> departures(const Policy& policy, bool binary_tree, std::size_t limit) {
  std::vector<Departure> out;
  for (const Arch arch : policy.arches) Finder(policy, arch, limit, out).find(binary_tree);
  return out;
}

}  // namespace callgate::front_ends
