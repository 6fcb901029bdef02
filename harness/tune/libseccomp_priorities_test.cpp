// What libseccomp's priorities do.

#include <gmock/gmock.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/tune/orders.hpp"
#include "harness/tune/orders_test.hpp"

namespace callgate::tune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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

TEST(LibseccompPriorities, are_of_the_same_call_of_x32_in_the_same_chain) {
  Policy policy = policy_of({allow("read"), allow("openat"), allow("futex")});
  policy.arches = {Arch::X86_64, Arch::X32};
  LibseccompOptions options;
  options.priorities = {priority("openat", 1)};
  const auto program = lower_libseccomp(policy, options);
  ASSERT_TRUE(program);
  std::vector<std::uint32_t> numbers;
  for (const Instruction& each : *program) {
    if (each.code == static_cast<std::uint16_t>(Opcode::JeqK)) numbers.push_back(each.k);
  }
  const auto openat = std::ranges::find(numbers, *syscall_number(Arch::X86_64, "openat"));
  ASSERT_GE(numbers.end() - openat, 6);
  EXPECT_EQ(*(openat + 1), *syscall_number(Arch::X32, "openat"));
  EXPECT_EQ(*(openat + 2), *syscall_number(Arch::X86_64, "read"));
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

TEST(LibseccompPriorities, are_of_numbers_and_of_multiplexed_calls_too) {
  Policy policy =
      policy_of({allow("bind"), allow("listen"), {.number = 4, .value = kAllow}}, Arch::X86);
  const auto made = libseccomp_priorities(policy, {{"socketcall", 5}, {"write", 9}, {"listen", 1}});
  ASSERT_EQ(made.size(), 3U);
  EXPECT_EQ(made[0], (CallPriority{"", 4, 255}));
  EXPECT_EQ(made[1].syscall, "bind");
  EXPECT_EQ(made[2].syscall, "listen");
  policy.rules.pop_back();
  LibseccompOptions options;
  options.priorities = {priority("bind", 1)};
  const auto program = lower_libseccomp(policy, options);
  ASSERT_TRUE(program);
  // Behind the load of the number: socketcall's, which bind is a part of.
  EXPECT_EQ(program->at(3).k, *syscall_number(Arch::X86, "socketcall"));
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

}  // namespace
}  // namespace callgate::tune
