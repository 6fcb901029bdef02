#include "harness/front_ends/policy_conditions.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "verifier/terms.hpp"

namespace callgate::front_ends {
namespace {

using verifier::Diagrams;
using verifier::Field;
using verifier::Space;
using Ref = Space::Ref;

Field argument(unsigned index) {
  return static_cast<Field>(static_cast<unsigned>(Field::Arg0) + index);
}

// The calls that a policy's rules for an ABI are asked for, as PolicyEvaluator finds the ABI.
Ref calls_of_abi(Space& space, const Policy& policy, std::size_t place) {
  Diagrams& diagrams = space.diagrams();
  const auto has = [&](Arch arch) {
    return std::ranges::find(policy.arches, arch) != policy.arches.end();
  };
  const Arch arch = policy.arches[place];
  const std::uint32_t token = info(arch).token;
  const Ref x86_token = space.equal(Field::Arch, info(Arch::X86_64).token);
  const Ref no_call = space.equal(Field::Nr, 0xffffffffU);
  const Ref x32_number = diagrams.without(space.between(Field::Nr, kX32Bit, 0xffffffffU), no_call);
  // Which calls go to x32's rules, and which to those of x86_64.
  const bool apart = has(Arch::X32) || policy.x32 == X32Calls::AsForeign;
  const Ref to_x32 = diagrams.both(
      x86_token,
      diagrams.either(apart && has(Arch::X32) ? x32_number : Diagrams::kFalse,
                      has(Arch::X86_64) || !has(Arch::X32) ? Diagrams::kFalse : no_call));
  const Ref to_x86_64 = apart ? diagrams.without(x86_token, x32_number) : x86_token;
  Ref own = Diagrams::kFalse;
  if (arch == Arch::X32) {
    own = to_x32;
  } else if (arch == Arch::X86_64) {
    own = to_x86_64;
  } else {
    const auto first =
        std::ranges::find(policy.arches, token, [](Arch each) { return info(each).token; });
    if (*first == arch) own = space.equal(Field::Arch, token);
  }
  // Without a check of the architecture its only rules are asked for all calls.
  if (!policy.foreign_value && policy.arches.size() == 1) own = Diagrams::kTrue;
  return own;
}

}  // namespace

Ref holds(Space& space, const ArgTest& test, bool low_words) {
  Diagrams& diagrams = space.diagrams();
  verifier::Terms& terms = space.terms();
  const auto masked = [&](bool high) {
    return terms.bit_and(
        terms.word({argument(test.index), high}),
        terms.constant(static_cast<std::uint32_t>(high ? test.mask >> 32U : test.mask)));
  };
  const verifier::TermId low_value = terms.constant(static_cast<std::uint32_t>(test.value));
  const verifier::TermId high_value = terms.constant(static_cast<std::uint32_t>(test.value >> 32U));
  Ref equal = space.compared(Test::Equal, masked(false), low_value);
  Ref greater = space.compared(Test::Greater, masked(false), low_value);
  if (!low_words) {
    const Ref high_equal = space.compared(Test::Equal, masked(true), high_value);
    equal = diagrams.both(equal, high_equal);
    greater = diagrams.either(space.compared(Test::Greater, masked(true), high_value),
                              diagrams.both(high_equal, greater));
  }
  switch (test.comparison) {
    case Comparison::Equal:
      return equal;
    case Comparison::NotEqual:
      return diagrams.negated(equal);
    case Comparison::Greater:
      return greater;
    case Comparison::GreaterEqual:
      return diagrams.either(greater, equal);
    case Comparison::Less:
      return diagrams.negated(diagrams.either(greater, equal));
    case Comparison::LessEqual:
      return diagrams.negated(greater);
  }
  return Diagrams::kFalse;
}

std::vector<RuleCalls> calls_of_rules(Space& space, const Policy& policy) {
  Diagrams& diagrams = space.diagrams();
  std::vector<RuleCalls> out(policy.rules.size(), {false, Diagrams::kFalse, Diagrams::kFalse});
  // libseccomp's numbers for calls that an ABI does not have: what they get cannot be told.
  const Ref not_told = policy.multiplexed
                           ? space.between(Field::Nr, kLowestPseudoNumber, kHighestPseudoNumber)
                           : Diagrams::kFalse;
  for (std::size_t place = 0; place < policy.arches.size(); ++place) {
    const Arch arch = policy.arches[place];
    const Ref of_abi = diagrams.without(calls_of_abi(space, policy, place), not_told);
    std::map<std::uint32_t, Ref> taken;  // by number: what earlier rules take
    for (const ResolvedRule& rule : resolve(policy, arch)) {
      Ref condition = Diagrams::kTrue;
      for (const ArgTest& test : rule.tests) {
        condition = diagrams.both(condition, holds(space, test, info(arch).bits == 32));
      }
      Ref& before = taken.try_emplace(rule.nr, Diagrams::kFalse).first->second;
      const Ref number = diagrams.both(of_abi, space.equal(Field::Nr, rule.nr));
      RuleCalls& its = out[rule.rule];
      its.resolves = true;
      its.fits = diagrams.either(its.fits, diagrams.both(number, condition));
      its.decides =
          diagrams.either(its.decides, diagrams.both(number, diagrams.without(condition, before)));
      before = diagrams.either(before, condition);
    }
  }
  return out;
}

}  // namespace callgate::front_ends
