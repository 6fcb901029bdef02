// Policies as filters of seccompiler and of Firecracker: one thread, "main", one action for all
// that fits and one for the rest.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/policy_writing.hpp"

namespace callgate::front_ends {
namespace {

using nlohmann::ordered_json;

ordered_json action(std::uint32_t value, std::string_view of, std::string_view language) {
  const std::uint32_t data = value & kDataMask;
  switch (value & kActionMask) {
    case kErrnoValue:
      return {{"errno", data}};
    case kTraceValue:
      return {{"trace", data}};
    default:
      break;
  }
  if (value == kAllowValue) return "allow";
  if (value == kKillThreadValue) return "kill_thread";
  if (value == kKillProcessValue) return "kill_process";
  if (value == kLogValue) return "log";
  if (value == kTrapValue) return "trap";
  no_word_for(value, of, language);
}

std::string_view word_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::Equal:
      return "eq";
    case Comparison::NotEqual:
      return "ne";
    case Comparison::Less:
      return "lt";
    case Comparison::LessEqual:
      return "le";
    case Comparison::Greater:
      return "gt";
    case Comparison::GreaterEqual:
      return "ge";
  }
  return "";
}

ordered_json condition(const ArgTest& test, const Rule& rule, std::string_view language) {
  ordered_json out{{"index", test.index}, {"type", "qword"}};
  if (test.mask == kAllBits) {
    out["op"] = word_of(test.comparison);
  } else if (test.comparison == Comparison::Equal) {
    out["op"] = ordered_json{{"masked_eq", test.mask}};
  } else {
    throw fmt::format("{}: {} policies have masks with == alone, not with {}", words_of(rule),
                      language, sign_of(test.comparison));
  }
  out["val"] = test.value;
  return out;
}

WrittenPolicy document(const Policy& policy, bool firecracker) {
  const std::string_view language = firecracker ? "firecracker" : "seccompiler";
  const Arch arch = only_arch(policy, language);
  if (std::ranges::find(kSeccompilerMachines, arch) == kSeccompilerMachines.end()) {
    no_policies_for(arch, language);
  }
  WrittenPolicy out;
  note_others(policy, language, firecracker ? kKillThreadValue : kKillProcessValue,
              firecracker ? X32Calls::AsForeign : X32Calls::Numbers, out.notes);
  const ordered_json otherwise = action(policy.default_value, "the default", language);
  std::optional<std::uint32_t> value;
  ordered_json list = ordered_json::array();
  for (const NumberRules& call : rules_by_number(policy, arch)) {
    const std::string_view name = needed_name(policy, call, arch, language);
    // Without tests it fits whatever the others are about; to seccompiler it would be lost.
    const bool all = call.rules.back().tests.empty();
    for (const ResolvedRule& each : call.rules) {
      const Rule& rule = policy.rules[each.rule];
      if (value && *value != each.value) {
        throw fmt::format("{}: {} policies have one action for all rules, and this has another",
                          words_of(rule), language);
      }
      value = each.value;
      if (all && !each.tests.empty()) continue;
      ordered_json row{{"syscall", name}};
      for (const ArgTest& test : each.tests) {
        row["args"].push_back(condition(test, rule, language));
      }
      list.push_back(std::move(row));
    }
  }
  // Both actions differ to seccompiler, whether a rule has one or not.
  if (!value) value = policy.default_value == kAllowValue ? kKillProcessValue : kAllowValue;
  const auto first = policy.rules.empty() ? std::string("the rules") : words_of(policy.rules[0]);
  ordered_json filter;
  filter[firecracker ? "default_action" : "mismatch_action"] = otherwise;
  filter[firecracker ? "filter_action" : "match_action"] = action(*value, first, language);
  filter["filter"] = std::move(list);
  out.text = ordered_json{{"main", std::move(filter)}}.dump(2) + "\n";
  return out;
}

}  // namespace

Written write_seccompiler(const Policy& policy) {
  return written([&] { return document(policy, false); });
}

Written write_firecracker(const Policy& policy) {
  return written([&] { return document(policy, true); });
}

}  // namespace callgate::front_ends
