// Policies as minijail's: for libminijail itself, where a line's tests allow and what follows the
// semicolon is for the rest, and for its compiler, where each part has an action of its own.

#include <fmt/format.h>

#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/policy_writing.hpp"

namespace callgate::front_ends {
namespace {

std::string test_words(const ArgTest& test, const Rule& rule, std::string_view language) {
  if (test.mask == kAllBits) {
    return fmt::format("arg{} {} 0x{:x}", test.index, sign_of(test.comparison), test.value);
  }
  const bool in = test.comparison == Comparison::Equal;
  if (test.value == 0 && (in || test.comparison == Comparison::NotEqual)) {
    return fmt::format("arg{} {} 0x{:x}", test.index, in ? "in" : "&", in ? ~test.mask : test.mask);
  }
  throw fmt::format("{}: {} policies have masks with == 0 and != 0 alone", words_of(rule),
                    language);
}

std::string tests_words(const Policy& policy, const ResolvedRule& rule, Arch arch,
                        std::string_view language) {
  std::string out;
  for (ArgTest test : rule.tests) {
    // A number has as many bits as a long has.
    if (info(arch).bits == 32 && test.mask != kAllBits) test.mask |= ~std::uint64_t{0xffffffffU};
    if (info(arch).bits == 32 && test.comparison == Comparison::NotEqual) {
      test.mask = test.mask == kAllBits ? kAllBits : test.mask & 0xffffffffU;
    }
    out += out.empty() ? "" : " && ";
    out += test_words(test, policy.rules[rule.rule], language);
  }
  return out;
}

WrittenPolicy begun(const Policy& policy, std::string_view language) {
  WrittenPolicy out;
  note_others(policy, language, kKillThreadValue, X32Calls::Numbers, out.notes);
  return out;
}

std::string returned(std::uint32_t value, const Rule& rule) {
  if ((value & kActionMask) != kErrnoValue) no_word_for(value, words_of(rule), "minijail");
  return fmt::format("return {}", value & kDataMask);
}

std::string line_of(const Policy& policy, const NumberRules& call, Arch arch) {
  std::string tests;
  for (const ResolvedRule& each : call.rules) {
    const Rule& rule = policy.rules[each.rule];
    if (each.tests.empty()) {
      if (tests.empty()) return each.value == kAllowValue ? "1" : returned(each.value, rule);
      if (each.value == kAllowValue) return "1";
      return tests + "; " + returned(each.value, rule);
    }
    if (each.value != kAllowValue) {
      throw fmt::format(
          "{}: minijail policies allow what passes tests, and do nothing else with "
          "it; minijail-compiler has words for it",
          words_of(rule));
    }
    tests += (tests.empty() ? "" : " || ") + tests_words(policy, each, arch, "minijail");
  }
  return tests;
}

WrittenPolicy for_libminijail(const Policy& policy) {
  const Arch arch = only_arch(policy, "minijail");
  if (!minijail_runs_on(arch)) no_policies_for(arch, "minijail");
  WrittenPolicy out = begun(policy, "minijail");
  if (policy.default_value != kKillThreadValue) {
    no_word_for(policy.default_value, "the default", "minijail");
  }
  for (const NumberRules& call : rules_by_number(policy, arch)) {
    out.text += fmt::format("{}: {}\n", needed_name(policy, call, arch, "minijail"),
                            line_of(policy, call, arch));
  }
  return out;
}

constexpr std::string_view kCompiler = "minijail-compiler";

std::string action(std::uint32_t value, std::string_view of) {
  if ((value & kActionMask) == kErrnoValue) return fmt::format("return {}", value & kDataMask);
  if (value == kAllowValue) return "allow";
  if (value == kKillProcessValue) return "kill-process";
  if (value == kKillThreadValue) return "kill-thread";
  if (value == kTrapValue) return "trap";
  if (value == kTraceValue) return "trace";
  if (value == kLogValue) return "log";
  if (value == kUserNotifValue) return "user-notify";
  no_word_for(value, of, kCompiler);
}

std::string filters_of(const Policy& policy, const NumberRules& call, Arch arch) {
  const bool all = call.rules.back().tests.empty() && call.rules.back().value == kAllowValue;
  std::vector<std::string> parts;
  for (const ResolvedRule& each : call.rules) {
    const Rule& rule = policy.rules[each.rule];
    if (all && each.value != kAllowValue) {
      throw fmt::format(
          "{}: the call is allowed where this does not fit, and the compiler drops "
          "tests before that",
          words_of(rule));
    }
    if (all && !each.tests.empty()) continue;
    const std::string does = action(each.value, words_of(rule));
    parts.push_back(each.tests.empty()
                        ? does
                        : fmt::format("{}; {}", tests_words(policy, each, arch, kCompiler), does));
  }
  if (parts.size() == 1) return parts.front();
  return fmt::format("{{ {} }}", fmt::join(parts, ", "));
}

WrittenPolicy for_compiler(const Policy& policy) {
  const Arch arch = only_arch(policy, kCompiler);
  if (!minijail_runs_on(arch)) no_policies_for(arch, kCompiler);
  WrittenPolicy out = begun(policy, kCompiler);
  const std::uint32_t otherwise = policy.default_value;
  if (otherwise != kKillThreadValue && otherwise != kKillProcessValue && otherwise != kTrapValue &&
      otherwise != kUserNotifValue) {
    no_word_for(otherwise, "the default", kCompiler);
  }
  out.text = fmt::format("@default {}\n", action(otherwise, "the default"));
  for (const NumberRules& call : rules_by_number(policy, arch)) {
    out.text += fmt::format("{}: {}\n", needed_name(policy, call, arch, kCompiler),
                            filters_of(policy, call, arch));
  }
  return out;
}

}  // namespace

Written write_minijail(const Policy& policy) {
  return written([&] { return for_libminijail(policy); });
}

Written write_minijail_compiler(const Policy& policy) {
  return written([&] { return for_compiler(policy); });
}

}  // namespace callgate::front_ends
