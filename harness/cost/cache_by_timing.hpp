#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include "harness/live/child.hpp"
#include "vm/instruction.hpp"

/// Which numbers the running kernel serves from its cache of constant actions, told by time.
namespace callgate::cost {

/// A row of harmless_calls.def: what measurements may execute, with -1 for all arguments.
struct HarmlessCall {
  std::uint32_t nr;
  std::string_view name;  ///< empty: no kernel has such a call
};

/// All of them, by rising number.
[[nodiscard]] std::span<const HarmlessCall> harmless_calls() noexcept;

/// Whether a number is served from the cache.
enum class Cached : std::uint8_t {
  Yes,
  No,
  BelowNoise,  ///< the times are too close, or this kernel has no cache that could be seen
  NotAsked,
};

/// "yes", "no", "below the noise", "not asked".
[[nodiscard]] std::string_view to_string(Cached cached) noexcept;

/// What is known of one number, and how.
struct CacheAnswer {
  std::uint32_t nr = 0;
  Cached cached = Cached::NotAsked;
  /// the harmless call that was made: the number itself, or one that has all its bits, under the
  /// stack with every load of the number masked
  std::uint32_t asked_by = 0;
  std::string_view why{};  ///< not asked, or not by time: the reason
};

/// Asks the running kernel. Below the stack lies a filter that allows everything after some
/// thousand instructions that the cache sees through: a number that is cached costs nothing of it,
/// any other all of it. Returns other than a plain ALLOW become refusals (which the cache treats
/// alike), and only calls of harmless_calls() are made. x86_64 numbers only.
[[nodiscard]] std::expected<std::vector<CacheAnswer>, live::LiveError> cached_by_timing(
    std::span<const Program> oldest_first, std::span<const std::uint32_t> numbers, int cpu = -1);

}  // namespace callgate::cost
