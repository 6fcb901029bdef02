// What symbolic execution says of random programs and stacks, against running them.

#include "verifier/meaning.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "harness/compare/comparison.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "verifier/paths.hpp"
#include "verifier/reduce.hpp"
#include "vm/filter_stack.hpp"
#include "vm/reference.hpp"

namespace callgate::random {
namespace {

using verifier::Diagrams;
using verifier::Ending;
using verifier::Endings;
using verifier::Path;
using verifier::Space;

// How much is asked: CALLGATE_PROGRAMS programs, for a long run.
int programs(int standing) {
  const char* asked = std::getenv("CALLGATE_PROGRAMS");
  return asked != nullptr ? std::atoi(asked) : standing;
}

KernelModel model_of(Source& source) {
  KernelModel model;
  const auto all = arches();
  model.arch = all[source.below(static_cast<std::uint32_t>(all.size()))].arch;
  if (source.one_in(4)) model.version = {4, 4, 0};
  if (source.one_in(8)) model.engine = KernelEngine::Interpreter;
  return model;
}

struct Tally {
  std::size_t programs = 0;
  std::size_t paths = 0;
  std::size_t found = 0;
  // Of paths with opaque comparisons: solved by Z3, proved by it to have no call, left.
  std::size_t solved = 0;
  std::size_t impossible = 0;
  std::size_t not_found = 0;
  std::size_t opaque_programs = 0;
  std::size_t not_followed = 0;
  std::size_t many_paths = 0;
};

void expect_ending(const Endings& endings, const Ending& ending, const SeccompData& data,
                   const reference::Result& ran, const std::string& where) {
  if (ending.kind == Ending::Kind::Value) {
    ASSERT_EQ(ran.fault, reference::Fault::None) << where;
    ASSERT_EQ(endings.value(ending, data), ran.value) << where;
  } else if (ending.kind == Ending::Kind::Undefined) {
    ASSERT_EQ(ran.fault, reference::Fault::UndefinedShift) << where;
    ASSERT_EQ(ending.instruction, ran.last) << where;
  }
}

// Z3, where it is built in, for as long in all as such a number of programs should take.
class PathSolver {
 public:
  explicit PathSolver(int programs)
      : solver_(compare::built_in_solver(std::chrono::milliseconds(10) * programs)) {}

  [[nodiscard]] verifier::Decision decide(const Space& space, Space::Ref condition) {
    if (!solver_) return {};
    return solver_->decide(space, condition);
  }

 private:
  std::unique_ptr<verifier::Solver> solver_;
};

void compare_one(Source& source, const Program& program, const KernelModel& model,
                 PathSolver& solver, Tally& tally) {
  const auto checked = verifier::check(program, model);
  ASSERT_TRUE(checked.has_value());
  Space space;
  Endings endings(space);
  const auto meaning = verifier::meaning_of(endings, *checked);
  ++tally.programs;
  if (!space.opaques().empty()) ++tally.opaque_programs;
  if (meaning.not_followed != Diagrams::kFalse) ++tally.not_followed;
  const std::uint32_t arch = info(model.arch).token;
  std::vector<SeccompData> inputs;
  for (int i = 0; i < 20; ++i) inputs.push_back(input(source, program, arch));
  for (const SeccompData& data : inputs) {
    const auto ran = reference::run(program, data, model);
    expect_ending(endings, endings.at(space.evaluate(meaning.value, data)), data, ran, "input");
  }
  std::vector<int> times(inputs.size());
  std::size_t paths = 0;
  std::mt19937_64 chance(source.next());
  bool all = false;
  try {
    all = verifier::for_each_path(space, meaning.value, [&](const Path& path) {
      for (std::size_t i = 0; i < inputs.size(); ++i)
        times[i] += path.holds(space, inputs[i]) ? 1 : 0;
      const Space::Ref condition = path.condition(space);
      auto data = space.find(condition, &chance);
      if (data) {
        ++tally.found;
      } else {
        EXPECT_FALSE(path.opaques.empty());
        const verifier::Decision decision = solver.decide(space, condition);
        data = decision.call;
        ++(decision.holds == verifier::Holds::Never ? tally.impossible
           : data                                   ? tally.solved
                                                    : tally.not_found);
      }
      if (data) {
        EXPECT_TRUE(path.holds(space, *data));
        expect_ending(endings, endings.at(path.end), *data, reference::run(program, *data, model),
                      "path " + std::to_string(paths));
      }
      return ++paths < 2000 && !testing::Test::HasFailure();
    });
  } catch (const Diagrams::Full&) {
    all = false;  // the limit on work: what is not looked at is counted
  }
  tally.paths += paths;
  if (!all) {
    ++tally.many_paths;
    return;
  }
  for (const int each : times) ASSERT_EQ(each, 1);
}

void report(const Tally& tally) {
  std::printf(
      "programs %zu, paths %zu: a call found for %zu, by Z3 for %zu; proved to have none %zu; left "
      "%zu\n"
      "programs with opaque comparisons %zu, not followed %zu, with too many paths %zu\n",
      tally.programs, tally.paths, tally.found, tally.solved, tally.impossible, tally.not_found,
      tally.opaque_programs, tally.not_followed, tally.many_paths);
}

TEST(Meaning, of_random_programs_is_what_they_do) {
  Source source(1);
  Tally tally;
  PathSolver solver(programs(500));
  for (int i = 0; i < programs(500) && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    const KernelModel model = model_of(source);
    compare_one(source, valid_program(source), model, solver, tally);
  }
  report(tally);
}

TEST(Meaning, of_random_filters_is_what_they_do) {
  Source source(2);
  Tally tally;
  PathSolver solver(programs(500));
  for (int i = 0; i < programs(500) && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    const KernelModel model = model_of(source);
    compare_one(source, filter_like(source, 200, info(model.arch).token), model, solver, tally);
  }
  report(tally);
}

TEST(Meaning, of_random_stacks_is_what_they_do) {
  Source source(3);
  for (int i = 0; i < programs(300) && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    KernelModel model = model_of(source);
    model.engine = KernelEngine::Jit;  // no shift is undefined: a stack's run has no word for it
    const std::uint32_t arch = info(model.arch).token;
    FilterStack stack(model);
    std::vector<Program> all;
    for (std::uint32_t depth = 1 + source.below(4); depth > 0; --depth) {
      all.push_back(source.one_in(4) ? valid_program(source, {.longest = 24})
                                     : filter_like(source, 60, arch));
      ASSERT_TRUE(stack.push(verifier::check(all.back(), model).value()).has_value());
    }
    Space space;
    Endings endings(space);
    const auto meaning = verifier::meaning_of(endings, stack);
    for (int input_of = 0; input_of < 60; ++input_of) {
      const SeccompData data =
          input(source, all[static_cast<std::size_t>(input_of) % all.size()], arch);
      const Ending& ending = endings.at(space.evaluate(meaning.verdict, data));
      if (ending.kind != Ending::Kind::Value) continue;
      const Verdict verdict = stack.run(data);
      ASSERT_EQ(endings.value(ending, data), verdict.value);
      // A formula may come to ALLOW, which nobody decides.
      if (verdict.winner) {
        ASSERT_EQ(ending.filter, verdict.winner);
      }
      ASSERT_EQ(endings.value(endings.at(space.evaluate(meaning.value, data)), data),
                verdict.value);
    }
  }
}

TEST(Reduced, random_programs_are_never_longer_and_do_the_same) {
  Source source(4);
  std::size_t before = 0;
  std::size_t after = 0;
  std::size_t refused = 0;
  for (int i = 0; i < programs(150) && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    const KernelModel model = model_of(source);
    const std::uint32_t arch = info(model.arch).token;
    const Program program =
        source.one_in(2) ? valid_program(source) : filter_like(source, 200, arch);
    const auto checked = verifier::check(program, model).value();
    const auto reduced = verifier::reduced(checked);
    const auto shorter = reduced.program.instructions();
    ASSERT_LE(shorter.size(), program.size());
    before += program.size();
    after += shorter.size();
    refused += reduced.refused;
    for (int input_of = 0; input_of < 50; ++input_of) {
      const SeccompData data = input(source, program, arch);
      const auto was = reference::run(program, data, model);
      const auto is = reference::run(shorter, data, model);
      ASSERT_EQ(was.value, is.value);
      ASSERT_EQ(was.fault, is.fault);
    }
  }
  std::printf("instructions %zu, reduced %zu; refused %zu\n", before, after, refused);
  EXPECT_LT(after, before);
}

}  // namespace
}  // namespace callgate::random
