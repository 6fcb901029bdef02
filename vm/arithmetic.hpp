#pragma once

#include <cstdint>
#include <optional>

#include "vm/arches.hpp"
#include "vm/opcodes.hpp"

/// What single operations compute, for the engines. The reference has its own text of the same.
namespace callgate {

/// What an operation of kind Alu does, with k or with X: the BPF_OP of its code.
enum class Alu : std::uint8_t {
  Add = 0x00,
  Sub = 0x10,
  Mul = 0x20,
  Div = 0x30,
  Or = 0x40,
  And = 0x50,
  Lsh = 0x60,
  Rsh = 0x70,
  Neg = 0x80,
  Xor = 0xa0,
};

[[nodiscard]] constexpr Alu alu_of(Opcode opcode) noexcept {
  return static_cast<Alu>(static_cast<std::uint16_t>(opcode) & 0xf0U);
}

/// A << x or A >> x by a kernel's rule; nothing where the kernel leaves it undefined.
[[nodiscard]] inline std::optional<std::uint32_t> shifted(std::uint32_t a, std::uint32_t x,
                                                          bool left,
                                                          std::optional<ShiftRule> rule) noexcept {
  std::uint32_t count = x;
  if (x >= 32) {
    if (!rule) return std::nullopt;
    count = *rule == ShiftRule::Mask5 ? x & 31U : x & (*rule == ShiftRule::Mask6Zero ? 63U : 255U);
    if (count >= 32) return 0;
  }
  return left ? a << count : a >> count;
}

/// What an operation of kind Alu leaves in A; nothing where the run ends with 0 there: a division
/// by an X of 0, a shift that is undefined. `operand` is k or X.
[[nodiscard]] std::optional<std::uint32_t> computed(Opcode opcode, std::uint32_t a,
                                                    std::uint32_t operand,
                                                    std::optional<ShiftRule> rule) noexcept;

/// What a conditional jump asks of A and its operand.
enum class Test : std::uint8_t { Equal, Greater, GreaterOrEqual, AnyBit };

/// The test of an operation of kind Branch.
[[nodiscard]] Test test_of(Opcode opcode) noexcept;

/// Whether it holds, and the jump is taken. `operand` is k or X.
[[nodiscard]] inline bool holds(Test test, std::uint32_t a, std::uint32_t operand) noexcept {
  switch (test) {
    case Test::Equal:
      return a == operand;
    case Test::Greater:
      return a > operand;
    case Test::GreaterOrEqual:
      return a >= operand;
    case Test::AnyBit:
      return (a & operand) != 0;
  }
  return false;
}

}  // namespace callgate
