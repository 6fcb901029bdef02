// Small campaigns against the running kernel.

#include <atomic>

#include "harness/campaign/campaign.hpp"
#include "harness/live/live_test.hpp"

namespace callgate::campaign {
namespace {

using LiveCampaign = live::Live;

State fresh() {
  State state;
  state.settings.amounts = {300, 1100, 5000, 60, 60};
  state.settings.inputs = 4;
  state.kernel = kernel_release();
  return state;
}

// What must be the same however the campaign was run. Which way a program takes may depend on where
// its calls are made from, which is another place in each run.
std::string counted(State state) {
  state.seconds = 0;
  state.tally.coverage = {};
  return state_text(state);
}

State whole(unsigned jobs) {
  State state = fresh();
  const auto end = run(state, jobs, {});
  EXPECT_TRUE(end.has_value()) << end.error().message;
  return state;
}

TEST_F(LiveCampaign, small_campaigns_find_nothing_and_count_everything) {
  const State state = whole(1);
  EXPECT_EQ(state.done, plan(state.settings).size());
  EXPECT_EQ(state.tally.disagreements(), 0U);
  for (const Finding& each : state.tally.findings) ADD_FAILURE() << each.text;
  for (const PropertyInfo& row : properties()) {
    EXPECT_EQ(state.tally.count(row.property).made, state.settings.amount(row.property));
  }
  const Count& values = state.tally.count(Property::Values);
  std::uint64_t not_asked = 0;
  for (const auto& each : values.not_asked) not_asked += each.second;
  EXPECT_EQ(values.asked + not_asked, 4 * 1100U);
  EXPECT_GT(values.asked, 4 * 1000U);
}

TEST_F(LiveCampaign, jobs_do_not_change_what_is_counted) {
  EXPECT_EQ(counted(whole(1)), counted(whole(3)));
}

TEST_F(LiveCampaign, one_that_was_stopped_ends_as_one_that_was_not) {
  State state = fresh();
  const std::size_t units = plan(state.settings).size();
  std::size_t runs = 0;
  for (; state.done < units; ++runs) {
    ASSERT_LE(runs, units);
    const std::size_t before = state.done;
    std::atomic<std::size_t> taken = 0;
    const auto end = run(state, 2, {.stop = [&] { return taken++ >= 2; }});
    ASSERT_TRUE(end.has_value()) << end.error().message;
    EXPECT_EQ(state.done, std::min(before + 2, units));
    auto read = parse_state(state_text(state));
    ASSERT_TRUE(read.has_value()) << read.error();
    state = std::move(*read);
  }
  EXPECT_GT(runs, 1U);
  EXPECT_EQ(counted(state), counted(whole(1)));
}

TEST_F(LiveCampaign, what_a_watcher_throws_reaches_the_caller) {
  State state = fresh();
  const Watch watch{.counted = [](const State&) { throw std::runtime_error("no room"); }};
  EXPECT_THROW((void)run(state, 2, watch), std::runtime_error);
}

}  // namespace
}  // namespace callgate::campaign
