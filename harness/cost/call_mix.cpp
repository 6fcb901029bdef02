#include "harness/cost/call_mix.hpp"

#include <utility>

#include "harness/random/generator.hpp"

namespace callgate::cost {

std::vector<std::size_t> drawn(std::span<const std::uint64_t> counts, std::size_t size,
                               std::uint64_t seed) {
  long double total = 0;
  for (const std::uint64_t each : counts) total += static_cast<long double>(each);
  std::vector<std::size_t> out;
  if (total == 0) return out;
  // The middles of `size` equal parts of the counts laid end to end.
  long double end = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    end += static_cast<long double>(counts[i]);
    const auto middle = [&] {
      return (static_cast<long double>(out.size()) + 0.5L) * total / static_cast<long double>(size);
    };
    while (out.size() < size && middle() < end) out.push_back(i);
  }
  random::Source source(seed);
  for (std::size_t i = out.size(); i > 1; --i) {
    std::swap(out[i - 1], out[source.below(static_cast<std::uint32_t>(i))]);
  }
  return out;
}

}  // namespace callgate::cost
