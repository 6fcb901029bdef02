// What a policy says without BPF, what the plain program says and what libseccomp's says.

#include "harness/front_ends/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/front_ends/lower.hpp"
#include "harness/random/policies.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kEperm = 0x00050001U;
constexpr std::uint32_t kTrap = 0x00030000U;

Policy policy_for(Arch arch, std::vector<Rule> rules) {
  Policy policy;
  policy.default_value = kEperm;
  policy.foreign_value = 0;
  policy.arches = {arch};
  policy.rules = std::move(rules);
  policy.multiplexed = true;
  return policy;
}

SeccompData call(Arch arch, std::string_view name, std::array<std::uint64_t, 6> args = {}) {
  return {.nr = static_cast<std::int32_t>(*syscall_number(arch, name)),
          .arch = info(arch).token,
          .args = args};
}

std::uint32_t run(const Program& program, const SeccompData& data, Arch arch) {
  KernelModel model;
  model.arch = arch;
  const reference::Result result = reference::run(program, data, model);
  EXPECT_EQ(result.fault, reference::Fault::None);
  return result.value;
}

std::string described(const Policy& policy, const SeccompData& data) {
  std::ostringstream out;
  out << std::hex << "default " << policy.default_value << " foreign " << *policy.foreign_value;
  for (const Arch arch : policy.arches) out << ' ' << info(arch).name;
  out << '\n';
  for (const Rule& rule : policy.rules) {
    out << rule.syscall << ' ' << rule.value;
    for (const ArgTest& test : rule.tests) {
      out << " [" << test.index << "] & " << test.mask << ' ' << sign_of(test.comparison) << ' '
          << test.value;
    }
    out << '\n';
  }
  out << "nr " << data.nr << " arch " << data.arch << " args";
  for (const std::uint64_t each : data.args) out << ' ' << each;
  return out.str();
}

TEST(Policies, the_first_rule_that_fits_decides) {
  const Policy policy = policy_for(
      Arch::X86_64, {{.syscall = "read", .value = kTrap, .tests = {{.index = 0, .value = 3}}},
                     {.syscall = "read", .value = kAllow}});
  EXPECT_EQ(evaluate(policy, call(Arch::X86_64, "read", {3})).value, kTrap);
  EXPECT_EQ(evaluate(policy, call(Arch::X86_64, "read", {4})).rule, 1U);
  EXPECT_EQ(evaluate(policy, call(Arch::X86_64, "write")).value, kEperm);
  EXPECT_TRUE(evaluate(policy, call(Arch::AArch64, "read")).foreign);
}

std::string named(const std::vector<Departure>& all) {
  std::string out;
  for (const Departure& each : all) {
    out += std::string(name_of(each.kind)) + " " + std::to_string(each.first) + " " +
           std::to_string(each.second) + "\n";
  }
  return out;
}

// Where libseccomp departs: both answers, and that it is foretold.
struct Departing {
  Policy policy;
  SeccompData data;
  std::uint32_t said;  // by the policy
  std::uint32_t done;  // by libseccomp
  bool binary_tree = false;
};

void departs(const Departing& each, std::string_view foretold) {
  EXPECT_EQ(named(departures(each.policy, each.binary_tree)), foretold);
  EXPECT_EQ(evaluate(each.policy, each.data).value, each.said);
  const auto program = lower_libseccomp(each.policy, {.binary_tree = each.binary_tree});
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(run(*program, each.data, each.policy.arches.front()), each.done);
}

TEST(Libseccomp, prefers_rules_without_tests) {
  departs({policy_for(Arch::X86_64,
                      {{.syscall = "read", .value = kTrap, .tests = {{.index = 0, .value = 3}}},
                       {.syscall = "read", .value = kAllow}}),
           call(Arch::X86_64, "read", {3}), kTrap, kAllow},
          "order 0 1\n");
}

TEST(Libseccomp, tries_overlapping_rules_in_an_order_of_its_own) {
  const ArgTest at_least{0, Comparison::GreaterEqual, 1, kAllBits};
  departs(
      {policy_for(
           Arch::X86_64,
           {{.syscall = "read", .value = kAllow, .tests = {at_least}},
            {.syscall = "read", .value = kTrap, .tests = {{.index = 0, .value = 0x100000003}}}}),
       call(Arch::X86_64, "read", {0x100000003}), kAllow, kTrap},
      "order 0 1\n");
}

TEST(Libseccomp, drops_bits_outside_of_a_mask) {
  const ArgTest never{0, Comparison::Equal, 0x11, 0x0f};
  departs({policy_for(Arch::X86_64, {{.syscall = "read", .value = kAllow, .tests = {never}}}),
           call(Arch::X86_64, "read", {1}), kEperm, kAllow},
          "outside-mask 0 0\n");
}

TEST(Libseccomp, joins_tests_of_two_rules_wrongly) {
  // Neither rule is about 16, and both say the same; the program lets it through.
  const ArgTest at_most{0, Comparison::LessEqual, 2, kAllBits};
  const ArgTest at_least{0, Comparison::GreaterEqual, 0x100000001, kAllBits};
  for (const bool binary_tree : {false, true}) {
    departs({policy_for(Arch::AArch64,
                        {{.syscall = "personality", .value = kAllow, .tests = {at_most}},
                         {.syscall = "personality", .value = kAllow, .tests = {at_least}}}),
             call(Arch::AArch64, "personality", {16}), kEperm, kAllow, binary_tree},
            "joined 0 1\n");
  }
}

TEST(Libseccomp, does_not_load_the_number_after_a_call_that_the_architecture_lacks) {
  // x86 has no semop but that of ipc(1, ...).
  Policy policy = policy_for(Arch::X86, {{.syscall = "semop", .value = kTrap}});
  policy.default_value = kAllow;
  departs({policy, call(Arch::X86, "ipc", {1}), kTrap, kAllow}, "number-not-loaded 0 0\n");
  EXPECT_EQ(named(departures(policy, true)), "");
  const auto tree = lower_libseccomp(policy, {.binary_tree = true});
  ASSERT_TRUE(tree);
  EXPECT_EQ(run(*tree, call(Arch::X86, "ipc", {1}), Arch::X86), kTrap);
}

TEST(Libseccomp, has_another_number_for_a_few_calls) {
  departs({policy_for(Arch::Arm, {{.syscall = "sync_file_range2", .value = kAllow}}),
           call(Arch::Arm, "sync_file_range2"), kAllow, kEperm},
          "other-number 0 0\n");
}

TEST(Libseccomp, asks_multiplexed_calls_for_the_multiplexers_arguments) {
  const Policy policy =
      policy_for(Arch::X86, {{.syscall = "socket",
                              .value = kAllow,
                              .tests = {{.index = 0, .value = 2}, {.index = 1, .value = 7}}}});
  const auto program = lower_libseccomp(policy);
  ASSERT_TRUE(program);
  // socket(2, 7, ...) itself, and socketcall(SYS_SOCKET, 7): 7 would be an address there.
  for (const auto& [data, value] :
       {std::pair(call(Arch::X86, "socket", {2, 7}), kAllow),
        std::pair(call(Arch::X86, "socket", {1, 7}), kEperm),
        std::pair(call(Arch::X86, "socketcall", {1, 7}), kAllow),
        std::pair(call(Arch::X86, "socketcall", {1, 0xbfff0000}), kEperm)}) {
    EXPECT_EQ(run(*program, data, Arch::X86), value);
    EXPECT_EQ(evaluate(policy, data).value, value);
  }
}

TEST(Libseccomp, looks_at_low_words_alone_on_32_bit_abis) {
  const Policy policy = policy_for(
      Arch::X86,
      {{.syscall = "read", .value = kAllow, .tests = {{.index = 0, .value = 0x500000002}}}});
  const auto program = lower_libseccomp(policy);
  ASSERT_TRUE(program);
  const SeccompData data = call(Arch::X86, "read", {0x900000002});
  EXPECT_EQ(run(*program, data, Arch::X86), kAllow);
  EXPECT_EQ(evaluate(policy, data).value, kAllow);
}

TEST(Libseccomp, takes_x32_calls_for_foreign_ones_but_not_minus_1) {
  Policy policy = policy_for(Arch::X86_64, {{.syscall = "read", .value = kAllow}});
  policy.foreign_value = kTrap;
  const auto program = lower_libseccomp(policy);
  ASSERT_TRUE(program);
  for (const auto& [nr, value] :
       {std::pair(0, kAllow), std::pair(0x40000000, kTrap), std::pair(0x40000001, kTrap),
        std::pair(-1, kEperm), std::pair(-2, kTrap), std::pair(0x3fffffff, kEperm)}) {
    const SeccompData data{.nr = nr, .arch = 0xc000003e};
    EXPECT_EQ(run(*program, data, Arch::X86_64), value) << nr;
    EXPECT_EQ(evaluate(policy, data).value, value) << nr;
  }
}

TEST(Libseccomp, makes_long_programs_for_machines_of_another_byte_order) {
  // More than 255 instructions: returns are repeated, and 2.5.4 does not swap their bytes.
  for (const Arch arch : {Arch::S390x, Arch::Ppc64, Arch::AArch64}) {
    Policy policy = policy_for(arch, {});
    std::uint32_t value = 0x00050002U;
    for (const SyscallRow& row : syscalls(arch)) {
      const auto theirs = libseccomp_number(arch, row.name);
      if (!theirs || (*theirs >= 0 && *theirs != static_cast<std::int32_t>(row.nr))) continue;
      policy.rules.push_back({.syscall = std::string(row.name), .value = value});
      value = value == 0x00050006U ? 0x00050002U : value + 1;
    }
    std::erase_if(policy.rules, [&](const Rule& rule) {
      return !departures(policy_for(arch, {rule}), false).empty() ||
             rule.syscall == "sys_debug_setcontext";  // refused, see below
    });
    const auto program = lower_libseccomp(policy);
    ASSERT_TRUE(program) << program.error().message;
    ASSERT_GT(program->size(), 300U);
    for (const Rule& rule : policy.rules) {
      const SeccompData data = call(arch, rule.syscall);
      ASSERT_EQ(run(*program, data, arch), evaluate(policy, data).value) << rule.syscall;
    }
  }
}

std::string refused(const Policy& policy, const LibseccompOptions& options = {}) {
  const auto program = lower_libseccomp(policy, options);
  return program ? "not refused" : program.error().message;
}

TEST(Libseccomp, says_why_it_refuses) {
  const auto x86_64 = [](std::vector<Rule> rules) {
    return policy_for(Arch::X86_64, std::move(rules));
  };
  using testing::HasSubstr;
  EXPECT_THAT(refused(x86_64({{.syscall = "read", .value = kEperm}})), HasSubstr("EACCES"));
  EXPECT_THAT(refused(x86_64({{.syscall = "read",
                               .value = kAllow,
                               .tests = {{.index = 1, .value = 1}, {.index = 1, .value = 2}}}})),
              HasSubstr("args[1] has two (EINVAL)"));
  const std::vector<ArgTest> tests = {{.index = 0, .value = 1}};
  EXPECT_THAT(refused(x86_64({{.syscall = "read", .value = kAllow, .tests = tests},
                              {.syscall = "read", .value = kTrap, .tests = tests}})),
              HasSubstr("EEXIST"));
  EXPECT_THAT(refused(x86_64({{.syscall = "raed", .value = kAllow}})),
              HasSubstr("no syscall raed"));
  EXPECT_THAT(refused(x86_64({{.syscall = "read", .value = 0x00051000}})), HasSubstr("EINVAL"));
  EXPECT_THAT(refused(policy_for(Arch::AArch64, {{.number = 4321, .value = kAllow}})),
              HasSubstr("EFAULT"));
  EXPECT_THAT(
      refused(x86_64({{.syscall = "read",
                       .value = kAllow,
                       .tests = {{.index = 0, .comparison = Comparison::NotEqual, .mask = 3}}}})),
      HasSubstr("masks for =="));
  if (host_arch() == Arch::X86_64) {
    EXPECT_THAT(
        refused(policy_for(Arch::Ppc64, {{.syscall = "sys_debug_setcontext", .value = kAllow}})),
        HasSubstr("takes it for another call of ppc64"));
  }
  Policy mixed = x86_64({});
  mixed.arches = {Arch::X86_64, Arch::S390x};
  EXPECT_THAT(refused(mixed), HasSubstr("byte order"));
  Policy kill = x86_64({});
  kill.default_value = 0x80000000U;
  EXPECT_THAT(refused(kill, {.kernel = {4, 10, 0}}), HasSubstr("does not have it"));
}

TEST(Libseccomp, that_never_ends_is_ended) {
  random::Source source(11);
  Policy endless;
  for (int i = 0; i <= 1006; ++i) endless = random::policy(source);
  EXPECT_THAT(refused(endless, {.seconds = 1}), testing::HasSubstr("has not come to an end"));
}

// Plain programs say what the policy says, always; libseccomp's do where no departure is known.
void compare(std::uint64_t seed, int policies, int calls) {
  random::Source source(seed);
  int compared = 0;
  int departed = 0;
  for (int i = 0; i < policies && !testing::Test::HasFailure(); ++i) {
    const Policy policy = random::policy(source);
    const PolicyEvaluator evaluator(policy);
    const auto plain = lower_plain(policy);
    ASSERT_TRUE(plain) << plain.error().message;
    KernelModel model;
    model.arch = policy.arches.front();
    std::vector<Program> lowered;
    for (const bool tree : {false, true}) {
      auto program = lower_libseccomp(policy, {.binary_tree = tree, .seconds = 1});
      if (!program) continue;
      EXPECT_TRUE(verifier::check(*program, model));
      if (departures(policy, tree, 1).empty()) {
        lowered.push_back(std::move(*program));
      } else {
        ++departed;
      }
    }
    for (int j = 0; j < calls; ++j) {
      const SeccompData data = random::call_for(source, policy);
      const Decision said = evaluator.evaluate(data);
      if (!said.unknown.empty()) continue;
      ASSERT_EQ(run(*plain, data, model.arch), said.value) << described(policy, data);
      for (const Program& each : lowered) {
        ++compared;
        ASSERT_EQ(run(each, data, model.arch), said.value) << described(policy, data);
      }
    }
  }
  EXPECT_GT(compared, policies * calls / 10);
  EXPECT_GT(departed, 0);
}

TEST(Policies, say_what_plain_and_libseccomps_programs_say) { compare(1, 1000, 60); }

}  // namespace
}  // namespace callgate::front_ends
