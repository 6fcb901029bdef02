#include "vm/number_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vm/number_table.hpp"

namespace callgate {

static void PrintTo(const NumberRange& range, std::ostream* out) {
  *out << range.first << " to " << range.last;
}

namespace {

using testing::ElementsAre;

TEST(NumberSet, parts_where_a_number_is_taken_out) {
  NumberSet set = NumberSet::all();
  EXPECT_TRUE(set.take(5));
  EXPECT_FALSE(set.take(5));
  EXPECT_TRUE(set.take(0));
  EXPECT_TRUE(set.take(~0U));
  EXPECT_TRUE(set.take(4));
  EXPECT_THAT(set.ranges(), ElementsAre(NumberRange{1, 3}, NumberRange{6, ~0U - 1}));
}

TEST(NumberSet, is_single_when_one_is_left) {
  NumberSet set({7, 8});
  EXPECT_FALSE(set.is_single());
  EXPECT_TRUE(set.take(8));
  EXPECT_TRUE(set.is_single());
  EXPECT_EQ(set.front(), 7U);
  EXPECT_TRUE(set.take(7));
  EXPECT_TRUE(set.empty());
}

TEST(NumberSet, gives_those_of_a_range_away) {
  NumberSet set = NumberSet::all();
  EXPECT_TRUE(set.take(10));
  const NumberSet taken = set.take(NumberRange{8, 12});
  EXPECT_THAT(taken.ranges(), ElementsAre(NumberRange{8, 9}, NumberRange{11, 12}));
  EXPECT_THAT(set.ranges(), ElementsAre(NumberRange{0, 7}, NumberRange{13, ~0U}));
  EXPECT_TRUE(set.take(NumberRange{8, 12}).empty());
  EXPECT_EQ(set.take(NumberRange{0, ~0U}).ranges().size(), 2U);
  EXPECT_TRUE(set.empty());
}

TEST(NumberTable, finds_every_number_however_it_is_kept) {
  using Table = NumberTable<int>;
  // Borders in both tables, beyond both, and at the very end.
  const std::vector<Table::Range> ranges = {{0, 1},           {3, 2},          {500, 3},
                                            {100'000, 4},     {kX32Bit, 5},    {kX32Bit + 9, 6},
                                            {0x90000000U, 7}, {0xffffffffU, 8}};
  const Table table(ranges);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const int own = ranges[i].value;
    EXPECT_EQ(table.at(ranges[i].first), own);
    const std::uint32_t last = i + 1 < ranges.size() ? ranges[i + 1].first - 1 : ~0U;
    EXPECT_EQ(table.at(last), own);
    EXPECT_EQ(table.at(ranges[i].first + (last - ranges[i].first) / 2), own);
  }
  EXPECT_EQ(table.at(0xffffffffU), 8);
}

TEST(NumberTable, of_one_range_has_it_everywhere) {
  const NumberTable<int> table({{0, 42}});
  for (const std::uint32_t nr : {0U, 1U, kX32Bit, ~0U}) EXPECT_EQ(table.at(nr), 42);
}

}  // namespace
}  // namespace callgate
