#pragma once

#include <cstdint>
#include <optional>

#include "verifier/terms.hpp"
#include "vm/arches.hpp"
#include "vm/arithmetic.hpp"
#include "vm/kernel_model.hpp"

namespace callgate::verifier {

/// Formulas in registers, for transfer().
class Formulas {
 public:
  using Value = TermId;

  Formulas(Terms& terms, const KernelModel& model)
      : terms_(terms), order_(info(model.arch).byte_order), rule_(shift_rule(model)) {}

  [[nodiscard]] TermId constant(std::uint32_t value) { return terms_.constant(value); }
  [[nodiscard]] TermId word(std::uint32_t offset) { return terms_.word(word_at(offset, order_)); }
  [[nodiscard]] TermId length() { return constant(kSeccompDataSize); }

  [[nodiscard]] TermId computed(Opcode opcode, TermId a, TermId operand) {
    switch (alu_of(opcode)) {
      case Alu::Add:
        return terms_.add(a, operand);
      case Alu::Sub:
        return terms_.subtract(a, operand);
      case Alu::Mul:
        return terms_.multiply(a, operand);
      case Alu::Div:
        return terms_.divide(a, operand);
      case Alu::Or:
        return terms_.bit_or(a, operand);
      case Alu::And:
        return terms_.bit_and(a, operand);
      case Alu::Xor:
        return terms_.bit_xor(a, operand);
      case Alu::Neg:
        return terms_.subtract(constant(0), a);
      case Alu::Lsh:
        return terms_.left(a, counted(operand));
      case Alu::Rsh:
        return terms_.right(a, counted(operand));
    }
    return a;  // a code that no row of the kind Alu has
  }

  [[nodiscard]] bool leaves_shifts_undefined() const { return !rule_; }

 private:
  // The count as this kernel takes it; 32 and more then gives 0.
  [[nodiscard]] TermId counted(TermId count) {
    if (!rule_) return count;
    const std::uint32_t mask = *rule_ == ShiftRule::Mask5       ? 31
                               : *rule_ == ShiftRule::Mask6Zero ? 63
                                                                : 255;
    return terms_.bit_and(count, constant(mask));
  }

  Terms& terms_;
  ByteOrder order_;
  std::optional<ShiftRule> rule_;
};

}  // namespace callgate::verifier
