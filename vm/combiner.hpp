#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/filter_stack.hpp"

namespace callgate {

/// Combines what filters return, one result after the other, the newest filter's first.
class Combiner {
 public:
  explicit Combiner(const KernelModel& model) noexcept
      : full_(model.has(Feature::ActionFull)),
        best_(rank(static_cast<std::uint32_t>(Action::Allow))) {}

  void add(std::size_t filter, std::uint32_t value) noexcept {
    const std::int64_t here = rank(value);
    if (here >= best_) return;
    best_ = here;
    verdict_ = Verdict{value, filter};
  }

  [[nodiscard]] Verdict verdict() const noexcept { return verdict_; }

 private:
  // Since 4.14 16 bits compared signed; before, 15 bits compared unsigned.
  [[nodiscard]] std::int64_t rank(std::uint32_t value) const noexcept {
    if (full_) return static_cast<std::int32_t>(value & kActionMask);
    return value & kOldActionMask;
  }

  bool full_;
  std::int64_t best_;
  Verdict verdict_;
};

}  // namespace callgate
