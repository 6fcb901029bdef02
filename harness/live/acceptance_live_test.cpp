// Which programs the running kernel takes, and which verifier::check() takes.

#include <algorithm>

#include "harness/live/acceptor.hpp"
#include "harness/live/live_test.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"

namespace callgate::live {
namespace {

// Asks in batches, compares each with the checker, and names what differs.
void expect_the_same(const std::vector<Program>& programs, const KernelModel& model) {
  constexpr std::size_t kBatch = 4096;
  for (std::size_t at = 0; at < programs.size(); at += kBatch) {
    const std::span batch = std::span(programs).subspan(at, std::min(kBatch, programs.size() - at));
    const auto errors = accepted(batch);
    ASSERT_TRUE(errors.has_value()) << errors.error().message;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto ours = verifier::check(batch[i], model);
      const int expected = ours ? 0 : static_cast<int>(ours.error().error);
      ASSERT_EQ((*errors)[i], expected)
          << "program " << at + i << " of " << batch[i].size()
          << " instructions, the first of code " << (batch[i].empty() ? 0 : batch[i][0].code);
    }
  }
}

TEST_F(Live, takes_every_code_that_we_take_and_no_other) {
  std::vector<Program> programs;
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    programs.push_back({{static_cast<std::uint16_t>(code), 0, 0, 0}, {0x06, 0, 0, kAllow}});
  }
  expect_the_same(programs, model_);
}

TEST_F(Live, takes_as_last_instruction_what_we_take_and_no_other) {
  std::vector<Program> programs;
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    programs.push_back({{static_cast<std::uint16_t>(code), 0, 0, 4}});
  }
  expect_the_same(programs, model_);
}

TEST_F(Live, takes_edge_constants_as_we_do_for_every_code_of_classic_bpf) {
  std::vector<Program> programs;
  constexpr std::uint16_t kCodes[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x07, 0x0c, 0x14, 0x15,
                                      0x1d, 0x20, 0x24, 0x34, 0x3c, 0x45, 0x60, 0x61, 0x64, 0x6c,
                                      0x74, 0x80, 0x81, 0x84, 0x87, 0xa4, 0x94, 0x28};
  constexpr std::uint8_t kJumps[] = {0, 1, 2, 255};
  for (const std::uint16_t code : kCodes) {
    for (const std::uint32_t k : {0U, 1U, 3U, 4U, 15U, 16U, 31U, 32U, 60U, 61U, 63U, 64U, 68U,
                                  0x7fffffffU, 0x80000000U, 0xfffff000U, 0xffffffffU}) {
      for (const std::uint8_t jump : kJumps) {
        programs.push_back({{0x02, 0, 0, 0},
                            {0x03, 0, 0, 15},
                            {code, jump, 0, k},
                            {0x06, 0, 0, 0},
                            {0x06, 0, 0, kAllow}});
        programs.push_back({{code, 0, jump, k}, {0x06, 0, 0, 0}, {0x06, 0, 0, kAllow}});
      }
    }
  }
  expect_the_same(programs, model_);
}

TEST_F(Live, takes_lengths_as_we_do) {
  std::vector<Program> programs;
  constexpr std::size_t kLengths[] = {0, 1, 2, 4095, 4096, 4097, 8192, 65535};
  for (const std::size_t length : kLengths) {
    programs.emplace_back(length, Instruction{0x06, 0, 0, kAllow});
  }
  expect_the_same(programs, model_);
}

TEST_F(Live, takes_mutated_programs_as_we_do) {
  random::Source source(20261125);
  std::vector<Program> programs(kSanitized ? 4'000 : 20'000);
  for (Program& each : programs) {
    const Program a = random::valid_program(source);
    each = random::mutated(source, a, random::valid_program(source));
  }
  expect_the_same(programs, model_);
}

TEST_F(Live, asked_in_this_process_says_the_same) {
  auto acceptor = InProcessAcceptor::make();
  ASSERT_TRUE(acceptor.has_value()) << acceptor.error().message;
  random::Source source(8);
  int taken = 0;
  for (int i = 0; i < 4'200; ++i) {  // one of them with its control
    const Program a = random::valid_program(source);
    const Program program = random::mutated(source, a, random::valid_program(source));
    const auto error = acceptor->ask(program);
    ASSERT_TRUE(error.has_value()) << error.error().message;
    const auto ours = verifier::check(program, model_);
    ASSERT_EQ(*error, ours ? 0 : static_cast<int>(ours.error().error));
    taken += ours ? 1 : 0;
  }
  EXPECT_GT(taken, 400);
}

TEST_F(Live, takes_every_program_that_the_generator_calls_valid) {
  random::Source source(7);
  std::vector<Program> programs(2'000);
  for (Program& each : programs) {
    each = random::valid_program(source, {.longest = 300, .shifts_by_x = true});
    ASSERT_TRUE(verifier::check(each, model_).has_value());
  }
  expect_the_same(programs, model_);
}

}  // namespace
}  // namespace callgate::live
