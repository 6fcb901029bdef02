#include "vm/equality_chains.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace callgate {

// For messages of failed tests.
static void PrintTo(const EqualityChain::Key& key, std::ostream* out) {
  *out << key.k << " to " << key.target;
}

namespace {

std::vector<EqualityChain> chains_of(const Program& program, std::size_t shortest = 1) {
  return equality_chains(program, past_jumps(program), shortest);
}

auto key(std::uint32_t k, std::uint16_t target) {
  return testing::AllOf(testing::Field(&EqualityChain::Key::k, k),
                        testing::Field(&EqualityChain::Key::target, target));
}

TEST(PastJumps, lead_to_the_end_of_a_row_of_jumps) {
  const Program program = {{0x05, 0, 0, 1}, {0x06, 0, 0, 1}, {0x05, 0, 0, 0},
                           {0x05, 0, 0, 1}, {0x06, 0, 0, 2}, {0x06, 0, 0, 3}};
  EXPECT_THAT(past_jumps(program), testing::ElementsAre(5, 1, 5, 5, 4, 5));
}

TEST(EqualityChains, follow_the_compares_that_found_nothing) {
  // One with its return beside it, one that jumps far, one reached by a jump.
  const Program program = {{0x20, 0, 0, 0}, {0x15, 0, 1, 7}, {0x06, 0, 0, 1}, {0x15, 2, 0, 3},
                           {0x05, 0, 0, 0}, {0x15, 1, 0, 5}, {0x06, 0, 0, 2}, {0x06, 0, 0, 3}};
  const auto chains = chains_of(program);
  ASSERT_EQ(chains.size(), 1U);
  EXPECT_EQ(chains[0].head, 1U);
  EXPECT_EQ(chains[0].otherwise, 6U);
  EXPECT_THAT(chains[0].keys, testing::ElementsAre(key(3, 6), key(5, 7), key(7, 2)));
}

TEST(EqualityChains, keep_the_first_of_equal_constants) {
  const Program program = {
      {0x15, 2, 0, 9}, {0x15, 2, 0, 4}, {0x15, 0, 1, 9}, {0x06, 0, 0, 1}, {0x06, 0, 0, 2}};
  const auto chains = chains_of(program);
  ASSERT_EQ(chains.size(), 1U);
  EXPECT_THAT(chains[0].keys, testing::ElementsAre(key(4, 4), key(9, 3)));
}

TEST(EqualityChains, end_where_somebody_else_comes_in) {
  // The third compare is also where the first goes when it finds its constant.
  const Program program = {
      {0x15, 1, 0, 1}, {0x15, 1, 0, 2}, {0x15, 0, 1, 3}, {0x06, 0, 0, 1}, {0x06, 0, 0, 2}};
  const auto chains = chains_of(program);
  ASSERT_EQ(chains.size(), 2U);
  EXPECT_EQ(chains[0].keys.size(), 2U);
  EXPECT_EQ(chains[0].otherwise, 2U);
  EXPECT_EQ(chains[1].head, 2U);
}

TEST(EqualityChains, end_where_A_may_have_changed) {
  const Program program = {{0x15, 2, 0, 1}, {0x20, 0, 0, 4}, {0x15, 0, 0, 2}, {0x06, 0, 0, 1}};
  EXPECT_EQ(chains_of(program).size(), 2U);
  EXPECT_TRUE(chains_of(program, 2).empty());
}

}  // namespace
}  // namespace callgate
