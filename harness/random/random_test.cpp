// The generator makes what it promises, the same everywhere; the shrinker makes it small.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/random/generator.hpp"
#include "harness/random/mutations.hpp"
#include "harness/random/shrink.hpp"
#include "verifier/check.hpp"
#include "vm/opcodes.hpp"

namespace callgate::random {
namespace {

TEST(Source, gives_the_numbers_of_xoshiro256starstar) {
  // The state that splitmix64 makes of 0, and the first numbers from it.
  Source source(0);
  EXPECT_EQ(source.next(), 0x99ec5f36cb75f2b4U);
  EXPECT_EQ(source.next(), 0xbf6e1f784956452aU);
}

TEST(Source, below_reaches_every_number_and_no_other) {
  Source source(1);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(source.below(7));
  EXPECT_EQ(seen, (std::set<std::uint32_t>{0, 1, 2, 3, 4, 5, 6}));
}

TEST(Generator, makes_the_same_of_the_same_seed) {
  Source a(42);
  Source b(42);
  for (int i = 0; i < 100; ++i) {
    const Program program = valid_program(a);
    EXPECT_EQ(program, valid_program(b));
    EXPECT_EQ(input(a, program, 1), input(b, program, 1));
    EXPECT_EQ(mutated(a, program, program), mutated(b, program, program));
  }
}

TEST(Generator, makes_valid_programs_of_all_operations) {
  Source source(3);
  std::set<std::uint16_t> codes;
  for (int i = 0; i < 3000; ++i) {
    const Program program = valid_program(source);
    ASSERT_TRUE(verifier::check(program, KernelModel{}).has_value());
    for (const Instruction& each : program) codes.insert(each.code);
  }
  EXPECT_EQ(codes.size(),
            static_cast<std::size_t>(std::ranges::count_if(opcodes(), [](const OpcodeInfo& row) {
              return row.acceptance == Acceptance::Seccomp;
            })));
}

TEST(Generator, makes_no_shifts_by_x_where_they_are_not_wanted) {
  Source source(4);
  for (int i = 0; i < 1000; ++i) {
    for (const Instruction& each : valid_program(source, {.longest = 64, .shifts_by_x = false})) {
      EXPECT_NE(each.code, 0x6c);
      EXPECT_NE(each.code, 0x7c);
    }
  }
}

TEST(Generator, makes_programs_like_filters_that_are_accepted) {
  Source source(8);
  std::size_t most_compares = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const Program program = filter_like(source, 8 + i % 200, 0xc000003eU);
    ASSERT_TRUE(verifier::check(program, KernelModel{}));
    EXPECT_LE(program.size(), 8 + i % 200);
    const auto compares = static_cast<std::size_t>(
        std::ranges::count(program, std::uint16_t{0x15}, &Instruction::code));
    most_compares = std::max(most_compares, compares);
  }
  EXPECT_GT(most_compares, 40U);
}

TEST(Generator, makes_mutants_of_which_some_are_valid) {
  Source source(5);
  int valid = 0;
  for (int i = 0; i < 1000; ++i) {
    const Program a = valid_program(source);
    if (verifier::check(mutated(source, a, valid_program(source)), KernelModel{})) ++valid;
  }
  EXPECT_GT(valid, 200);
  EXPECT_LT(valid, 800);
}

TEST(Source, takes_bytes_in_order_and_is_0_after_them) {
  constexpr std::uint8_t kBytes[] = {7, 0x34, 0x12, 1, 0, 0, 0, 0, 0, 0, 0x80};
  Source source(kBytes);
  EXPECT_EQ(source.below(5), 2U);
  EXPECT_EQ(source.below(0x10000), 0x1234U);
  EXPECT_EQ(source.next(), 0x8000000000000001U);
  EXPECT_EQ(source.next(), 0U);
  EXPECT_EQ(source.below(3), 0U);
}

TEST(Mutations, put_in_keeps_jumps_to_their_targets) {
  const Program program = {{0x15, 1, 0, 5}, {0x00, 0, 0, 1}, {0x05, 0, 0, 0}, {0x06, 0, 0, 4}};
  const Program others = {{0x07, 0, 0, 0}, {0x87, 0, 0, 0}};
  const Program more = {{0x15, 3, 0, 5}, {0x00, 0, 0, 1}, {0x07, 0, 0, 0},
                        {0x87, 0, 0, 0}, {0x05, 0, 0, 0}, {0x06, 0, 0, 4}};
  // What went to the instruction at the place goes to what was put in before it.
  EXPECT_EQ(with_inserted(program, 2, others)[0].jt, 1);
  const Program at_1 = with_inserted(program, 1, others);
  EXPECT_EQ(at_1[0], (Instruction{0x15, 3, 0, 5}));
  EXPECT_EQ(without(more, 2, 2), program);
  EXPECT_EQ(without(at_1, 1, 2), program);
  EXPECT_EQ(with_inserted(program, 4, others).size(), 6U);
}

TEST(Mutations, put_in_leaves_a_distance_that_has_no_room) {
  Program program(260, Instruction{0x00, 0, 0, 0});
  program[0] = {0x15, 255, 0, 0};
  EXPECT_EQ(with_inserted(program, 5, Program{{0x07, 0, 0, 0}})[0].jt, 255);
}

TEST(Mutations, exchange_operands_as_the_table_has_them) {
  EXPECT_EQ(with_other_operand({0x04, 0, 0, 9}), (Instruction{0x0c, 0, 0, 9}));
  EXPECT_EQ(with_other_operand({0x1d, 1, 2, 9}), (Instruction{0x15, 1, 2, 9}));
  EXPECT_EQ(with_other_operand({0x00, 0, 0, 9}), std::nullopt);
  EXPECT_EQ(with_other_operand({0x1234, 0, 0, 9}), std::nullopt);
}

TEST(Shrinking, keeps_jumps_to_their_targets) {
  const Program program = {{0x15, 2, 1, 5}, {0x00, 0, 0, 1}, {0x00, 0, 0, 2},
                           {0x05, 0, 0, 1}, {0x00, 0, 0, 3}, {0x06, 0, 0, 4}};
  const Program fewer = {
      {0x15, 1, 0, 5}, {0x00, 0, 0, 2}, {0x05, 0, 0, 1}, {0x00, 0, 0, 3}, {0x06, 0, 0, 4}};
  EXPECT_EQ(without(program, 1, 1), fewer);
  EXPECT_EQ(without(fewer, 3, 1).at(2), (Instruction{0x05, 0, 0, 0}));
}

TEST(Shrinking, leaves_what_shows_it_and_no_more) {
  Source source(6);
  // Looked for: a division by X in a program that is accepted.
  const Shows shows = [](std::span<const Program> candidates) {
    std::vector<bool> out;
    for (const Program& each : candidates) {
      out.push_back(verifier::check(each, KernelModel{}).has_value() &&
                    std::ranges::any_of(each, [](const auto& i) { return i.code == 0x3c; }));
    }
    return out;
  };
  int shrunken = 0;
  while (shrunken < 20) {
    const Program program = valid_program(source);
    if (!shows(std::vector<Program>{program}).front()) continue;
    ++shrunken;
    const Program small = shrunk(program, shows);
    ASSERT_EQ(small.size(), 2U);
    EXPECT_EQ(small[0], (Instruction{0x3c, 0, 0, 0}));
    EXPECT_EQ(small[1].k, 0U);
  }
}

}  // namespace
}  // namespace callgate::random
