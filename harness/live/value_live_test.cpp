// What programs return, all 32 bits, on the running kernel and in the reference interpreter.

#include <set>

#include "harness/live/live_test.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
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
  for (const std::uint64_t ip :
       std::initializer_list<std::uint64_t>{0x10002, 0x123456001, 0x7fff00000ffe, 0x300000002}) {
    for (const std::uint32_t offset : {8U, 12U}) {
      Call asked = call(39);
      asked.any_instruction_pointer = false;
      asked.data.instruction_pointer = ip;
      const auto got = ask({{0x20, 0, 0, offset}, {0x16, 0, 0, 0}}, {asked});
      ASSERT_EQ(got.size(), 1U);
      // A sanitizer has taken part of the address space.
      if (kSanitized && got[0].state == State::NotReachable) continue;
      ASSERT_EQ(got[0].state, State::Known) << got[0].why;
      EXPECT_EQ(got[0].value, offset == 8 ? static_cast<std::uint32_t>(ip)
                                          : static_cast<std::uint32_t>(ip >> 32U));
    }
  }
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

TEST(Rewriting, keeps_a_program_acceptable_to_the_checker) {
  random::Source source(5);
  for (int i = 0; i < 2'000; ++i) {
    const Program program = random::valid_program(source);
    const Rewritten rewritten = rewrite(program, 12);
    EXPECT_TRUE(verifier::check(rewritten.program, KernelModel{}).has_value());
  }
}

TEST(Rewriting, says_when_there_is_no_room) {
  EXPECT_TRUE(rewrite(Program(4096, {0x06, 0, 0, 0}), 0).program.empty());
  EXPECT_FALSE(rewrite(Program(100, {0x06, 0, 0, 0}), 0).program.empty());
}

}  // namespace
}  // namespace callgate::live
