#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace callgate {

/// Numbers from `first` to `last`, both included.
struct NumberRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;

  friend bool operator==(const NumberRange&, const NumberRange&) = default;
};

/// A set of 32-bit numbers, as ranges.
class NumberSet {
 public:
  /// Empty.
  NumberSet() = default;
  /// Those of one range.
  explicit NumberSet(NumberRange range) : ranges_{range} {}
  /// Every number.
  [[nodiscard]] static NumberSet all() { return NumberSet({0, ~0U}); }

  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  [[nodiscard]] bool is_single() const noexcept {
    return ranges_.size() == 1 && ranges_[0].first == ranges_[0].last;
  }
  /// One of them; there must be one.
  [[nodiscard]] std::uint32_t front() const noexcept { return ranges_[0].first; }
  /// By rising number, apart from each other.
  [[nodiscard]] std::span<const NumberRange> ranges() const noexcept { return ranges_; }

  /// Takes a number out; false where it was not in.
  bool take(std::uint32_t nr);

  /// Takes those of a range out, and returns them.
  [[nodiscard]] NumberSet take(NumberRange range);

  /// Adds numbers that are all above those that are in.
  void append(const NumberSet& above);

 private:
  std::vector<NumberRange> ranges_;
};

}  // namespace callgate
