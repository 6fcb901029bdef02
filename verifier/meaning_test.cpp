// What filters mean, for programs small enough to say by hand; harness/random/meaning_test.cpp asks
// the same of random ones.

#include "verifier/meaning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verifier/check.hpp"
#include "verifier/paths.hpp"

namespace callgate::verifier {
namespace {

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kErrno = 0x00050001U;
constexpr Instruction kLoadNumber{0x20, 0, 0, 0};
constexpr Instruction kReturnAllow{0x06, 0, 0, kAllow};
constexpr Instruction kReturnErrno{0x06, 0, 0, kErrno};

CheckedProgram checked(const Program& program, const KernelModel& model = {}) {
  return check(program, model).value();
}

class Meanings : public testing::Test {
 protected:
  Space::Ref value(const Program& program, const KernelModel& model = {}) {
    return meaning_of(endings, checked(program, model)).value;
  }
  [[nodiscard]] std::optional<std::uint32_t> run(Space::Ref function,
                                                 const SeccompData& data) const {
    return endings.value(endings.at(space.evaluate(function, data)), data);
  }

  Space space;
  Endings endings{space};
};

TEST_F(Meanings, programs_that_do_the_same_are_the_same_reference) {
  const Program chain = {kLoadNumber,     {0x15, 3, 0, 1}, {0x15, 2, 0, 2},
                         {0x15, 1, 0, 3}, kReturnErrno,    kReturnAllow};
  const Program ranges = {
      kLoadNumber, {0x35, 0, 2, 1}, {0x25, 1, 0, 3}, kReturnAllow, kReturnErrno};
  EXPECT_EQ(value(chain), value(ranges));
  const Program less = {kLoadNumber, {0x35, 0, 2, 1}, {0x25, 1, 0, 2}, kReturnAllow, kReturnErrno};
  EXPECT_NE(value(chain), value(less));
}

TEST_F(Meanings, arithmetic_that_says_the_same_in_another_way_is_the_same) {
  // A + 5 == 12, -A == -7, (A ^ 0xff) == 0xf8, through X and through memory
  const Program plain = {kLoadNumber, {0x15, 0, 1, 7}, kReturnAllow, kReturnErrno};
  const Program added = {
      kLoadNumber, {0x04, 0, 0, 5}, {0x15, 0, 1, 12}, kReturnAllow, kReturnErrno};
  const Program negated = {
      kLoadNumber, {0x84, 0, 0, 0}, {0x15, 0, 1, ~0U - 6}, kReturnAllow, kReturnErrno};
  const Program turned = {
      kLoadNumber, {0xa4, 0, 0, 0xff}, {0x15, 0, 1, 0xf8}, kReturnAllow, kReturnErrno};
  const Program moved = {kLoadNumber,     {0x02, 0, 0, 3}, {0x00, 0, 0, 7}, {0x61, 0, 0, 3},
                         {0x1d, 0, 1, 0}, kReturnAllow,    kReturnErrno};
  for (const Program& each : {added, negated, turned, moved}) {
    EXPECT_EQ(value(plain), value(each));
  }
}

TEST_F(Meanings, a_division_by_a_register_of_0_returns_0) {
  const Program program = {{0x00, 0, 0, 10}, {0x07, 0, 0, 0},  kLoadNumber,
                           {0x07, 0, 0, 0},  {0x00, 0, 0, 10}, {0x3c, 0, 0, 0},
                           {0x15, 0, 1, 5},  kReturnAllow,     kReturnErrno};
  const Space::Ref function = value(program);
  EXPECT_EQ(run(function, {.nr = 0}), 0U);
  EXPECT_EQ(run(function, {.nr = 2}), kAllow);
  EXPECT_EQ(run(function, {.nr = 3}), kErrno);
}

TEST_F(Meanings, a_shift_that_a_kernel_leaves_undefined_is_an_ending_of_its_own) {
  KernelModel old;
  old.version = {5, 4, 0};
  old.arch = Arch::Arm;
  old.engine = KernelEngine::Interpreter;
  const Program program = {kLoadNumber, {0x07, 0, 0, 0}, {0x6c, 0, 0, 0}, kReturnAllow};
  const Space::Ref function = value(program, old);
  const Ending& far = endings.at(space.evaluate(function, {.nr = 32}));
  EXPECT_EQ(far.kind, Ending::Kind::Undefined);
  EXPECT_EQ(far.instruction, 2U);
  EXPECT_EQ(run(function, {.nr = 31}), kAllow);
}

TEST_F(Meanings, a_returned_register_is_a_formula) {
  const Space::Ref function = value({kLoadNumber, {0x54, 0, 0, 0xf}, {0x16, 0, 0, 0}});
  ASSERT_TRUE(space.diagrams().is_end(function));
  EXPECT_EQ(run(function, {.nr = 0x123}), 3U);
}

TEST_F(Meanings, a_product_of_arguments_is_opaque_and_still_exact) {
  const Program program = {{0x20, 0, 0, 16}, {0x07, 0, 0, 0}, {0x20, 0, 0, 24}, {0x2c, 0, 0, 0},
                           {0x15, 0, 1, 6},  kReturnAllow,    kReturnErrno};
  const Space::Ref function = value(program);
  EXPECT_TRUE(space.has_opaque(function));
  EXPECT_EQ(run(function, {.args = {2, 3}}), kAllow);
  EXPECT_EQ(run(function, {.args = {2, 4}}), kErrno);
  // The same product the other way round is the same question.
  Program swapped = program;
  std::swap(swapped[0].k, swapped[2].k);
  EXPECT_EQ(value(swapped), function);
}

TEST_F(Meanings, instructions_that_no_call_reaches_are_told) {
  const Program program = {
      kLoadNumber, {0x25, 0, 2, 100}, {0x15, 0, 1, 7}, kReturnErrno, kReturnAllow};
  const ProgramMeaning meaning = meaning_of(endings, checked(program));
  EXPECT_EQ(meaning.reached[3], Diagrams::kFalse);
  EXPECT_EQ(meaning.taken[2], Diagrams::kFalse);
  EXPECT_NE(meaning.not_taken[2], Diagrams::kFalse);
  EXPECT_EQ(meaning.reached[0], Diagrams::kTrue);
}

TEST_F(Meanings, halves_of_an_argument_are_one_field_in_either_byte_order) {
  const auto wants = [](std::uint32_t high, std::uint32_t low) {
    return Program{{0x20, 0, 0, high}, {0x15, 0, 3, 1}, {0x20, 0, 0, low},
                   {0x15, 0, 1, 5},    kReturnAllow,    kReturnErrno};
  };
  KernelModel big;
  big.arch = Arch::S390x;
  const Space::Ref little_endian = value(wants(20, 16));
  EXPECT_EQ(little_endian, value(wants(16, 20), big));
  EXPECT_EQ(run(little_endian, {.args = {0x100000005}}), kAllow);
  const std::vector<Part> parts = split(space, little_endian, Field::Arg0);
  ASSERT_EQ(parts.size(), 2U);
  const auto allowed =
      std::ranges::find_if(parts, [&](const Part& part) { return run(part.next, {}) == kAllow; });
  EXPECT_THAT(ranges_of(space, allowed->values, Field::Arg0, 4).value(),
              testing::ElementsAre(ValueRange{0x100000005, 0x100000005}));
}

TEST_F(Meanings, work_beyond_the_limit_is_said_to_be_left) {
  Program program = {kLoadNumber};
  for (std::uint32_t i = 0; i < 100; ++i)
    program.push_back({0x15, 0, 1, i}), program.push_back({0x06, 0, 0, kErrno + i});
  program.push_back(kReturnAllow);
  const ProgramMeaning meaning = meaning_of(endings, checked(program), {.steps = 50});
  EXPECT_NE(meaning.not_followed, Diagrams::kFalse);
  EXPECT_EQ(run(meaning.value, {.nr = 3}), kErrno + 3);
  const Ending& left = endings.at(space.evaluate(meaning.value, {.nr = 90}));
  EXPECT_EQ(left.kind, Ending::Kind::NotFollowed);
  EXPECT_FALSE(left.reason.empty());
  EXPECT_TRUE(space.holds(meaning.not_followed, {.nr = 90}));
  EXPECT_FALSE(space.holds(meaning.not_followed, {.nr = 3}));
}

TEST(Meaning, conditions_beyond_the_limit_are_said_to_be_left) {
  // Each word of every argument against hundreds of values: first come, first served.
  Program program;
  for (std::uint32_t i = 0; i < 600; ++i) {
    program.push_back({0x20, 0, 0, 16 + 4 * (i % 12)});
    program.push_back({0x15, 0, 1, i * 77773U});
    program.push_back({0x06, 0, 0, 0x00050000U + i % 20});
  }
  program.push_back(kReturnAllow);
  Space space({.nodes = 20'000});
  Endings endings(space);
  const ProgramMeaning meaning = meaning_of(endings, checked(program));
  EXPECT_NE(meaning.not_followed, Diagrams::kFalse);
  EXPECT_LT(space.diagrams().size(), 2'000'000U);
}

class Stacks : public Meanings {
 protected:
  StackMeaning meaning(std::initializer_list<Program> programs, const KernelModel& model = {}) {
    FilterStack stack(model);
    for (const Program& each : programs) EXPECT_TRUE(stack.push(checked(each, model)).has_value());
    return meaning_of(endings, stack);
  }
};

TEST_F(Stacks, the_strictest_action_wins_and_of_equal_ones_the_newest) {
  const Program seven = {kLoadNumber, {0x15, 0, 1, 7}, {0x06, 0, 0, 0x00050007U}, kReturnAllow};
  const Program all = {{0x06, 0, 0, 0x00050002U}};
  const StackMeaning both = meaning({seven, all});
  const auto winner = [&](std::int32_t nr) {
    return endings.at(space.evaluate(both.verdict, {.nr = nr})).filter;
  };
  EXPECT_EQ(winner(7), 1U);
  EXPECT_EQ(winner(8), 1U);
  const StackMeaning reversed = meaning({all, seven});
  EXPECT_EQ(endings.at(space.evaluate(reversed.verdict, {.nr = 7})).filter, 1U);
  EXPECT_EQ(endings.at(space.evaluate(reversed.verdict, {.nr = 8})).filter, 0U);
  EXPECT_EQ(run(reversed.value, {.nr = 7}), 0x00050007U);
}

TEST_F(Stacks, an_allow_has_no_data_and_nobody_who_decided) {
  const StackMeaning one = meaning({{{0x06, 0, 0, kAllow + 5}}});
  EXPECT_EQ(run(one.verdict, {}), kAllow);
  EXPECT_FALSE(endings.at(one.verdict).filter.has_value());
  EXPECT_EQ(run(one.filters[0].value, {}), kAllow + 5);
}

TEST_F(Stacks, results_that_are_formulas_are_compared_as_the_kernel_does) {
  const Program argument = {{0x20, 0, 0, 16}, {0x16, 0, 0, 0}};
  const StackMeaning both = meaning({argument, {kReturnErrno}});
  EXPECT_EQ(run(both.value, {.args = {kAllow}}), kErrno);
  EXPECT_EQ(run(both.value, {.args = {0x80000000U}}), 0x80000000U);  // KILL_PROCESS: signed
  EXPECT_EQ(run(both.value, {.args = {0x0000ffffU}}), 0x0000ffffU);  // KILL_THREAD
  EXPECT_EQ(run(both.value, {.args = {0x00050099U}}), kErrno);       // equal: the newest
}

TEST_F(Stacks, no_filter_allows) { EXPECT_EQ(run(meaning({}).verdict, {.nr = 1}), kAllow); }

}  // namespace
}  // namespace callgate::verifier
