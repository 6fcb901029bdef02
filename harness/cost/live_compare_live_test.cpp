// Stacks side by side on the running kernel. No test here asks how long anything took, but for
// what a difference of thousands of instructions is.

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "harness/cost/live_compare.hpp"
#include "harness/cost/probe_filters.hpp"
#include "harness/live/live_test.hpp"
#include "verifier/check.hpp"

namespace callgate::cost {
namespace {

using live::kAllow;
using live::kX86_64;
using ::testing::HasSubstr;
using verifier::KnownCall;

constexpr CompareOptions kQuick = {.rounds = kLeastPairedRounds, .seconds = 5};

KnownCall call_of(std::int32_t nr, std::uint64_t count, std::uint64_t argument = 0) {
  KnownCall out;
  out.data.nr = nr;
  out.data.arch = kX86_64;
  out.data.args[0] = argument;
  out.count = count;
  return out;
}

// Allows everything, after so many instructions, of which one reads an argument.
Program allowing(std::size_t compares) {
  Program out = chain_of_compares(compares);
  out.back() = {0x06, 0, 0, kAllow};
  out.insert(out.begin(), {0x20, 0, 0, 16});
  return out;
}

class LiveCompare : public live::Live {
 protected:
  FilterStack stack(const std::vector<Program>& programs) const {
    FilterStack out(model_);
    for (const Program& each : programs) {
      const auto checked = verifier::check(each, model_);
      EXPECT_TRUE(checked.has_value() && out.push(*checked).has_value());
    }
    return out;
  }

  static std::expected<ComparisonOfCosts, live::LiveError> compare(
      const std::vector<FilterStack>& stacks, const std::vector<KnownCall>& calls,
      const CompareOptions& options = kQuick) {
    std::vector<const FilterStack*> pointers;
    for (const FilterStack& each : stacks) pointers.push_back(&each);
    return live_compare(pointers, calls, options);
  }

  void TearDown() override {
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1) << "a child is left behind";
  }

  const std::vector<KnownCall> calls_ = {call_of(0, 700, 3), call_of(1, 250, 1), call_of(59, 50)};
};

TEST_F(LiveCompare, four_thousand_instructions_more_are_a_difference) {
  std::vector<FilterStack> stacks;
  stacks.push_back(stack({allowing(4000)}));
  stacks.push_back(stack({allowing(10)}));
  const auto result = compare(stacks, calls_);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  ASSERT_EQ(result->differences.size(), 1U);
  EXPECT_EQ(result->differences[0].a, 0U);
  EXPECT_EQ(result->differences[0].b, 1U);
  EXPECT_EQ(result->differences[0].adds.says, Says::SecondCheaper);
  ASSERT_TRUE(result->differences[0].adds.interval.has_value());
  EXPECT_LT(result->differences[0].adds.interval->high, 0);
  EXPECT_EQ(result->calls, 1000U);
  EXPECT_EQ(result->rounds, kLeastPairedRounds);
  for (const ComparedStack& each : result->stacks) {
    EXPECT_EQ(each.cached_share, 0);
    EXPECT_EQ(each.executed, static_cast<double>(each.length));
    EXPECT_EQ(each.adds.rounds, kLeastPairedRounds);
    EXPECT_GT(each.install.median, 0);
    EXPECT_TRUE(each.installs_as_given);
  }
}

// Noise is called a difference once in 128 times: three times in a row is not noise.
TEST_F(LiveCompare, same_stack_twice_is_within_the_noise) {
  std::vector<FilterStack> stacks;
  for (int i = 0; i < 2; ++i) stacks.push_back(stack({allowing(100), allowing(10)}));
  bool within = false;
  for (int tries = 0; tries < 3 && !within; ++tries) {
    const auto result = compare(stacks, calls_);
    ASSERT_TRUE(result.has_value()) << result.error().message;
    within = result->differences.at(0).adds.says == Says::WithinNoise;
  }
  EXPECT_TRUE(within);
}

// A filter whose way depends on the argument: 2000 instructions for 7, none for others.
TEST_F(LiveCompare, arguments_of_the_workload_are_passed) {
  Program by_argument = chain_of_compares(2000);
  by_argument.back() = {0x06, 0, 0, kAllow};
  const Program head = {{0x20, 0, 0, 16}, {0x15, 1, 0, 7}, {0x06, 0, 0, kAllow}};
  by_argument.insert(by_argument.begin(), head.begin(), head.end());
  std::vector<FilterStack> stacks;
  stacks.push_back(stack({by_argument}));
  stacks.push_back(stack({uncached_filter()}));
  const auto with = compare(stacks, {call_of(0, 1, 7)});
  ASSERT_TRUE(with.has_value()) << with.error().message;
  EXPECT_EQ(with->differences.at(0).adds.says, Says::SecondCheaper);
  EXPECT_GT(with->stacks[0].executed, 2000);
  const auto without = compare(stacks, {call_of(0, 1, 8)});
  ASSERT_TRUE(without.has_value()) << without.error().message;
  EXPECT_EQ(without->stacks[0].executed, 3);
  EXPECT_LT(without->stacks[0].instructions.median, with->stacks[0].instructions.median / 4);
}

TEST_F(LiveCompare, calls_without_a_figure_are_left_out_of_all_with_the_reason) {
  const Program divides = {
      {0x20, 0, 0, 16}, {0x15, 0, 2, 9}, {0x01, 0, 0, 0}, {0x3c, 0, 0, 0}, {0x06, 0, 0, kAllow}};
  std::vector<FilterStack> stacks;
  stacks.push_back(stack({divides}));
  stacks.push_back(stack({uncached_filter()}));
  KnownCall foreign = call_of(3, 7);
  foreign.data.arch = live::kI386;
  KnownCall unknown = call_of(1, 5);
  unknown.known = verifier::kNumberKnown | verifier::kArchKnown;
  const auto result = compare(stacks, {call_of(0, 11, 9), foreign, unknown, call_of(335, 2)});
  ASSERT_TRUE(result.has_value()) << result.error().message;
  const bool exempt = model_.has(Feature::UretprobeExempt);
  EXPECT_EQ(result->calls, exempt ? 5U : 7U);
  EXPECT_EQ(result->unknown_arguments, 5U);
  EXPECT_EQ(result->stacks[0].left_out, 11U);
  EXPECT_EQ(result->stacks[1].left_out, 0U);
  std::uint64_t left_out = 0;
  for (const CallsLeftOut& each : result->left_out) {
    EXPECT_NE(each.why, "");
    left_out += each.calls;
  }
  EXPECT_EQ(left_out + result->calls, 25U);
  const auto none = compare(stacks, {foreign});
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message, HasSubstr("no call to compare by"));
}

// Nothing that the stack allows may be executed: exit_group, with everything allowed.
TEST_F(LiveCompare, filters_that_kill_refuse_seccomp_or_allow_all_are_measured) {
  const Program kills = {{0x06, 0, 0, 0}};
  std::vector<FilterStack> stacks;
  stacks.push_back(stack({kills, kills, kills}));
  stacks.push_back(stack({cached_filter()}));
  stacks.push_back(stack({allowing(3)}));
  const auto result = compare(stacks, {call_of(231, 1), call_of(59, 1), call_of(110, 1)});
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->differences.size(), 3U);
  EXPECT_FALSE(result->stacks[0].installs_as_given);
  EXPECT_EQ(result->stacks[1].cached_share, model_.has(Feature::ConstantActionCache) ? 1 : 0);
  EXPECT_EQ(result->stacks[2].cached_share, 0);
}

TEST_F(LiveCompare, installing_is_timed_where_it_is_wanted) {
  std::vector<FilterStack> stacks;
  stacks.push_back(stack({allowing(10)}));
  CompareOptions without = kQuick;
  without.install = false;
  const auto result = compare(stacks, calls_, without);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->stacks[0].install.rounds, 0U);
  EXPECT_TRUE(result->differences.empty());
}

TEST_F(LiveCompare, a_stack_that_leaves_no_room_has_no_figures_and_the_other_has) {
  Program longest(kMaxProgramLength, {0x54, 0, 0, 0xffffffffU});
  longest.back() = {0x06, 0, 0, kAllow};
  std::vector<FilterStack> stacks;
  stacks.push_back(stack(std::vector<Program>(2, longest)));
  stacks.push_back(stack({allowing(10)}));
  const auto result = compare(stacks, calls_);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->stacks[0].install_error, 0);
  EXPECT_THAT(std::string(result->stacks[0].why), HasSubstr("too long"));
  EXPECT_TRUE(result->stacks[1].has_figures());
  EXPECT_TRUE(result->differences.empty());
}

TEST_F(LiveCompare, below_a_filter_that_is_not_cached_nothing_is_and_times_tell) {
  const FilterStack all = stack({cached_filter()});
  const pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    const Program below = uncached_filter();
    if (live::allow_filters() != 0 || live::install(below.data(), below.size()) != 0) _exit(2);
    const FilterStack* const one = &all;
    const auto result = live_compare({&one, 1}, calls_, kQuick);
    const bool right = result && result->cache_told_by == CacheToldBy::Timing &&
                       result->stacks[0].cached_share == 0;
    _exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace callgate::cost
