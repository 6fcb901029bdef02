// Calls for every branch: that they come to it, and that nothing that can be reached is left out.

#include "harness/coverage/cases.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/coverage/case_writers.hpp"
#include "harness/coverage/execution_paths.hpp"
#include "harness/coverage/neighbours.hpp"
#include "harness/coverage/run.hpp"
#include "harness/coverage/subject_test.hpp"
#include "harness/random/generator.hpp"
#include "harness/suite/explicit_call.hpp"
#include "verifier/levels.hpp"

namespace callgate::coverage {
namespace {

using testing::HasSubstr;
using verifier::Diagrams;
using verifier::Space;

Cases found(Subject& subject, const CaseOptions& options = {}) {
  return cases_of(subject.stack, subject.endings, subject.meaning, options);
}

std::vector<std::string> texts(const Subject& subject, const Cases& cases) {
  std::vector<std::string> out;
  for (const Case& each : cases.cases) {
    out.push_back(suite::explicit_call_text(each.data, subject.stack.model().arch));
  }
  return out;
}

// What the calls come to, by another way than cases_of() has: a run each, no table of goals.
std::set<Target> come_to(const Subject& subject, const Cases& cases) {
  std::set<Target> out;
  for (const Case& each : cases.cases) {
    for (std::size_t filter = 0; filter < subject.stack.size(); ++filter) {
      const auto program = subject.stack.program(filter);
      struct Seen {
        std::span<const Instruction> program;
        std::size_t filter;
        std::set<Target>& out;
        void step(const reference::Step& step) const {
          out.insert({filter, step.at, Target::Way::Executed});
          const Instruction& here = program[step.at];
          if ((here.code & 7U) != 5 || here.code == 5) return;
          const std::uint32_t operand = (here.code & 8U) != 0 ? step.x : here.k;
          const std::uint32_t op = here.code & 0xf0U;
          const bool taken = op == 0x10   ? step.a == operand
                             : op == 0x20 ? step.a > operand
                             : op == 0x30 ? step.a >= operand
                                          : (step.a & operand) != 0;
          out.insert({filter, step.at, taken ? Target::Way::Taken : Target::Way::NotTaken});
        }
      };
      const auto result =
          reference::run(program, each.data, subject.stack.model(), Seen{program, filter, out});
      out.insert({filter, result.last, Target::Way::Executed});
    }
  }
  return out;
}

TEST(Cases, come_to_every_branch_and_say_what_is_unreachable) {
  Subject subject({small_program()});
  CaseOptions options;
  options.neighbours = false;
  const Cases cases = found(subject, options);
  EXPECT_THAT(texts(subject, cases),
              testing::ElementsAre("read()", "socket()", "socket(AF_VSOCK)"));
  EXPECT_EQ(cases.cases[0].verdict->value, 0x7fff0000U);
  EXPECT_EQ(cases.cases[2].verdict->value, 0x00050001U);
  EXPECT_EQ(cases.targets, 10U);
  EXPECT_THAT(cases.unreachable, testing::ElementsAre(Target{0, 6, Target::Way::Executed}));
  EXPECT_TRUE(cases.left_out.empty());
}

TEST(Cases, have_the_neighbours_of_what_is_compared) {
  Subject subject({small_program()});
  const Cases cases = found(subject);
  const std::vector<std::string> all = texts(subject, cases);
  for (const char* each :
       {"socket(0x27)", "socket(0x29)", "socket(0x80000028)", "socket(0xdeadbeef00000028)"}) {
    bool there = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto text = suite::parse_explicit_call(each, Arch::X86_64);
      ASSERT_TRUE(text);
      if (cases.cases[i].data != *text) continue;
      there = true;
      ASSERT_TRUE(cases.cases[i].neighbour_of);
      EXPECT_LT(*cases.cases[i].neighbour_of, i);
    }
    EXPECT_TRUE(there) << each;
  }
}

TEST(Cases, turn_the_bits_of_masks_that_are_many) {
  // args[1].low & 0x10010 == 0x10
  const Program program{{0x20, 0, 0, 24},
                        {0x54, 0, 0, 0x10010},
                        {0x15, 0, 1, 0x10},
                        {0x06, 0, 0, 0},
                        {0x06, 0, 0, 0x7fff0000}};
  Subject subject({program});
  SeccompData data = call(0);
  data.args[1] = 0x10;
  const auto beside = neighbours_of(subject.space, subject.stack, subject.meaning, data);
  std::set<std::uint64_t> values;
  for (const SeccompData& each : beside) {
    EXPECT_EQ(each.args[0], 0U);
    values.insert(each.args[1]);
  }
  EXPECT_THAT(values, testing::ElementsAre(0U, 0x10010U, 0x80000010U, 0xdeadbeef00000010U));
}

TEST(Cases, of_32_bit_abis_have_no_upper_halves) {
  Subject subject({small_program()}, {.arch = Arch::X86});
  const Cases cases = found(subject);
  EXPECT_GT(cases.cases.size(), 3U);
  for (const Case& each : cases.cases) EXPECT_LT(each.data.args[0], 0x100000000U);
}

TEST(Cases, are_of_the_abis_that_are_asked_for) {
  Subject subject({small_program()});
  CaseOptions options;
  options.abis = {Arch::X86};
  for (const Case& each : found(subject, options).cases) {
    EXPECT_EQ(each.data.arch, info(Arch::X86).token);
  }
  options.abis = {Arch::X32};
  const Cases x32 = found(subject, options);
  ASSERT_FALSE(x32.cases.empty());
  for (const Case& each : x32.cases) EXPECT_NE(each.data.nr & 0x40000000, 0);
  // No number of x32 is 41.
  EXPECT_THAT(x32.unreachable, testing::Contains(Target{0, 1, Target::Way::Taken}));
}

TEST(Cases, per_verdict_are_one_for_each) {
  Subject subject({small_program()});
  CaseOptions options;
  options.per = Per::Verdict;
  options.neighbours = false;
  EXPECT_THAT(texts(subject, found(subject, options)),
              testing::ElementsAre("read()", "socket(AF_VSOCK)"));
}

TEST(Cases, per_path_are_one_for_each_and_bounded) {
  // Three bits of an argument, one after the other: 8 paths.
  Program program{{0x20, 0, 0, 16}};
  for (std::uint32_t bit = 1; bit < 8; bit *= 2) {
    program.push_back({0x45, 0, 1, bit});
    program.push_back({0x00, 0, 0, 0});
    program.push_back({0x20, 0, 0, 16});
  }
  program.push_back({0x06, 0, 0, 0x7fff0000});
  Subject subject({program});
  CaseOptions options;
  options.per = Per::Path;
  options.neighbours = false;
  EXPECT_EQ(found(subject, options).cases.size(), 8U);
  options.most_paths = 3;
  const Cases bounded = found(subject, options);
  EXPECT_EQ(bounded.cases.size(), 3U);
  EXPECT_THAT(bounded.left_out, testing::ElementsAre(HasSubstr("more than 3 paths")));
  options.per = Per::Branch;
  EXPECT_EQ(found(subject, options).cases.size(), 2U);
}

TEST(Cases, of_what_is_opaque_are_left_out_in_words) {
  const Program program{{0x20, 0, 0, 24},        {0x07, 0, 0, 0},          {0x20, 0, 0, 16},
                        {0x2c, 0, 0, 0},         {0x15, 0, 1, 0x12345677}, {0x06, 0, 0, 0},
                        {0x06, 0, 0, 0x7fff0000}};
  Subject subject({program});
  const Cases cases = found(subject);
  EXPECT_THAT(cases.left_out, testing::Contains(HasSubstr("instruction 4, taken")));
}

TEST(Cases, of_a_stack_cover_every_filter) {
  const Program second{
      {0x20, 0, 0, 24}, {0x15, 0, 1, 7}, {0x06, 0, 0, 0}, {0x06, 0, 0, 0x7fff0000}};
  Subject subject({small_program(), second});
  CaseOptions options;
  options.neighbours = false;
  const Cases cases = found(subject, options);
  EXPECT_TRUE(come_to(subject, cases).contains({1, 2, Target::Way::Executed}));
  // One call can be for both filters: no more are needed than for the first alone.
  EXPECT_EQ(cases.cases.size(), 3U);
}

TEST(Cases, are_written_as_a_suite_that_is_read_again) {
  Subject subject({small_program()});
  const Cases cases = found(subject);
  const std::string text = cases_suite({cases, subject.stack, {"small"}, Per::Branch});
  EXPECT_THAT(text, HasSubstr("recorded:\n"));
  EXPECT_THAT(text, HasSubstr("  - socket(AF_VSOCK): ERRNO(1)\n"));
  EXPECT_THAT(text, HasSubstr("3 to 0005"));
  EXPECT_THAT(text, HasSubstr("instruction 6\n"));
  std::size_t lines = 0;
  for (std::size_t at = text.find("\n  - "); at != std::string::npos;
       at = text.find("\n  - ", at + 1)) {
    const std::size_t start = at + 5;
    const std::size_t colon = text.find("): ", start) + 1;
    const auto again = suite::parse_explicit_call(text.substr(start, colon - start), Arch::X86_64);
    ASSERT_TRUE(again) << text.substr(start, colon - start);
    EXPECT_EQ(*again, cases.cases[lines].data);
    ++lines;
  }
  EXPECT_EQ(lines, cases.cases.size());
}

// Every direction for which the analysis knows calls is come to, by calls that were run here.
void expect_complete(Subject& subject, const Cases& cases, std::size_t& targets,
                     std::size_t& opaque) {
  const std::set<Target> reached = come_to(subject, cases);
  const Space::Ref asked = subject.space.diagrams().negated(
      verifier::exempt_calls(subject.space, subject.stack.model()));
  for (std::size_t filter = 0; filter < subject.stack.size(); ++filter) {
    const verifier::ProgramMeaning& its = subject.meaning.filters[filter];
    for (std::size_t at = 0; at < its.reached.size(); ++at) {
      const auto look = [&](Target::Way way, Space::Ref condition) {
        const Space::Ref meant = subject.space.diagrams().both(condition, asked);
        const bool is_there = reached.contains({filter, at, way});
        if (meant == Diagrams::kFalse) {
          ASSERT_FALSE(is_there);
        } else if (!is_there) {
          ASSERT_TRUE(subject.space.has_opaque(meant)) << filter << " " << at;
          ++opaque;
        } else {
          ++targets;
        }
      };
      look(Target::Way::Executed, its.reached[at]);
      const std::uint16_t code = subject.stack.program(filter)[at].code;
      if ((code & 7U) != 5 || code == 5) continue;
      look(Target::Way::Taken, its.taken[at]);
      look(Target::Way::NotTaken, its.not_taken[at]);
    }
  }
}

KernelModel model_of(random::Source& source) {
  KernelModel model;
  const auto all = arches();
  model.arch = all[source.below(static_cast<std::uint32_t>(all.size()))].arch;
  if (source.one_in(4)) model.version = {4, 4, 0};
  return model;
}

TEST(Cases, of_random_programs_come_to_all_that_can_be_reached) {
  random::Source source(11);
  std::size_t targets = 0;
  std::size_t opaque = 0;
  for (int i = 0; i < 400; ++i) {
    SCOPED_TRACE(i);
    const KernelModel model = model_of(source);
    std::vector<Program> programs;
    const std::uint32_t count = 1 + source.below(2);
    for (std::uint32_t j = 0; j < count; ++j) {
      programs.push_back(source.one_in(2)
                             ? random::valid_program(source)
                             : random::filter_like(source, 60, info(model.arch).token));
    }
    Subject subject(programs, model, {.nodes = 300'000});
    if (subject.meaning.not_followed != Diagrams::kFalse) continue;
    CaseOptions options;
    options.neighbours = i % 4 == 0;
    const Cases cases = found(subject, options);
    expect_complete(subject, cases, targets, opaque);
    for (const Case& each : cases.cases) {
      if (each.verdict) {
        ASSERT_EQ(*each.verdict, subject.stack.run(each.data));
      }
    }
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(targets, 5000U);
  EXPECT_LT(opaque * 20, targets);
}

// Of calls by chance, each goes exactly one of the ways.
TEST(Cases, ways_through_random_programs_part_all_calls) {
  random::Source source(5);
  std::size_t ways = 0;
  for (int i = 0; i < 100; ++i) {
    const Program program = random::valid_program(source, {.longest = 24});
    Subject subject({program, small_program()}, {}, {.nodes = 300'000});
    if (subject.meaning.not_followed != Diagrams::kFalse) continue;
    std::vector<SeccompData> inputs;
    for (int j = 0; j < 20; ++j) {
      inputs.push_back(random::input(source, program, info(Arch::X86_64).token));
    }
    std::vector<int> times(inputs.size());
    std::size_t paths = 0;
    const bool all = for_each_execution(
        subject.stack, subject.space, subject.meaning, Diagrams::kTrue, [&](Space::Ref calls) {
          for (std::size_t j = 0; j < inputs.size(); ++j) {
            times[j] += subject.space.holds(calls, inputs[j]) ? 1 : 0;
          }
          return ++paths < 2000;
        });
    ways += paths;
    if (!all) continue;
    for (const int each : times) ASSERT_EQ(each, 1) << i;
  }
  EXPECT_GT(ways, 500U);
}

// A set from which none can be taken, and neighbours that differ in one argument alone.
TEST(Cases, of_random_programs_are_all_needed) {
  random::Source source(17);
  for (int i = 0; i < 60; ++i) {
    SCOPED_TRACE(i);
    Subject subject({random::filter_like(source, 40, info(Arch::X86_64).token)});
    CaseOptions options;
    options.neighbours = false;
    Cases cases = found(subject, options);
    const std::set<Target> all = come_to(subject, cases);
    for (std::size_t j = 0; j < cases.cases.size(); ++j) {
      Cases fewer = cases;
      fewer.cases.erase(fewer.cases.begin() + static_cast<std::ptrdiff_t>(j));
      ASSERT_NE(come_to(subject, fewer), all) << j;
    }
    options.neighbours = true;
    const Cases beside = found(subject, options);
    for (const Case& each : beside.cases) {
      if (!each.neighbour_of) continue;
      const SeccompData& base = beside.cases[*each.neighbour_of].data;
      ASSERT_EQ(each.data.nr, base.nr);
      ASSERT_EQ(each.data.arch, base.arch);
      int differing = each.data.instruction_pointer != base.instruction_pointer ? 1 : 0;
      for (std::size_t k = 0; k < 6; ++k) differing += each.data.args[k] != base.args[k] ? 1 : 0;
      ASSERT_EQ(differing, 1);
    }
  }
}

}  // namespace
}  // namespace callgate::coverage
