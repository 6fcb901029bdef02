// Pairs of programs: those that a rewrite of the same meaning made are proved equal, those with a
// change are told apart by a call, or proved equal. And small programs against all their inputs.

#include "verifier/equivalence.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>

#include "harness/compare/comparison.hpp"
#include "harness/front_ends/lower.hpp"
#include "harness/random/generator.hpp"
#include "harness/random/mutations.hpp"
#include "harness/random/policies.hpp"
#include "harness/random/rewrites.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace callgate::random {
namespace {

using verifier::Answer;
using verifier::Level;

constexpr std::uint32_t kX86_64 = 0xc000003e;

// How much is asked: CALLGATE_PAIRS pairs of each kind, for a long run.
int pairs(int standing) {
  const char* asked = std::getenv("CALLGATE_PAIRS");
  return asked != nullptr ? std::atoi(asked) : standing;
}

struct Tally {
  std::size_t equal = 0;
  std::size_t by_z3 = 0;
  std::size_t different = 0;
  std::size_t undecided = 0;
  std::size_t undecided_instructions = 0;
  std::size_t instructions = 0;
  std::size_t longest = 0;

  void report(const char* what) const {
    const std::size_t all = equal + different + undecided;
    printf(
        "%s: %zu pairs of %zu instructions (longest %zu): equal %zu (by Z3 %zu), different %zu, "
        "undecided %zu (of %zu instructions)\n",
        what, all, all == 0 ? 0 : instructions / all, longest, equal, by_z3, different, undecided,
        undecided == 0 ? 0 : undecided_instructions / undecided);
  }
};

std::optional<FilterStack> stack_of(const Program& program, const KernelModel& model) {
  const auto checked = verifier::check(program, model);
  if (!checked) return std::nullopt;
  FilterStack stack(model);
  if (!stack.push(*checked, *find_engine("reference"))) return std::nullopt;
  return stack;
}

// Compares all 32 bits. What is equal is tried out on inputs, what is different was shown by a
// call.
void compare(Source& source, const Program& a, const Program& b, const KernelModel& model,
             Tally& tally, Answer* answer) {
  const auto stack_a = stack_of(a, model);
  const auto stack_b = stack_of(b, model);
  ASSERT_TRUE(stack_a && stack_b);
  compare::Request request;
  request.options = {.level = Level::Raw, .most_differences = 20};
  request.inputs = 0;
  request.solving = std::chrono::seconds(2);
  const compare::Result result = compare::compared(*stack_a, *stack_b, request);
  ASSERT_FALSE(result.contradiction);
  *answer = result.answer;
  tally.instructions += std::max(a.size(), b.size());
  tally.longest = std::max({tally.longest, a.size(), b.size()});
  if (result.how.starts_with("Z3")) ++tally.by_z3;
  switch (result.answer) {
    case Answer::Equal:
      ++tally.equal;
      for (int i = 0; i < 300; ++i) {
        const SeccompData data = input(source, i % 2 == 0 ? a : b, info(model.arch).token);
        ASSERT_EQ(reference::run(a, data, model).value, reference::run(b, data, model).value);
      }
      break;
    case Answer::Different:
      ++tally.different;
      ASSERT_FALSE(result.changes.empty());
      for (const compare::Change& change : result.changes) {
        for (const compare::Calls& calls : change.calls) {
          ASSERT_NE(reference::run(a, calls.call, model).value,
                    reference::run(b, calls.call, model).value);
        }
      }
      break;
    case Answer::Undecided:
      ++tally.undecided;
      tally.undecided_instructions += std::max(a.size(), b.size());
      break;
  }
}

// A filter as generators make them, a lowered policy, or any program.
Program program(Source& source, int kind) {
  if (kind % 4 == 3) return valid_program(source, {.longest = 40});
  if (kind % 4 == 2) {
    const auto lowered = front_ends::lower_plain(policy(source));
    if (lowered && lowered->size() <= 1000) return *lowered;
  }
  return filter_like(source, 20 + source.below(230), kX86_64);
}

TEST(Pairs, of_the_same_meaning_are_proved_equal) {
  Source source(31);
  Tally tally;
  for (int i = 0; i < pairs(200) && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    const Program a = program(source, i);
    const Program b = rewritten(source, a);
    Answer answer{};
    compare(source, a, b, {}, tally, &answer);
    EXPECT_NE(answer, Answer::Different);
  }
  tally.report("rewritten");
  EXPECT_LE(tally.undecided * 10, tally.equal);
}

TEST(Pairs, with_a_change_are_told_apart_or_proved_equal) {
  Source source(32);
  Tally tally;
  for (int i = 0; i < pairs(200) && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    const Program a = program(source, i);
    Program b = mutated(source, a, a);
    while (b == a || !verifier::check(b, KernelModel{})) b = mutated(source, a, a);
    Answer answer{};
    compare(source, a, b, {}, tally, &answer);
  }
  tally.report("changed");
  EXPECT_GT(tally.different, tally.equal);
  EXPECT_LE(tally.undecided * 10, tally.equal + tally.different);
}

TEST(Pairs, of_libseccomps_two_forms_are_told) {
  Source source(33);
  Tally tally;
  for (int i = 0; i < pairs(40) && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    const front_ends::Policy rules = policy(source);
    const KernelModel model{.arch = rules.arches.front()};
    const auto linear = front_ends::lower_libseccomp(rules, {.binary_tree = false});
    const auto tree = front_ends::lower_libseccomp(rules, {.binary_tree = true});
    if (!linear || !tree) continue;
    Answer answer{};
    compare(source, *linear, *tree, model, tally, &answer);
    EXPECT_NE(answer, Answer::Undecided);
    // Where its own notes know of no departure, both forms are the policy.
    if (front_ends::departures(rules, false).empty() &&
        front_ends::departures(rules, true).empty()) {
      EXPECT_EQ(answer, Answer::Equal);
    }
  }
  tally.report("libseccomp");
}

// The lowest four bits of the number decide: all inputs can be tried.
Program small_program(Source& source) {
  Program out{{0x20, 0, 0, 0}, {0x54, 0, 0, 15}};
  const std::uint32_t tests = 2 + source.below(10);
  constexpr std::uint16_t kTests[] = {0x15, 0x25, 0x35, 0x45};
  constexpr std::uint32_t kValues[] = {0x7fff0000, 0x00050001, 0x00050002, 0};
  for (std::uint32_t i = 0; i < tests; ++i) {
    const std::uint32_t ahead = tests - i + 3;
    out.push_back({kTests[source.below(4)], static_cast<std::uint8_t>(source.below(ahead)),
                   static_cast<std::uint8_t>(source.below(ahead)), source.below(16)});
  }
  for (const std::uint32_t value : kValues) out.push_back({0x06, 0, 0, value});
  return out;
}

TEST(Pairs, of_small_programs_are_told_as_by_trying_all_inputs) {
  Source source(34);
  std::size_t equal = 0;
  for (int i = 0; i < pairs(500) && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    const KernelModel model;
    const Program a = small_program(source);
    const Program b = source.one_in(2) ? rewritten(source, a) : small_program(source);
    std::set<std::uint32_t> differ;
    for (std::uint32_t nr = 0; nr < 16; ++nr) {
      const SeccompData data{.nr = static_cast<std::int32_t>(nr), .arch = kX86_64};
      if (reference::run(a, data, model).value != reference::run(b, data, model).value) {
        differ.insert(nr);
      }
    }
    const auto stack_a = stack_of(a, model);
    const auto stack_b = stack_of(b, model);
    ASSERT_TRUE(stack_a && stack_b);
    verifier::Space space;
    verifier::Endings endings(space);
    const auto meaning_a = verifier::meaning_of(endings, *stack_a);
    const auto meaning_b = verifier::meaning_of(endings, *stack_b);
    verifier::DiagramSolver solver;
    const auto result = verifier::compare(endings, {*stack_a, meaning_a}, {*stack_b, meaning_b},
                                          solver, {.level = Level::Raw});
    ASSERT_EQ(result.answer, differ.empty() ? Answer::Equal : Answer::Different);
    equal += differ.empty() ? 1U : 0U;
    double numbers = 0;
    for (const verifier::Difference& each : result.differences) {
      numbers += space.count(each.numbers, verifier::Field::Nr);
      EXPECT_TRUE(differ.contains(static_cast<std::uint32_t>(each.call.nr) & 15U));
    }
    EXPECT_EQ(numbers, static_cast<double>(differ.size()) * 4294967296.0 / 16);
  }
  EXPECT_GT(equal, 0U);
}

}  // namespace
}  // namespace callgate::random
