// What libseccomp's priorities do, which orders a profile lets one choose, and that all of them
// mean what the profile meant.

#include "harness/tune/orders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/front_ends/lower.hpp"
#include "harness/random/policies.hpp"
#include "harness/tune/frequency_tree.hpp"
#include "harness/tune/order_texts.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::tune {
namespace {

using front_ends::ArgTest;
using front_ends::CallPriority;
using front_ends::Comparison;
using front_ends::kAllBits;
using front_ends::LibseccompOptions;
using front_ends::Policy;
using front_ends::Rule;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kEperm = 0x00050001U;
constexpr std::uint32_t kNoRule = 9999;

Policy policy_of(std::vector<Rule> rules, Arch arch = Arch::X86_64) {
  Policy policy;
  policy.default_value = kEperm;
  policy.foreign_value = 0;
  policy.arches = {arch};
  policy.rules = std::move(rules);
  policy.multiplexed = true;
  return policy;
}

Rule allow(std::string_view name, std::vector<ArgTest> tests = {}) {
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

std::vector<std::string> asked(const Program& program) {
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

std::vector<std::string> asked(const Policy& policy, std::vector<CallPriority> priorities = {},
                               bool tree = false) {
  LibseccompOptions options;
  options.binary_tree = tree;
  options.priorities = std::move(priorities);
  const auto program = lower_libseccomp(policy, options);
  EXPECT_TRUE(program) << program.error().message;
  return asked(program.value_or(Program()));
}

CallPriority priority(std::string_view name, std::uint8_t value) {
  return {std::string(name), {}, value};
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::filesystem::path corpus() {
  return std::filesystem::path(CALLGATE_SOURCE_DIR) / "corpus" / "profiles";
}

const ArgTest kIsThree{0, Comparison::Equal, 3, kAllBits};
const ArgTest kIsFour{1, Comparison::Equal, 4, kAllBits};

// --- what libseccomp's priorities do ---

TEST(LibseccompPriorities, without_any_calls_are_asked_by_number) {
  EXPECT_THAT(asked(policy_of({allow("openat"), allow("read"), allow("futex"), allow("write")})),
              ElementsAre("read", "write", "futex", "openat"));
}

TEST(LibseccompPriorities, without_any_calls_with_fewer_comparisons_of_arguments_come_first) {
  EXPECT_THAT(asked(policy_of({allow("read", {kIsThree, kIsFour}), allow("write", {kIsThree}),
                               allow("openat"), allow("futex")})),
              ElementsAre("futex", "openat", "write", "read"));
}

TEST(LibseccompPriorities, go_before_everything_else) {
  const Policy policy = policy_of({allow("read", {kIsThree, kIsFour}), allow("write", {kIsThree}),
                                   allow("openat"), allow("futex")});
  EXPECT_THAT(asked(policy, {priority("read", 2), priority("openat", 1)}),
              ElementsAre("read", "openat", "futex", "write"));
  EXPECT_THAT(asked(policy, {priority("read", 7), priority("write", 7)}),
              ElementsAre("write", "read", "futex", "openat"));
}

TEST(LibseccompPriorities, a_lower_one_after_a_higher_one_is_passed_over) {
  EXPECT_THAT(asked(policy_of({allow("read"), allow("openat")}),
                    {priority("openat", 5), priority("openat", 1), priority("read", 3)}),
              ElementsAre("openat", "read"));
}

TEST(LibseccompPriorities, calls_without_a_rule_stay_out) {
  const Policy policy = policy_of({allow("read"), allow("openat")});
  EXPECT_THAT(asked(policy, {priority("futex", 9)}), ElementsAre("read", "openat"));
}

TEST(LibseccompPriorities, binary_trees_have_none) {
  const Policy policy = policy_of({allow("read"), allow("write"), allow("close"), allow("futex"),
                                   allow("openat"), allow("mmap"), allow("ioctl")});
  EXPECT_THAT(asked(policy, {priority("futex", 9)}, true), asked(policy, {}, true));
}

TEST(LibseccompPriorities, of_unknown_calls_are_refused) {
  const auto program =
      lower_libseccomp(policy_of({allow("read")}), {.priorities = {priority("no_such_call", 1)}});
  ASSERT_FALSE(program);
  EXPECT_THAT(program.error().message, HasSubstr("no_such_call"));
}

TEST(LibseccompPriorities, are_the_same_before_the_rules_and_after_them) {
  const auto made = [](bool before) {
    void* context = seccomp_init(SCMP_ACT_ERRNO(1));
    const auto prefer = [&] {
      EXPECT_EQ(seccomp_syscall_priority(context, SCMP_SYS(openat), 2), 0);
      EXPECT_EQ(seccomp_syscall_priority(context, SCMP_SYS(futex), 1), 0);
    };
    if (before) prefer();
    for (const int call : {SCMP_SYS(read), SCMP_SYS(futex), SCMP_SYS(openat)}) {
      EXPECT_EQ(seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 0), 0);
    }
    if (!before) prefer();
    const int file = memfd_create("orders", MFD_CLOEXEC);
    EXPECT_EQ(seccomp_export_bpf(context, file), 0);
    seccomp_release(context);
    Program out(64);
    const ssize_t size = pread(file, out.data(), out.size() * sizeof(Instruction), 0);
    EXPECT_GT(size, 0);
    out.resize(static_cast<std::size_t>(size) / sizeof(Instruction));
    static_cast<void>(close(file));
    return out;
  };
  if (host_arch() != Arch::X86_64) GTEST_SKIP() << "numbers of x86_64 are looked for";
  EXPECT_EQ(made(true), made(false));
  EXPECT_THAT(asked(made(true)), ElementsAre("openat", "futex", "read"));
}

TEST(LibseccompPriorities, the_order_of_rules_of_different_calls_plays_no_part) {
  random::Source source(5);
  std::vector<Rule> rules{allow("read", {kIsThree, kIsFour}),
                          allow("write", {kIsThree}),
                          allow("ioctl", {kIsFour}),
                          allow("openat"),
                          allow("futex"),
                          allow("close")};
  for (const bool tree : {false, true}) {
    LibseccompOptions options;
    options.binary_tree = tree;
    const auto first = lower_libseccomp(policy_of(rules), options);
    ASSERT_TRUE(first);
    for (int round = 0; round < 20; ++round) {
      for (std::size_t i = rules.size() - 1; i > 0; --i) {
        std::swap(rules[i], rules[source.below(static_cast<std::uint32_t>(i + 1))]);
      }
      EXPECT_EQ(lower_libseccomp(policy_of(rules), options), *first);
    }
  }
}

TEST(LibseccompPriorities, are_given_by_falling_weight_for_each_comparison) {
  Policy policy = policy_of({allow("read"), allow("futex"), allow("openat"), allow("close")});
  const auto names = [&](const CallWeights& weights) {
    std::string out;
    for (const CallPriority& each : libseccomp_priorities(policy, weights)) {
      out += each.syscall + " " + std::to_string(each.priority) + ";";
    }
    return out;
  };
  EXPECT_EQ(names({{"openat", 4}, {"futex", 7}, {"close", 0}, {"mmap", 9}}),
            "futex 255;openat 254;");
  // read of x86_64 alone takes one comparison, futex of x86_64 and x32 two.
  policy.arches = {Arch::X86_64, Arch::X32};
  policy.rules[0].arches = {Arch::X86_64};
  EXPECT_EQ(names({{"read", 4}, {"futex", 7}}), "read 255;futex 254;");
}

TEST(LibseccompPriorities, are_255_at_most) {
  std::vector<Rule> rules;
  CallWeights weights;
  for (const SyscallRow& row : syscalls(Arch::X86_64)) {
    if (row.nr >= 334 || !front_ends::libseccomp_knows(row.name)) continue;
    rules.push_back(allow(row.name));
    weights[std::string(row.name)] = row.nr + 1;
  }
  const auto all = libseccomp_priorities(policy_of(rules), weights);
  ASSERT_EQ(all.size(), 255U);
  EXPECT_EQ(all.front().priority, 255);
  EXPECT_EQ(all.back().priority, 1);
  const auto order = asked(policy_of(rules), all);
  ASSERT_EQ(order.size(), rules.size());
  EXPECT_EQ(order.front(), all.front().syscall);
  EXPECT_EQ(order[254], all.back().syscall);
}

// --- what profiles let one choose ---

Orders orders_of(std::string_view format, std::string_view text, const CallWeights& weights,
                 std::string runtime = "crun", bool prove = true) {
  ProfileText profile;
  profile.text = text;
  profile.format = format;
  profile.deployment.runtime = std::move(runtime);
  auto out = orders(profile, weights, {.prove = prove});
  EXPECT_TRUE(out) << out.error();
  return std::move(out).value_or(Orders());
}

const Order* find(const Orders& all, std::string_view id) {
  const auto found = std::ranges::find(all.orders, id, &Order::id);
  return found == all.orders.end() ? nullptr : &*found;
}

std::string reasons(const Orders& all) {
  std::string out;
  for (const std::string& each : all.reasons) out += each + "\n";
  return out;
}

// Instructions that calls without arguments take, each as often as it weighs.
double instructions(const std::vector<Program>& programs, const CallWeights& weights) {
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

TEST(Orders, every_format_of_profiles_has_a_row) {
  for (const auto& row : front_ends::profile_formats()) {
    EXPECT_EQ(std::ranges::count(generators(), row.name, &GeneratorRow::format), 1) << row.name;
  }
  EXPECT_EQ(generators().size(), front_ends::profile_formats().size());
}

TEST(Orders, a_program_has_none) {
  ProfileText program;
  program.text = "ld [0]\nret #0\n";
  program.format = "bpf_asm";
  const auto out = orders(program, {});
  ASSERT_FALSE(out);
  EXPECT_THAT(out.error(), HasSubstr("bpf_asm"));
}

TEST(Orders, a_container_profile_gets_priorities_and_a_tree) {
  const std::string text = read_text(corpus() / "docker_every_feature.json");
  const CallWeights weights{{"ppoll", 5}, {"write", 10}, {"clone", 1}};
  const Orders out = orders_of("oci", text, weights);
  EXPECT_THAT(reasons(out), HasSubstr("libseccomp, which orders calls itself"));
  const Order* priorities = find(out, "libseccomp-priorities");
  const Order* tree = find(out, "libseccomp-tree");
  ASSERT_TRUE(priorities != nullptr && tree != nullptr) << reasons(out);
  EXPECT_THAT(priorities->text, HasSubstr("seccomp_syscall_priority(ctx, SCMP_SYS(write), 255);"));
  EXPECT_EQ(priorities->programs.size(), 1U);
  EXPECT_LT(instructions(priorities->programs, weights), instructions(out.before, weights));
  EXPECT_EQ(asked(priorities->programs.front()).front(), "write");
  EXPECT_THAT(tree->text, HasSubstr("SCMP_FLTATR_CTL_OPTIMIZE, 2"));
}

TEST(Orders, where_the_runtime_makes_a_tree_priorities_take_it_away) {
  const Orders out =
      orders_of("oci", read_text(corpus() / "docker_every_feature.json"), {{"write", 10}}, "runc");
  EXPECT_EQ(find(out, "libseccomp-tree"), nullptr);
  const Order* priorities = find(out, "libseccomp-priorities");
  ASSERT_NE(priorities, nullptr) << reasons(out);
  EXPECT_THAT(priorities->text, HasSubstr("SCMP_FLTATR_CTL_OPTIMIZE, 1"));
}

TEST(Orders, lines_of_a_minijail_policy_move_and_comments_stay) {
  const std::string text =
      "# What the worker needs.\n"
      "read: 1\n"
      "write: 1\n"
      "\n"
      "# Locks.\n"
      "futex: 1\n"
      "\n"
      "# Files\n"
      "openat: arg1 == 1 || \\\n"
      "        arg1 == 2; return EPERM\n"
      "close: 1";
  const CallWeights weights{{"openat", 9}, {"futex", 3}, {"mmap", 4}};
  const Orders out = orders_of("minijail", text, weights);
  const Order* order = find(out, "minijail-lines");
  ASSERT_NE(order, nullptr) << reasons(out);
  EXPECT_EQ(order->text,
            "# What the worker needs.\n"
            "openat: arg1 == 1 || \\\n"
            "        arg1 == 2; return EPERM\n"
            "# Locks.\n"
            "futex: 1\n"
            "read: 1\n"
            "write: 1\n"
            "\n"
            "\n"
            "# Files\n"
            "close: 1");
  EXPECT_EQ(order->text_format, "minijail");
  EXPECT_LT(instructions(order->programs, {{"openat", 9}, {"futex", 3}}),
            instructions(out.before, {{"openat", 9}, {"futex", 3}}));
  EXPECT_THAT(reasons(out), HasSubstr("no rule of their own, since they go past all others: mmap"));
}

TEST(Orders, a_policy_that_is_in_order_stays_as_it_is) {
  const Orders out = orders_of("minijail", "@frequency ./x\nfutex: 1\nread: 1\n", {{"futex", 3}});
  EXPECT_TRUE(out.orders.empty());
  EXPECT_THAT(reasons(out), HasSubstr("in this text no call is to be moved"));
}

TEST(Orders, lines_go_before_what_is_included_and_behind_other_statements) {
  const std::array<std::string, 2> first{"write", "close"};
  EXPECT_EQ(
      minijail_lines_first("@frequency ./f\n# a\n# b\n@include ./x\nread: 1\nwrite: 1\n", first),
      "@frequency ./f\n# a\n# b\nwrite: 1\n@include ./x\nread: 1\n");
  EXPECT_EQ(minijail_lines_first("read: 1\nwrite: 1\nclose: 1\\", first),
            "write: 1\nread: 1\nclose: 1\\");
  EXPECT_EQ(minijail_lines_first("", first), "");
}

TEST(Orders, lists_of_firejail_are_ordered) {
  const std::string text =
      "caps.drop all\n"
      "  seccomp.keep read,@network-io,close,futex,!ptrace  \n"
      "seccomp-error-action EPERM\n";
  const CallWeights weights{{"futex", 3}, {"recvfrom", 9}};
  const Orders out = orders_of("firejail", text, weights);
  const Order* order = find(out, "firejail-lists");
  ASSERT_NE(order, nullptr) << reasons(out);
  EXPECT_EQ(order->text,
            "caps.drop all\n"
            "  seccomp.keep recvfrom,futex,read,@network-io,close,!ptrace  \n"
            "seccomp-error-action EPERM\n");
  EXPECT_LT(instructions(order->programs, weights), instructions(out.before, weights));
}

TEST(Orders, the_compiler_of_minijail_gets_frequencies) {
  const std::string text = "read: allow\nfutex: allow\nopenat: arg1 == 1; allow\n";
  const Orders out = orders_of("minijail-compiler", text, {{"openat", 1}, {"futex", 4e9}});
  const Order* order = find(out, "minijail-frequencies");
  ASSERT_NE(order, nullptr) << reasons(out);
  EXPECT_EQ(order->text, "futex: 1000000\nopenat: 1\n");
  EXPECT_TRUE(order->programs.empty());
  EXPECT_FALSE(order->unpriced.empty());
  // The compiler's own reader takes it.
  const std::filesystem::path folder = testing::TempDir();
  std::ofstream(folder / "callgate.frequency") << order->text;
  const auto* row = front_ends::find_profile_format("minijail-compiler");
  const auto read = row->read("@frequency ./callgate.frequency\n" + text,
                              (folder / "callgate.policy").string(), {});
  EXPECT_TRUE(read) << to_string(read.error());
}

TEST(Orders, some_generators_take_none) {
  const CallWeights weights{{"read", 3}, {"write", 4}};
  const Orders kafel = orders_of("kafel", read_text(corpus() / "kafel.policy"), weights);
  EXPECT_TRUE(kafel.orders.empty());
  EXPECT_THAT(reasons(kafel), HasSubstr("balanced tree"));
  const Orders seccompiler =
      orders_of("seccompiler", read_text(corpus() / "seccompiler.json"), weights);
  EXPECT_TRUE(seccompiler.orders.empty());
  EXPECT_THAT(reasons(seccompiler), HasSubstr("by rising number"));
}

TEST(Orders, nothing_is_proposed_where_nothing_weighs) {
  const Orders out = orders_of("minijail", "read: 1\nfutex: 1\n", {{"futex", 0}});
  EXPECT_TRUE(out.orders.empty());
  EXPECT_THAT(reasons(out), HasSubstr("answers all of the workload"));
}

// --- they mean the same ---

TEST(Orders, of_the_corpus_mean_what_their_profiles_mean) {
  const std::pair<std::string_view, std::string_view> files[] = {
      {"oci", "docker_every_feature.json"},
      {"firecracker", "firecracker.json"},
      {"firejail", "firejail.profile"},
      {"kafel", "kafel.policy"},
      {"pfc", "libseccomp.pfc"},
      {"lxc", "lxc.seccomp"},
      {"minijail-compiler", "minijail-compiler.policy"},
      {"minijail", "minijail.policy"},
      {"seccompiler", "seccompiler.json"},
      {"systemd", "systemd/everything.service"},
      {"systemd", "systemd/known.service"}};
  CallWeights weights;
  for (const SyscallRow& row : syscalls(Arch::X86_64)) {
    weights[std::string(row.name)] = 1 + row.nr % 7;
  }
  std::size_t proved = 0;
  for (const auto& [format, file] : files) {
    const std::string text = read_text(corpus() / file);
    const Orders out = orders_of(format, text, weights, "crun", false);
    for (const Order& order : out.orders) {
      if (order.programs.empty()) continue;
      const auto why = not_the_same(out.before, order.programs, KernelModel{});
      EXPECT_FALSE(why) << file << ": " << order.id << ": " << *why;
      ++proved;
    }
  }
  printf("%zu orders of %zu profiles proved\n", proved, std::size(files));
  EXPECT_GE(proved, 10U);
}

CallWeights random_weights(random::Source& source, const Policy& policy) {
  CallWeights out;
  for (const Rule& rule : policy.rules) {
    if (!rule.syscall.empty() && !source.one_in(3)) out[rule.syscall] = 1 + source.below(1000);
  }
  return out;
}

KernelModel model_of(const Policy& policy) {
  KernelModel out;
  out.arch = policy.arches.front();
  return out;
}

TEST(Orders, of_random_policies_mean_the_same_or_their_departure_is_foretold) {
  random::Source source(8);
  std::size_t proved = 0;
  std::size_t departed = 0;
  for (int round = 0; proved < 100 && round < 1000; ++round) {
    const Policy policy = random::policy(source);
    LibseccompOptions options;
    options.seconds = 1;
    const auto before = lower_libseccomp(policy, options);
    if (!before) continue;
    for (const bool tree : {false, true}) {
      options.binary_tree = tree;
      options.priorities = tree ? std::vector<CallPriority>()
                                : libseccomp_priorities(policy, random_weights(source, policy));
      const auto after = lower_libseccomp(policy, options);
      ASSERT_TRUE(after) << after.error().message;
      const auto why = not_the_same(std::array{*before}, std::array{*after}, model_of(policy));
      if (why) {
        ++departed;
        EXPECT_FALSE(departures(policy, false).empty()) << *why;
      } else {
        ++proved;
      }
    }
  }
  printf("%zu orders of random policies proved, %zu refused, as foretold\n", proved, departed);
  EXPECT_GE(proved, 100U);
}

// --- the tree to compare with ---

TEST(FrequencyTree, says_what_the_policy_says) {
  random::Source source(9);
  for (int round = 0; round < 50; ++round) {
    const Policy policy = random::policy(source);
    const auto plain = lower_plain(policy);
    const auto tree = frequency_tree(policy, random_weights(source, policy));
    ASSERT_TRUE(plain && tree);
    const auto why = not_the_same(std::array{*plain}, std::array{*tree}, model_of(policy));
    EXPECT_FALSE(why) << round << ": " << *why;
  }
}

TEST(FrequencyTree, of_a_long_policy_says_what_the_policy_says) {
  std::vector<Rule> rules;
  CallWeights weights;
  for (const SyscallRow& row : syscalls(Arch::X86_64)) {
    if (row.nr % 3 == 0) continue;
    rules.push_back(
        allow(row.name, row.nr % 4 == 0 ? std::vector{kIsThree, kIsFour} : std::vector<ArgTest>()));
    weights[std::string(row.name)] = row.nr % 11 == 0 ? row.nr * 100 : 1;
  }
  for (const bool weighed : {false, true}) {
    const Policy policy = policy_of(rules);
    const auto plain = lower_plain(policy);
    const auto tree = frequency_tree(policy, weighed ? weights : CallWeights());
    ASSERT_TRUE(plain && tree);
    EXPECT_EQ(not_the_same(std::array{*plain}, std::array{*tree}, KernelModel{}), std::nullopt);
  }
}

TEST(FrequencyTree, has_the_least_sum_of_weight_and_comparisons) {
  // Five calls with gaps between them: every tree over their eleven leaves is tried.
  const std::array<std::string_view, 5> names{"write", "close", "lstat", "lseek", "mprotect"};
  random::Source source(10);
  for (int round = 0; round < 20; ++round) {
    std::vector<Rule> rules;
    CallWeights weights;
    std::vector<std::uint32_t> numbers;
    std::map<std::uint32_t, double> of_number;
    for (const std::string_view name : names) {
      rules.push_back(allow(name));
      rules.back().value = kAllow + static_cast<std::uint32_t>(rules.size());
      const double weight = 1 + source.below(source.one_in(2) ? 10 : 1000);
      weights[std::string(name)] = weight;
      of_number[*syscall_number(Arch::X86_64, name)] = weight;
    }
    std::vector<double> leaves;  // numbers 0 to 10, and the rest
    for (std::uint32_t nr = 0; nr <= 11; ++nr) leaves.push_back(of_number[nr]);
    // Neighbours without a rule are one leaf.
    for (std::size_t i = leaves.size() - 1; i > 0; --i) {
      if (leaves[i] == 0 && leaves[i - 1] == 0) leaves.erase(leaves.begin() + static_cast<long>(i));
    }
    const std::size_t count = leaves.size();
    std::vector<std::vector<double>> costs(count, std::vector<double>(count, 0));
    for (std::size_t length = 2; length <= count; ++length) {
      for (std::size_t i = 0; i + length <= count; ++i) {
        const std::size_t j = i + length - 1;
        double weight = 0;
        for (std::size_t leaf = i; leaf <= j; ++leaf) weight += leaves[leaf];
        double best = 1e300;
        for (std::size_t k = i; k < j; ++k) best = std::min(best, costs[i][k] + costs[k + 1][j]);
        costs[i][j] = best + weight;
      }
    }
    const Policy policy = policy_of(rules);
    const auto tree = frequency_tree(policy, weights);
    ASSERT_TRUE(tree);
    double total = 0;
    for (const auto& [name, weight] : weights) total += weight;
    // Loads of the architecture and of the number, two comparisons before the tree, and the return.
    const double comparisons = instructions({*tree}, weights) - total * 5;
    EXPECT_NEAR(comparisons, costs[0][count - 1], total * 1e-3);
  }
}

}  // namespace
}  // namespace callgate::tune
