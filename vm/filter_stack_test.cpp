#include "vm/filter_stack.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

// Stacks of whole programs are in corpus/vectors/stack and in verifier/check_test.cpp: only the
// checker makes programs that a stack takes.
namespace callgate {
namespace {

TEST(FilterStack, without_a_filter_allows) {
  const FilterStack stack{KernelModel{}};
  EXPECT_EQ(stack.run(SeccompData{}), Verdict{});
  EXPECT_EQ(stack.limit_used(), 0U);
  EXPECT_EQ(stack.size(), 0U);
}

TEST(Combine, takes_the_lowest_action_of_every_pair) {
  for (const ActionInfo& newer : actions()) {
    for (const ActionInfo& older : actions()) {
      const std::array<FilterResult, 2> results = {{
          {1, static_cast<std::uint32_t>(newer.action) | 1U},
          {0, static_cast<std::uint32_t>(older.action) | 2U},
      }};
      const Verdict verdict = combine(results, KernelModel{});
      // The table's rows stand by strictness; the strictest first.
      const bool newer_wins = &newer <= &older;
      const ActionInfo& winner = newer_wins ? newer : older;
      if (winner.action == Action::Allow) {
        EXPECT_EQ(verdict, Verdict{});
        continue;
      }
      EXPECT_EQ(verdict.value & kActionMask, static_cast<std::uint32_t>(winner.action));
      EXPECT_EQ(verdict.data(), newer_wins ? 1 : 2) << newer.name << " over " << older.name;
      EXPECT_EQ(verdict.winner, newer_wins ? 1U : 0U);
    }
  }
}

TEST(Combine, of_nothing_allows) { EXPECT_EQ(combine({}, KernelModel{}), Verdict{}); }

TEST(ActionBits, are_15_before_4_14) {
  EXPECT_EQ(action_bits(0x80051234U, KernelModel{}), 0x80050000U);
  EXPECT_EQ(action_bits(0x80051234U, KernelModel{.version = {4, 13, 0}}), 0x00050000U);
}

}  // namespace
}  // namespace callgate
