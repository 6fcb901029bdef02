#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "verifier/space.hpp"

/// A function of seccomp_data, field by field: which values lead where.
namespace callgate::verifier {

/// Values of a field that lead to the same.
struct Part {
  Space::Ref values = 0;  ///< a condition on this field alone
  Space::Ref next = 0;    ///< the function for those, which asks for later fields only
};

/// Neighbouring bits in the order of questions, the highest first: a field, or half of one.
struct BitRun {
  std::uint32_t first = 0;  ///< variable
  unsigned width = 32;      ///< up to 64

  [[nodiscard]] std::uint32_t end() const noexcept { return first + width; }
};

[[nodiscard]] constexpr BitRun bits_of(Field field) noexcept {
  return {Space::first_variable(field), width(field)};
}
[[nodiscard]] constexpr BitRun bits_of(Word word) noexcept {
  const bool low_half = width(word.field) == 64 && !word.high;
  return {Space::first_variable(word.field) + (low_half ? 32U : 0U), 32};
}

/// Takes a function apart by a field that is the first one it asks for, or an earlier one. The
/// parts' values are disjoint and make up all. Throws Diagrams::Full.
[[nodiscard]] std::vector<Part> split(Space& space, Space::Ref function, Field field);
/// The same by bits; nothing where there are more than `most` parts.
[[nodiscard]] std::optional<std::vector<Part>> split(Space& space, Space::Ref function,
                                                     const BitRun& bits, std::size_t most);

/// Values from first to last, both included.
struct ValueRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

/// The values for which a condition on a field holds, by rising value and as few as can be; nothing
/// where there are more ranges than `most`.
[[nodiscard]] std::optional<std::vector<ValueRange>> ranges_of(const Space& space,
                                                               Space::Ref values,
                                                               const BitRun& bits,
                                                               std::size_t most);
[[nodiscard]] inline std::optional<std::vector<ValueRange>> ranges_of(const Space& space,
                                                                      Space::Ref values,
                                                                      Field field,
                                                                      std::size_t most) {
  return ranges_of(space, values, bits_of(field), most);
}

/// Values whose bits under `mask` are `value`.
struct MaskedValue {
  std::uint64_t mask = 0;
  std::uint64_t value = 0;

  friend bool operator==(const MaskedValue&, const MaskedValue&) = default;
};

/// The same as disjoint tests of bits; nothing where there are more than `most`.
[[nodiscard]] std::optional<std::vector<MaskedValue>> masks_of(const Space& space,
                                                               Space::Ref values,
                                                               const BitRun& bits,
                                                               std::size_t most);
[[nodiscard]] inline std::optional<std::vector<MaskedValue>> masks_of(const Space& space,
                                                                      Space::Ref values,
                                                                      Field field,
                                                                      std::size_t most) {
  return masks_of(space, values, bits_of(field), most);
}

/// Of a function whose first fields were split off: ranges of a field, each with what it leads to,
/// neighbours that lead to the same put together. Nothing where there are more than `most`.
struct RangePart {
  ValueRange range;
  Space::Ref next = 0;
};
[[nodiscard]] std::optional<std::vector<RangePart>> range_parts(const Space& space,
                                                                Space::Ref function,
                                                                const BitRun& bits,
                                                                std::size_t most);
[[nodiscard]] inline std::optional<std::vector<RangePart>> range_parts(const Space& space,
                                                                       Space::Ref function,
                                                                       Field field,
                                                                       std::size_t most) {
  return range_parts(space, function, bits_of(field), most);
}

/// What all calls of one path have in common; each call is of exactly one path.
struct Path {
  std::vector<std::pair<Field, Space::Ref>> values;  ///< fields that are asked for, in their order
  std::vector<std::pair<std::uint32_t, bool>> opaques;  ///< variables of opaque comparisons
  Space::Ref end = 0;

  /// Whether a call is of it.
  [[nodiscard]] bool holds(const Space& space, const SeccompData& data) const;
  /// The condition that all of it holds.
  [[nodiscard]] Space::Ref condition(Space& space) const;
};

/// Calls `visit` for each path, until it returns false; returns false then. Throws Diagrams::Full.
bool for_each_path(Space& space, Space::Ref function,
                   const std::function<bool(const Path&)>& visit);

}  // namespace callgate::verifier
