// Diagrams, formulas and conditions by themselves.

#include "verifier/space.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "verifier/paths.hpp"

namespace callgate::verifier {
namespace {

TEST(Diagrams, functions_that_are_the_same_are_one_reference) {
  Diagrams diagrams(1000);
  const auto a = diagrams.variable(1);
  const auto b = diagrams.variable(2);
  const auto c = diagrams.variable(3);
  EXPECT_EQ(diagrams.negated(diagrams.both(a, b)),
            diagrams.either(diagrams.negated(a), diagrams.negated(b)));
  EXPECT_EQ(diagrams.both(a, diagrams.either(b, c)),
            diagrams.either(diagrams.both(a, b), diagrams.both(a, c)));
  EXPECT_EQ(diagrams.unequal(diagrams.unequal(a, b), b), a);
  EXPECT_EQ(diagrams.without(a, a), Diagrams::kFalse);
  EXPECT_EQ(diagrams.negated(diagrams.negated(c)), c);
}

TEST(Diagrams, ends_carry_numbers_and_are_joined_and_changed) {
  Diagrams diagrams(1000);
  const auto a = diagrams.variable(1);
  const auto b = diagrams.variable(2);
  const auto f = diagrams.choose(a, diagrams.end(5), diagrams.end(7));
  const auto g = diagrams.choose(b, diagrams.end(100), diagrams.end(200));
  const auto sum = diagrams.joined(
      f, g, [&](auto x, auto y) { return diagrams.end(diagrams.number(x) + diagrams.number(y)); });
  std::vector<std::uint32_t> numbers;
  for (const auto end : diagrams.ends(sum)) numbers.push_back(diagrams.number(end));
  EXPECT_THAT(numbers, testing::UnorderedElementsAre(105U, 107U, 205U, 207U));
  const auto odd = diagrams.changed(f, [&](std::uint32_t) { return Diagrams::kTrue; });
  EXPECT_EQ(odd, Diagrams::kTrue);
}

TEST(Diagrams, say_when_they_are_full_and_keep_what_they_have) {
  Diagrams diagrams(40);
  auto all = diagrams.variable(0);
  const auto first = all;
  EXPECT_THROW(
      for (std::uint32_t i = 1; i < 100; ++i) all = diagrams.unequal(all, diagrams.variable(i)),
      Diagrams::Full);
  EXPECT_EQ(diagrams.variable(0), first);
  (void)diagrams.allow_more(1000);
  EXPECT_EQ(diagrams.size(diagrams.unequal(first, diagrams.variable(1))), 5U);
}

TEST(Terms, are_folded_to_what_they_are) {
  Terms terms;
  const TermId a = terms.word({Field::Arg0, false});
  const TermId b = terms.word({Field::Arg1, false});
  const auto k = [&](std::uint32_t value) { return terms.constant(value); };
  EXPECT_EQ(terms.add(terms.add(a, k(3)), k(~0U - 2)), a);
  EXPECT_EQ(terms.add(a, b), terms.add(b, a));
  EXPECT_EQ(terms.subtract(a, a), k(0));
  EXPECT_EQ(terms.bit_and(terms.bit_and(a, k(0xff0)), k(0x0ff)), terms.bit_and(a, k(0x0f0)));
  EXPECT_EQ(terms.bit_and(k(0), a), k(0));
  EXPECT_EQ(terms.bit_or(a, k(~0U)), k(~0U));
  EXPECT_EQ(terms.bit_xor(terms.bit_xor(a, k(5)), k(5)), a);
  EXPECT_EQ(terms.multiply(k(8), a), terms.left(a, k(3)));
  EXPECT_EQ(terms.divide(a, k(16)), terms.right(a, k(4)));
  EXPECT_EQ(terms.divide(k(7), k(0)), k(0));
  EXPECT_EQ(terms.left(a, k(32)), k(0));
  EXPECT_EQ(terms.value(terms.multiply(k(~0U), k(~0U))), 1U);
}

// Every operation, as bits and as a number, on words of one field each so that bits can be had.
TEST(Space, compares_formulas_as_they_are_computed) {
  Space space;
  Terms& terms = space.terms();
  const TermId a = terms.word({Field::Arg0, false});
  const TermId high = terms.word({Field::Arg0, true});
  const auto k = [&](std::uint32_t value) { return terms.constant(value); };
  const std::array formulas{
      a,
      terms.add(a, k(0x7fffffff)),
      terms.subtract(k(5), a),
      terms.multiply(a, k(3)),
      terms.multiply(a, k(~0U - 4)),
      terms.divide(a, k(48)),
      terms.divide(k(1000), terms.bit_and(a, k(0xf))),
      terms.bit_xor(terms.bit_or(a, k(0xf0)), k(0xff)),
      terms.left(k(0x80000001), terms.bit_and(a, k(63))),
      terms.right(a, terms.bit_and(high, k(255))),
      terms.right(k(~0U), a),
  };
  std::mt19937_64 chance(1);
  int opaque = 0;
  for (const TermId formula : formulas) {
    for (const std::uint32_t against : {0U, 1U, 5U, 0x80000000U, ~0U}) {
      for (const auto test : {callgate::Test::Equal, callgate::Test::Greater,
                              callgate::Test::GreaterOrEqual, callgate::Test::AnyBit}) {
        const Space::Ref condition = space.compared(test, formula, k(against));
        opaque += space.has_opaque(condition) ? 1 : 0;
        for (int i = 0; i < 50; ++i) {
          SeccompData data;
          data.args[0] = i < 40 ? chance() >> (chance() % 64) : static_cast<std::uint64_t>(i - 40);
          EXPECT_EQ(space.holds(condition, data),
                    callgate::holds(test, terms.evaluate(formula, data), against));
        }
      }
    }
  }
  EXPECT_EQ(opaque, 0);
}

TEST(Space, finds_a_call_where_there_is_one) {
  Space space;
  Diagrams& diagrams = space.diagrams();
  const auto wanted =
      diagrams.both(space.between(Field::Arg2, 1000, 1001), space.masked_equal(Field::Arg2, 1, 1));
  EXPECT_EQ(space.find(wanted)->args[2], 1001U);
  EXPECT_EQ(space.holds_ever(wanted), Holds::Sometimes);
  EXPECT_FALSE(space.find(diagrams.without(wanted, space.equal(Field::Arg2, 1001))).has_value());
  std::mt19937_64 chance(3);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(space.holds(wanted, *space.find(wanted, &chance)));
}

TEST(Space, fixes_a_field_and_leaves_the_later_ones) {
  Space space;
  const auto later = space.equal(Field::Arg0, 7);
  const auto both = space.diagrams().both(space.between(Field::Nr, 10, 19), later);
  EXPECT_EQ(space.fixed(both, Field::Nr, 12), later);
  EXPECT_EQ(space.fixed(both, Field::Nr, 20), Diagrams::kFalse);
  EXPECT_EQ(space.fixed(later, Field::Nr, 12), later);
}

TEST(Space, counts_values) {
  Space space;
  EXPECT_EQ(space.count(space.between(Field::Nr, 10, 19), Field::Nr), 10.0);
  EXPECT_EQ(space.count(Diagrams::kTrue, Field::Arg0), std::ldexp(1.0, 64));
  EXPECT_EQ(space.count(space.masked_equal(Field::Arg0, 0xff, 7), Field::Arg0),
            std::ldexp(1.0, 56));
}

TEST(Space, says_a_condition_is_not_known_where_it_cannot_tell) {
  Space space({.nodes = 1'000'000, .nodes_of_a_term = 500});
  Terms& terms = space.terms();
  const TermId a = terms.word({Field::Arg0, false});
  const TermId square = terms.multiply(a, a);
  const auto has_root =
      space.compared(callgate::Test::Equal, square, terms.constant(2));  // none has
  EXPECT_TRUE(space.has_opaque(has_root));
  EXPECT_EQ(space.holds_ever(has_root), Holds::NotKnown);
  EXPECT_FALSE(space.holds(has_root, {.args = {2}}));
}

TEST(Paths, ranges_and_masks_describe_values) {
  Space space;
  const auto values =
      space.diagrams().either(space.between(Field::Arg1, 5, 9), space.equal(Field::Arg1, ~0ULL));
  EXPECT_THAT(ranges_of(space, values, Field::Arg1, 2).value(),
              testing::ElementsAre(ValueRange{5, 9}, ValueRange{~0ULL, ~0ULL}));
  EXPECT_FALSE(ranges_of(space, values, Field::Arg1, 1).has_value());
  EXPECT_THAT(ranges_of(space, Diagrams::kTrue, Field::Arg1, 1).value(),
              testing::ElementsAre(ValueRange{0, ~0ULL}));
  const auto odd = space.masked_equal(Field::Arg1, 1, 1);
  EXPECT_FALSE(ranges_of(space, odd, Field::Arg1, 100).has_value());
  EXPECT_THAT(masks_of(space, odd, Field::Arg1, 1).value(),
              testing::ElementsAre(MaskedValue{1, 1}));
}

TEST(Paths, numbers_are_parted_by_where_they_lead) {
  Space space;
  Diagrams& diagrams = space.diagrams();
  const auto function = diagrams.choose(
      space.between(Field::Nr, 3, 5), diagrams.end(9),
      diagrams.choose(space.equal(Field::Nr, 8), diagrams.end(10), diagrams.end(11)));
  const auto parts = range_parts(space, function, Field::Nr, 10);
  ASSERT_EQ(parts->size(), 5U);
  EXPECT_EQ((*parts)[1].range, (ValueRange{3, 5}));
  EXPECT_EQ((*parts)[4].range, (ValueRange{9, ~0U}));
  EXPECT_EQ(split(space, function, Field::Nr).size(), 3U);
}

}  // namespace
}  // namespace callgate::verifier
