#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <tuple>
#include <vector>

#include "verifier/diagrams.hpp"
#include "verifier/terms.hpp"
#include "vm/arithmetic.hpp"
#include "vm/seccomp_data.hpp"

/// Conditions on seccomp_data: formulas of words, compared, as decision diagrams over its 512 bits.
namespace callgate::verifier {

/// A comparison of two formulas that is kept as a question of its own, because it cannot be told
/// apart into bits within the limits: a product of two arguments, say. It is still exact: whether
/// it holds for a call is computed. What is not known is for which calls it holds.
struct Opaque {
  Test test = Test::Equal;
  TermId a = 0;
  TermId b = 0;

  friend auto operator<=>(const Opaque&, const Opaque&) = default;
};

/// How large things may get.
struct SpaceLimits {
  std::size_t nodes = 4'000'000;         ///< of all diagrams together
  std::size_t nodes_of_a_term = 30'000;  ///< beyond them a comparison of it stays Opaque
};

/// Whether there is a call for which a condition holds.
enum class Holds : std::uint8_t { Never, Sometimes, NotKnown };

/// Where conditions live; only those of one space can be compared with each other. Not thread-safe.
class Space {
 public:
  using Ref = Diagrams::Ref;

  explicit Space(SpaceLimits limits = {});

  [[nodiscard]] Diagrams& diagrams() noexcept { return diagrams_; }
  [[nodiscard]] const Diagrams& diagrams() const noexcept { return diagrams_; }
  [[nodiscard]] Terms& terms() noexcept { return terms_; }
  [[nodiscard]] const Terms& terms() const noexcept { return terms_; }

  /// The condition that a comparison holds. Throws Diagrams::Full.
  [[nodiscard]] Ref compared(Test test, TermId a, TermId b);
  /// The condition that a field has a value.
  [[nodiscard]] Ref equal(Field field, std::uint64_t value);
  /// That (field & mask) is value.
  [[nodiscard]] Ref masked_equal(Field field, std::uint64_t mask, std::uint64_t value);
  /// That it is from first to last, both included.
  [[nodiscard]] Ref between(Field field, std::uint64_t first, std::uint64_t last);

  /// The first variable of a field; its bits follow, the highest first. The fields' variables come
  /// in their order.
  [[nodiscard]] static constexpr std::uint32_t first_variable(Field field) noexcept {
    const auto place = static_cast<std::uint32_t>(field);
    return place < 2 ? place * 32 : 64 + (place - 2) * 64;
  }
  /// The field that a variable is a bit of; nothing for one that stands for an Opaque.
  [[nodiscard]] static std::optional<Field> field_of(std::uint32_t variable) noexcept;
  /// Variables from here on stand for opaques().
  static constexpr std::uint32_t kFirstOpaque = 512;
  [[nodiscard]] std::span<const Opaque> opaques() const noexcept { return opaques_; }
  [[nodiscard]] const Opaque& opaque(std::uint32_t variable) const {
    return opaques_[variable - kFirstOpaque];
  }
  /// Whether a function asks for comparisons that are opaque.
  [[nodiscard]] bool has_opaque(Ref function) const {
    return diagrams_.asks_from(function, kFirstOpaque);
  }

  /// Every comparison that compared() was asked for and that is no constant, with its condition; a
  /// >= b stands as b > a, whose condition is the contrary.
  [[nodiscard]] const std::map<Opaque, Ref>& comparisons() const noexcept { return compared_; }

  /// What is left of a function for one value of a field, where it asks for no earlier field.
  [[nodiscard]] Ref fixed(Ref function, Field field, std::uint64_t value) const;
  /// The end that a function comes to for a call.
  [[nodiscard]] Ref evaluate(Ref function, const SeccompData& data) const;
  [[nodiscard]] bool holds(Ref condition, const SeccompData& data) const {
    return evaluate(condition, data) == Diagrams::kTrue;
  }

  /// A call for which a condition holds, bits that do not matter by chance (all 0 without a source
  /// of chance). Nothing where there is none, or where opaque comparisons keep it from being found.
  [[nodiscard]] std::optional<SeccompData> find(Ref condition,
                                                std::mt19937_64* chance = nullptr) const;
  /// Never and Sometimes are proved.
  [[nodiscard]] Holds holds_ever(Ref condition) const;

  /// How many of a field's values satisfy a condition that asks for this field only, as a number of
  /// floating point (2^64 does not fit into 64 bits).
  [[nodiscard]] double count(Ref condition, Field field) const;

 private:
  using Bits = std::array<Ref, 32>;  // the lowest first

  [[nodiscard]] const std::optional<Bits>& bits_of(TermId id);
  [[nodiscard]] Bits made_bits(TermId id);
  [[nodiscard]] Bits sum(const Bits& a, const Bits& b, Ref carry);
  [[nodiscard]] Bits product(const Bits& a, const Bits& b);
  [[nodiscard]] Bits quotient(const Bits& a, const Bits& b);
  [[nodiscard]] Bits moved(const Bits& a, const Bits& count, bool left);
  [[nodiscard]] Ref compared_bits(Test test, const Bits& a, const Bits& b);
  [[nodiscard]] Ref kept_opaque(Test test, TermId a, TermId b);

  SpaceLimits limits_;
  Diagrams diagrams_;
  Terms terms_;
  std::map<TermId, std::optional<Bits>> bits_;
  std::map<Opaque, Ref> compared_;
  std::vector<Opaque> opaques_;
};

}  // namespace callgate::verifier
