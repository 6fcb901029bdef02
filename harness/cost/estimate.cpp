#include "harness/cost/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace callgate::cost {

bool Estimate::below_spread() const noexcept { return rounds == 0 || std::abs(median) <= spread; }

double median(std::span<const double> figures) {
  if (figures.empty()) return 0;
  std::vector<double> sorted(figures.begin(), figures.end());
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

Estimate estimate(std::span<const double> figures) {
  Estimate out;
  out.rounds = figures.size();
  out.median = median(figures);
  std::vector<double> distances;
  for (const double each : figures) distances.push_back(std::abs(each - out.median));
  out.spread = median(distances);
  return out;
}

}  // namespace callgate::cost
