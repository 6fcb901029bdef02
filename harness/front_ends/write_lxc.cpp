// Policies as LXC's of version 2: rules about names, for all architectures that the machine runs.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/policy_writing.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

std::string action(std::uint32_t value, std::string_view of) {
  if ((value & kActionMask) == kErrnoValue) return fmt::format("errno {}", value & kDataMask);
  if (value == kAllowValue) return "allow";
  if (value == kKillThreadValue) return "kill";
  if (value == kTrapValue) return "trap";
  if (value == kUserNotifValue) return "notify";
  no_word_for(value, of, "lxc");
}

std::string tests_words(const Rule& rule) {
  std::string out;
  std::array<bool, 6> seen{};
  for (const ArgTest& test : rule.tests) {
    if (std::exchange(seen[test.index], true)) {
      throw fmt::format("{}: args[{}] is tested twice, which libseccomp refuses", words_of(rule),
                        test.index);
    }
    if (test.mask == kAllBits) {
      out +=
          fmt::format(" [{},0x{:x},{}]", test.index, test.value, libseccomp_word(test.comparison));
    } else if (test.comparison == Comparison::Equal) {
      out +=
          fmt::format(" [{},0x{:x},SCMP_CMP_MASKED_EQ,0x{:x}]", test.index, test.value, test.mask);
    } else {
      throw fmt::format("{}: lxc policies have masks with == alone, not with {}", words_of(rule),
                        sign_of(test.comparison));
    }
  }
  return out;
}

// LXC gives a rule to every architecture that has the call.
void require_everywhere(const Policy& policy, const Rule& rule) {
  if (rule.arches.empty()) return;
  for (const Arch arch : policy.arches) {
    if (std::ranges::find(rule.arches, arch) != rule.arches.end()) continue;
    if (libseccomp_number(arch, rule.syscall).value_or(-1) < 0) continue;
    throw fmt::format(
        "{}: lxc policies have no rules for some architectures alone, and this is "
        "not for {}",
        words_of(rule), info(arch).name);
  }
}

WrittenPolicy text_of(const Policy& policy) {
  WrittenPolicy out;
  const std::vector<Arch> arches = lxc_arches(policy.arches.front());
  if (policy.arches != arches) {
    std::string names;
    for (const Arch each : arches) names += fmt::format(" {}", info(each).name);
    throw fmt::format("the architectures: LXC makes filters of all that the machine runs:{}",
                      names);
  }
  note_others(policy, "lxc", kKillThreadValue, X32Calls::AsForeign, out.notes);
  out.text = fmt::format("2\nallowlist {}\n[all]\n", action(policy.default_value, "the default"));
  for (const Rule& rule : policy.rules) {
    if (rule.number) {
      throw fmt::format("{}: lxc policies have names alone", words_of(rule));
    }
    if (rule.value == policy.default_value) {
      throw fmt::format("{}: it says what the default does, which libseccomp refuses",
                        words_of(rule));
    }
    require_everywhere(policy, rule);
    out.text += fmt::format("{} {}{}\n", rule.syscall, action(rule.value, words_of(rule)),
                            tests_words(rule));
  }
  return out;
}

}  // namespace

Written write_lxc(const Policy& policy) {
  return written([&] { return text_of(policy); });
}

}  // namespace callgate::front_ends
