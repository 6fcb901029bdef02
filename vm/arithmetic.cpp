#include "vm/arithmetic.hpp"

namespace callgate {
namespace {

// BPF_OP: what a branch asks, whether of k or of X.
constexpr std::uint16_t operation(Opcode opcode) noexcept {
  return static_cast<std::uint16_t>(static_cast<std::uint16_t>(opcode) & 0xf0U);
}

}  // namespace

std::optional<std::uint32_t> computed(Opcode opcode, std::uint32_t a, std::uint32_t operand,
                                      std::optional<ShiftRule> rule) noexcept {
  switch (alu_of(opcode)) {
    case Alu::Add:
      return a + operand;
    case Alu::Sub:
      return a - operand;
    case Alu::Mul:
      return a * operand;
    case Alu::Div:
      if (operand == 0) return std::nullopt;
      return a / operand;
    case Alu::Or:
      return a | operand;
    case Alu::And:
      return a & operand;
    case Alu::Xor:
      return a ^ operand;
    case Alu::Lsh:
      return shifted(a, operand, true, rule);
    case Alu::Rsh:
      return shifted(a, operand, false, rule);
    case Alu::Neg:
      return 0U - a;
  }
  return std::nullopt;  // a code that no row of the kind Alu has
}

Test test_of(Opcode opcode) noexcept {
  switch (operation(opcode)) {
    case operation(Opcode::JeqK):
      return Test::Equal;
    case operation(Opcode::JgtK):
      return Test::Greater;
    case operation(Opcode::JgeK):
      return Test::GreaterOrEqual;
    default:
      return Test::AnyBit;
  }
}

}  // namespace callgate
