#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "vm/seccomp_data.hpp"

/// What a register holds, as a formula over the words of seccomp_data.
namespace callgate::verifier {

/// What seccomp_data is made of, in the order in which diagrams ask for it.
enum class Field : std::uint8_t {
  Arch,
  Nr,
  Arg0,
  Arg1,
  Arg2,
  Arg3,
  Arg4,
  Arg5,
  InstructionPointer
};

inline constexpr std::size_t kFields = 9;

/// 32 or 64.
[[nodiscard]] constexpr unsigned width(Field field) noexcept {
  return field <= Field::Nr ? 32 : 64;
}

/// The field's value in a call.
[[nodiscard]] std::uint64_t value_of(const SeccompData& data, Field field) noexcept;
/// Puts a value there.
void set_value(SeccompData& data, Field field, std::uint64_t value) noexcept;

/// A 32-bit word of seccomp_data, apart from the order of bytes.
struct Word {
  Field field = Field::Nr;
  bool high = false;  ///< of a 64-bit field: the upper half

  friend auto operator<=>(const Word&, const Word&) = default;
};

/// The word that a kernel of that byte order loads from `offset` (a multiple of 4, below 64).
[[nodiscard]] Word word_at(std::uint32_t offset, ByteOrder order) noexcept;

enum class TermKind : std::uint8_t {
  Constant,  ///< `a` is the value
  Word,      ///< `a` is the field, `b` 1 for the high half
  Add,
  Multiply,
  Divide,  ///< where the divisor is not 0
  And,
  Or,
  Xor,
  Left,   ///< by 32 and more: 0
  Right,  ///< by 32 and more: 0
};

/// A formula's place in its Terms.
using TermId = std::uint32_t;

/// An operation on two formulas.
struct Term {
  TermKind kind = TermKind::Constant;
  std::uint32_t a = 0;
  std::uint32_t b = 0;

  friend auto operator<=>(const Term&, const Term&) = default;
};

/// Formulas, each once: what is folded to the same has the same place. Parts stand before what is
/// made of them.
class Terms {
 public:
  [[nodiscard]] TermId constant(std::uint32_t value) {
    return keep({TermKind::Constant, value, 0});
  }
  [[nodiscard]] TermId word(Word word) {
    return keep({TermKind::Word, static_cast<std::uint32_t>(word.field), word.high ? 1U : 0U});
  }
  [[nodiscard]] TermId add(TermId a, TermId b);
  [[nodiscard]] TermId subtract(TermId a, TermId b);
  [[nodiscard]] TermId multiply(TermId a, TermId b);
  [[nodiscard]] TermId divide(TermId a, TermId b);
  [[nodiscard]] TermId bit_and(TermId a, TermId b);
  [[nodiscard]] TermId bit_or(TermId a, TermId b);
  [[nodiscard]] TermId bit_xor(TermId a, TermId b);
  [[nodiscard]] TermId left(TermId a, TermId count);
  [[nodiscard]] TermId right(TermId a, TermId count);

  [[nodiscard]] const Term& operator[](TermId id) const { return terms_[id]; }
  [[nodiscard]] std::size_t size() const noexcept { return terms_.size(); }
  [[nodiscard]] std::optional<std::uint32_t> value(TermId id) const {
    if (terms_[id].kind != TermKind::Constant) return std::nullopt;
    return terms_[id].a;
  }
  /// Of a TermKind::Word.
  [[nodiscard]] Word word_of(TermId id) const {
    return {static_cast<Field>(terms_[id].a), terms_[id].b != 0};
  }

  /// What each of some formulas is for a call.
  [[nodiscard]] std::vector<std::uint32_t> evaluate(std::span<const TermId> ids,
                                                    const SeccompData& data) const;
  [[nodiscard]] std::uint32_t evaluate(TermId id, const SeccompData& data) const {
    return evaluate(std::span(&id, 1), data)[0];
  }

 private:
  [[nodiscard]] TermId keep(const Term& term);
  [[nodiscard]] TermId in_order(TermKind kind, TermId a, TermId b);
  [[nodiscard]] bool is(TermId id, std::uint32_t constant) const {
    return terms_[id] == Term{TermKind::Constant, constant, 0};
  }

  std::vector<Term> terms_;
  std::map<Term, TermId> places_;
};

}  // namespace callgate::verifier
