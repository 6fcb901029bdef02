// Which programs are found to mean the same, at which level, and what shows that others do not.

#include "verifier/equivalence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "verifier/check.hpp"
#include "verifier/paths.hpp"
#include "vm/reference.hpp"

#ifdef CALLGATE_WITH_SOLVER
#include "verifier/solver/z3.hpp"
#endif

namespace callgate::verifier {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t kAllow = 0x7fff0000;
constexpr std::uint32_t kErrno = 0x00050000;

Instruction load(std::uint32_t offset) { return {0x20, 0, 0, offset}; }
Instruction ret(std::uint32_t value) { return {0x06, 0, 0, value}; }
Instruction jeq(std::uint32_t k, std::uint8_t jt, std::uint8_t jf) { return {0x15, jt, jf, k}; }
Instruction jge(std::uint32_t k, std::uint8_t jt, std::uint8_t jf) { return {0x35, jt, jf, k}; }

class Pair {
 public:
  Pair(const std::vector<Program>& a, const std::vector<Program>& b,
       const KernelModel& model_a = {}, std::optional<KernelModel> model_b = {})
      : a_(stack(a, model_a)),
        b_(stack(b, model_b.value_or(model_a))),
        meaning_a_(meaning_of(endings_, a_)),
        meaning_b_(meaning_of(endings_, b_)) {}

  Comparison compared(const ComparisonOptions& options = {}, Solver* solver = nullptr) {
    DiagramSolver own(solver);
    return compare(endings_, {a_, meaning_a_}, {b_, meaning_b_}, own, options);
  }
  Comparison compared(Level level) { return compared({.level = level}); }
  Comparison by_name() {
    DiagramSolver own;
    return compare_by_name(endings_, {a_, meaning_a_}, {b_, meaning_b_}, own);
  }
  Space& space() { return space_; }

 private:
  static FilterStack stack(const std::vector<Program>& programs, const KernelModel& model) {
    FilterStack out(model);
    for (const Program& each : programs) {
      const auto checked = check(each, model);
      EXPECT_TRUE(checked.has_value());
      EXPECT_TRUE(checked && out.push(*checked).has_value());
    }
    return out;
  }

  Space space_;
  Endings endings_{space_};
  FilterStack a_;
  FilterStack b_;
  StackMeaning meaning_a_;
  StackMeaning meaning_b_;
};

Program always(std::uint32_t value) { return {ret(value)}; }
Program after(const std::vector<Instruction>& first, const Program& rest) {
  Program out = first;
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

TEST(Equivalence, of_a_chain_and_a_tree_is_one_diagram) {
  const Program chain{load(0),      jeq(1, 3, 0),    jeq(2, 2, 0),
                      jeq(7, 1, 0), ret(kErrno | 1), ret(kAllow)};
  const Program tree{load(0),      jge(3, 0, 1), jeq(7, 2, 3),   jeq(1, 1, 0),
                     jeq(2, 0, 1), ret(kAllow),  ret(kErrno | 1)};
  const Comparison result = Pair({chain}, {tree}).compared();
  EXPECT_EQ(result.answer, Answer::Equal);
  EXPECT_THAT(result.how, HasSubstr("the same decision diagram of "));
  EXPECT_THAT(result.differences, IsEmpty());
}

TEST(Equivalence, lacking_is_shown_by_calls_for_each_way_to_differ) {
  const Program a{load(0), jeq(1, 2, 0), jeq(39, 1, 0), ret(kErrno | 1), ret(kAllow)};
  const Program b{load(0), jeq(1, 2, 0), jeq(40, 2, 0), ret(kErrno | 13), ret(kAllow), ret(0)};
  Pair pair({a}, {b});
  const Comparison result = pair.compared();
  EXPECT_EQ(result.answer, Answer::Different);
  ASSERT_THAT(result.differences, SizeIs(3));
  EXPECT_THAT(result.wrong, IsEmpty());
  for (const Difference& each : result.differences) {
    EXPECT_NE(each.a, each.b);
    EXPECT_EQ(each.call.arch, 0xc000003eU) << "the model's own calls are shown";
    if (each.call.nr == 39) {
      EXPECT_EQ(each.a, kAllow);
      EXPECT_EQ(each.b, kErrno | 13);
      EXPECT_EQ(pair.space().count(each.numbers, Field::Nr), 1);
    } else if (each.call.nr == 40) {
      EXPECT_EQ(each.a, kErrno | 1);
      EXPECT_EQ(each.b, 0U);
    } else {
      EXPECT_EQ(each.a, kErrno | 1);
      EXPECT_EQ(each.b, kErrno | 13);
      EXPECT_EQ(pair.space().count(each.numbers, Field::Nr), 4294967296.0 - 3);
    }
  }
}

TEST(Equivalence, by_outcome_takes_errnos_above_4095_as_4095_where_the_kernel_does) {
  Pair now({always(kErrno | 5000)}, {always(kErrno | 4095)});
  EXPECT_EQ(now.compared(Level::Verdict).answer, Answer::Different);
  EXPECT_EQ(now.compared(Level::Outcome).answer, Answer::Equal);
  Pair before({always(kErrno | 5000)}, {always(kErrno | 4095)}, {.version = {3, 7, 0}});
  EXPECT_EQ(before.compared(Level::Outcome).answer, Answer::Different);
}

TEST(Equivalence, by_outcome_does_not_see_the_log) {
  Pair pair({always(kAllow)}, {always(0x7ffc0000)});
  EXPECT_EQ(pair.compared(Level::Verdict).answer, Answer::Different);
  EXPECT_EQ(pair.compared(Level::Outcome).answer, Answer::Equal);
}

TEST(Equivalence, by_outcome_takes_an_unknown_action_as_the_death_that_it_is) {
  Pair pair({always(0x00060000)}, {always(0x80000000)});
  EXPECT_EQ(pair.compared(Level::Verdict).answer, Answer::Different);
  EXPECT_EQ(pair.compared(Level::Outcome).answer, Answer::Equal);
}

TEST(Equivalence, of_trace_and_ENOSYS_depends_on_a_tracer_and_on_the_number_of_ENOSYS) {
  Pair pair({always(0x7ff00007)}, {always(kErrno | 38)});
  const Comparison untraced = pair.compared(Level::Outcome);
  // Calls of MIPS and PA-RISC have another ENOSYS.
  ASSERT_EQ(untraced.answer, Answer::Different);
  for (const Difference& each : untraced.differences) {
    EXPECT_NE(info(*arch_from_token(each.call.arch)).numbers.enosys, 38);
  }
  const Program own{load(4), jeq(0xc000003e, 1, 0), ret(0), ret(0x7ff00007)};
  const Program other{load(4), jeq(0xc000003e, 1, 0), ret(0), ret(kErrno | 38)};
  Pair checked({own}, {other});
  EXPECT_EQ(checked.compared(Level::Outcome).answer, Answer::Equal);
  const ComparisonOptions traced{.level = Level::Outcome, .around = {.tracer = true}};
  EXPECT_EQ(checked.compared(traced).answer, Answer::Different);
}

TEST(Equivalence, of_what_ret_a_returns_is_that_of_formulas) {
  const std::vector<Instruction> low{load(16), {0x54, 0, 0, 0xfff}};
  const Program a = after(low, {{0x44, 0, 0, kErrno}, {0x16, 0, 0, 0}});
  const Program b = after(low, {{0x04, 0, 0, kErrno}, {0x16, 0, 0, 0}});
  const Program c = after(low, {{0x44, 0, 0, kErrno | 1}, {0x16, 0, 0, 0}});
  EXPECT_EQ(Pair({a}, {b}).compared(Level::Raw).answer, Answer::Equal);
  EXPECT_EQ(Pair({a}, {b}).compared(Level::Outcome).answer, Answer::Equal);
  const Comparison result = Pair({a}, {c}).compared(Level::Outcome);
  ASSERT_EQ(result.answer, Answer::Different);
  EXPECT_EQ(result.differences[0].call.args[0] & 1U, 0U);
}

TEST(Equivalence, of_stacks_is_that_of_what_they_come_to) {
  const Program no_write{load(0), jeq(1, 0, 1), ret(kErrno | 1), ret(kAllow)};
  const Program no_read{load(0), jeq(0, 0, 1), ret(kErrno | 1), ret(kAllow)};
  const Program neither{load(0), jeq(0, 1, 0), jeq(1, 0, 1), ret(kErrno | 1), ret(kAllow)};
  EXPECT_EQ(Pair({no_write, no_read}, {neither}).compared().answer, Answer::Equal);
  EXPECT_EQ(Pair({no_read, no_write}, {no_write, no_read}).compared().answer, Answer::Equal);
  EXPECT_EQ(Pair({no_write}, {neither}).compared().answer, Answer::Different);
}

TEST(Equivalence, does_not_ask_filters_where_the_kernel_does_not) {
  const Program all = always(kAllow);
  const Program no_uretprobe{load(4),    jeq(0xc000003e, 0, 3), load(0), jeq(335, 0, 1), ret(0),
                             ret(kAllow)};
  Pair pair({all}, {no_uretprobe});
  EXPECT_EQ(pair.compared(Level::Verdict).answer, Answer::Equal);
  EXPECT_EQ(pair.compared(Level::Raw).answer, Answer::Different);
}

TEST(Equivalence, is_not_claimed_of_what_the_kernel_leaves_open) {
  const KernelModel old{
      .version = {5, 4, 0}, .arch = Arch::Riscv64, .engine = KernelEngine::Interpreter};
  const Program shift{load(16), {0x07, 0, 0, 0}, {0x00, 0, 0, 1}, {0x6c, 0, 0, 0}, {0x16, 0, 0, 0}};
  Program same = shift;
  same.insert(same.end() - 1, Instruction{0x04, 0, 0, 0});
  const Comparison result = Pair({shift}, {same}, old).compared(Level::Raw);
  EXPECT_EQ(result.answer, Answer::Undecided);
  ASSERT_THAT(result.open, SizeIs(1));
  EXPECT_THAT(result.open[0].why, HasSubstr("shift"));
}

TEST(Equivalence, by_strictness_shows_what_more_is_allowed) {
  const ComparisonOptions subset{.level = Level::Strictness, .relation = Relation::Above};
  const Program a{load(0), jeq(1, 0, 1), ret(kErrno | 1), ret(kAllow)};
  const Program stricter{load(0), jeq(1, 0, 1), ret(0), ret(kAllow)};
  EXPECT_EQ(Pair({a}, {stricter}).compared(subset).answer, Answer::Equal);
  const Comparison laxer = Pair({stricter}, {a}).compared(subset);
  ASSERT_EQ(laxer.answer, Answer::Different);
  EXPECT_EQ(laxer.differences[0].call.nr, 1);
  EXPECT_EQ(Pair({always(kErrno | 1)}, {always(kErrno | 2)}).compared(subset).answer,
            Answer::Equal);
  // An unknown action kills, wherever its number stands.
  EXPECT_EQ(Pair({always(0)}, {always(0x7ffd0000)}).compared(subset).answer, Answer::Equal);
  const ComparisonOptions executes{.level = Level::Executes, .relation = Relation::Above};
  EXPECT_EQ(Pair({always(0)}, {always(0x7ff00000)}).compared(executes).answer, Answer::Equal);
  EXPECT_EQ(Pair({always(0)}, {always(0x7ffc0000)}).compared(executes).answer, Answer::Different);
}

// a * a is never 2 in its lowest bits, which no diagram of its bits shows within the limits.
Program square_test() {
  return {load(16),     {0x07, 0, 0, 0}, {0x2c, 0, 0, 0}, {0x54, 0, 0, 3},
          jeq(2, 0, 1), ret(kErrno | 1), ret(kAllow)};
}

TEST(Equivalence, that_hangs_on_opaque_comparisons_is_undecided_without_a_solver) {
  const Comparison result = Pair({square_test()}, {always(kAllow)}).compared();
  EXPECT_EQ(result.answer, Answer::Undecided);
  ASSERT_THAT(result.open, SizeIs(1));
  EXPECT_THAT(result.open[0].why, HasSubstr("no solver for them is built in"));
}

#ifdef CALLGATE_WITH_SOLVER
TEST(Equivalence, that_hangs_on_opaque_comparisons_is_proved_by_Z3) {
  const auto z3 = z3_solver();
  const Comparison result = Pair({square_test()}, {always(kAllow)}).compared({}, z3.get());
  EXPECT_EQ(result.answer, Answer::Equal);
  EXPECT_THAT(result.how, HasSubstr("Z3: unsat in "));
}

TEST(Equivalence, that_is_refuted_by_Z3_has_a_call_that_was_run) {
  // arg0 * arg1 is a number that random arguments do not give.
  const Program product{load(16),        {0x07, 0, 0, 0},      load(24),
                        {0x2c, 0, 0, 0}, jeq(900000049, 0, 1), ret(kErrno | 1),
                        ret(kAllow)};
  const auto z3 = z3_solver();
  const Comparison result = Pair({product}, {always(kAllow)}).compared({}, z3.get());
  ASSERT_EQ(result.answer, Answer::Different);
  const SeccompData& call = result.differences[0].call;
  EXPECT_EQ(static_cast<std::uint32_t>(call.args[0]) * static_cast<std::uint32_t>(call.args[1]),
            900000049U);
  EXPECT_EQ(result.differences[0].a, kErrno | 1);
}

TEST(Equivalence, that_Z3_has_no_time_for_is_undecided) {
  const auto z3 = z3_solver({.in_all = std::chrono::milliseconds(0)});
  const Comparison result = Pair({square_test()}, {always(kAllow)}).compared({}, z3.get());
  EXPECT_EQ(result.answer, Answer::Undecided);
  ASSERT_THAT(result.open, SizeIs(1));
  EXPECT_THAT(result.open[0].why, HasSubstr("time"));
}
#endif

TEST(Equivalence, between_ABIs_goes_by_names) {
  const auto no_call = [](std::uint32_t nr, std::uint32_t token) {
    return Program{load(4),         jeq(token, 0, 4), load(0), jeq(nr, 0, 1),
                   ret(kErrno | 1), ret(kAllow),      ret(0)};
  };
  const KernelModel arm{.arch = Arch::AArch64};
  // write is 1 and 64.
  const Comparison same =
      Pair({no_call(1, 0xc000003e)}, {no_call(64, 0xc00000b7)}, {}, arm).by_name();
  EXPECT_EQ(same.answer, Answer::Equal);
  EXPECT_GT(same.compared_calls, 250U);
  EXPECT_THAT(same.only_a, testing::Contains("open"));
  const Comparison other =
      Pair({no_call(1, 0xc000003e)}, {no_call(63, 0xc00000b7)}, {}, arm).by_name();
  ASSERT_THAT(other.differences, SizeIs(2));
  EXPECT_EQ(other.differences[0].call.nr, 0);
  EXPECT_EQ(other.differences[0].call_b.nr, 63);
  EXPECT_EQ(other.differences[0].b, kErrno | 1);
}

}  // namespace
}  // namespace callgate::verifier
