#include "harness/tune/order_ranks.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "vm/syscalls.hpp"

namespace callgate::tune {
namespace {

using front_ends::Policy;
using front_ends::Rule;

using Call = std::tuple<std::string, std::int32_t>;  // a rule's

Call call_of(const Rule& rule) { return {rule.syscall, rule.number.value_or(0)}; }

}  // namespace

std::vector<RankedCall> ranked(const Policy& policy, const CallWeights& weights) {
  if (policy.arches.empty()) return {};
  const Arch own = policy.arches.front();
  std::map<std::uint32_t, std::size_t> rules;  // the first one of each number
  std::map<Call, std::set<std::uint32_t>> compared;
  for (const Arch arch : policy.arches) {
    if (info(arch).token != info(own).token) continue;
    for (const auto& each : resolve(policy, arch)) {
      if (arch == own) rules.try_emplace(each.nr, each.rule);
      compared[call_of(policy.rules[each.rule])].insert(each.nr);
    }
  }
  std::map<std::uint32_t, RankedCall> calls;  // of each number: a call may have several names
  for (const auto& [name, weight] : weights) {
    const auto nr = syscall_number(own, name);
    if (!nr || weight <= 0) continue;
    const auto rule = rules.find(*nr);
    if (rule == rules.end()) continue;
    const std::string& policys = policy.rules[rule->second].syscall;
    const auto [call, is_new] =
        calls.try_emplace(*nr, RankedCall{policys.empty() ? name : policys, *nr, rule->second, 0});
    call->second.weight += weight;
  }
  std::vector<RankedCall> out;
  for (auto& [nr, call] : calls) out.push_back(std::move(call));
  const auto rank = [&](const RankedCall& call) {
    const std::size_t comparisons = compared.at(call_of(policy.rules[call.rule])).size();
    return std::pair(-call.weight / static_cast<double>(comparisons), call.nr);
  };
  std::ranges::sort(out, {}, rank);
  return out;
}

}  // namespace callgate::tune
