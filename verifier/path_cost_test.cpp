#include "verifier/path_cost.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "verifier/check.hpp"

namespace callgate::verifier {
namespace {

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kToken = 0xc000003eU;
constexpr Instruction kLoadNumber{0x20, 0, 0, 0};
constexpr Instruction kLoadArgument{0x20, 0, 0, 16};
constexpr Instruction kReturn{0x06, 0, 0, kAllow};

PathCost cost(const Program& program, std::uint32_t nr = 39, const KernelModel& model = {}) {
  const auto checked = check(program, model);
  EXPECT_TRUE(checked.has_value());
  return path_cost(*checked, nr, kToken);
}

KernelModel kernel(int major, int minor) {
  KernelModel model;
  model.version = {major, minor, 0};
  return model;
}

TEST(PathCost, of_a_return_is_the_prologue_and_itself) {
  const PathCost one = cost({kReturn});
  EXPECT_EQ(one.classic, (Count{1, 1}));
  EXPECT_EQ(one.ebpf, (Count{5, 5}));
  EXPECT_TRUE(one.exact);
  EXPECT_EQ(cost({kReturn}, 39, kernel(4, 4)).ebpf, (Count{3, 3}));
  EXPECT_FALSE(cost({kReturn}, 39, kernel(3, 14)).ebpf.has_value());
  KernelModel hardened;
  hardened.blinds_constants = true;
  EXPECT_EQ(cost({kReturn}, 39, hardened).ebpf, (Count{7, 7}));
}

TEST(PathCost, follows_the_number_and_the_token) {
  const Program program = {{0x20, 0, 0, 4},  {0x15, 1, 0, kToken}, {0x06, 0, 0, 0}, kLoadNumber,
                           {0x15, 2, 0, 39}, {0x04, 0, 0, 1},      {0x04, 0, 0, 1}, kReturn};
  EXPECT_EQ(cost(program, 39).classic, (Count{5, 5}));
  EXPECT_EQ(cost(program, 40).classic, (Count{7, 7}));
  EXPECT_TRUE(cost(program, 40).exact);
  const auto checked = check(program, KernelModel{});
  EXPECT_EQ(path_cost(*checked, 39, 0x40000003U).classic, (Count{3, 3}));
}

TEST(PathCost, takes_both_ways_where_an_argument_decides) {
  const Program program = {kLoadArgument, {0x15, 0, 1, 5}, {0x05, 0, 0, 0}, kReturn};
  const PathCost both = cost(program);
  EXPECT_EQ(both.classic, (Count{3, 4}));
  EXPECT_FALSE(both.exact);
  // Ways of one length are one figure, whichever is taken.
  EXPECT_TRUE(cost({kLoadArgument, {0x15, 0, 1, 5}, kReturn, {0x06, 0, 0, 0}}).exact);
}

TEST(PathCost, knows_what_arithmetic_memory_and_X_come_to) {
  const Program program = {kLoadNumber,      {0x02, 0, 0, 3}, {0x61, 0, 0, 3},
                           {0x00, 0, 0, 0},  {0x0c, 0, 0, 0}, {0x14, 0, 0, 9},
                           {0x15, 1, 0, 30}, {0x87, 0, 0, 0}, kReturn};
  EXPECT_EQ(cost(program, 39).classic, (Count{8, 8}));
  EXPECT_EQ(cost(program, 40).classic, (Count{9, 9}));
  // An argument masked by 0 is 0.
  const Program masked = {
      kLoadArgument, {0x54, 0, 0, 0}, {0x15, 1, 0, 0}, {0x87, 0, 0, 0}, kReturn};
  EXPECT_EQ(cost(masked).classic, (Count{4, 4}));
  EXPECT_TRUE(cost(masked).exact);
}

TEST(PathCost, forgets_what_differs_where_ways_meet) {
  // One way sets A, X or slot 0 to 1, the other to 2; then 1 is asked for. Each way runs 8
  // instructions; the bounds cannot know that they go together.
  const auto asks = [](const Instruction& sets_one, const Instruction& sets_two,
                       const Instruction& keeps, const Instruction& gets) {
    return cost({kLoadArgument,
                 {0x15, 0, 3, 5},
                 sets_one,
                 keeps,
                 {0x05, 0, 0, 2},
                 sets_two,
                 keeps,
                 gets,
                 {0x15, 1, 0, 1},
                 {0x87, 0, 0, 0},
                 kReturn});
  };
  constexpr Instruction kOne{0x00, 0, 0, 1};
  constexpr Instruction kTwo{0x00, 0, 0, 2};
  constexpr Instruction kNothing{0x05, 0, 0, 0};
  const PathCost by_slot = asks(kOne, kTwo, {0x02, 0, 0, 0}, {0x60, 0, 0, 0});
  const PathCost by_x = asks(kOne, kTwo, {0x07, 0, 0, 0}, {0x87, 0, 0, 0});
  const PathCost by_a = asks(kOne, kTwo, kNothing, kNothing);
  for (const PathCost& each : {by_slot, by_x, by_a}) {
    EXPECT_EQ(each.classic, (Count{7, 9}));
    EXPECT_FALSE(each.exact);
  }
}

TEST(PathCost, counts_what_a_branch_became_by_the_side_taken) {
  // {jt, jf}, then the converted instructions where the number is 39 and where it is not, without
  // prologue (3), load (1) and return (2).
  struct Form {
    Instruction branch;
    std::size_t taken;
    std::size_t not_taken;
  };
  constexpr Form kForms[] = {
      {{0x15, 1, 0, 39}, 1, 1},  // one jump
      {{0x15, 0, 1, 39}, 1, 1},  // turned round
      {{0x15, 1, 1, 39}, 1, 2},  // two jumps
      {{0x45, 0, 1, 39}, 1, 2},  // cannot be turned round; 39 & 39, 64 & 39
      {{0x35, 0, 1, 39}, 1, 1},
  };
  for (const Form& form : kForms) {
    const Program program = {kLoadNumber, form.branch, kReturn, kReturn};
    const std::uint32_t other = form.branch.code == 0x35 ? 1 : 64;
    EXPECT_EQ(cost(program, 39).ebpf->most, 6 + form.taken) << form.branch.code;
    EXPECT_EQ(cost(program, other).ebpf->most, 6 + form.not_taken) << form.branch.code;
  }
  // JGE was not turned round before 4.14; a negative constant is loaded first.
  const Program jge = {kLoadNumber, {0x35, 0, 1, 39}, kReturn, kReturn};
  EXPECT_EQ(cost(jge, 1, kernel(4, 13)).ebpf->most, 8U);
  const Program negative = {kLoadNumber, {0x15, 1, 1, ~0U}, kReturn, kReturn};
  EXPECT_EQ(cost(negative, 1).ebpf->most, 9U);
  EXPECT_EQ(cost(negative, ~0U).ebpf->most, 8U);
}

TEST(PathCost, of_a_division_depends_on_X) {
  const auto divides_by = [](const Instruction& sets_x) {
    return Program{sets_x, {0x3c, 0, 0, 0}, kReturn};
  };
  // By 2: move, test, division. By 0: move, test, A = 0, exit.
  EXPECT_EQ(cost(divides_by({0x01, 0, 0, 2})).classic, (Count{3, 3}));
  EXPECT_EQ(cost(divides_by({0x01, 0, 0, 2})).ebpf, (Count{9, 9}));
  EXPECT_EQ(cost(divides_by({0x01, 0, 0, 0})).classic, (Count{2, 2}));
  EXPECT_EQ(cost(divides_by({0x01, 0, 0, 0})).ebpf, (Count{8, 8}));
  const Program unknown = {kLoadArgument, {0x07, 0, 0, 0}, {0x3c, 0, 0, 0}, kReturn};
  EXPECT_EQ(cost(unknown).classic, (Count{3, 4}));
  EXPECT_EQ(cost(unknown).ebpf, (Count{9, 10}));
  EXPECT_FALSE(cost(unknown).exact);
}

TEST(PathCost, tells_jumps_that_are_taken_and_arithmetic) {
  // Two jumps that are taken, one that is not, and one to the next instruction.
  const Program jumps = {{0x20, 0, 0, 0},  {0x15, 0, 1, 1}, kReturn,         {0x15, 1, 0, 1},
                         {0x25, 1, 0, 38}, kReturn,         {0x05, 0, 0, 0}, kReturn};
  EXPECT_EQ(cost(jumps).jumps_taken, (Count{2, 2}));
  EXPECT_EQ(cost(jumps).arithmetic, (Count{0, 0}));
  const Program sums = {
      {0x04, 0, 0, 1}, {0x84, 0, 0, 0}, {0x07, 0, 0, 0}, {0x5c, 0, 0, 0}, kReturn};
  EXPECT_EQ(cost(sums).arithmetic, (Count{3, 3}));
  const Program either = {
      kLoadArgument, {0x15, 0, 2, 5}, {0x04, 0, 0, 1}, {0x04, 0, 0, 1}, kReturn};
  EXPECT_EQ(cost(either).arithmetic, (Count{0, 2}));
  EXPECT_EQ(cost(either).jumps_taken, (Count{0, 1}));
}

TEST(WeighedPath, sums_what_the_caller_says_of_each_instruction_and_side) {
  const auto weighed = [](const Program& program, const Weigher& weigh) {
    return weighed_path(*check(program, KernelModel{}), call_of(39, info(Arch::X86_64).token),
                        weigh);
  };
  // Two ways: a load more on that of the side that is not taken.
  const Program program = {kLoadArgument, {0x15, 1, 0, 5}, kLoadNumber, kReturn};
  EXPECT_EQ(weighed(program, [](auto, auto, auto) { return 1; }), cost(program).classic);
  EXPECT_EQ(weighed(program, [](auto, auto, Way way) { return way == Way::Taken ? 100 : 1; }),
            (Count{4, 102}));
  EXPECT_EQ(weighed(program, [](auto, auto, Way way) { return way == Way::NotTaken ? 100 : 1; }),
            (Count{3, 103}));
  EXPECT_EQ(weighed(program, [](auto all, std::size_t at, auto) { return all[at].code == 0x20; }),
            (Count{1, 2}));
  // A number that decides leaves one way.
  const Program decided = {kLoadNumber, {0x15, 1, 0, 39}, kLoadNumber, kReturn};
  EXPECT_EQ(weighed(decided, [](auto, auto, auto) { return 1; }), (Count{3, 3}));
}

TEST(PathCost, of_a_stack_is_the_sum) {
  FilterStack stack(KernelModel{});
  const Program reads = {kLoadArgument, {0x15, 0, 1, 5}, {0x05, 0, 0, 0}, kReturn};
  for (const Program& each : {Program{kReturn}, reads}) {
    ASSERT_TRUE(stack.push(*check(each, KernelModel{})).has_value());
  }
  const PathCost sum = path_cost(stack, 39);
  EXPECT_EQ(sum.classic, (Count{4, 5}));
  EXPECT_EQ(sum.ebpf, (Count{12, 13}));
  EXPECT_FALSE(sum.exact);
}

}  // namespace
}  // namespace callgate::verifier
