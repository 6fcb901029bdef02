#include "harness/front_ends/policy_writing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

// The test as it is on words of this width; true or false where it always comes to that.
struct Narrowed {
  ArgTest test;
  std::optional<bool> always{};
};

Narrowed narrowed(ArgTest test, bool low_words) {
  const std::uint64_t width = low_words ? 0xffffffffU : kAllBits;
  test.value &= width;
  if ((test.mask & width) == width) test.mask = kAllBits;
  if (test.mask == kAllBits) return {test};
  test.mask &= width;
  const bool order =
      test.comparison != Comparison::Equal && test.comparison != Comparison::NotEqual;
  if (!order && (test.value & ~test.mask) != 0) {
    return {test, test.comparison == Comparison::NotEqual};
  }
  if (!order && test.mask == 0) return {test, test.comparison == Comparison::Equal};
  return {test};
}

// Nothing where it never fits.
std::optional<ResolvedRule> narrowed(const ResolvedRule& rule, bool low_words) {
  ResolvedRule out{rule.nr, {}, rule.value, rule.rule};
  for (const ArgTest& each : rule.tests) {
    const Narrowed made = narrowed(each, low_words);
    if (made.always == false) return std::nullopt;
    if (!made.always) out.tests.push_back(made.test);
  }
  return out;
}

}  // namespace

std::vector<NumberRules> rules_by_number(const Policy& policy, Arch arch) {
  std::vector<NumberRules> out;
  for (const ResolvedRule& each : resolve(policy, arch)) {
    const auto rule = narrowed(each, info(arch).bits == 32);
    if (!rule) continue;
    auto at = std::ranges::find(out, rule->nr, &NumberRules::nr);
    if (at == out.end()) {
      out.push_back({rule->nr, syscall_name(arch, rule->nr).value_or("")});
      at = out.end() - 1;
    }
    const bool decided = !at->rules.empty() && at->rules.back().tests.empty();
    if (!decided) at->rules.push_back(*rule);
  }
  for (NumberRules& each : out) {
    while (!each.rules.empty() && each.rules.back().value == policy.default_value) {
      each.rules.pop_back();
    }
  }
  std::erase_if(out, [](const NumberRules& each) { return each.rules.empty(); });
  return out;
}

std::string words_of(const Rule& rule) {
  const std::string name =
      rule.number ? fmt::format("syscall {}", *rule.number) : std::string(rule.syscall);
  return rule.place.line == 0 ? name : fmt::format("{} (line {})", name, rule.place.line);
}

Arch only_arch(const Policy& policy, std::string_view language) {
  if (policy.arches.size() == 1) return policy.arches.front();
  std::string names;
  for (const Arch each : policy.arches) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", info(each).name);
  }
  throw fmt::format("{} policies are of one architecture, and this is of {}", language, names);
}

void no_policies_for(Arch arch, std::string_view language) {
  throw fmt::format("{} has no policies for the architecture {}", language, info(arch).name);
}

std::string_view needed_name(const Policy& policy, const NumberRules& rules, Arch arch,
                             std::string_view language) {
  if (!rules.name.empty()) return rules.name;
  throw fmt::format("{}: {} policies have names alone, and {} has none for {}",
                    words_of(policy.rules[rules.rules.front().rule]), language, info(arch).name,
                    rules.nr);
}

void note_others(const Policy& policy, std::string_view language, std::uint32_t foreign,
                 X32Calls x32, std::vector<std::string>& notes) {
  if (policy.foreign_value != foreign) {
    const ActionInfo* row = find_action(foreign);
    notes.push_back(
        fmt::format("calls of other architectures get {} from a {} filter; here it is something "
                    "else",
                    row == nullptr ? "something" : row->name, language));
  }
  const auto has = [&](Arch arch) {
    return std::ranges::find(policy.arches, arch) != policy.arches.end();
  };
  if (policy.x32 != x32 && has(Arch::X86_64) && !has(Arch::X32)) {
    notes.push_back(x32 == X32Calls::Numbers
                        ? fmt::format("x32 calls are foreign ones here; to a {} filter they are "
                                      "numbers as others",
                                      language)
                        : fmt::format("x32 calls are foreign ones to a {} filter; here they are "
                                      "numbers as others",
                                      language));
  }
}

void no_word_for(std::uint32_t value, std::string_view of, std::string_view language) {
  const ActionInfo* row = find_action(value & kActionMask);
  if (row == nullptr) {
    throw fmt::format("{}: {} policies have no word for the value 0x{:08x}", of, language, value);
  }
  const std::uint32_t data = value & kDataMask;
  throw data == 0 ? fmt::format("{}: {} policies have no word for {} here", of, language, row->name)
                  : fmt::format("{}: {} policies have no word for {} with {} here", of, language,
                                row->name, data);
}

std::string_view libseccomp_word(Comparison comparison) noexcept {
  switch (comparison) {
    case Comparison::Equal:
      return "SCMP_CMP_EQ";
    case Comparison::NotEqual:
      return "SCMP_CMP_NE";
    case Comparison::Less:
      return "SCMP_CMP_LT";
    case Comparison::LessEqual:
      return "SCMP_CMP_LE";
    case Comparison::Greater:
      return "SCMP_CMP_GT";
    case Comparison::GreaterEqual:
      return "SCMP_CMP_GE";
  }
  return "";
}

}  // namespace callgate::front_ends
