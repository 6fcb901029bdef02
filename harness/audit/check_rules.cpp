// Rules of profiles that decide nothing.

#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>

#include "harness/audit/checks.hpp"
#include "harness/front_ends/policy_conditions.hpp"
#include "harness/report/words.hpp"

namespace callgate::audit {
namespace {

using front_ends::ArgTest;
using front_ends::Policy;
using front_ends::ResolvedRule;

// What becomes of a rule, over all ABIs of its policy.
struct Fate {
  bool resolves = false;      ///< some ABI has its call
  bool fits = false;          ///< some call
  bool decides = false;       ///< some call that no earlier rule takes
  bool contradicted = false;  ///< what takes its calls says something else
  std::size_t before = 0;     ///< the first that takes one of them
};

struct Earlier {
  Ref taken = Diagrams::kFalse;  ///< by any rule
  std::vector<std::pair<std::size_t, Ref>> rules;
};

void look(Subject& subject, const Policy& policy, Arch arch, std::vector<Fate>& fates) {
  Diagrams& diagrams = subject.diagrams();
  std::map<std::uint32_t, Earlier> numbers;
  for (const ResolvedRule& rule : front_ends::resolve(policy, arch)) {
    Ref condition = Diagrams::kTrue;
    for (const ArgTest& test : rule.tests) {
      condition =
          diagrams.both(condition, front_ends::holds(subject.space(), test, info(arch).bits == 32));
    }
    Earlier& earlier = numbers[rule.nr];
    Fate& fate = fates[rule.rule];
    fate.resolves = true;
    fate.fits = fate.fits || condition != Diagrams::kFalse;
    const bool decides = diagrams.without(condition, earlier.taken) != Diagrams::kFalse;
    fate.decides = fate.decides || decides;
    for (const auto& [before, its] : earlier.rules) {
      if (decides || diagrams.both(condition, its) == Diagrams::kFalse) continue;
      if (policy.rules[before].value == rule.value && fate.contradicted) continue;
      fate.before = before;
      fate.contradicted = fate.contradicted || policy.rules[before].value != rule.value;
    }
    earlier.rules.emplace_back(rule.rule, diagrams.without(condition, earlier.taken));
    earlier.taken = diagrams.either(earlier.taken, condition);
  }
}

std::string rule_words(const Policy& policy, std::size_t rule, const KernelModel& model) {
  const front_ends::Rule& its = policy.rules[rule];
  const std::string call =
      its.syscall.empty() ? fmt::format("number {}", its.number.value_or(0)) : its.syscall;
  const std::string line = its.place.line == 0 ? "" : fmt::format(" (line {})", its.place.line);
  return fmt::format("{}: {}{}", call, report::verdict_words(its.value, model), line);
}

// What stands at one place of a profile, of one call or number: layers for several ABIs have it
// each.
struct Written {
  std::size_t line = 0;
  std::size_t column = 0;
  std::string syscall;
  std::int32_t number = -1;

  friend auto operator<=>(const Written&, const Written&) = default;
};

Written written(const front_ends::Rule& rule) {
  return {rule.place.line, rule.place.column, rule.syscall, rule.number.value_or(-1)};
}

// One of a filter's findings; a group of calls that stands at one place gives one.
struct Told {
  Finding finding;
  std::size_t more = 0;
};

using ByPlace = std::map<std::tuple<FindingId, std::size_t, std::size_t>, Told>;

void tell(Subject& subject, std::size_t filter, std::size_t rule, const Fate& fate, ByPlace& told) {
  const Policy& policy = *subject.layers()[filter].policy;
  const front_ends::Rule& its = policy.rules[rule];
  const FindingId id = !fate.fits          ? FindingId::RuleNeverFires
                       : fate.contradicted ? FindingId::RuleShadowed
                                           : FindingId::RuleRedundant;
  // One statement that leads to several rules, as an exception and what it is one from, means so.
  if (fate.fits && policy.rules[fate.before].place == its.place) return;
  std::string message = fmt::format("the rule {}", rule_words(policy, rule, subject.model()));
  message += fate.fits
                 ? fmt::format(" comes behind {}", rule_words(policy, fate.before, subject.model()))
                 : " has tests that contradict each other";
  Told fresh{found(id, std::move(message), its.syscall), 0};
  fresh.finding.filter = filter;
  fresh.finding.line = its.place.line;
  const auto [at, is_fresh] =
      told.try_emplace({id, its.place.line, its.place.column}, std::move(fresh));
  if (!is_fresh) ++at->second.more;
}

}  // namespace

void check_rules(Subject& subject, Found& found) {
  std::vector<std::vector<Fate>> fates;
  std::set<Written> deciding;
  for (const Layer& layer : subject.layers()) {
    std::vector<Fate>& its = fates.emplace_back();
    if (!layer.policy) continue;
    its.resize(layer.policy->rules.size());
    for (const Arch arch : layer.policy->arches) look(subject, *layer.policy, arch, its);
    for (std::size_t rule = 0; rule < its.size(); ++rule) {
      if (its[rule].decides) deciding.insert(written(layer.policy->rules[rule]));
    }
  }
  for (std::size_t filter = 0; filter < fates.size(); ++filter) {
    ByPlace told;
    for (std::size_t rule = 0; rule < fates[filter].size(); ++rule) {
      const front_ends::Rule& its = subject.layers()[filter].policy->rules[rule];
      // What stands nowhere is the tool's own; nobody can mend it.
      if (!fates[filter][rule].resolves || its.place.line == 0) continue;
      if (!deciding.contains(written(its))) tell(subject, filter, rule, fates[filter][rule], told);
    }
    for (auto& [place, each] : told) {
      if (each.more > 0) each.finding.message += fmt::format("; likewise {} more there", each.more);
      found.push_back(std::move(each.finding));
    }
  }
}

}  // namespace callgate::audit
