#include "harness/front_ends/telling_calls.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "vm/reference.hpp"

namespace callgate::front_ends {
namespace {

// An argument that passes a test, if any does.
std::uint64_t passing(const ArgTest& test) {
  switch (test.comparison) {
    case Comparison::Equal:
    case Comparison::LessEqual:
    case Comparison::GreaterEqual:
      return test.value;
    case Comparison::NotEqual:
      return test.value ^ (test.mask & (0 - test.mask));
    case Comparison::Less:
      return test.value - 1;
    case Comparison::Greater:
      return test.value + 1;
  }
  return test.value;
}

SeccompData fitting_call(const ResolvedRule& rule, Arch arch) {
  SeccompData data{.nr = static_cast<std::int32_t>(rule.nr), .arch = info(arch).token};
  for (const ArgTest& test : rule.tests) data.args[test.index] = passing(test);
  return data;
}

using Words = std::array<std::set<std::uint64_t>, 6>;

// What each argument may be to tell rules apart.
Words words_of(const std::vector<ResolvedRule>& rules) {
  Words out;
  for (const ResolvedRule& rule : rules) {
    for (const ArgTest& test : rule.tests) {
      std::set<std::uint64_t>& words = out[test.index];
      words.insert({0, kAllBits, test.value, test.value - 1, test.value + 1,
                    test.value ^ 0x100000000U, test.value | ~test.mask, test.value ^ test.mask});
    }
  }
  return out;
}

}  // namespace

std::vector<SeccompData> telling_calls(const Policy& policy, std::size_t limit) {
  std::vector<SeccompData> out;
  const auto add = [&](const SeccompData& data) {
    if (out.size() < limit) out.push_back(data);
  };
  for (const Arch arch : policy.arches) {
    std::map<std::uint32_t, std::vector<ResolvedRule>> by_number;
    for (ResolvedRule& rule : resolve(policy, arch)) {
      by_number[rule.nr].push_back(std::move(rule));
    }
    add({.nr = static_cast<std::int32_t>(info(arch).number_base + 999), .arch = info(arch).token});
    add({.nr = -1, .arch = info(arch).token});
    for (const auto& [nr, rules] : by_number) {
      const Words words = words_of(rules);
      for (const ResolvedRule& rule : rules) {
        const SeccompData base = fitting_call(rule, arch);
        add(base);
        for (std::size_t index = 0; index < words.size(); ++index) {
          for (const std::uint64_t word : words[index]) {
            SeccompData data = base;
            data.args[index] = word;
            add(data);
          }
        }
        if (out.size() == limit) return out;
      }
    }
  }
  add({.nr = 0, .arch = 0});
  return out;
}

std::vector<Disagreement> disagreements(const Policy& policy, const Program& program,
                                        const KernelModel& model, std::size_t limit) {
  std::vector<Disagreement> out;
  const PolicyEvaluator evaluator(policy);
  for (const SeccompData& data : telling_calls(policy)) {
    const Decision said = evaluator.evaluate(data);
    if (!said.unknown.empty()) continue;
    const reference::Result result = reference::run(program, data, model);
    if (result.fault == reference::Fault::None && result.value == said.value) continue;
    const bool again =
        !out.empty() && out.back().data.nr == data.nr && out.back().data.arch == data.arch;
    if (again) continue;
    if (out.size() == limit) break;
    out.push_back({data, said, result.value});
  }
  return out;
}

}  // namespace callgate::front_ends
