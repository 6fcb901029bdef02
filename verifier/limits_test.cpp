#include "verifier/limits.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "vm/opcodes.hpp"

// Each row of kernel-semantics 1.6 has its vector in corpus/vectors/check (length_of_*, blinded_*).
namespace callgate::verifier {
namespace {

std::size_t length_of(const Instruction& instruction, const KernelModel& model = {}) {
  const Program with = {instruction};
  return converted_length(with, model) - converted_length({}, model);
}

TEST(ConvertedLength, of_an_operation_is_that_of_its_row) {
  for (const OpcodeInfo& row : opcodes()) {
    const Instruction one{static_cast<std::uint16_t>(row.opcode), 0, 0, 1};
    EXPECT_EQ(length_of(one), row.ebpf) << row.name;
    EXPECT_EQ(length_of(one, {.blinds_constants = true}), row.blinded) << row.name;
  }
}

TEST(ConvertedLength, is_a_sum_over_the_instructions) {
  const Program program = {{0x3c, 0, 0, 0}, {0x15, 1, 2, 0x80000000}, {0x06, 0, 0, 0}};
  std::size_t sum = converted_length({}, KernelModel{});
  for (const Instruction& each : program) sum += length_of(each);
  EXPECT_EQ(converted_length(program, KernelModel{}), sum);
}

TEST(ConvertedLength, of_what_seccomp_refuses_is_nothing) {
  EXPECT_EQ(length_of({0x0106, 0, 0, 0}), 0U);
  EXPECT_EQ(length_of({0x94, 0, 0, 3}), 0U);
}

TEST(ConvertedLength, of_every_test_is_one_to_three) {
  constexpr std::array<std::uint16_t, 8> kTests = {0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d};
  constexpr std::array<std::uint8_t, 2> kSides = {0, 1};
  for (const std::uint16_t code : kTests) {
    for (const std::uint8_t jt : kSides) {
      for (const std::uint8_t jf : kSides) {
        const bool jset = code == 0x45 || code == 0x4d;
        const std::size_t expected = jf != 0 && (jt != 0 || jset) ? 2 : 1;
        EXPECT_EQ(length_of({code, jt, jf, 0x7fffffff}), expected) << code;
        const bool constant = (code & 8U) == 0;
        EXPECT_EQ(length_of({code, jt, jf, 0x80000000}), expected + (constant ? 1 : 0)) << code;
      }
    }
  }
}

TEST(LimitCost, is_the_converted_length_on_new_kernels) {
  const Program program = {{0x3c, 0, 0, 0}, {0x06, 0, 0, 0}};
  const LimitCost cost = limit_cost(program, KernelModel{});
  EXPECT_EQ(cost.as_new, 10U);
  EXPECT_EQ(cost.as_attached, 10U);
}

}  // namespace
}  // namespace callgate::verifier
