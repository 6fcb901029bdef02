// How campaigns are cut up, kept and gone on with.

#include "harness/campaign/campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

namespace callgate::campaign {
namespace {

using ::testing::HasSubstr;

Settings settings(std::uint64_t programs) {
  Settings out;
  out.amounts = {programs, programs, 2 * programs, programs / 50, programs / 25};
  out.seed = 7;
  return out;
}

auto key(const Unit& unit) { return std::tuple(unit.property, unit.number, unit.count); }

std::uint64_t total(const std::vector<Unit>& units, Property property) {
  std::uint64_t sum = 0;
  for (const Unit& each : units) sum += each.property == property ? each.count : 0;
  return sum;
}

TEST(Plan, makes_what_was_asked_for) {
  const Settings asked = settings(100'001);
  const auto units = plan(asked);
  for (const PropertyInfo& row : properties()) {
    EXPECT_EQ(total(units, row.property), asked.amount(row.property)) << row.token;
  }
}

TEST(Plan, shards_are_disjoint_and_make_the_whole) {
  Settings asked = settings(100'001);
  auto whole = plan(asked);
  for (const std::uint64_t count : {1U, 2U, 7U, 1000U}) {
    std::vector<Unit> together;
    for (std::uint64_t i = 1; i <= count; ++i) {
      asked.shard = {i, count};
      std::ranges::copy(plan(asked), std::back_inserter(together));
    }
    std::ranges::sort(together, {}, key);
    std::ranges::sort(whole, {}, key);
    EXPECT_EQ(together, whole) << count << " shards";
  }
}

TEST(Plan, all_properties_advance_at_the_same_pace) {
  const Settings asked = settings(1'000'000);
  auto units = plan(asked);
  units.resize(units.size() / 2);
  for (const PropertyInfo& row : properties()) {
    const auto half = static_cast<double>(asked.amount(row.property)) / 2;
    const auto unit = static_cast<double>(row.unit);
    EXPECT_NEAR(static_cast<double>(total(units, row.property)), half, 2 * unit) << row.token;
  }
}

TEST(Plan, seeds_differ_by_campaign_property_and_number) {
  std::vector<std::uint64_t> seeds;
  for (const std::uint64_t seed : {0U, 1U, 2U}) {
    for (const PropertyInfo& row : properties()) {
      for (std::uint64_t number = 0; number < 100; ++number) {
        seeds.push_back(seed_of({row.property, number, 1}, seed));
        EXPECT_EQ(seeds.back(), seed_of({row.property, number, 9}, seed));
      }
    }
  }
  std::ranges::sort(seeds);
  const auto same = std::ranges::unique(seeds);
  EXPECT_TRUE(same.empty());
}

TEST(Plan, a_shard_is_a_part_and_how_many_there_are) {
  EXPECT_EQ(parse_shard("1/1"), (Shard{1, 1}));
  EXPECT_EQ(parse_shard("3/8"), (Shard{3, 8}));
  for (const auto* text : {"", "1", "0/2", "3/2", "1/", "/2", "-1/2", "1/2/3", "1/2 ", "a/b"}) {
    EXPECT_EQ(parse_shard(text), std::nullopt) << text;
  }
}

State some_state() {
  State state;
  state.settings = settings(5000);
  state.settings.shard = {2, 3};
  state.kernel = "6.18.44";
  state.done = 2;
  state.seconds = 1.5;
  Count& count = state.tally.count(Property::Values);
  count.made = 1024;
  count.asked = 8000;
  count.disagreements = 1;
  count.not_asked["no such place"] = 3;
  const Program program = {{0x20, 0, 0, 0}, {0x16, 0, 0, 0}};
  state.tally.coverage.add_run(program, {}, KernelModel{});
  state.tally.coverage.add_refusal({{DiagnosticId::UnknownCode, 0, {}}});
  state.tally.findings.push_back(
      {Property::Values, "values-0-1", "a \"word\"\n", "run", "# text\n"});
  return state;
}

TEST(CampaignState, comes_back_as_it_was) {
  const State state = some_state();
  const auto back = parse_state(state_text(state));
  ASSERT_TRUE(back.has_value()) << back.error();
  EXPECT_EQ(state_text(*back), state_text(state));
  EXPECT_EQ(back->settings, state.settings);
  EXPECT_EQ(back->done, state.done);
  EXPECT_EQ(back->tally.count(Property::Values).not_asked,
            state.tally.count(Property::Values).not_asked);
  EXPECT_EQ(back->tally.coverage.cells(), state.tally.coverage.cells());
  EXPECT_EQ(back->tally.findings, state.tally.findings);
}

TEST(CampaignState, a_file_that_is_none_is_refused) {
  const std::string whole = state_text(some_state());
  EXPECT_FALSE(parse_state("").has_value());
  EXPECT_FALSE(parse_state("{}").has_value());
  EXPECT_FALSE(parse_state("[1]").has_value());
  EXPECT_FALSE(parse_state(whole.substr(0, whole.size() / 2)).has_value());
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return parse_state(text.replace(at, from.size(), to));
  };
  EXPECT_FALSE(changed("\"units_done\": 2", "\"units_done\": 2000").has_value());
  EXPECT_FALSE(changed("\"2/3\"", "\"4/3\"").has_value());
  EXPECT_FALSE(changed("\"callgate_campaign\": 1", "\"callgate_campaign\": 99").has_value());
  const auto fewer = changed("\"cells\": [", "\"cells\": [1,");
  ASSERT_FALSE(fewer.has_value());
  EXPECT_THAT(fewer.error(), HasSubstr("coverage"));
}

TEST(Coverage, counts_what_ran_and_how_it_ended) {
  Coverage coverage;
  const Program program = {
      {0x00, 0, 0, 7}, {0x05, 0, 0, 1}, {0x87, 0, 0, 0}, {0x06, 0, 0, 0x7fff0000}};
  coverage.add_run(program, {}, KernelModel{});
  EXPECT_EQ(coverage.cells_seen(), 3U);  // not the txa that is jumped over
  EXPECT_THAT(coverage.missing(), testing::Contains("LdImm with KILL_PROCESS"));
  EXPECT_THAT(coverage.missing(), testing::Not(testing::Contains("LdImm with ALLOW")));
  EXPECT_THAT(coverage.missing(), testing::Contains("Txa with ALLOW"));
  EXPECT_EQ(coverage.missing().size() + coverage.cells_seen(), Coverage::cells_possible());
}

TEST(Coverage, a_division_that_ends_the_program_is_an_end_of_its_own) {
  Coverage coverage;
  const Program program = {{0x3c, 0, 0, 0}, {0x06, 0, 0, 0}};
  coverage.add_run(program, {}, KernelModel{});
  EXPECT_EQ(coverage.cells_seen(), 1U);
  EXPECT_THAT(coverage.missing(), testing::Not(testing::Contains("DivX with division by 0")));
}

}  // namespace
}  // namespace callgate::campaign
