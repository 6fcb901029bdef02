#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "harness/cost/estimate.hpp"

/// What rounds in which two things took turns say of the difference between them.
namespace callgate::cost {

/// Where the median of what is measured lies.
struct Interval {
  double low = 0;
  double high = 0;
  double confidence = 0;  ///< the share of such intervals that hold it

  friend bool operator==(const Interval&, const Interval&) = default;
};

/// How sure a difference must be before it is called one.
inline constexpr double kConfidence = 0.99;
/// Fewer rounds than that have no interval of that confidence.
inline constexpr unsigned kLeastPairedRounds = 8;

/// The narrowest interval between two of the figures, as many below it as above, that holds the
/// median with that confidence, whatever their distribution (the sign test); nothing where there
/// are too few of them.
[[nodiscard]] std::optional<Interval> median_interval(std::span<const double> figures,
                                                      double confidence = kConfidence);

/// Which of two is cheaper.
enum class Says : std::uint8_t {
  FirstCheaper,
  SecondCheaper,
  WithinNoise,  ///< the interval holds 0, or there is none
};

/// "first cheaper", "second cheaper", "within noise".
[[nodiscard]] std::string_view to_string(Says says) noexcept;

/// The second less the first.
struct PairedDifference {
  Estimate difference;
  std::optional<Interval> interval;  ///< nothing: too few rounds
  Says says = Says::WithinNoise;
};

/// One figure of each a round; what drifts from round to round is in both and falls out.
[[nodiscard]] PairedDifference paired_difference(std::span<const double> first,
                                                 std::span<const double> second);

}  // namespace callgate::cost
