// Measurements on the running kernel. No test here asks how long anything took: whose rows there
// are, what is said where nothing can be measured, and that nothing is left behind.

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "harness/cost/conditions.hpp"
#include "harness/cost/kernel_body.hpp"
#include "harness/cost/live_cost.hpp"
#include "harness/cost/probe_filters.hpp"
#include "harness/live/live_test.hpp"
#include "harness/live/timing.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"

namespace callgate::cost {
namespace {

using live::kAllow;
using live::kX86_64;
using ::testing::HasSubstr;

constexpr std::uint32_t kErrno = 0x00050001;
constexpr CostOptions kQuick = {.rounds = 3, .seconds = 5};

class LiveCost : public live::Live {
 protected:
  FilterStack stack(const std::vector<Program>& programs) const {
    FilterStack out(model_);
    for (const Program& each : programs) {
      const auto checked = verifier::check(each, model_);
      EXPECT_TRUE(checked.has_value() && out.push(*checked).has_value());
    }
    return out;
  }

  void TearDown() override {
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1) << "a child is left behind";
  }
};

// The rule of the kernel's cache (seccomp_is_const_allow), written here a second time: which
// instructions it follows, and what it asks of the return.
bool always_allowed(const Program& program, std::uint32_t nr) {
  std::uint32_t a = 0;
  for (std::size_t pc = 0; pc < program.size(); ++pc) {
    const Instruction& i = program[pc];
    const auto branch = [&](bool taken) { pc += taken ? i.jt : i.jf; };
    switch (i.code) {
      case 0x20:
        if (i.k != 0 && i.k != 4) return false;
        a = i.k == 0 ? nr : kX86_64;
        break;
      case 0x06:
        return i.k == kAllow;
      case 0x05:
        pc += i.k;
        break;
      case 0x15:
        branch(a == i.k);
        break;
      case 0x25:
        branch(a > i.k);
        break;
      case 0x35:
        branch(a >= i.k);
        break;
      case 0x45:
        branch((a & i.k) != 0);
        break;
      case 0x54:
        a &= i.k;
        break;
      default:
        return false;
    }
  }
  return false;
}

// What times say against the rule; how many numbers they told.
void expect_agreement(const std::vector<Program>& stack, std::span<const std::uint32_t> numbers,
                      std::size_t& told) {
  const auto answers = cached_by_timing(stack, numbers);
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  ASSERT_EQ(answers->size(), numbers.size());
  for (const CacheAnswer& each : *answers) {
    if (each.cached == Cached::BelowNoise || each.cached == Cached::NotAsked) continue;
    ++told;
    const bool rule = std::ranges::all_of(
        stack, [&](const Program& program) { return always_allowed(program, each.nr); });
    EXPECT_EQ(each.cached == Cached::Yes, rule) << each.nr << ", asked by " << each.asked_by;
  }
}

TEST_F(LiveCost, times_of_the_cache_agree_with_its_rule) {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t nr = 0; nr < 470; nr += 13) numbers.push_back(nr);
  random::Source source(44);
  std::size_t told = 0;
  for (int i = 0; i < 6; ++i) {
    expect_agreement({random::decisions(source, 40)}, numbers, told);
  }
  expect_agreement({{{0x06, 0, 0, kAllow}}}, numbers, told);
  expect_agreement({{{0x06, 0, 0, kAllow + 1}}}, numbers, told);
  const bool has_cache = model_.has(Feature::ConstantActionCache);
  EXPECT_GE(told, has_cache ? 4 * numbers.size() : 0) << "of " << 8 * numbers.size();
}

TEST_F(LiveCost, one_filter_that_is_not_cached_is_enough) {
  const Program allow_all = cached_filter();
  const Program but_read = {
      {0x20, 0, 0, 0}, {0x15, 0, 1, 0}, {0x20, 0, 0, 16}, {0x06, 0, 0, kAllow}};
  const std::array<std::uint32_t, 4> numbers = {0, 1, 59, 317};
  std::size_t told = 0;
  expect_agreement({allow_all, but_read}, numbers, told);
  expect_agreement({but_read, allow_all}, numbers, told);
}

TEST_F(LiveCost, below_a_filter_that_is_not_cached_nothing_is_and_that_is_said) {
  const pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    const Program below = uncached_filter();
    if (live::allow_filters() != 0 || live::install(below.data(), below.size()) != 0) _exit(2);
    const std::array<std::uint32_t, 3> numbers = {0, 59, 110};
    const auto answers = cached_by_timing(std::vector<Program>{cached_filter()}, numbers);
    const bool right = answers && std::ranges::none_of(*answers, [](const CacheAnswer& each) {
                         return each.cached == Cached::Yes;
                       });
    _exit(right && conditions(0).filters_before != 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(LiveCost, numbers_that_no_filter_sees_and_divisions_by_0_are_said_to_be) {
  const Program divides = {
      {0x20, 0, 0, 16}, {0x07, 0, 0, 0}, {0x14, 0, 0, 0}, {0x3c, 0, 0, 0}, {0x06, 0, 0, kAllow}};
  const std::vector<Weight> weights = {{0, 1}, {335, 1}};
  const auto costs = live_cost(stack({divides}), weights, kQuick);
  ASSERT_TRUE(costs.has_value()) << costs.error().message;
  ASSERT_EQ(costs->numbers.size(), 2U);
  EXPECT_THAT(std::string(costs->numbers[0].why), HasSubstr("division by 0"));
  EXPECT_FALSE(costs->numbers[0].body.has_value());
  EXPECT_EQ(costs->weighted.left_out, model_.has(Feature::UretprobeExempt) ? 2U : 1U);
}

TEST_F(LiveCost, has_all_rows_of_a_stack_whose_filters_refuse_seccomp) {
  const Program refuses = {
      {0x20, 0, 0, 0}, {0x15, 0, 1, 110}, {0x06, 0, 0, kAllow}, {0x06, 0, 0, kErrno}};
  const std::vector<Weight> weights = {{110, 5}, {59, 1}, {1, 2}};
  const auto one = live_cost(stack({refuses}), weights, kQuick);
  ASSERT_TRUE(one.has_value()) << one.error().message;
  EXPECT_EQ(one->rounds, 3U);
  EXPECT_TRUE(one->stack_call.has_value()) << one->stack_call_why;
  const auto costs = live_cost(stack({refuses, refuses}), weights, kQuick);
  ASSERT_TRUE(costs.has_value()) << costs.error().message;
  EXPECT_FALSE(costs->stack_call.has_value());
  EXPECT_THAT(costs->stack_call_why, HasSubstr("older filter"));
  ASSERT_EQ(costs->numbers.size(), 3U);
  for (const NumberCost& each : costs->numbers) {
    ASSERT_TRUE(each.body.has_value()) << each.why;
    EXPECT_EQ(each.body->rounds, 3U);
    EXPECT_GT(each.executed, 0U);
  }
  EXPECT_EQ(costs->weighted.calls + costs->weighted.left_out, 8U);
}

TEST_F(LiveCost, measures_filters_whose_every_call_kills) {
  const Program kills = {{0x06, 0, 0, 0}};
  const std::vector<Weight> weights = {{110, 1}, {59, 1}, {231, 1}};
  const auto costs = live_cost(stack({kills, kills, kills}), weights, kQuick);
  ASSERT_TRUE(costs.has_value()) << costs.error().message;
  for (const NumberCost& each : costs->numbers) EXPECT_TRUE(each.body.has_value()) << each.why;
}

TEST_F(LiveCost, without_numbers_has_the_fixed_costs) {
  const auto costs = live_cost(stack({cached_filter()}), {}, kQuick);
  ASSERT_TRUE(costs.has_value()) << costs.error().message;
  for (const Estimate& each :
       {costs->model.entry, costs->model.cached, costs->model.uncached, costs->model.per_filter,
        costs->model.per_instruction, costs->model.per_jump, costs->model.per_arithmetic}) {
    EXPECT_EQ(each.rounds, 3U);
  }
}

TEST_F(LiveCost, longest_filters_and_fullest_stacks_are_measured_as_far_as_there_is_room) {
  Program longest(kMaxProgramLength, {0x54, 0, 0, 0xffffffffU});
  longest.back() = {0x06, 0, 0, kAllow};
  const std::vector<Weight> weights = {{0, 1}, {59, 1}};
  const auto one = live_cost(stack({longest}), weights, kQuick);
  ASSERT_TRUE(one.has_value()) << one.error().message;
  EXPECT_TRUE(one->numbers[0].body.has_value()) << one->numbers[0].why;
  // Seven of them leave no room for another of the half.
  const auto seven = live_cost(stack(std::vector<Program>(7, longest)), weights, kQuick);
  ASSERT_TRUE(seven.has_value()) << seven.error().message;
  EXPECT_EQ(seven->install_error, 0);
  for (const NumberCost& each : seven->numbers) EXPECT_NE(each.why, "") << each.nr;
}

TEST_F(LiveCost, of_a_body_takes_inputs_that_filters_see_alone) {
  const std::vector<SeccompData> inputs = {{.nr = 0, .arch = kX86_64}, {.nr = -1, .arch = kX86_64}};
  BodyOptions quick;
  quick.rounds = 3;
  const auto cost = kernel_body_cost(chain_of_compares(100), inputs, quick);
  ASSERT_TRUE(cost.has_value()) << cost.error().message;
  EXPECT_EQ(cost->install_error, 0);
  EXPECT_EQ(cost->nanoseconds.rounds, 3U);
  const std::vector<SeccompData> foreign = {{.nr = 0, .arch = live::kI386}};
  EXPECT_FALSE(kernel_body_cost(chain_of_compares(1), foreign, quick).has_value());
  EXPECT_FALSE(kernel_body_cost(chain_of_compares(1), {}, quick).has_value());
  const Program refused = {{0x20, 0, 0, 0}, {0x06, 0, 0, 0}, {0xff, 0, 0, 0}, {0x06, 0, 0, 0}};
  const auto not_taken = kernel_body_cost(refused, inputs, quick);
  ASSERT_TRUE(not_taken.has_value()) << not_taken.error().message;
  EXPECT_EQ(not_taken->install_error, EINVAL);
}

TEST_F(LiveCost, a_call_with_a_result_that_it_must_not_have_ends_the_child) {
  live::TimedWork work{.filters = {{{0x06, 0, 0, kErrno}}},
                       .groups = {{{{110, {}}}, 4}, {{{39, {}}}, 4}},
                       .windows = 2,
                       .must_return = -1,
                       .cpu = -1};
  auto timed = live::time_calls(work);
  ASSERT_TRUE(timed.has_value()) << timed.error().message;
  EXPECT_EQ(timed->ticks.size(), 2U);
  work.must_return = -2;
  timed = live::time_calls(work);
  ASSERT_TRUE(timed.has_value()) << timed.error().message;
  EXPECT_EQ(timed->surprise, 0U);
  EXPECT_TRUE(timed->ticks.empty());
  work.filters = {{{0x06, 0, 0, 0}}};
  EXPECT_FALSE(live::time_calls(work).has_value());
}

TEST_F(LiveCost, says_under_which_conditions) {
  const Conditions here = conditions(0);
  EXPECT_NE(here.kernel, "");
  EXPECT_EQ(here.core, 0);
  EXPECT_NE(here.store_bypass, "");
  EXPECT_NE(here.store_bypass_filtered, "");
}

}  // namespace
}  // namespace callgate::cost
