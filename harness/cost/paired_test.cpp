#include "harness/cost/paired.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "harness/cost/call_mix.hpp"
#include "harness/random/generator.hpp"

namespace callgate::cost {
namespace {

std::vector<double> up_to(int last) {
  std::vector<double> out(static_cast<std::size_t>(last));
  std::iota(out.begin(), out.end(), 1.0);
  return out;
}

// Ranks and confidences of the tables that books of statistics print for the sign test.
TEST(Paired, interval_of_the_median_is_that_of_the_sign_test) {
  const auto interval = [](int count, double confidence) {
    return median_interval(up_to(count), confidence);
  };
  const auto eight = interval(8, 0.99);
  ASSERT_TRUE(eight.has_value());
  EXPECT_EQ(eight->low, 1);
  EXPECT_EQ(eight->high, 8);
  EXPECT_NEAR(eight->confidence, 0.9922, 1e-4);
  const auto fifteen = interval(15, 0.95);
  ASSERT_TRUE(fifteen.has_value());
  EXPECT_EQ(fifteen->low, 4);
  EXPECT_EQ(fifteen->high, 12);
  EXPECT_NEAR(fifteen->confidence, 0.9648, 1e-4);
  EXPECT_EQ(interval(15, 0.99)->low, 3);
  EXPECT_EQ(interval(15, 0.99)->high, 13);
  EXPECT_EQ(interval(20, 0.95)->low, 6);
  EXPECT_EQ(interval(20, 0.95)->high, 15);
  const auto many = interval(10'000, 0.99);  // about 1.29 times the root from the middle
  ASSERT_TRUE(many.has_value());
  EXPECT_NEAR(many->low, 5000 - 128.8, 2);
  EXPECT_NEAR(many->high, 5001 + 128.8, 2);
}

TEST(Paired, too_few_rounds_have_no_interval_and_say_nothing) {
  for (int count = 0; count < static_cast<int>(kLeastPairedRounds); ++count) {
    EXPECT_FALSE(median_interval(up_to(count)).has_value()) << count;
  }
  EXPECT_TRUE(median_interval(up_to(kLeastPairedRounds)).has_value());
  const std::vector<double> first(7, 1);
  const std::vector<double> second(7, 1000);
  const PairedDifference few = paired_difference(first, second);
  EXPECT_EQ(few.says, Says::WithinNoise);
  EXPECT_EQ(few.difference.median, 999);
  EXPECT_FALSE(few.interval.has_value());
}

TEST(Paired, drift_that_is_in_both_falls_out) {
  std::vector<double> first;
  std::vector<double> second;
  for (int round = 0; round < 15; ++round) {
    first.push_back(100 + 20 * round);
    second.push_back(100 + 20 * round - 3);
  }
  const PairedDifference difference = paired_difference(first, second);
  EXPECT_EQ(difference.says, Says::SecondCheaper);
  EXPECT_EQ(difference.difference.median, -3);
  EXPECT_EQ(difference.difference.spread, 0);
  EXPECT_EQ(paired_difference(second, first).says, Says::FirstCheaper);
}

TEST(Paired, one_round_that_was_disturbed_changes_nothing_and_three_do) {
  std::vector<double> first(15, 100);
  std::vector<double> second(15, 90);
  second[4] = 5000;
  EXPECT_EQ(paired_difference(first, second).says, Says::SecondCheaper);
  EXPECT_EQ(paired_difference(first, second).difference.median, -10);
  second[5] = second[6] = 5000;
  EXPECT_EQ(paired_difference(first, second).says, Says::WithinNoise);
}

TEST(Paired, what_is_the_same_is_within_the_noise) {
  const std::vector<double> same(15, 42);
  EXPECT_EQ(paired_difference(same, same).says, Says::WithinNoise);
  // Of so many comparisons of noise with noise, few are wrong: 0.74 % for 15 rounds.
  random::Source source(9);
  int wrong = 0;
  for (int i = 0; i < 2000; ++i) {
    std::vector<double> first;
    std::vector<double> second;
    for (int round = 0; round < 15; ++round) {
      first.push_back(source.below(1000));
      second.push_back(source.below(1000));
    }
    wrong += paired_difference(first, second).says == Says::WithinNoise ? 0 : 1;
  }
  EXPECT_LT(wrong, 30);
}

TEST(CallMix, each_call_is_drawn_by_its_share_of_the_counts) {
  const std::vector<std::uint64_t> counts = {700, 0, 250, 49, 1};
  const auto calls = drawn(counts, 100, 1);
  ASSERT_EQ(calls.size(), 100U);
  std::vector<int> seen(counts.size());
  for (const std::size_t each : calls) ++seen.at(each);
  EXPECT_THAT(seen, ::testing::ElementsAre(70, 0, 25, 5, 0));
  EXPECT_FALSE(std::ranges::is_sorted(calls));
  EXPECT_EQ(drawn(counts, 100, 1), calls);
  EXPECT_NE(drawn(counts, 100, 2), calls);
}

TEST(CallMix, counts_of_any_size_are_drawn) {
  EXPECT_TRUE(drawn({}, 10, 1).empty());
  EXPECT_TRUE(drawn(std::vector<std::uint64_t>{0, 0}, 10, 1).empty());
  const std::vector<std::uint64_t> large(3, ~std::uint64_t{0});
  const auto calls = drawn(large, 9, 1);
  for (std::size_t call = 0; call < 3; ++call) EXPECT_EQ(std::ranges::count(calls, call), 3);
  std::vector<std::uint64_t> many(5000, 1);
  EXPECT_EQ(drawn(many, 4096, 1).size(), 4096U);
}

}  // namespace
}  // namespace callgate::cost
