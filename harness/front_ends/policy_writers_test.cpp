// Policies are written, read again as the tool would read them, and say the same; what a language
// has no words for is refused, and named.

#include "harness/front_ends/policy_writers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/random/policies.hpp"
#include "harness/report/words.hpp"

namespace callgate::front_ends {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kErrno5 = kErrnoValue | 5U;
constexpr std::uint32_t kTrap7 = kTrapValue | 7U;

/// What a language can say.
struct Language {
  std::string_view name;
  std::vector<std::vector<Arch>> arches;
  std::vector<std::uint32_t> defaults;
  std::vector<std::uint32_t> values;  ///< of rules with tests
  std::vector<std::uint32_t> always;  ///< of rules without
  std::uint32_t foreign = kKillThreadValue;
  X32Calls x32 = X32Calls::Numbers;
  bool one_value = false;         ///< all rules have the same
  bool masks_with_zero = false;   ///< masked bits are compared with 0 alone
  bool masks_with_other = false;  ///< != too, not == alone
  bool masks_with_all = false;    ///< whatever the comparison
  bool by_libseccomp = false;
};

const std::vector<Language>& languages() {
  static const std::vector<Language> kLanguages = {
      {.name = "minijail",
       .arches = {{Arch::X86_64}, {Arch::X86}, {Arch::AArch64}, {Arch::Arm}},
       .defaults = {kKillThreadValue},
       .values = {kAllowValue},
       .always = {kAllowValue, kErrno5, kErrnoValue},
       .masks_with_zero = true,
       .masks_with_other = true},
      {.name = "minijail-compiler",
       .arches = {{Arch::X86_64}, {Arch::X86}, {Arch::AArch64}, {Arch::Arm}},
       .defaults = {kKillThreadValue, kKillProcessValue, kTrapValue, kUserNotifValue},
       .values = {kAllowValue, kErrno5, kLogValue, kTraceValue, kTrapValue, kUserNotifValue,
                  kKillThreadValue, kKillProcessValue},
       .always = {kErrno5, kLogValue, kTraceValue, kTrapValue},
       .masks_with_zero = true,
       .masks_with_other = true},
      {.name = "kafel",
       .arches = {{Arch::X86_64}, {Arch::X86}, {Arch::AArch64}, {Arch::Riscv64}},
       .defaults = {kAllowValue, kErrno5, kLogValue, kTrap7, kKillProcessValue},
       .values = {kAllowValue, kErrno5, kTrap7, kTraceValue | 9U, kUserNotifValue, kLogValue},
       .always = {kAllowValue, kErrno5, kTrap7, kTraceValue | 9U, kUserNotifValue, kLogValue},
       .masks_with_all = true},
      {.name = "seccompiler",
       .arches = {{Arch::X86_64}, {Arch::AArch64}, {Arch::Riscv64}},
       .defaults = {kAllowValue, kErrno5, kLogValue, kTrapValue, kKillProcessValue},
       .values = {kAllowValue, kErrnoValue | 9U, kTraceValue | 9U, kKillThreadValue},
       .always = {kAllowValue, kErrnoValue | 9U, kTraceValue | 9U, kKillThreadValue},
       .foreign = kKillProcessValue,
       .one_value = true},
      {.name = "firecracker",
       .arches = {{Arch::X86_64}, {Arch::AArch64}},
       .defaults = {kErrno5, kTrapValue, kKillProcessValue},
       .values = {kAllowValue, kErrnoValue | 9U},
       .always = {kAllowValue, kErrnoValue | 9U},
       .x32 = X32Calls::AsForeign,
       .one_value = true,
       .by_libseccomp = true},
      {.name = "lxc",
       .arches = {{Arch::X86_64, Arch::X86, Arch::X32}, {Arch::AArch64, Arch::Arm}},
       .defaults = {kErrno5, kTrapValue, kAllowValue},
       .values = {kErrnoValue | 9U, kKillThreadValue},
       .always = {kErrnoValue | 9U, kKillThreadValue},
       .x32 = X32Calls::AsForeign,
       .by_libseccomp = true}};
  return kLanguages;
}

template <typename T>
const T& one_of(random::Source& source, const std::vector<T>& from) {
  return from[source.below(static_cast<std::uint32_t>(from.size()))];
}

// A random policy, led to what a language has words for.
Policy policy_for(random::Source& source, const Language& language) {
  Policy out = random::policy(source);
  out.arches = one_of(source, language.arches);
  out.default_value = one_of(source, language.defaults);
  out.foreign_value = language.foreign;
  out.x32 = language.x32;
  out.multiplexed = language.by_libseccomp;
  const std::uint32_t usual = one_of(source, language.values);
  for (Rule& rule : out.rules) {
    rule.value = one_of(source, rule.tests.empty() ? language.always : language.values);
    if (language.one_value) rule.value = usual;
    for (ArgTest& test : rule.tests) {
      if (language.masks_with_all && source.one_in(3)) test.mask = 0xff00ff00ff0fU;
      if (test.mask == kAllBits) continue;
      if (language.masks_with_zero) test.value = 0;
      if (language.masks_with_other && source.one_in(2)) test.comparison = Comparison::NotEqual;
    }
  }
  return out;
}

std::string said(const Disagreement& each, const KernelModel& model) {
  return report::call_name(each.data) + " gets " + report::verdict_words(each.said.value, model) +
         ", and " + report::verdict_words(each.value, model);
}

// Empty where a text says what its policy says.
std::string wrong(const Policy& policy, const PolicyWriterRow& writer, const std::string& text) {
  KernelModel model;
  model.arch = policy.arches.front();
  const auto again = read_again(policy, writer, text, model);
  if (!again) return std::string(writer.name) + " refuses it: " + again.error() + "\n" + text;
  if (again->empty()) return {};
  return said(again->front(), model) + " as " + std::string(writer.name) + "\n" + text;
}

class Written : public testing::TestWithParam<std::size_t> {
 protected:
  const Language& language() const { return languages()[GetParam()]; }
  const PolicyWriterRow& writer() const { return *find_policy_writer(language().name); }
};

TEST_P(Written, what_a_language_can_say_is_read_again_as_the_same) {
  random::Source source(21);
  int compared = 0;
  for (int i = 0; i < (language().by_libseccomp ? 150 : 600); ++i) {
    const Policy policy = policy_for(source, language());
    if (language().by_libseccomp) {
      // Of these libseccomp's program is not what the policy says.
      if (!lower_libseccomp(policy, {.exact = language().name == "lxc", .seconds = 1})) continue;
      if (!departures(policy, false, 1).empty()) continue;
    }
    const auto text = writer().write(policy);
    ASSERT_TRUE(text) << text.error();
    EXPECT_THAT(text->notes, testing::IsEmpty());
    ASSERT_EQ(wrong(policy, writer(), text->text), "");
    ++compared;
  }
  EXPECT_GT(compared, language().by_libseccomp ? 5 : 500);
}

TEST_P(Written, of_any_policy_nothing_is_lost_without_a_word) {
  random::Source source(22);
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    Policy policy = random::policy(source);
    if (i % 2 == 0) policy.arches = language().arches.front();
    if (i % 4 == 0) policy = policy_for(source, language());
    if (i % 4 == 0 && !policy.rules.empty()) policy.rules.back().value = kTrap7 + 1;
    const auto text = writer().write(policy);
    if (!text) {
      ++refused;
      const bool names =
          text.error().starts_with("the default: ") || text.error().find("architecture") < 60 ||
          std::ranges::any_of(
              policy.rules,
              [&](const Rule& rule) { return text.error().starts_with(rule.syscall + ": "); });
      EXPECT_TRUE(names) << text.error();
    } else if (text->notes.empty() && !language().by_libseccomp) {
      ASSERT_EQ(wrong(policy, writer(), text->text), "");
    }
  }
  EXPECT_GT(refused, 100);
}

INSTANTIATE_TEST_SUITE_P(Languages, Written, testing::Range<std::size_t>(0, languages().size()),
                         [](const auto& at) {
                           std::string name(languages()[at.param].name);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

Policy small(std::uint32_t otherwise, std::vector<Rule> rules) {
  Policy out;
  out.arches = {Arch::X86_64};
  out.default_value = otherwise;
  out.rules = std::move(rules);
  return out;
}

std::string refusal(std::string_view language, const Policy& policy) {
  const auto text = find_policy_writer(language)->write(policy);
  return text ? "written" : text.error();
}

TEST(PolicyWriters, name_the_rule_that_they_have_no_words_for) {
  const std::vector<ArgTest> two = {{.index = 1, .value = 2}};
  const std::vector<ArgTest> bits = {{.index = 1, .value = 2, .mask = 3}};
  const std::vector<ArgTest> order = {
      {.index = 1, .comparison = Comparison::Less, .value = 2, .mask = 3}};
  const auto one = [&](std::uint32_t value, std::vector<ArgTest> tests = {}) {
    return small(kKillThreadValue, {{.syscall = "read",
                                     .value = value,
                                     .tests = std::move(tests),
                                     .place = {.line = 4, .column = 1}}});
  };
  EXPECT_THAT(refusal("minijail", one(kErrno5, two)),
              HasSubstr("read (line 4): minijail policies"));
  EXPECT_THAT(refusal("minijail", one(kLogValue)), HasSubstr("no word for LOG"));
  EXPECT_THAT(refusal("minijail", one(kAllowValue, bits)), HasSubstr("masks with == 0"));
  EXPECT_THAT(refusal("minijail", small(kErrno5, {})), HasSubstr("the default: "));
  EXPECT_THAT(refusal("minijail-compiler", one(kTrap7)), HasSubstr("no word for TRAP with 7"));
  EXPECT_THAT(refusal("minijail-compiler", one(kAllowValue, order)), HasSubstr("masks with"));
  EXPECT_THAT(refusal("minijail-compiler", small(kAllowValue, {})), HasSubstr("the default: "));
  EXPECT_THAT(refusal("kafel", one(kAllowValue | 1U)), HasSubstr("no word for ALLOW with 1"));
  EXPECT_THAT(refusal("seccompiler", one(kTrap7)), HasSubstr("no word for TRAP with 7"));
  EXPECT_THAT(refusal("seccompiler", one(kAllowValue, order)), HasSubstr("masks with == alone"));
  EXPECT_THAT(refusal("firecracker", one(kUserNotifValue)), HasSubstr("no word for USER_NOTIF"));
  EXPECT_THAT(refusal("lxc", one(kAllowValue)), HasSubstr("the architectures"));
  Policy several = small(kKillThreadValue, {{.syscall = "read", .value = kAllowValue},
                                            {.syscall = "write", .value = kErrno5}});
  EXPECT_THAT(refusal("seccompiler", several), HasSubstr("write: seccompiler policies have one"));
  several.rules = {{.number = 999, .value = kAllowValue}};
  for (const auto* const each : {"minijail", "minijail-compiler", "seccompiler", "firecracker"}) {
    EXPECT_THAT(refusal(each, several), HasSubstr("syscall 999: "));
  }
  EXPECT_EQ(refusal("kafel", several), "written");
  several.arches = {Arch::X86_64, Arch::X86, Arch::X32};
  EXPECT_THAT(refusal("lxc", several), HasSubstr("syscall 999: lxc policies have names alone"));
  several.rules = {{.syscall = "read", .value = kKillThreadValue}};
  EXPECT_THAT(refusal("lxc", several), HasSubstr("read: it says what the default does"));
  several.rules = {{.syscall = "read", .value = kAllowValue, .arches = {Arch::X86}}};
  EXPECT_THAT(refusal("lxc", several), HasSubstr("not for x86_64"));
  EXPECT_THAT(refusal("kafel", several), HasSubstr("of one architecture, and this is of x86_64"));
}

TEST(PolicyWriters, say_what_becomes_of_other_calls) {
  Policy policy = small(kKillThreadValue, {{.syscall = "read", .value = kAllowValue}});
  policy.foreign_value = kErrno5;
  const auto text = find_policy_writer("minijail")->write(policy);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->text, "read: 1\n");
  EXPECT_THAT(text->notes, testing::ElementsAre(HasSubstr("get KILL_THREAD from a minijail filter"),
                                                HasSubstr("x32 calls are foreign ones here")));
}

}  // namespace
}  // namespace callgate::front_ends
