#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// The calls that stand for a workload where each is really made.
namespace callgate::cost {

/// `size` places in a list, each of them as often as its count has a share in all counts, to less
/// than one; in an order that has nothing to do with theirs and that is the same for the same seed.
/// Empty where all counts are 0.
[[nodiscard]] std::vector<std::size_t> drawn(std::span<const std::uint64_t> counts,
                                             std::size_t size, std::uint64_t seed);

}  // namespace callgate::cost
