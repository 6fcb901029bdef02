// One program for a stack and a workload, for filters small enough to say by hand;
// harness/tune/rewrite_test.cpp asks the same of random ones and of policies.

#include "verifier/rewrite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "verifier/cache.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace callgate::verifier {
namespace {

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kKill = 0x80000000U;
constexpr std::uint32_t kErrno = 0x00050001U;
constexpr std::uint32_t kX86_64 = 0xc000003eU;
constexpr std::uint32_t kX86 = 0x40000003U;
constexpr Instruction kLoadNumber{0x20, 0, 0, 0};
constexpr Instruction kLoadArch{0x20, 0, 0, 4};
constexpr Instruction kReturnAllow{0x06, 0, 0, kAllow};
constexpr Instruction kReturnKill{0x06, 0, 0, kKill};
constexpr Instruction kReturnErrno{0x06, 0, 0, kErrno};

KnownCall call(std::uint32_t nr, std::uint64_t count = 1) {
  KnownCall made;
  made.data.nr = static_cast<std::int32_t>(nr);
  made.data.arch = kX86_64;
  made.known = kNumberKnown | kArchKnown;
  made.count = count;
  return made;
}

KnownCall call_of(std::uint32_t nr, std::array<std::uint64_t, 6> args, std::uint64_t count = 1) {
  KnownCall made = call(nr, count);
  made.data.args = args;
  made.known = kAllKnown;
  return made;
}

class Rewriting : public testing::Test {
 protected:
  std::expected<Rewritten, std::string> rewrite(const std::vector<Program>& programs,
                                                const std::vector<KnownCall>& workload,
                                                const RewriteOptions& options = {}) {
    FilterStack stack(model);
    for (const Program& each : programs) {
      EXPECT_TRUE(stack.push(check(each, model).value()));
    }
    return rewritten(endings, stack, meaning_of(endings, stack), workload, options);
  }
  [[nodiscard]] std::uint32_t run(const Rewritten& made, const SeccompData& data) const {
    return reference::run(made.program.instructions(), data, model).value;
  }

  KernelModel model;
  Space space;
  Endings endings{space};
};

// Numbers 0, 2, 4 to 38 have an errno of their own; all others are allowed.
Program errnos() {
  Program chain = {kLoadNumber};
  for (std::uint32_t nr = 0; nr < 20; ++nr) {
    chain.push_back({0x15, 0, 1, 2 * nr});
    chain.push_back({0x06, 0, 0, kErrno + nr});
  }
  chain.push_back(kReturnAllow);
  return chain;
}

TEST_F(Rewriting, a_chain_becomes_a_test_of_what_is_asked_most) {
  const auto made = rewrite({errnos()}, {call(30, 98), call(2), call(4)});
  ASSERT_TRUE(made) << made.error();
  const auto program = made->program.instructions();
  EXPECT_EQ(program[0], kLoadNumber);
  EXPECT_EQ(program[1].code, 0x15);
  EXPECT_EQ(program[1].k, 30U);
  EXPECT_LT(made->cost_after, 3.2);
  EXPECT_GT(made->cost_before, 15);
  EXPECT_EQ(made->cached_after, made->cacheable);
}

TEST_F(Rewriting, calls_that_the_cache_serves_weigh_nothing) {
  // 1 is allowed and cached: however often it comes, 30 is what the filter runs for.
  const auto made = rewrite({errnos()}, {call(1, 1'000'000), call(30)});
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->program.instructions()[1].k, 30U);
  EXPECT_DOUBLE_EQ(made->cost_after, 3.0 / 1'000'001);
  EXPECT_DOUBLE_EQ(made->run_after, 1.0 / 1'000'001);
}

TEST_F(Rewriting, a_kernel_without_the_cache_runs_filters_for_all_calls) {
  model.version = {5, 10, 0};
  const auto made = rewrite({errnos()}, {call(1, 1000), call(30)});
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->cacheable, 0U);
  EXPECT_EQ(made->program.instructions()[1].k, 1U);
  EXPECT_DOUBLE_EQ(made->run_after, 1);
}

TEST_F(Rewriting, what_stood_in_front_of_numbers_that_can_be_cached_comes_after_them) {
  // An argument is looked at first, though it matters for 7 alone.
  const Program program = {{0x20, 0, 0, 16}, {0x15, 0, 3, 5}, kLoadNumber,
                           {0x15, 0, 1, 7},  kReturnErrno,    kReturnAllow};
  const auto made = rewrite({program}, {call(1, 100), call(7)});
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->cached_before, 0U);
  EXPECT_EQ(made->cached_after, made->cacheable);
  // Every number but 7 of two ABIs: the token does not matter.
  EXPECT_EQ(made->cacheable, 2 * 470U - 2);
  EXPECT_DOUBLE_EQ(made->run_after, 1.0 / 101);
}

TEST_F(Rewriting, a_stack_becomes_one_program_in_which_the_strictest_wins) {
  const Program first = {kLoadNumber, {0x35, 0, 1, 100}, kReturnErrno, kReturnAllow};
  const Program second = {kLoadNumber, {0x35, 0, 1, 200}, kReturnKill, kReturnAllow};
  const auto made = rewrite({first, second}, {call(150), call(250)});
  ASSERT_TRUE(made) << made.error();
  EXPECT_DOUBLE_EQ(made->cost_before, 6);
  EXPECT_LE(made->cost_after, 3.5);
  EXPECT_EQ(run(*made, {.nr = 99}), kAllow);
  EXPECT_EQ(run(*made, {.nr = 100}), kErrno);
  EXPECT_EQ(run(*made, {.nr = 199}), kErrno);
  EXPECT_EQ(run(*made, {.nr = 200}), kKill);
}

TEST_F(Rewriting, x32_and_x86_64_share_a_token_and_are_told_apart) {
  const Program program = {
      kLoadArch,       {0x15, 1, 0, kX86_64}, kReturnKill, kLoadNumber, {0x35, 2, 0, 0x40000000},
      {0x15, 1, 0, 3}, kReturnAllow,          kReturnErrno};
  const auto made = rewrite({program}, {call(0x40000003, 10), call(3, 5)});
  ASSERT_TRUE(made) << made.error();
  for (const std::uint32_t nr : {2U, 3U, 4U, 0x40000003U, 0x40000004U, 0xffffffffU}) {
    for (const std::uint32_t arch : {kX86_64, kX86}) {
      const SeccompData data{.nr = static_cast<std::int32_t>(nr), .arch = arch};
      EXPECT_EQ(run(*made, data), reference::run(program, data, model).value) << nr;
    }
  }
}

TEST_F(Rewriting, arguments_are_asked_for_in_the_order_that_the_workload_settles_soonest) {
  // ERRNO where the first argument is 1 and the second 2.
  const Program program = {kLoadNumber,      {0x15, 0, 5, 7}, {0x20, 0, 0, 16}, {0x15, 0, 3, 1},
                           {0x20, 0, 0, 24}, {0x15, 0, 1, 2}, kReturnErrno,     kReturnAllow};
  const auto first_argument = [&](const std::vector<KnownCall>& workload) {
    const auto made = rewrite({program}, workload);
    const auto code = made->program.instructions();
    return std::ranges::find_if(
               code, [](const Instruction& each) { return each.code == 0x20 && each.k >= 16; })
        ->k;
  };
  EXPECT_EQ(first_argument({call_of(7, {0, 2}, 100), call_of(7, {1, 2})}), 16U);
  EXPECT_EQ(first_argument({call_of(7, {1, 0}, 100), call_of(7, {1, 2})}), 24U);
}

TEST_F(Rewriting, an_order_of_64_bits_comes_out_right) {
  // arg0 > 0x100000005
  const Program program = {{0x20, 0, 0, 20}, {0x25, 3, 0, 1}, {0x15, 0, 3, 1}, {0x20, 0, 0, 16},
                           {0x25, 0, 1, 5},  kReturnErrno,    kReturnAllow};
  const auto made = rewrite({program}, {call_of(1, {7}, 10), call_of(1, {0x100000006}, 10)});
  ASSERT_TRUE(made) << made.error();
  for (const std::uint64_t value :
       {0ULL, 5ULL, 6ULL, 0x100000004ULL, 0x100000005ULL, 0x100000006ULL, 0x200000000ULL, ~0ULL}) {
    EXPECT_EQ(run(*made, {.args = {value}}), value > 0x100000005ULL ? kErrno : kAllow) << value;
  }
}

TEST_F(Rewriting, bits_are_tested_as_bits) {
  // arg1 & 15 is 1 or 2
  const Program program = {{0x20, 0, 0, 24}, {0x54, 0, 0, 15}, {0x15, 1, 0, 1},
                           {0x15, 0, 1, 2},  kReturnErrno,     kReturnAllow};
  const auto made =
      rewrite({program}, {call_of(1, {0, 1}), call_of(1, {0, 2}), call_of(1, {0, 3})});
  ASSERT_TRUE(made) << made.error();
  EXPECT_LE(made->cost_after, made->cost_before);
  EXPECT_EQ(run(*made, {.args = {0, 0x11}}), kErrno);
  EXPECT_EQ(run(*made, {.args = {0, 0x13}}), kAllow);
}

TEST_F(Rewriting, far_ends_are_reached_through_bridges) {
  Program program = {kLoadNumber};
  for (std::uint32_t nr = 0; nr < 1500; ++nr) {
    program.push_back({0x15, 0, 1, 3 * nr});
    program.push_back({0x06, 0, 0, kErrno + nr % 700});
  }
  program.push_back(kReturnAllow);
  const auto made = rewrite({program}, {call(4000), call(3), call(1000)});
  ASSERT_TRUE(made) << made.error();
  EXPECT_LT(made->cost_after, 14);
}

TEST_F(Rewriting, a_longer_program_is_taken_only_where_it_gains_more_than_its_size_is_worth) {
  const std::vector<KnownCall> workload = {call(30, 50), call(2, 20), call(17, 3)};
  RewriteOptions short_ones;
  short_ones.size_price = 100;
  const auto shortest = rewrite({errnos()}, workload, short_ones);
  const auto cheapest = rewrite({errnos()}, workload, {});
  ASSERT_TRUE(shortest && cheapest);
  EXPECT_LE(shortest->program.instructions().size(), cheapest->program.instructions().size());
  EXPECT_LE(cheapest->cost_after, shortest->cost_after);
}

TEST_F(Rewriting, says_in_words_why_there_is_no_program) {
  EXPECT_EQ(rewrite({}, {}).error(), "there is no filter");
  EXPECT_EQ(rewrite({{kLoadNumber, {0x16, 0, 0, 0}}}, {}).error(),
            "a result is a formula, no constant");
  const Program product = {{0x20, 0, 0, 16}, {0x07, 0, 0, 0}, {0x20, 0, 0, 24}, {0x2c, 0, 0, 0},
                           {0x15, 0, 1, 6},  kReturnAllow,    kReturnErrno};
  EXPECT_EQ(rewrite({product}, {}).error(), "a comparison is too complicated to be told apart");
  RewriteOptions options;
  options.most_instructions = 10;
  EXPECT_EQ(rewrite({errnos()}, {}, options).error(), "it would be longer than is allowed");
}

TEST(RewritingWithLimits, too_many_conditions_are_an_error_in_words) {
  KernelModel model;
  FilterStack stack(model);
  ASSERT_TRUE(stack.push(check(errnos(), model).value()));
  Space space;
  Endings endings(space);
  const StackMeaning meaning = meaning_of(endings, stack);
  static_cast<void>(space.diagrams().allow({space.diagrams().size(), 0}));
  const auto made = rewritten(endings, stack, meaning, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(), "the conditions are too complicated");
}

// What the proof is asked of: each instruction of a program with an error in it.
TEST_F(Rewriting, the_proof_refuses_a_program_that_is_wrong_in_one_place) {
  const Program program = {
      kLoadArch,        {0x15, 1, 0, kX86_64}, kReturnKill,  kLoadNumber,
      {0x15, 3, 0, 7},  {0x35, 1, 0, 20},      kReturnAllow, {0x06, 0, 0, kErrno + 1},
      {0x20, 0, 0, 16}, {0x45, 0, 1, 6},       kReturnErrno, kReturnAllow};
  const auto made = rewrite({program}, {call_of(7, {6}), call(25)});
  ASSERT_TRUE(made) << made.error();
  FilterStack stack(model);
  ASSERT_TRUE(stack.push(check(program, model).value()));
  const Space::Ref value = meaning_of(endings, stack).value;
  const auto right = made->program.instructions();
  EXPECT_TRUE(proved_same(endings, made->program, value));
  for (std::size_t i = 0; i < right.size(); ++i) {
    Program wrong(right.begin(), right.end());
    if (wrong[i].jt != wrong[i].jf) {
      std::swap(wrong[i].jt, wrong[i].jf);
    } else {
      wrong[i].k ^= 8;
    }
    if (wrong[i] == Instruction{0x06, 0, 0, kAllow | 8}) continue;  // ALLOW's data do not count
    const auto checked = check(wrong, model);
    if (!checked) continue;
    EXPECT_FALSE(proved_same(endings, *checked, value)) << i;
  }
}

class ExpectedCosts : public testing::Test {
 protected:
  [[nodiscard]] double cost(const Program& program, const KnownCall& of,
                            const Prices& prices = {}) const {
    const WeighedCall weighed{of, 1};
    return expected_cost(program, model, std::span(&weighed, 1), prices);
  }

  KernelModel model;
};

TEST_F(ExpectedCosts, known_words_are_followed_and_unknown_ones_halved) {
  const Program program = {kLoadNumber,  {0x15, 0, 4, 1}, {0x20, 0, 0, 16}, {0x15, 0, 1, 5},
                           kReturnErrno, {0x06, 0, 0, 0}, kReturnAllow};
  EXPECT_DOUBLE_EQ(cost(program, call(2)), 3);
  EXPECT_DOUBLE_EQ(cost(program, call(1)), 5);
  const Program longer = {{0x20, 0, 0, 16}, {0x15, 3, 0, 5}, {0x54, 0, 0, 6},
                          {0x04, 0, 0, 1},  {0x45, 0, 0, 1}, kReturnAllow};
  EXPECT_DOUBLE_EQ(cost(longer, call(1)), 0.5 * 3 + 0.5 * 6);
  EXPECT_DOUBLE_EQ(cost(longer, call_of(1, {5})), 3);
  EXPECT_DOUBLE_EQ(cost(longer, call_of(1, {6})), 6);
  EXPECT_DOUBLE_EQ(cost(longer, call_of(1, {6}), {1, 0, 10}), 26);
  EXPECT_DOUBLE_EQ(cost(longer, call_of(1, {5}), {1, 10, 0}), 13);
}

TEST_F(ExpectedCosts, a_division_by_0_ends_the_run) {
  const Program program = {
      {0x20, 0, 0, 16}, {0x07, 0, 0, 0}, kLoadNumber, {0x3c, 0, 0, 0}, kReturnAllow};
  EXPECT_DOUBLE_EQ(cost(program, call_of(1, {0})), 4);
  EXPECT_DOUBLE_EQ(cost(program, call_of(1, {2})), 5);
}

}  // namespace
}  // namespace callgate::verifier
