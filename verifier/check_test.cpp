#include "verifier/check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "vm/engine.hpp"
#include "vm/filter_stack.hpp"
#include "vm/reference.hpp"

// Each rule has its vector in corpus/vectors/check; here is what holds for all programs.
namespace callgate::verifier {
namespace {

const KernelModel kNewest;

// kernel-semantics 2.1 to 2.3 once more, written with plain codes and without the tables, stopping
// at the first thing that is wrong, as the kernel does.
bool kernel_accepts(std::span<const Instruction> program) {
  static const std::set<std::uint16_t> kCodes = {
      0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0c, 0x14, 0x15, 0x16, 0x1c, 0x1d,
      0x20, 0x24, 0x25, 0x2c, 0x2d, 0x34, 0x35, 0x3c, 0x3d, 0x44, 0x45, 0x4c, 0x4d, 0x54,
      0x5c, 0x60, 0x61, 0x64, 0x6c, 0x74, 0x7c, 0x80, 0x81, 0x84, 0x87, 0xa4, 0xac};
  const std::uint64_t length = program.size();
  if (length == 0 || length > 4096) return false;
  const auto is_test = [](std::uint16_t code) { return (code & 7U) == 5 && code != 5; };
  for (std::uint64_t pc = 0; pc < length; ++pc) {
    const Instruction& i = program[pc];
    if (!kCodes.contains(i.code)) return false;
    if (i.code == 0x34 && i.k == 0) return false;
    if ((i.code == 0x64 || i.code == 0x74) && i.k >= 32) return false;
    const bool memory = i.code == 0x02 || i.code == 0x03 || i.code == 0x60 || i.code == 0x61;
    if (memory && i.k >= 16) return false;
    if (i.code == 0x20 && (i.k >= 64 || (i.k & 3U) != 0)) return false;
    if (i.code == 0x05 && i.k >= length - pc - 1) return false;
    if (is_test(i.code) && (pc + i.jt + 1 >= length || pc + i.jf + 1 >= length)) return false;
  }
  const std::uint16_t last = program.back().code;
  if (last != 0x06 && last != 0x16) return false;

  std::vector<std::uint32_t> mask(length, 0xffff);
  std::uint32_t valid = 0;
  for (std::uint64_t pc = 0; pc < length; ++pc) {
    const Instruction& i = program[pc];
    valid &= mask[pc];
    if (i.code == 0x02 || i.code == 0x03) valid |= 1U << i.k;
    if ((i.code == 0x60 || i.code == 0x61) && (valid >> i.k & 1U) == 0) return false;
    if (i.code == 0x05) {
      mask[pc + 1 + i.k] &= valid;
      valid = 0xffff;
    } else if (is_test(i.code)) {
      mask[pc + 1 + i.jt] &= valid;
      mask[pc + 1 + i.jf] &= valid;
      valid = 0xffff;
    }
  }
  return true;
}

TEST(Check, looks_at_all_16_bits_of_a_code) {
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    // k = 4 is fine for every operation that asks something of it; slot 4 is stored before.
    const Program program = {{0x02, 0, 0, 4}, {static_cast<std::uint16_t>(code), 0, 0, 4},
                             {0x04, 0, 0, 0}, {0x04, 0, 0, 0},
                             {0x04, 0, 0, 0}, {0x04, 0, 0, 0},
                             {0x06, 0, 0, 0}};
    ASSERT_EQ(check(program, kNewest).has_value(), kernel_accepts(program)) << code;
  }
}

TEST(Check, takes_two_codes_alone_as_the_last_instruction) {
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    const Program program = {{static_cast<std::uint16_t>(code), 0, 0, 0}};
    ASSERT_EQ(check(program, kNewest).has_value(), code == 0x06 || code == 0x16) << code;
  }
}

Program random_program(std::mt19937& random) {
  constexpr std::array<std::uint16_t, 22> kCodes = {0x00, 0x02, 0x02, 0x03, 0x05, 0x06, 0x06, 0x15,
                                                    0x1d, 0x45, 0x20, 0x34, 0x3c, 0x60, 0x60, 0x61,
                                                    0x64, 0x6c, 0x7c, 0x07, 0x87, 0x84};
  Program program(1 + random() % 9);
  const bool careless = random() % 4 == 0;
  for (Instruction& each : program) {
    each.code = kCodes[random() % kCodes.size()];
    each.jt = static_cast<std::uint8_t>(random() % 3);
    each.jf = static_cast<std::uint8_t>(random() % 3);
    each.k = static_cast<std::uint32_t>(each.code == 0x20 ? 4 * (random() % 16) : random() % 3);
    if (careless && random() % 8 == 0) each.k = static_cast<std::uint32_t>(random());
    if (careless && random() % 16 == 0) each.code = static_cast<std::uint16_t>(random());
  }
  if (!careless || random() % 2 == 0) program.back() = {0x16, 0, 0, 0};
  return program;
}

TEST(Check, agrees_with_the_rules_written_down_a_second_time) {
  std::mt19937 random(18);
  int accepted = 0;
  constexpr int kRounds = 200000;
  for (int round = 0; round < kRounds; ++round) {
    const Program program = random_program(random);
    const bool expected = kernel_accepts(program);
    accepted += expected ? 1 : 0;
    const auto checked = check(program, kNewest);
    ASSERT_EQ(checked.has_value(), expected) << "round " << round;
    ASSERT_TRUE(checked.has_value() || !checked.error().diagnostics.empty());
  }
  EXPECT_GT(accepted, kRounds / 20);
  EXPECT_LT(accepted, kRounds / 2);
}

TEST(Check, leaves_no_fault_to_the_run) {
  std::mt19937 random(19);
  for (int round = 0; round < 100000; ++round) {
    const Program program = random_program(random);
    if (!check(program, kNewest)) continue;
    SeccompData data;
    data.nr = static_cast<std::int32_t>(random() % 3);
    data.args[0] = random() % 3;
    ASSERT_EQ(reference::run(program, data, kNewest).fault, reference::Fault::None) << round;
  }
}

TEST(Check, says_what_is_wrong_in_program_order) {
  std::mt19937 random(20);
  for (int round = 0; round < 20000; ++round) {
    const auto checked = check(random_program(random), kNewest);
    if (checked) continue;
    std::size_t before = 0;
    for (const Diagnostic& each : checked.error().diagnostics) {
      ASSERT_GE(each.instruction.value_or(0), before);
      before = each.instruction.value_or(0);
    }
  }
}

TEST(Check, keeps_the_program_as_it_was) {
  const Program program = {{0x80, 1, 2, 3}, {0x20, 9, 9, 4}, {0x16, 5, 6, 7}};
  const auto checked = check(program, kNewest);
  ASSERT_TRUE(checked.has_value());
  EXPECT_TRUE(std::ranges::equal(checked->instructions(), program));
}

TEST(Check, accepts_for_the_kernel_that_is_asked_for) {
  const KernelModel old{.version = {3, 5, 0}, .arch = Arch::Ppc64};
  const auto checked = check(Program{{0x64, 0, 0, 99}, {0x16, 0, 0, 0}}, old);
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->model().version, old.version);
  EXPECT_EQ(checked->model().arch, Arch::Ppc64);
}

// What a stack does needs checked programs; more is in corpus/vectors/stack.
TEST(FilterStack, counts_what_it_holds) {
  FilterStack stack(kNewest);
  const auto checked = check(Program{{0x06, 0, 0, 0x00050001}}, kNewest);
  ASSERT_TRUE(checked.has_value());
  ASSERT_TRUE(stack.push(*checked, {.log = true}).has_value());
  EXPECT_EQ(stack.limit_used(), 5U);
  ASSERT_TRUE(stack.push(*checked).has_value());
  EXPECT_EQ(stack.limit_used(), 5U + 9U);
  EXPECT_EQ(stack.size(), 2U);
  EXPECT_TRUE(stack.flags(0).log);
  EXPECT_FALSE(stack.flags(1).log);
  EXPECT_EQ(stack.program(1).size(), 1U);
  EXPECT_EQ(stack.run(SeccompData{}), (Verdict{0x00050001, 1}));
}

TEST(FilterStack, is_as_it_was_where_a_filter_is_refused) {
  FilterStack stack(kNewest);
  const Program longest(4095, Instruction{0x3c, 0, 0, 0});
  Program program = longest;
  program.push_back({0x06, 0, 0, 0x7fff0000});
  const auto checked = check(program, kNewest);
  ASSERT_TRUE(checked.has_value());
  ASSERT_TRUE(stack.push(*checked).has_value());
  const auto refused = stack.push(*checked);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().id, DiagnosticId::InstructionLimit);
  EXPECT_EQ(stack.size(), 1U);
  EXPECT_EQ(stack.limit_used(), 20480U);
}

}  // namespace
}  // namespace callgate::verifier
