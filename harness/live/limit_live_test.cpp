// How much the running kernel lets a task hold, and how much we do: to the instruction.

#include <algorithm>
#include <cerrno>

#include "harness/live/fitting.hpp"
#include "harness/live/live_test.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "vm/filter_stack.hpp"

namespace callgate::live {
namespace {

Program loads_and_return(std::size_t loads) {
  Program program(loads, Instruction{0x00, 0, 0, 1});
  program.push_back({0x06, 0, 0, kAllow});
  return program;
}

Fitted fit(const std::vector<const Program*>& programs) {
  const auto fitted = fitting(programs);
  if (!fitted) ADD_FAILURE() << fitted.error().message;
  return fitted.value_or(Fitted{});
}

// The same on our side.
Fitted fit_ours(const std::vector<const Program*>& programs, const KernelModel& model) {
  FilterStack stack(model);
  Fitted fitted;
  for (const Program* program : programs) {
    const auto checked = verifier::check(*program, model);
    if (!checked) {
      fitted.error = EINVAL;
      break;
    }
    if (!stack.push(*checked)) {
      fitted.error = ENOMEM;
      break;
    }
    ++fitted.count;
  }
  return fitted;
}

class LiveLimit : public Live {
 protected:
  void expect_the_same(const std::vector<const Program*>& programs) {
    const Fitted kernel = fit(programs);
    const Fitted ours = fit_ours(programs, model_);
    EXPECT_EQ(kernel.count, ours.count);
    EXPECT_EQ(kernel.error, ours.error);
  }
};

TEST_F(LiveLimit, takes_3641_one_instruction_filters) {
  if (kSanitized) {
    GTEST_SKIP() << "left to the build without a sanitizer: it drops 3641 filters at once";
  }
  const Program allow = {{0x06, 0, 0, kAllow}};
  const std::vector<const Program*> programs(3'700, &allow);
  expect_the_same(programs);
  if (!model_.blinds_constants) {
    EXPECT_EQ(fit_ours(programs, model_).count, 3'641U);
  }
}

TEST_F(LiveLimit, leaves_room_for_4035_loads_after_seven_filters_of_4095) {
  if (model_.blinds_constants) GTEST_SKIP() << "net.core.bpf_jit_harden changes the count";
  const Program large = loads_and_return(4095);
  const Program fits = loads_and_return(4035);
  const Program too_long = loads_and_return(4036);
  std::vector<const Program*> programs(7, &large);
  programs.push_back(&too_long);
  expect_the_same(programs);
  programs.back() = &fits;
  expect_the_same(programs);
  EXPECT_EQ(fit_ours(programs, model_).count, 8U);
}

// The largest multiple of one instruction that fits beside seven large filters tells what it
// counts.
TEST_F(LiveLimit, counts_each_instruction_as_we_do) {
  const Program large = loads_and_return(4095);
  const std::vector<Program> kinds = {
      {{0x06, 0, 0, 1}},          {{0x16, 0, 0, 0}},          {{0x20, 0, 0, 0}},
      {{0x80, 0, 0, 0}},          {{0x3c, 0, 0, 0}},          {{0x34, 0, 0, 3}},
      {{0x84, 0, 0, 0}},          {{0x05, 0, 0, 0}},          {{0x15, 0, 0, 1}},
      {{0x15, 1, 0, 1}},          {{0x15, 0, 1, 1}},          {{0x15, 1, 1, 1}},
      {{0x45, 0, 1, 1}},          {{0x45, 1, 0, 1}},          {{0x25, 0, 1, 1}},
      {{0x35, 0, 1, 0x80000000}}, {{0x15, 1, 1, 0xffffffff}}, {{0x1d, 1, 1, 0xffffffff}},
      {{0x4d, 0, 1, 0}},          {{0x64, 0, 0, 31}},         {{0x6c, 0, 0, 0}}};
  FilterStack seven(model_);
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(seven.push(*verifier::check(large, model_)).has_value());
  }
  const std::size_t used = seven.limit_used();
  for (const Program& kind : kinds) {
    // Fill what is left with copies: as many as we say fit, and one more.
    const auto with = [&](std::size_t copies) {
      Program program(copies, kind[0]);
      program.push_back({0x06, 0, 0, 0});
      program.push_back({0x06, 0, 0, 0});
      return program;
    };
    const auto fits = [&](std::size_t count) {
      return used + 4 + verifier::check(with(count), model_)->limit_cost().as_new <=
             kMaxInstructionsPerTask;
    };
    std::size_t copies = 1;
    std::size_t too_many = 4095;
    while (copies + 1 < too_many) {
      const std::size_t middle = (copies + too_many) / 2;
      (fits(middle) ? copies : too_many) = middle;
    }
    for (const std::size_t count : {copies, std::min<std::size_t>(copies + 1, 4094)}) {
      const Program last = with(count);
      std::vector<const Program*> programs(7, &large);
      programs.push_back(&last);
      SCOPED_TRACE("code " + std::to_string(kind[0].code) + " jt " + std::to_string(kind[0].jt) +
                   " jf " + std::to_string(kind[0].jf) + " k " + std::to_string(kind[0].k) + " x " +
                   std::to_string(count));
      expect_the_same(programs);
    }
  }
}

TEST_F(LiveLimit, counts_random_programs_as_we_do) {
  random::Source source(3);
  for (int round = 0; round < 8; ++round) {
    std::vector<Program> programs;
    for (int i = 0; i < 60; ++i) {
      programs.push_back(random::valid_program(source, {.longest = 1'500, .shifts_by_x = true}));
      // What it returns must not kill its child at the next installation.
      for (Instruction& each : programs.back()) {
        if (each.code == 0x06 || each.code == 0x16) each = {0x06, 0, 0, kAllow};
        if (each.code == 0x3c) each = {0x34, 0, 0, 3};
      }
    }
    std::vector<const Program*> pointers;
    for (const Program& each : programs) pointers.push_back(&each);
    expect_the_same(pointers);
  }
}

}  // namespace
}  // namespace callgate::live
