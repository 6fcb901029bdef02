#include "vm/reference.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace callgate::reference {
namespace {

const KernelModel kNewest;

Result run_plain(const Program& program, const KernelModel& model = kNewest) {
  return run(program, SeccompData{}, model);
}

TEST(Reference, names_the_fault_of_a_program_that_nobody_checked) {
  EXPECT_EQ(run_plain({}).fault, Fault::RanOffTheEnd);
  EXPECT_EQ(run_plain({{0x00, 0, 0, 1}}).fault, Fault::RanOffTheEnd);
  EXPECT_EQ(run_plain({{0x05, 0, 0, 0xffffffffU}, {0x16, 0, 0, 0}}).fault, Fault::RanOffTheEnd);
  EXPECT_EQ(run_plain({{0x15, 255, 0, 0}, {0x16, 0, 0, 0}}).fault, Fault::RanOffTheEnd);
  EXPECT_EQ(run_plain({{0x0e, 0, 0, 0}}).fault, Fault::UnknownCode);
  EXPECT_EQ(run_plain({{0x0106, 0, 0, 0}}).fault, Fault::UnknownCode);
  EXPECT_EQ(run_plain({{0x94, 0, 0, 3}}).fault, Fault::UnknownCode) << "mod";
  EXPECT_EQ(run_plain({{0x20, 0, 0, 64}}).fault, Fault::LoadOutOfRange);
  EXPECT_EQ(run_plain({{0x20, 0, 0, 2}}).fault, Fault::LoadOutOfRange);
  EXPECT_EQ(run_plain({{0x20, 0, 0, 0xfffffffcU}}).fault, Fault::LoadOutOfRange);
  EXPECT_EQ(run_plain({{0x02, 0, 0, 16}}).fault, Fault::SlotOutOfRange);
  EXPECT_EQ(run_plain({{0x61, 0, 0, 0xffffffffU}}).fault, Fault::SlotOutOfRange);
  EXPECT_EQ(run_plain({{0x60, 0, 0, 3}}).fault, Fault::SlotNotStored);
  EXPECT_EQ(run_plain({{0x34, 0, 0, 0}}).fault, Fault::DivisionByZero);
  EXPECT_EQ(run_plain({{0x64, 0, 0, 32}}).fault, Fault::ShiftTooLarge);
}

TEST(Reference, says_where_a_run_ended) {
  const Result result =
      run_plain({{0x00, 0, 0, 1}, {0x05, 0, 0, 1}, {0x0e, 0, 0, 0}, {0x16, 0, 0, 0}});
  EXPECT_EQ(result.fault, Fault::None);
  EXPECT_EQ(result.value, 1U);
  EXPECT_EQ(result.last, 3U);
  EXPECT_EQ(result.executed, 3U);
}

TEST(Reference, returns_0_with_every_fault) {
  EXPECT_EQ(run_plain({{0x00, 0, 0, 7}, {0x94, 0, 0, 3}}).value, 0U);
}

TEST(Reference, has_a_word_for_each_fault) {
  EXPECT_EQ(to_string(Fault::None), "none");
  EXPECT_EQ(to_string(Fault::UndefinedShift), "shift by X above 31, undefined on this kernel");
}

struct Recorder {
  std::vector<Step>& steps;
  void step(const Step& step) const { steps.push_back(step); }
};

TEST(Reference, shows_an_observer_the_registers_after_each_instruction) {
  std::vector<Step> steps;
  const Program program = {
      {0x00, 0, 0, 5}, {0x07, 0, 0, 0}, {0x15, 1, 0, 5}, {0x06, 0, 0, 1}, {0x16, 0, 0, 0}};
  const Result result = run(program, SeccompData{}, kNewest, Recorder{steps});
  ASSERT_EQ(steps.size(), result.executed);
  EXPECT_EQ(steps[1].x, 5U);
  EXPECT_EQ(steps[2].next, 4U);
  EXPECT_EQ(steps[3].at, 4U);
  EXPECT_EQ(steps[3].next, 4U) << "a return goes nowhere";
}

// Codes that exist are likely here, and what they work on is at the edges; the sanitizers watch.
TEST(Reference, ends_every_program_and_stays_inside) {
  std::mt19937 random(20240607);
  constexpr std::array<std::uint16_t, 12> kCodes = {0x00, 0x02, 0x05, 0x15, 0x1d, 0x20,
                                                    0x3c, 0x45, 0x60, 0x61, 0x6c, 0x7c};
  constexpr std::array<std::uint32_t, 10> kEdges = {0,  1,  15, 16,         31,
                                                    32, 63, 64, 0x80000000, 0xffffffff};
  for (int round = 0; round < 20000; ++round) {
    Program program(random() % 12);
    for (Instruction& each : program) {
      const bool any = random() % 4 == 0;
      each.code =
          any ? static_cast<std::uint16_t>(random() % 256) : kCodes[random() % kCodes.size()];
      each.jt = static_cast<std::uint8_t>(random() % 6);
      each.jf = static_cast<std::uint8_t>(random() % 6);
      each.k = kEdges[random() % kEdges.size()];
    }
    const Result result = run_plain(program);
    ASSERT_LE(result.executed, program.size());
    const bool returned = !program.empty() && result.last < program.size() &&
                          (program[result.last].code == 0x06 || program[result.last].code == 0x16 ||
                           program[result.last].code == 0x3c);
    ASSERT_TRUE(result.fault != Fault::None || returned);
  }
}

}  // namespace
}  // namespace callgate::reference
