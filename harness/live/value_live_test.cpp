// What programs return, all 32 bits, on the running kernel and in the reference interpreter.

#include <set>

#include "harness/live/live_test.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "vm/actions.hpp"
#include "vm/reference.hpp"

namespace callgate::live {
namespace {

using State = Value::State;

std::string listing(const Program& program) {
  std::string out;
  for (const Instruction& i : program) {
    out += "\n  { " + std::to_string(i.code) + ", " + std::to_string(i.jt) + ", " +
           std::to_string(i.jf) + ", " + std::to_string(i.k) + " }";
  }
  return out;
}

TEST_F(Live, returns_what_the_reference_returns_for_random_programs) {
  random::Source source(41);
  std::vector<ValueJob> jobs(kSanitized ? 400 : 2'000);
  std::set<std::uint16_t> codes;
  for (ValueJob& job : jobs) {
    job.program = random::valid_program(source);
    for (const Instruction& i : job.program) codes.insert(i.code);
    for (int i = 0; i < 8; ++i) {
      const std::uint32_t arch = source.one_in(8) ? kI386 : kX86_64;
      job.calls.push_back({random::input(source, job.program, arch), true});
    }
  }
  EXPECT_EQ(codes.size(), 41U) << "the generator leaves an operation out";
  CallSites sites;
  const auto answers = values(jobs, sites);
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  std::size_t known = 0;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    ASSERT_EQ((*answers)[j].install_error, 0) << listing(jobs[j].program);
    for (const Value& value : (*answers)[j].values) {
      ASSERT_NE(value.state, State::Lost) << value.why << listing(jobs[j].program);
      if (value.state != State::Known) continue;
      ++known;
      const auto ours = reference::run(jobs[j].program, value.data, model_);
      ASSERT_EQ(value.value, ours.value) << "nr " << value.data.nr << listing(jobs[j].program);
    }
  }
  EXPECT_GT(known, 8 * jobs.size() * 9 / 10);
}

// One program, some calls; the answers.
std::vector<Value> ask(const Program& program, const std::vector<Call>& calls) {
  CallSites sites;
  const std::vector<ValueJob> jobs = {{program, calls}};
  auto answers = values(jobs, sites);
  if (!answers) {
    ADD_FAILURE() << answers.error().message;
    return {};
  }
  EXPECT_EQ(answers->front().install_error, 0);
  return answers->front().values;
}

Call call(std::int32_t nr, std::uint32_t arch = kX86_64) {
  return {{.nr = nr, .arch = arch}, true};
}

TEST_F(Live, sees_every_word_of_seccomp_data_as_we_give_it) {
  for (const std::uint32_t arch : {kX86_64, kI386}) {
    for (std::uint32_t offset = 0; offset < kSeccompDataSize; offset += 4) {
      const Program word = {{0x20, 0, 0, offset}, {0x16, 0, 0, 0}};
      Call asked = call(-2, arch);
      for (std::size_t i = 0; i < 6; ++i) {
        asked.data.args[i] = 0xa1b2c3d400000000U + 0x11111111U * (i + 1);
      }
      const auto got = ask(word, {asked});
      ASSERT_EQ(got.size(), 1U);
      ASSERT_EQ(got[0].state, State::Known) << got[0].why;
      EXPECT_EQ(got[0].value, load_word(got[0].data, offset, ByteOrder::Little))
          << "offset " << offset << " arch " << arch;
    }
  }
}

TEST_F(Live, sees_the_instruction_pointer_that_was_chosen) {
  int reached = 0;
  for (const std::uint64_t ip :
       std::initializer_list<std::uint64_t>{0x10002, 0x123456001, 0x7fff00000ffe, 0x300000002}) {
    for (const std::uint32_t offset : {8U, 12U}) {
      Call asked = call(39);
      asked.any_instruction_pointer = false;
      asked.data.instruction_pointer = ip;
      const auto got = ask({{0x20, 0, 0, offset}, {0x16, 0, 0, 0}}, {asked});
      ASSERT_EQ(got.size(), 1U);
      if (kSanitized && got[0].state == State::NotReachable) continue;  // its shadow lies there
      ASSERT_EQ(got[0].state, State::Known) << got[0].why;
      ++reached;
      EXPECT_EQ(got[0].value, offset == 8 ? static_cast<std::uint32_t>(ip)
                                          : static_cast<std::uint32_t>(ip >> 32U));
    }
  }
  EXPECT_GT(reached, 0);
}

TEST_F(Live, says_what_it_cannot_reach) {
  Call kernel_address = call(39);
  kernel_address.any_instruction_pointer = false;
  kernel_address.data.instruction_pointer = 0xffffffff80000000U;
  const auto got =
      ask({{0x06, 0, 0, kAllow}}, {call(56, 0xc00000b7U), call(335), call(336), kernel_address});
  ASSERT_EQ(got.size(), 4U);
  for (const Value& each : got) {
    EXPECT_EQ(each.state, State::NotReachable);
    EXPECT_FALSE(each.why.empty());
  }
}

TEST_F(Live, sees_x32_and_negative_numbers_as_they_are) {
  for (const std::int32_t nr : {0x40000000, 0x4000006e, -1, -2, 0x7fffffff, -0x7fffffff - 1}) {
    const auto got = ask({{0x20, 0, 0, 0}, {0x16, 0, 0, 0}}, {call(nr)});
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].value, static_cast<std::uint32_t>(nr));
  }
}

TEST_F(Live, ends_a_program_at_a_division_by_x_of_0_with_0) {
  const Program divides = {
      {0x20, 0, 0, 16}, {0x07, 0, 0, 0}, {0x00, 0, 0, 84}, {0x3c, 0, 0, 0}, {0x16, 0, 0, 0}};
  Call by_two = call(39);
  by_two.data.args[0] = 2;
  const auto got = ask(divides, {by_two, call(39), by_two, call(39), by_two});
  ASSERT_EQ(got.size(), 5U);
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].state, State::Known) << got[i].why;
    EXPECT_EQ(got[i].value, i % 2 == 0 ? 42U : 0U);
  }
}

// Fills a whole program: 4096 returns, reached by jumps of one constant each.
TEST_F(Live, returns_the_value_of_a_program_of_full_length) {
  Program program = {{0x20, 0, 0, 0}};
  while (program.size() + 2 <= kMaxProgramLength - 1) {
    const auto number = static_cast<std::uint32_t>(program.size());
    program.push_back({0x15, 0, 1, number});
    program.push_back({0x06, 0, 0, 0x00050000U + number});
  }
  while (program.size() < kMaxProgramLength) program.push_back({0x06, 0, 0, kAllow});
  const auto got = ask(program, {call(1), call(2), call(601), call(4093)});
  ASSERT_EQ(got.size(), 4U);
  const std::uint32_t expected[] = {0x00050001, kAllow, 0x00050000 + 601, 0x00050000 + 4093};
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].state, State::Known) << got[i].why;
    EXPECT_EQ(got[i].value, expected[i]);
  }
}

TEST_F(Live, returns_a_computed_value_where_every_argument_is_read) {
  // The sum of all words of the arguments: no argument is left to choose the bits by.
  Program program = {{0x00, 0, 0, 0}};
  for (std::uint32_t offset = 16; offset < 64; offset += 4) {
    program.push_back({0x07, 0, 0, 0});
    program.push_back({0x20, 0, 0, offset});
    program.push_back({0x0c, 0, 0, 0});
  }
  program.push_back({0x16, 0, 0, 0});
  ASSERT_EQ(rewrite(program).kind, RewriteKind::ThreeFold);
  Call asked = call(39);
  asked.data.args = {0x100000001, 0xfffffffe00000003, 5, 0x7654321012345678, 7, 0xabcdef0000000000};
  const auto got = ask(program, {asked, call(39), asked});
  ASSERT_EQ(got.size(), 3U);
  for (const Value& each : got) {
    ASSERT_EQ(each.state, State::Known) << each.why;
    EXPECT_EQ(each.value, reference::run(program, each.data, model_).value);
  }
}

TEST_F(Live, says_that_a_program_has_no_room_to_be_asked) {
  CallSites sites;
  Program program(kMaxProgramLength, Instruction{0x04, 0, 0, 1});
  program.back() = {0x16, 0, 0, 0};
  const std::vector<ValueJob> jobs = {{program, {call(39)}}, {{{0x06, 0, 0, 7}}, {call(39)}}};
  const auto answers = values(jobs, sites);
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  EXPECT_FALSE((*answers)[0].why.empty());
  EXPECT_TRUE((*answers)[0].values.empty());
  ASSERT_EQ((*answers)[1].values.size(), 1U);
  EXPECT_EQ((*answers)[1].values[0].value, 7U);
}

TEST_F(Live, says_that_a_program_was_refused) {
  CallSites sites;
  const std::vector<ValueJob> jobs = {{{{0x28, 0, 0, 0}, {0x06, 0, 0, 7}}, {call(39)}}};
  const auto answers = values(jobs, sites);
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  EXPECT_EQ(answers->front().install_error, 22);
  EXPECT_EQ(answers->front().values.front().state, State::Lost);
}

TEST(Rewriting, keeps_a_program_acceptable_to_the_checker) {
  random::Source source(5);
  for (int i = 0; i < 2'000; ++i) {
    const Program program = random::valid_program(source);
    const Rewritten rewritten = rewrite(program);
    ASSERT_FALSE(rewritten.programs.empty());
    for (const Program& each : rewritten.programs) {
      EXPECT_TRUE(verifier::check(each, KernelModel{}).has_value());
    }
  }
}

TEST(Rewriting, never_lets_a_program_allow_anything) {
  random::Source source(6);
  for (int i = 0; i < 2'000; ++i) {
    const Program program = random::valid_program(source);
    const SeccompData data = random::input(source, program, kX86_64);
    for (const Program& each : rewrite(program).programs) {
      const std::uint32_t value = reference::run(each, data, KernelModel{}).value;
      EXPECT_TRUE(value == 0 || (value & kActionMask) == 0x50000U) << value;
    }
  }
}

TEST(Rewriting, keeps_the_length_of_a_program_that_returns_constants_only) {
  const Rewritten rewritten = rewrite(Program(4096, {0x06, 0, 0, 0x7fff0000}));
  EXPECT_EQ(rewritten.kind, RewriteKind::ByIndex);
  EXPECT_EQ(rewritten.programs.front().size(), 4096U);
  EXPECT_EQ(rewritten.constants, std::vector<std::uint32_t>{0x7fff0000});
}

}  // namespace
}  // namespace callgate::live
