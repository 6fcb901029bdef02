#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "vm/arches.hpp"

namespace callgate {

/// Finds what stands in planes fast: ranges of small numbers, and of those from kX32Bit, are
/// written out as tables; others are searched.
template <typename Value>
class NumberTable {
 public:
  /// Numbers that are written out at most, from 0 and from kX32Bit each.
  static constexpr std::size_t kMostWrittenOut = 8192;

  struct Range {
    std::uint32_t first = 0;
    Value value{};
  };

  explicit NumberTable(std::vector<Range> ranges) : ranges_(std::move(ranges)) {
    write_out(0, small_);
    write_out(kX32Bit, x32_);
    last_ = static_cast<std::uint32_t>(small_.size());
    const auto next = std::ranges::upper_bound(ranges_, last_, {}, &Range::first);
    small_.push_back(std::prev(next)->value);
    reach_ = next == ranges_.end() ? ~0U : next->first;
  }

  [[nodiscard]] const Value& at(std::uint32_t nr) const noexcept {
    if (nr < reach_) return small_[std::min(nr, last_)];
    if (nr - kX32Bit < x32_.size()) return x32_[nr - kX32Bit];
    return search(nr);
  }

  /// Where numbers below `reach` are found: the number's value, and the last for all from there on.
  struct Small {
    const Value* values = nullptr;
    std::uint64_t last = 0;
    std::uint64_t reach = 0;
  };
  [[nodiscard]] Small small() const noexcept { return {small_.data(), last_, reach_}; }

 private:
  [[nodiscard]] const Value& search(std::uint32_t nr) const noexcept {
    std::size_t below = 0;
    for (std::size_t length = ranges_.size(); length > 1;) {
      const std::size_t half = length / 2;
      below += ranges_[below + half].first <= nr ? half : 0;
      length -= half;
    }
    return ranges_[below].value;
  }

  // All from `base` to the last border below base + kMostWrittenOut.
  void write_out(std::uint32_t base, std::vector<Value>& table) {
    std::size_t size = 0;
    for (const Range& range : ranges_) {
      if (range.first > base && range.first - base <= kMostWrittenOut) size = range.first - base;
    }
    table.reserve(size);
    for (std::size_t r = 0; r < ranges_.size() && table.size() < size; ++r) {
      const std::uint64_t end =
          r + 1 < ranges_.size() ? ranges_[r + 1].first : std::uint64_t{1} << 32U;
      if (end <= base) continue;
      table.resize(std::min<std::uint64_t>(end - base, size), ranges_[r].value);
    }
  }

  std::vector<Range> ranges_;
  std::vector<Value> small_;  ///< its last is that of the numbers from `last_`
  std::uint32_t last_ = 0;
  std::uint32_t reach_ = 0;
  std::vector<Value> x32_;
};

}  // namespace callgate
