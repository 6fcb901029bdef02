#include "vm/arithmetic.hpp"

namespace callgate {
namespace {

// BPF_OP: what an operation does, whether with k or with X.
constexpr std::uint16_t operation(Opcode opcode) noexcept {
  return static_cast<std::uint16_t>(static_cast<std::uint16_t>(opcode) & 0xf0U);
}

}  // namespace

std::optional<std::uint32_t> computed(Opcode opcode, std::uint32_t a, std::uint32_t operand,
                                      std::optional<ShiftRule> rule) noexcept {
  switch (operation(opcode)) {
    case operation(Opcode::AddK):
      return a + operand;
    case operation(Opcode::SubK):
      return a - operand;
    case operation(Opcode::MulK):
      return a * operand;
    case operation(Opcode::DivK):
      if (operand == 0) return std::nullopt;
      return a / operand;
    case operation(Opcode::OrK):
      return a | operand;
    case operation(Opcode::AndK):
      return a & operand;
    case operation(Opcode::XorK):
      return a ^ operand;
    case operation(Opcode::LshK):
      return shifted(a, operand, true, rule);
    case operation(Opcode::RshK):
      return shifted(a, operand, false, rule);
    case operation(Opcode::Neg):
      return 0U - a;
    default:  // a code that no row of the kind Alu has
      return std::nullopt;
  }
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
