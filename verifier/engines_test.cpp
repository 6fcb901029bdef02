// What engines make of programs, beyond the vectors: how specialised parts the numbers, what it
// leaves, its bounds; whole stacks; batches. Here because only the checker makes programs that
// engines take.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "verifier/check.hpp"
#include "vm/batch.hpp"
#include "vm/engine.hpp"
#include "vm/reference.hpp"
#include "vm/specialised.hpp"
#include "vm/specialised_stack.hpp"

namespace callgate {
namespace {

using Kind = SpecialisedProgram::Entry::Kind;

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kErrno = 0x00050001U;
constexpr std::uint32_t kToken = 0xc000003eU;

CheckedProgram checked(const Program& program, const KernelModel& model = {}) {
  return verifier::check(program, model).value();
}

SeccompData call(std::uint32_t nr, std::uint32_t arch = kToken, std::uint64_t argument = 0) {
  return {static_cast<std::int32_t>(nr), arch, 0, {argument}};
}

std::size_t constant_ranges(const SpecialisedProgram::Plane& plane) {
  return static_cast<std::size_t>(std::ranges::count_if(
      plane.ranges, [](const auto& range) { return range.entry.kind == Kind::Constant; }));
}

// arch, then 39 allowed, 56 by its first argument, the x32 numbers refused.
const Program kSmall = {{0x20, 0, 0, 4},       {0x15, 0, 7, kToken}, {0x20, 0, 0, 0},
                        {0x35, 5, 0, kX32Bit}, {0x15, 3, 0, 39},     {0x15, 0, 3, 56},
                        {0x20, 0, 0, 16},      {0x45, 1, 0, 0x10},   {0x06, 0, 0, kAllow},
                        {0x06, 0, 0, kErrno}};

TEST(Specialised, has_a_plane_for_each_architecture_and_one_for_all_others) {
  const SpecialisedProgram program(checked(kSmall));
  ASSERT_EQ(program.planes().size(), 2U);
  EXPECT_EQ(program.planes()[0].arch, kToken);
  EXPECT_EQ(program.planes()[1].ranges.size(), 1U);  // refused, whatever the number
  // 0-38, 39, 40-55, 56, 57 and above
  EXPECT_EQ(program.planes()[0].ranges.size(), 5U);
  EXPECT_EQ(constant_ranges(program.planes()[0]), 4U);
}

TEST(Specialised, returns_what_the_reference_returns_around_every_border) {
  const SpecialisedExecutable executable(checked(kSmall));
  for (const std::uint32_t border : {0U, 39U, 56U, kX32Bit, ~0U}) {
    for (std::uint32_t nr = border - 2; nr != border + 3; ++nr) {
      for (const std::uint32_t arch : {kToken, kToken + 1, 0U}) {
        for (const std::uint64_t argument : {0x10ULL, 0x100000000ULL, 0xffffffffffffffefULL}) {
          const SeccompData data = call(nr, arch, argument);
          EXPECT_EQ(executable.run(data), reference::run(kSmall, data, {}).value) << nr;
        }
      }
    }
  }
}

TEST(Specialised, puts_the_models_own_architecture_first) {
  Program program = kSmall;
  program[1] = {0x15, 1, 0, 0x40000003U};
  program.insert(program.begin() + 2, {0x15, 0, 7, kToken});
  KernelModel model;
  EXPECT_EQ(SpecialisedProgram(checked(program, model)).planes()[0].arch, kToken);
  model.arch = Arch::X86;
  EXPECT_EQ(SpecialisedProgram(checked(program, model)).planes()[0].arch, 0x40000003U);
}

TEST(Specialised, goes_on_in_the_program_where_it_cannot_follow) {
  // The first argument plus the number, compared.
  const Program program = {{0x20, 0, 0, 0},     {0x07, 0, 0, 0}, {0x20, 0, 0, 16},
                           {0x0c, 0, 0, 0},     {0x15, 0, 1, 9}, {0x06, 0, 0, kErrno},
                           {0x06, 0, 0, kAllow}};
  const SpecialisedExecutable executable(checked(program));
  EXPECT_EQ(executable.run(call(4, kToken, 5)), kErrno);
  EXPECT_EQ(executable.run(call(4, kToken, 6)), kAllow);
  EXPECT_EQ(executable.program().planes()[0].ranges[0].entry.kind, Kind::Resume);
}

TEST(Specialised, keeps_scratch_memory_when_it_goes_on) {
  const Program program = {{0x20, 0, 0, 24}, {0x02, 0, 0, 3}, {0x00, 0, 0, 7}, {0x02, 0, 0, 15},
                           {0x20, 0, 0, 16}, {0x61, 0, 0, 3}, {0x0c, 0, 0, 0}, {0x61, 0, 0, 15},
                           {0x1c, 0, 0, 0},  {0x16, 0, 0, 0}};
  const SpecialisedExecutable executable(checked(program));
  SeccompData data = call(1, kToken, 100);
  data.args[1] = 11;
  EXPECT_EQ(executable.run(data), 100U + 11 - 7);
}

TEST(Specialised, parts_numbers_by_a_mask_and_by_bits) {
  // nr without bit 30 is 5: ERRNO; bit 31: KILL; else ALLOW
  const Program program = {{0x20, 0, 0, 0},     {0x45, 3, 0, 0x80000000U}, {0x54, 0, 0, ~kX32Bit},
                           {0x15, 2, 0, 5},     {0x06, 0, 0, kAllow},      {0x06, 0, 0, 0},
                           {0x06, 0, 0, kErrno}};
  const SpecialisedProgram solved(checked(program));
  const auto& ranges = solved.planes().back().ranges;
  EXPECT_EQ(constant_ranges(solved.planes().back()), ranges.size());
  EXPECT_EQ(ranges.size(), 6U);
  const SpecialisedExecutable executable(checked(program));
  EXPECT_EQ(executable.run(call(5)), kErrno);
  EXPECT_EQ(executable.run(call(5 + kX32Bit)), kErrno);
  EXPECT_EQ(executable.run(call(6 + kX32Bit)), kAllow);
  EXPECT_EQ(executable.run(call(5 + 0x80000000U)), 0U);
}

// Every bit of the first argument decides between two ways, and adds to memory: 2^n states.
Program many_states(std::size_t bits) {
  Program program = {{0x00, 0, 0, 0}, {0x02, 0, 0, 0}};
  for (std::uint32_t bit = 0; bit < bits; ++bit) {
    program.insert(program.end(), {{0x20, 0, 0, 16 + 4 * (bit / 32)},
                                   {0x45, 0, 3, 1U << bit % 32},
                                   {0x60, 0, 0, 0},
                                   {0x04, 0, 0, 1U << bit % 30},
                                   {0x02, 0, 0, 0}});
  }
  program.push_back({0x60, 0, 0, 0});
  program.push_back({0x16, 0, 0, 0});
  return program;
}

TEST(Specialised, stays_within_its_bounds_and_right) {
  const Program program = many_states(60);
  const SpecialisedExecutable executable(checked(program));
  for (const std::uint64_t argument :
       {0ULL, ~0ULL, 1ULL, 0x8000000000000001ULL, 0x123456789abcdefULL, 0x0f0f0f0f33335555ULL}) {
    const SeccompData data = call(1, kToken, argument);
    EXPECT_EQ(executable.run(data), reference::run(program, data, {}).value);
  }
}

TEST(Specialised, returns_0_where_a_shift_is_left_undefined) {
  const Program program = {
      {0x81, 0, 0, 0}, {0x00, 0, 0, 1}, {0x6c, 0, 0, 0}, {0x04, 0, 0, 5}, {0x16, 0, 0, 0}};
  KernelModel model{.version = {5, 10, 0}, .arch = Arch::S390x};
  model.engine = KernelEngine::Interpreter;
  for (const Engine* engine : engines()) {
    EXPECT_EQ((*engine->prepare(checked(program, model)))->run({}), 0U) << engine->name();
  }
}

TEST(SpecialisedStack, without_a_filter_allows) {
  const SpecialisedStack stack{FilterStack(KernelModel{})};
  EXPECT_EQ(stack.run(call(1)), Verdict{});
  EXPECT_EQ(stack.size().ranges, 1U);
}

TEST(SpecialisedStack, joins_filters_that_know_different_architectures) {
  const Program i386_only = {
      {0x20, 0, 0, 4}, {0x15, 0, 1, 0x40000003U}, {0x06, 0, 0, 0x50002U}, {0x06, 0, 0, kAllow}};
  FilterStack stack{KernelModel{}};
  ASSERT_TRUE(stack.push(checked(kSmall)));
  ASSERT_TRUE(stack.push(checked(i386_only)));
  const SpecialisedStack joined(stack);
  for (const std::uint32_t arch : {kToken, 0x40000003U, 7U}) {
    for (const std::uint32_t nr : {0U, 38U, 39U, 40U, 56U, kX32Bit, ~0U}) {
      for (const std::uint64_t argument : {0ULL, 0x10ULL}) {
        const SeccompData data = call(nr, arch, argument);
        EXPECT_EQ(joined.run(data), stack.run(data)) << arch << " " << nr;
      }
    }
  }
  // Number 56 of x86_64 alone is asked about its argument.
  EXPECT_EQ(joined.size().ranges - joined.size().constant, 1U);
}

TEST(Batch, gives_every_input_its_result_however_many_threads) {
  const SpecialisedExecutable executable(checked(kSmall));
  for (const std::size_t count : {0UL, 1UL, 2 * kSmallestShare - 1, 3 * kSmallestShare + 5}) {
    std::vector<SeccompData> inputs;
    for (std::size_t i = 0; i < count; ++i) inputs.push_back(call(i % 64, kToken, i));
    for (const unsigned threads : {0U, 1U, 2U, 7U}) {
      std::vector<std::uint32_t> results(count, 0xabababab);
      run_many(executable, inputs, results, threads);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(results[i], executable.run(inputs[i])) << i << " of " << count;
      }
    }
  }
}

}  // namespace
}  // namespace callgate
