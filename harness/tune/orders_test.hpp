#pragma once

// What tests of orders share.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/front_ends/lower.hpp"
#include "harness/random/generator.hpp"
#include "harness/tune/call_weights.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::tune {

using front_ends::ArgTest;
using front_ends::CallPriority;
using front_ends::Comparison;
using front_ends::kAllBits;
using front_ends::LibseccompOptions;
using front_ends::Policy;
using front_ends::Rule;

inline constexpr std::uint32_t kAllow = 0x7fff0000U;
inline constexpr std::uint32_t kEperm = 0x00050001U;
inline constexpr std::uint32_t kNoRule = 9999;

inline Policy policy_of(std::vector<Rule> rules, Arch arch = Arch::X86_64) {
  Policy policy;
  policy.default_value = kEperm;
  policy.foreign_value = 0;
  policy.arches = {arch};
  policy.rules = std::move(rules);
  policy.multiplexed = true;
  return policy;
}

inline Rule allow(std::string_view name, std::vector<ArgTest> tests = {}) {
  return {.syscall = std::string(name), .value = kAllow, .tests = std::move(tests)};
}

// The numbers that a call without a rule is compared with, as names, in order.
struct Asked {
  const Program& program;
  std::vector<std::string> names{};

  void step(const reference::Step& step) {
    const Instruction& at = program[step.at];
    if (at.code != static_cast<std::uint16_t>(Opcode::JeqK) || step.a != kNoRule) return;
    names.emplace_back(syscall_name(Arch::X86_64, at.k).value_or("?"));
  }
};

inline std::vector<std::string> asked(const Program& program) {
  Asked out{program};
  SeccompData data;
  data.nr = kNoRule;
  data.arch = info(Arch::X86_64).token;
  const auto result = reference::run(program, data, KernelModel{}, out);
  EXPECT_EQ(result.fault, reference::Fault::None);
  // -1 is compared before all calls.
  std::erase(out.names, "?");
  return out.names;
}

inline std::vector<std::string> asked(const Policy& policy,
                                      std::vector<CallPriority> priorities = {},
                                      bool tree = false) {
  LibseccompOptions options;
  options.binary_tree = tree;
  options.priorities = std::move(priorities);
  const auto program = lower_libseccomp(policy, options);
  EXPECT_TRUE(program) << program.error().message;
  return asked(program.value_or(Program()));
}

inline CallPriority priority(std::string_view name, std::uint8_t value) {
  return {std::string(name), {}, value};
}

inline constexpr ArgTest kIsThree{0, Comparison::Equal, 3, kAllBits};
inline constexpr ArgTest kIsFour{1, Comparison::Equal, 4, kAllBits};

// Instructions that calls without arguments take, each as often as it weighs.
inline double instructions(const std::vector<Program>& programs, const CallWeights& weights) {
  double out = 0;
  for (const auto& [name, weight] : weights) {
    SeccompData data;
    data.nr = static_cast<std::int32_t>(syscall_number(Arch::X86_64, name).value_or(kNoRule));
    data.arch = info(Arch::X86_64).token;
    for (const Program& program : programs) {
      const auto result = reference::run(program, data, KernelModel{});
      EXPECT_EQ(result.fault, reference::Fault::None);
      out += weight * static_cast<double>(result.executed);
    }
  }
  return out;
}

inline CallWeights random_weights(random::Source& source, const Policy& policy) {
  CallWeights out;
  for (const Rule& rule : policy.rules) {
    if (!rule.syscall.empty() && !source.one_in(3)) out[rule.syscall] = 1 + source.below(1000);
  }
  return out;
}

inline KernelModel model_of(const Policy& policy) {
  KernelModel out;
  out.arch = policy.arches.front();
  return out;
}

}  // namespace callgate::tune
