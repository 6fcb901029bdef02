#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "harness/live/child.hpp"
#include "verifier/known_call.hpp"
#include "vm/filter_stack.hpp"

/// Which calls of a workload stacks are compared by, on the running kernel, and what is known of
/// them before anything is timed.
namespace callgate::cost {

/// How it is known which numbers the kernel serves from its cache of constant actions.
enum class CacheToldBy : std::uint8_t {
  Model,   ///< verifier::cache_answer() for the running kernel
  Timing,  ///< cached_by_timing(): this process has filters already, which keep numbers out too
};

/// Calls that are in no figure of any stack.
struct CallsLeftOut {
  std::string_view why;
  std::uint64_t calls = 0;
};

/// The sum of two counts, or the greatest number there is.
[[nodiscard]] std::uint64_t saturated_sum(std::uint64_t one, std::uint64_t other) noexcept;

/// What is known of one stack.
struct CallsOfStack {
  /// of each call of the workload, whether the cache serves it; nothing: not known, or not asked
  std::vector<std::optional<bool>> cached{};
  double cached_share = 0;     ///< of the calls that are not left out
  double executed = 0;         ///< instructions that run for an average call
  std::uint64_t left_out = 0;  ///< calls that nobody is compared by because of this stack
};

/// A call that is left out for one stack is for all.
struct ComparedCalls {
  std::vector<std::uint64_t> counts{};  ///< of each call of the workload; 0: left out
  std::vector<CallsOfStack> stacks{};
  CacheToldBy cache_told_by = CacheToldBy::Model;
  std::uint64_t calls = 0;  ///< the sum of `counts`
  /// of them, with an argument of which not every bit is known
  std::uint64_t unknown_arguments = 0;
  std::vector<CallsLeftOut> left_out{};
};

/// x86_64's own calls only. `core` is where times are taken, if they must be.
[[nodiscard]] std::expected<ComparedCalls, live::LiveError> compared_calls(
    std::span<const FilterStack* const> stacks, std::span<const verifier::KnownCall> workload,
    int core);

}  // namespace callgate::cost
