// What calls and proofs cover, of small programs and of random ones.

#include "harness/coverage/coverage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/coverage/subject_test.hpp"
#include "harness/front_ends/policy_conditions.hpp"
#include "harness/random/generator.hpp"
#include "harness/random/policies.hpp"
#include "vm/reference.hpp"

namespace callgate::coverage {
namespace {

using verifier::Diagrams;
using verifier::Field;
using verifier::Space;

TEST(Coverage, tells_unreachable_from_not_visited) {
  Subject subject({small_program()});
  Collector collector = subject.collector();
  collector.add(call(39));
  collector.add(call(39, 40));
  collector.add(call(41, 1));
  const Report report = collector.report();
  ASSERT_EQ(report.programs.size(), 1U);
  EXPECT_EQ(report.inputs, 3U);
  const ProgramCoverage& program = report.programs[0];
  EXPECT_EQ(program.instructions[0].inputs, 3U);
  EXPECT_EQ(program.instructions[2].inputs, 1U);
  EXPECT_EQ(program.instructions[4].inputs, 3U);
  EXPECT_EQ(program.instructions[5].state, State::NotVisited);
  EXPECT_EQ(program.instructions[6].state, State::Unreachable);
  ASSERT_EQ(program.branches.size(), 2U);
  EXPECT_EQ(program.branches.at(1).taken.inputs, 1U);
  EXPECT_EQ(program.branches.at(1).not_taken.inputs, 2U);
  EXPECT_EQ(program.branches.at(3).taken.state, State::NotVisited);
  EXPECT_EQ(program.branches.at(3).not_taken.state, State::Covered);
  // socket(AF_VSOCK), the smallest such call.
  EXPECT_EQ(program.branches.at(3).taken.would, call(41, 40));
  EXPECT_EQ(instructions_of(program).covered, 5U);
  EXPECT_EQ(instructions_of(program).all(), 6U);
  EXPECT_EQ(instructions_of(program).unreachable, 1U);
  EXPECT_EQ(branches_of(program).covered, 3U);
  EXPECT_EQ(branches_of(program).all(), 4U);
}

TEST(Coverage, of_a_proof_is_all_that_its_calls_come_to) {
  Subject subject({small_program()});
  Collector collector = subject.collector();
  collector.add(subject.space.equal(Field::Nr, 41));
  const Report report = collector.report();
  const ProgramCoverage& program = report.programs[0];
  EXPECT_EQ(report.proofs, 1U);
  EXPECT_EQ(program.instructions[5].state, State::Covered);
  EXPECT_TRUE(program.instructions[5].proved);
  EXPECT_EQ(program.instructions[5].inputs, 0U);
  EXPECT_EQ(program.branches.at(1).not_taken.state, State::NotVisited);
  EXPECT_EQ(program.branches.at(3).taken.state, State::Covered);
  EXPECT_EQ(program.branches.at(3).not_taken.state, State::Covered);
}

TEST(Coverage, of_several_proofs_is_put_together) {
  Subject subject({small_program()});
  Collector collector = subject.collector();
  for (std::uint64_t nr = 40; nr < 60; ++nr) collector.add(subject.space.equal(Field::Nr, nr));
  EXPECT_EQ(collector.report().branches().percent(), 100);
}

TEST(Coverage, of_a_stack_counts_every_filter_for_every_call) {
  const Program second{{0x20, 0, 0, 0}, {0x15, 0, 1, 1}, {0x06, 0, 0, 0}, {0x06, 0, 0, 0x7fff0000}};
  Subject subject({small_program(), second});
  Collector collector = subject.collector();
  collector.add(call(1));
  const Report report = collector.report();
  ASSERT_EQ(report.programs.size(), 2U);
  EXPECT_EQ(report.programs[0].file, "filter0");
  EXPECT_EQ(report.programs[0].branches.at(1).not_taken.state, State::Covered);
  EXPECT_EQ(report.programs[1].branches.at(1).taken.state, State::Covered);
  EXPECT_EQ(report.programs[1].branches.at(1).not_taken.state, State::NotVisited);
}

TEST(Coverage, leaves_exempt_calls_out) {
  // uretprobe, which no filter sees on 6.18.
  const Program program{{0x20, 0, 0, 4},   {0x15, 0, 3, 0xc000003e}, {0x20, 0, 0, 0},
                        {0x15, 0, 1, 335}, {0x06, 0, 0, 0},          {0x06, 0, 0, 0x7fff0000}};
  Subject subject({program});
  Collector collector = subject.collector();
  collector.add(call(335));
  collector.add(subject.space.equal(Field::Nr, 335));
  const Report report = collector.report();
  EXPECT_EQ(report.programs[0].instructions[4].state, State::Unreachable);
  EXPECT_EQ(report.programs[0].instructions[4].inputs, 0U);
  Subject old({program}, {.version = {6, 1, 0}});
  EXPECT_EQ(old.collector().report().programs[0].instructions[4].state, State::NotVisited);
}

TEST(Coverage, tells_what_only_calls_of_other_machines_come_to) {
  const Program program{
      {0x20, 0, 0, 4}, {0x15, 1, 0, 0xc00000b7}, {0x06, 0, 0, 0x7fff0000}, {0x06, 0, 0, 0}};
  Subject subject({program});
  Collector collector = subject.collector();
  const Report report = collector.report();
  EXPECT_EQ(report.programs[0].branches.at(1).taken.state, State::Foreign);
  ASSERT_TRUE(report.programs[0].branches.at(1).taken.would);
  EXPECT_EQ(report.programs[0].branches.at(1).taken.would->arch, info(Arch::AArch64).token);
  EXPECT_EQ(report.branches().all(), 1U);
  EXPECT_EQ(report.branches().foreign, 1U);
}

TEST(Coverage, says_of_what_the_analysis_gave_up_that_it_is_not_known) {
  Subject subject({small_program()}, {}, {}, {.steps = 1});
  Collector collector = subject.collector();
  collector.add(call(39));
  const ProgramCoverage program = collector.report().programs[0];
  EXPECT_EQ(program.instructions[0].state, State::Covered);
  EXPECT_EQ(program.instructions[4].state, State::Covered);
  EXPECT_EQ(program.instructions[5].state, State::NotKnown);
  EXPECT_FALSE(program.instructions[5].why.empty());
  EXPECT_EQ(program.instructions[6].state, State::NotKnown);
}

TEST(Coverage, says_of_opaque_comparisons_that_it_is_not_known) {
  // args[0].low * args[1].low == 0x12345677, which nothing is found for by chance.
  const Program program{{0x20, 0, 0, 24},        {0x07, 0, 0, 0},          {0x20, 0, 0, 16},
                        {0x2c, 0, 0, 0},         {0x15, 0, 1, 0x12345677}, {0x06, 0, 0, 0},
                        {0x06, 0, 0, 0x7fff0000}};
  Subject subject({program});
  const Report report = subject.collector().report();
  EXPECT_EQ(report.programs[0].branches.at(4).taken.state, State::NotKnown);
  EXPECT_EQ(report.programs[0].branches.at(4).not_taken.state, State::NotVisited);
}

TEST(Coverage, does_not_throw_where_proofs_are_too_large) {
  Subject subject({small_program()}, {}, {.nodes = 3000});
  Collector collector = subject.collector();
  Diagrams& diagrams = subject.space.diagrams();
  const Diagrams::Budget before = diagrams.allow_more(5'000'000);
  random::Source source(1);
  for (int i = 0; i < 200; ++i) {
    Space::Ref one = Diagrams::kTrue;
    for (int field = 0; field < 6; ++field) {
      const auto place = static_cast<Field>(field + 2);
      one = diagrams.both(one, subject.space.equal(place, source.next()));
    }
    collector.add(one);
  }
  diagrams.allow(before);
  const Report report = collector.report();
  EXPECT_EQ(report.programs[0].instructions[6].state, State::Unreachable);
}

TEST(Coverage, of_targets_adds_up) {
  Subject first({small_program()});
  Subject second({small_program()}, {.version = {5, 10, 0}});
  Collector one = first.collector();
  one.add(call(41, 1));
  Collector two = second.collector();
  two.add(call(41, 40));
  two.add(call(41, 40));
  Report report = one.report();
  report.merge(two.report());
  ASSERT_EQ(report.programs.size(), 1U);
  const ProgramCoverage& program = report.programs[0];
  EXPECT_EQ(program.kernels.size(), 2U);
  EXPECT_EQ(to_string(program.kernels[0]), "5.10");
  EXPECT_EQ(program.instructions[3].inputs, 3U);
  EXPECT_EQ(program.branches.at(3).taken.inputs, 2U);
  EXPECT_EQ(program.branches.at(3).not_taken.inputs, 1U);
  EXPECT_EQ(program.branches.at(1).not_taken.state, State::NotVisited);
  EXPECT_EQ(report.inputs, 3U);
  // Another machine's program is one of its own.
  Subject third({small_program()}, {.arch = Arch::AArch64});
  report.merge(third.collector().report());
  EXPECT_EQ(report.programs.size(), 2U);
}

front_ends::Policy policy() {
  front_ends::Policy out;
  out.default_value = 0x7fff0000;
  out.arches = {Arch::X86_64};
  const auto rule = [&](std::string name, std::uint32_t value,
                        std::vector<front_ends::ArgTest> tests, std::size_t line) {
    out.rules.push_back({std::move(name), {}, value, std::move(tests), {}, {line, 3}});
  };
  rule("socket", 0x00050001, {{0, front_ends::Comparison::Equal, 40}}, 4);
  rule("getpid", 0x00050002, {}, 5);
  rule("getpid", 0x00050001, {}, 6);
  rule("umask", 0x00050001, {{0, front_ends::Comparison::Less, 0}}, 7);
  return out;
}

TEST(Coverage, of_rules_is_what_they_decide) {
  filters::FilterFile file{"profile", small_program(), {}, policy(), {}};
  Subject subject({file});
  Collector collector = subject.collector();
  collector.add(call(41, 40));
  collector.add(call(39));
  const Report report = collector.report();
  ASSERT_EQ(report.rules.size(), 4U);
  EXPECT_EQ(report.rules[0].call, "socket");
  EXPECT_EQ(report.rules[0].line, 4U);
  EXPECT_EQ(report.rules[0].point.state, State::Covered);
  EXPECT_EQ(report.rules[0].point.inputs, 1U);
  // The program looks at the lower half alone, and the profile at all of it: no difference there.
  EXPECT_EQ(report.rules[0].differs, "");
  // The program allows getpid: no call of it is explained by the rule.
  EXPECT_EQ(report.rules[1].point.state, State::Unreachable);
  EXPECT_EQ(report.rules[1].point.why, "the program never does what it says");
  EXPECT_THAT(report.rules[1].differs,
              testing::HasSubstr("getpid() gets ERRNO(2) by the profile, and ALLOW"));
  EXPECT_EQ(report.rules[2].point.state, State::Unreachable);
  EXPECT_EQ(report.rules[2].point.why, "rules before it decide all of its calls");
  EXPECT_EQ(report.rules[3].point.why, "its tests contradict each other");
  EXPECT_EQ(report.rules_count().all(), 1U);
}

TEST(Coverage, of_rules_by_proofs) {
  filters::FilterFile file{"profile", small_program(), {}, policy(), {}};
  Subject subject({file});
  EXPECT_EQ(subject.collector().report().rules[0].point.state, State::NotVisited);
  EXPECT_EQ(subject.collector().report().rules[0].point.would, call(41, 40));
  Collector collector = subject.collector();
  collector.add(subject.space.equal(Field::Nr, 41));
  EXPECT_EQ(collector.report().rules[0].point.state, State::Covered);
}

TEST(Coverage, rules_of_layers_are_one_where_they_stand_at_one_place) {
  filters::FilterFile file{"profile (a)", small_program(), {}, policy(), {}};
  filters::FilterFile other{"profile (b)", small_program(), {}, policy(), {}};
  Subject subject({file, other});
  Collector collector = subject.collector();
  collector.add(call(41, 40));
  const Report report = collector.report();
  ASSERT_EQ(report.rules.size(), 4U);
  EXPECT_EQ(report.rules[0].file, "profile");
  EXPECT_EQ(report.rules[0].point.inputs, 2U);
}

TEST(Coverage, percentages_are_whole_only_where_nothing_is_missing) {
  Count none;
  EXPECT_EQ(none.percent(), 100);
  Count nearly;
  nearly.covered = 999'999;
  nearly.not_visited = 1;
  EXPECT_LT(nearly.percent(), 100);
  Count some;
  some.covered = 1;
  some.not_known = 1;
  some.unreachable = 7;
  EXPECT_EQ(some.percent(), 50);
}

// Conditions of rules against the evaluator, which shares no code with them but resolve().
TEST(PolicyConditions, are_what_the_evaluator_says_of_random_policies) {
  random::Source source(7);
  std::size_t decided = 0;
  for (int i = 0; i < 300; ++i) {
    front_ends::Policy policy = random::policy(source);
    if (source.one_in(3)) policy.x32 = front_ends::X32Calls::Numbers;
    if (source.one_in(4)) policy.foreign_value.reset();
    if (source.one_in(4)) policy.multiplexed = !policy.multiplexed;
    Space space;
    const auto calls = front_ends::calls_of_rules(space, policy);
    ASSERT_EQ(calls.size(), policy.rules.size());
    const front_ends::PolicyEvaluator evaluator(policy);
    for (int j = 0; j < 50; ++j) {
      SeccompData data = random::call_for(source, policy);
      if (source.one_in(10)) data.nr = -1;
      if (source.one_in(10)) data.nr = -150;
      if (source.one_in(10)) data.nr ^= 0x40000000;
      const front_ends::Decision decision = evaluator.evaluate(data);
      for (std::size_t rule = 0; rule < calls.size(); ++rule) {
        const bool decides = decision.unknown.empty() && decision.rule == rule;
        ASSERT_EQ(space.holds(calls[rule].decides, data), decides) << i << " " << j << " " << rule;
        decided += decides ? 1 : 0;
      }
    }
  }
  EXPECT_GT(decided, 1000U);
}

// Counting against a run that is watched in another way.
TEST(Coverage, of_random_programs_is_what_runs_come_to) {
  random::Source source(3);
  for (int i = 0; i < 300; ++i) {
    const Program program = random::valid_program(source);
    const KernelModel model{.version = {6, 1, 0}};  // which exempts no calls
    Subject subject({program}, model, {.nodes = 100'000});
    const bool followed = subject.meaning.not_followed == Diagrams::kFalse;
    Collector collector = subject.collector();
    std::vector<std::uint64_t> executed(program.size());
    struct Seen {
      std::vector<std::uint64_t>& executed;
      void step(const reference::Step& step) const { ++executed[step.at]; }
    };
    std::vector<SeccompData> inputs;
    for (int j = 0; j < 20; ++j) {
      inputs.push_back(random::input(source, program, info(Arch::X86_64).token));
      (void)reference::run(program, inputs.back(), model, Seen{executed});
    }
    collector.add(inputs);
    const ProgramCoverage made = collector.report().programs[0];
    for (std::size_t at = 0; at < program.size(); ++at) {
      const Point& point = made.instructions[at];
      ASSERT_EQ(point.inputs, executed[at]);
      ASSERT_EQ(point.state == State::Covered, executed[at] > 0);
      if (executed[at] > 0 && followed) {
        ASSERT_NE(subject.meaning.filters[0].reached[at], Diagrams::kFalse);
      }
      if (const auto branch = made.branches.find(at); branch != made.branches.end()) {
        ASSERT_EQ(branch->second.taken.inputs + branch->second.not_taken.inputs, executed[at]);
      }
    }
  }
}

}  // namespace
}  // namespace callgate::coverage
