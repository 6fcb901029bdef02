// Decision tables of random filters, against running them.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "verifier/lower_table.hpp"
#include "vm/filter_stack.hpp"
#include "vm/reference.hpp"

namespace callgate::random {
namespace {

using verifier::CallClass;
using verifier::Ending;
using verifier::Path;
using verifier::Space;

struct Tally {
  std::size_t stacks = 0;
  std::size_t asked = 0;
  std::size_t cut = 0;      // answers that a cut left out
  std::size_t lowered = 0;  // and found to mean the same
};

int programs(int standing) {
  const char* asked = std::getenv("CALLGATE_PROGRAMS");
  return asked != nullptr ? std::atoi(asked) : standing;
}

// The end that a table has for a call; nothing where it says that it does not know.
std::optional<Space::Ref> end_of(const Space& space, const CallClass& of, const SeccompData& data) {
  std::optional<Space::Ref> end;
  for (const Path& rule : of.rules) {
    if (!rule.holds(space, data)) continue;
    EXPECT_EQ(end.value_or(rule.end), rule.end) << "two rules disagree";
    end = rule.end;
  }
  return end ? end : of.otherwise;
}

void compare(Source& source, const FilterStack& stack, Tally& tally) {
  Space space;
  verifier::Endings endings(space);
  const KernelModel& model = stack.model();
  const auto meaning = verifier::meaning_of(endings, stack);
  const auto table = verifier::decision_table(endings, meaning.verdict, std::array{model.arch});
  ++tally.stacks;
  for (int i = 0; i < 40; ++i) {
    const SeccompData data = input(source, stack.program(0), info(model.arch).token);
    std::size_t rows = 0;
    for (const auto& row : table.rows) {
      if (space.holds(row.tokens, data) && space.holds(row.numbers, data)) ++rows;
    }
    ASSERT_EQ(rows, 1U);
    const auto* row = verifier::row_of(space, table, data);
    const auto* of = row->cut ? nullptr : verifier::class_of(space, *row, data);
    ++tally.asked;
    const auto end = of == nullptr ? std::nullopt : end_of(space, *of, data);
    if (!end) {
      ASSERT_FALSE(table.whole());
      ++tally.cut;
      continue;
    }
    ASSERT_EQ(*end, space.evaluate(meaning.verdict, data));
    const Ending& ending = endings.at(*end);
    if (ending.kind != Ending::Kind::Value) continue;
    const Verdict verdict = stack.run(data);
    ASSERT_EQ(endings.value(ending, data), verdict.value);
    ASSERT_EQ(ending.filter, verdict.winner);
  }
  const auto lowered = verifier::lower_table(endings, table, info(model.arch).byte_order);
  if (!lowered) return;
  const auto checked = verifier::check(*lowered, model);
  ASSERT_TRUE(checked.has_value());
  ASSERT_EQ(verifier::meaning_of(endings, *checked).value, meaning.value);
  ++tally.lowered;
}

void compare_many(Source& source, int count, auto make) {
  Tally tally;
  for (int i = 0; i < count && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(i);
    KernelModel model;
    const auto all = arches();
    model.arch = all[source.below(static_cast<std::uint32_t>(all.size()))].arch;
    FilterStack stack(model);
    const std::uint32_t filters = 1 + source.below(3);
    for (std::uint32_t filter = 0; filter < filters; ++filter) {
      const auto checked = verifier::check(make(source, model), model);
      ASSERT_TRUE(checked.has_value());
      ASSERT_TRUE(stack.push(*checked));
    }
    compare(source, stack, tally);
  }
  std::printf("stacks %zu, calls %zu, not told %zu, lowered to the same %zu\n", tally.stacks,
              tally.asked, tally.cut, tally.lowered);
}

TEST(DecisionTables, of_random_stacks_say_what_running_them_says) {
  Source source(1);
  compare_many(source, programs(150),
               [](Source& from, const KernelModel&) { return valid_program(from); });
}

TEST(DecisionTables, of_stacks_like_filters_say_what_running_them_says) {
  Source source(2);
  compare_many(source, programs(150), [](Source& from, const KernelModel& model) {
    return filter_like(from, 200, info(model.arch).token);
  });
}

}  // namespace
}  // namespace callgate::random
