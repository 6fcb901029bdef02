// JSON is read with the place of every part.

#include "harness/front_ends/json_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace callgate::front_ends {
namespace {

std::string read_at(std::string_view text) {
  const auto tree = read_json(text);
  return tree ? "read" : to_string(tree.error());
}

TEST(Json, keeps_the_place_of_every_value_and_key) {
  const std::string_view text =
      "{\"a\": [1 , -2,\n 3], \"b\\\"\" : \"x\\\\\", \"c\":true,\n\"d\": null , \"e\": 0.5}";
  const auto tree = read_json(text);
  ASSERT_TRUE(tree);
  const auto from = [&](std::size_t offset, std::size_t length) {
    return text.substr(offset, length);
  };
  ASSERT_EQ(tree->members.size(), 5U);
  EXPECT_EQ(from(tree->members[0].offset, 3), "\"a\"");
  const JsonNode& list = tree->members[0].value;
  EXPECT_EQ(from(list.offset, 1), "[");
  EXPECT_EQ(from(list.items[0].offset, 1), "1");
  EXPECT_EQ(from(list.items[1].offset, 2), "-2");
  EXPECT_TRUE(list.items[1].negative);
  EXPECT_EQ(list.items[1].number, 2U);
  EXPECT_EQ(from(list.items[2].offset, 1), "3");
  EXPECT_EQ(tree->members[1].key, "b\"");
  EXPECT_EQ(from(tree->members[1].offset, 5), "\"b\\\"\"");
  EXPECT_EQ(from(tree->members[1].value.offset, 5), "\"x\\\\\"");
  EXPECT_EQ(from(tree->members[2].value.offset, 4), "true");
  EXPECT_EQ(from(tree->members[3].value.offset, 4), "null");
  EXPECT_EQ(tree->find("d"), nullptr);
  EXPECT_EQ(from(tree->members[4].value.offset, 3), "0.5");
}

TEST(Json, that_is_none_is_refused_with_the_place) {
  EXPECT_THAT(read_at(""), testing::HasSubstr("not JSON"));
  EXPECT_THAT(read_at("{\n \"a\" 1}"), testing::StartsWith("line 2, column 6: not JSON: "));
  EXPECT_THAT(read_at("[1,]"), testing::StartsWith("line 1, column 4: not JSON: "));
  EXPECT_THAT(read_at("[1] 2"), testing::StartsWith("line 1, column 5: not JSON: "));
  EXPECT_EQ(read_at("[18446744073709551616]"),
            "line 1, column 2: 18446744073709551616: an integer of more than 64 bits");
  EXPECT_EQ(read_at("[18446744073709551615]"), "read");
}

TEST(Json, that_is_too_deep_or_too_long_is_refused) {
  const std::string deep(kMaxJsonDepth, '[');
  const std::string closing(kMaxJsonDepth, ']');
  EXPECT_EQ(read_at(deep + closing), "read");
  EXPECT_THAT(read_at(deep + "[]" + closing), testing::HasSubstr("nested more than 32 levels"));
  std::string longest = "[0";
  for (std::size_t i = 1; i < kMaxJsonValues; ++i) longest += ",0";
  EXPECT_THAT(read_at(longest + "]"), testing::HasSubstr("more than 2000000 values"));
}

}  // namespace
}  // namespace callgate::front_ends
