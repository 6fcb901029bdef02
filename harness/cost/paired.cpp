#include "harness/cost/paired.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace callgate::cost {

std::optional<Interval> median_interval(std::span<const double> figures, double confidence) {
  std::vector<double> sorted(figures.begin(), figures.end());
  std::ranges::sort(sorted);
  const std::size_t count = sorted.size();
  // Of `count` tosses of a coin, the chance of exactly `i` heads, and of so many or fewer.
  double logarithm = -static_cast<double>(count) * std::numbers::ln2;
  double so_many_or_fewer = 0;
  std::optional<Interval> out;
  for (std::size_t i = 0; i < count - i; ++i) {
    so_many_or_fewer += std::exp(logarithm);
    // The median is outside where `i` figures or fewer are on one of its sides.
    const double inside = 1 - 2 * so_many_or_fewer;
    if (inside < confidence) break;
    out = {sorted[i], sorted[count - 1 - i], inside};
    logarithm += std::log(static_cast<double>(count - i) / static_cast<double>(i + 1));
  }
  return out;
}

std::string_view to_string(Says says) noexcept {
  switch (says) {
    case Says::FirstCheaper:
      return "first cheaper";
    case Says::SecondCheaper:
      return "second cheaper";
    case Says::WithinNoise:
      return "within noise";
  }
  return "";
}

PairedDifference paired_difference(std::span<const double> first, std::span<const double> second) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    differences.push_back(second[i] - first[i]);
  }
  PairedDifference out;
  out.difference = estimate(differences);
  out.interval = median_interval(differences);
  if (out.interval && out.interval->low > 0) out.says = Says::FirstCheaper;
  if (out.interval && out.interval->high < 0) out.says = Says::SecondCheaper;
  return out;
}

}  // namespace callgate::cost
