// Conditions in words, read again: they hold for the values that the condition has, and no others.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/random/generator.hpp"
#include "harness/report/conditions.hpp"

namespace callgate::report {
namespace {

using verifier::Diagrams;
using verifier::Field;
using verifier::Space;

std::uint64_t number(std::string_view text) {
  const bool inverted = text.starts_with('~');
  if (inverted) text.remove_prefix(1);
  const std::uint64_t value = std::strtoull(std::string(text).c_str(), nullptr, 0);
  return inverted ? ~value : value;
}

std::vector<std::string_view> parts(std::string_view text, std::string_view between) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find(between);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + between.size());
  }
}

// "7", "5 to 9", "at least 0x10"
bool is_item(std::string_view item, std::uint64_t value) {
  if (item.starts_with("at least ")) return value >= number(item.substr(9));
  const auto range = parts(item, " to ");
  if (range.size() == 1) return value == number(item);
  return value >= number(range[0]) && value <= number(range[1]);
}

bool is_any(std::string_view list, std::uint64_t value) {
  for (const std::string_view comma : parts(list, ", ")) {
    for (const std::string_view item : parts(comma, " or ")) {
      if (is_item(item, value)) return true;
    }
  }
  return false;
}

bool compared(std::string_view rest, std::uint64_t value) {
  if (rest.starts_with("== ")) return value == number(rest.substr(3));
  if (rest.starts_with("!= ")) return value != number(rest.substr(3));
  if (rest.starts_with("<= ")) return value <= number(rest.substr(3));
  if (rest.starts_with(">= ")) return value >= number(rest.substr(3));
  if (rest.starts_with("is none of ")) return !is_any(rest.substr(11), value);
  if (rest.starts_with("is ")) return is_any(rest.substr(3), value);
  ADD_FAILURE() << "not understood: " << rest;
  return false;
}

// Whether words without names hold for a value of arg0.
bool holds(std::string_view words, std::uint64_t value) {
  constexpr std::string_view kMask = "(arg0 & ";
  if (words.starts_with(kMask)) {
    const bool all = words.find(" and ") != std::string_view::npos;
    bool result = all;
    for (std::string_view each : parts(words, all ? " and " : " or ")) {
      each.remove_prefix(kMask.size());
      const std::size_t end = each.find(") ");
      const bool one = compared(each.substr(end + 2), value & number(each.substr(0, end)));
      result = all ? result && one : result || one;
    }
    return result;
  }
  for (const auto& [subject, of] : {std::pair<std::string_view, std::uint64_t>{"arg0 ", value},
                                    {"(arg0 as 32 bits) ", value & 0xffffffffU},
                                    {"(arg0 >> 32) ", value >> 32U}}) {
    if (words.starts_with(subject)) return compared(words.substr(subject.size()), of);
  }
  ADD_FAILURE() << "not understood: " << words;
  return false;
}

std::uint64_t any_value(random::Source& source) {
  switch (source.below(5)) {
    case 0:
      return source.below(20);
    case 1:
      return 1ULL << source.below(64);
    case 2:
      return ~std::uint64_t{0} - source.below(3);
    case 3:
      return (std::uint64_t{source.below(3)} << 32U) + source.below(20) - 10;
    default:
      return source.next();
  }
}

Space::Ref simple(random::Source& source, Space& space, std::vector<std::uint64_t>& values) {
  std::uint64_t first = any_value(source);
  std::uint64_t last = any_value(source);
  if (first > last) std::swap(first, last);
  values.insert(values.end(), {first, last, first - 1, last + 1});
  auto& terms = space.terms();
  const auto half = terms.word({Field::Arg0, source.one_in(3)});
  switch (source.below(5)) {
    case 0:
      return space.equal(Field::Arg0, first);
    case 1:
      return space.between(Field::Arg0, first, last);
    case 2:
      return space.masked_equal(Field::Arg0, last, first & last);
    case 3:
      return space.compared(callgate::Test::Greater, half,
                            terms.constant(static_cast<std::uint32_t>(first)));
    default:
      return space.compared(callgate::Test::Equal,
                            terms.bit_and(half, terms.constant(static_cast<std::uint32_t>(last))),
                            terms.constant(static_cast<std::uint32_t>(first & last)));
  }
}

TEST(ConditionWords, hold_for_the_values_that_the_condition_has) {
  random::Source source(3);
  std::size_t read = 0;
  std::size_t too_many = 0;
  for (int i = 0; i < 400 && !testing::Test::HasFailure(); ++i) {
    Space space({.nodes = 1'000'000, .nodes_of_a_term = 30'000});
    std::vector<std::uint64_t> values{0, ~std::uint64_t{0}, 0xffffffffU, 0x100000000U};
    Space::Ref condition = simple(source, space, values);
    for (std::uint32_t more = source.below(4); more > 0; --more) {
      const Space::Ref other = simple(source, space, values);
      condition = source.one_in(3) ? space.diagrams().both(condition, other)
                                   : space.diagrams().either(condition, other);
    }
    if (source.one_in(3)) condition = space.diagrams().negated(condition);
    if (space.diagrams().is_end(condition)) continue;
    const Words words = field_words(space, Field::Arg0, condition, {});
    if (!words.whole) {
      ++too_many;
      continue;
    }
    ++read;
    for (int j = 0; j < 60; ++j) values.push_back(any_value(source));
    for (const std::uint64_t value : values) {
      SeccompData data;
      data.args[0] = value;
      ASSERT_EQ(holds(words.text, value), space.holds(condition, data))
          << words.text << " for " << value;
    }
  }
  EXPECT_GT(read, 200U);
  EXPECT_GT(read, 4 * too_many);
}

}  // namespace
}  // namespace callgate::report
