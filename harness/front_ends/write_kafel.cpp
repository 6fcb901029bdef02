// Policies in kafel's language: the rules of each number one after the other, arguments declared,
// since undeclared ones have fewer bytes than a policy's tests look at.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/policy_writing.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::string_view kKnownNames[] = {
#define KAFEL_CALL(name, number, arguments) #name,
#include "harness/front_ends/kafel_calls.def"
#undef KAFEL_CALL
};

constexpr std::array<std::string_view, 7> kDeclared = {
    "", "(a)", "(a, b)", "(a, b, c)", "(a, b, c, d)", "(a, b, c, d, e)", "(a, b, c, d, e, f)"};

std::string action(std::uint32_t value, std::string_view of) {
  const std::uint32_t data = value & kDataMask;
  switch (value & kActionMask) {
    case kErrnoValue:
      return fmt::format("ERRNO({})", data);
    case kTraceValue:
      return fmt::format("TRACE({})", data);
    case kTrapValue:
      return fmt::format("TRAP({})", data);
    default:
      break;
  }
  if (value == kAllowValue) return "ALLOW";
  if (value == kLogValue) return "LOG";
  if (value == kUserNotifValue) return "USER_NOTIF";
  if (value == kKillThreadValue) return "KILL_THREAD";
  if (value == kKillProcessValue) return "KILL_PROCESS";
  no_word_for(value, of, "kafel");
}

std::string test_words(const ArgTest& test) {
  const char argument = static_cast<char>('a' + test.index);
  if (test.mask == kAllBits) {
    return fmt::format("{} {} 0x{:x}", argument, sign_of(test.comparison), test.value);
  }
  return fmt::format("({} & 0x{:x}) {} 0x{:x}", argument, test.mask, sign_of(test.comparison),
                     test.value);
}

std::string call_words(const NumberRules& call, const ResolvedRule& rule, Arch arch) {
  const bool known = !call.name.empty() &&
                     (arch != Arch::X86_64 ||
                      std::ranges::find(kKnownNames, call.name) != std::ranges::end(kKnownNames));
  std::string out = known ? std::string(call.name) : fmt::format("SYSCALL[{}]", call.nr);
  std::string tests;
  std::size_t arguments = 0;
  for (const ArgTest& test : rule.tests) {
    arguments = std::max<std::size_t>(arguments, test.index + 1);
    tests += (tests.empty() ? "" : " && ") + test_words(test);
  }
  if (tests.empty()) return out;
  return fmt::format("{}{} {{ {} }}", out, kDeclared[arguments], tests);
}

WrittenPolicy text_of(const Policy& policy) {
  const Arch arch = only_arch(policy, "kafel");
  if (std::ranges::find(kKafelMachines, arch) == kKafelMachines.end()) {
    no_policies_for(arch, "kafel");
  }
  WrittenPolicy out;
  note_others(policy, "kafel", kKillThreadValue, X32Calls::Numbers, out.notes);
  // Blocks of one action each; the order of rules about other numbers does not matter.
  std::vector<std::pair<std::string, std::string>> blocks;
  for (const NumberRules& call : rules_by_number(policy, arch)) {
    for (const ResolvedRule& rule : call.rules) {
      std::string does = action(rule.value, words_of(policy.rules[rule.rule]));
      const std::string words = call_words(call, rule, arch);
      if (blocks.empty() || blocks.back().first != does) {
        blocks.emplace_back(std::move(does), words);
      } else {
        blocks.back().second += ",\n    " + words;
      }
    }
  }
  std::string body;
  for (const auto& [does, calls] : blocks) {
    body += fmt::format("{}  {} {{\n    {}\n  }}", body.empty() ? "" : ",\n", does, calls);
  }
  out.text = fmt::format("POLICY main {{\n{}{}}}\nUSE main\nDEFAULT {}\n", body,
                         body.empty() ? "" : "\n", action(policy.default_value, "the default"));
  return out;
}

}  // namespace

Written write_kafel(const Policy& policy) {
  return written([&] { return text_of(policy); });
}

}  // namespace callgate::front_ends
