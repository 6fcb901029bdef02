#pragma once

#include <cstddef>
#include <span>

/// Figures that were measured, with how far they can be trusted.
namespace callgate::cost {

/// What several rounds say of one figure.
struct Estimate {
  double median = 0;
  double spread = 0;  ///< median absolute deviation of the rounds from the median
  std::size_t rounds = 0;

  /// Whether the figure cannot be told from 0: it is within the spread, or there are no rounds.
  [[nodiscard]] bool below_spread() const noexcept;
};

/// Median of the figures, the mean of the two in the middle where their number is even.
[[nodiscard]] double median(std::span<const double> figures);

/// One figure a round.
[[nodiscard]] Estimate estimate(std::span<const double> figures);

}  // namespace callgate::cost
