#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "harness/front_ends/program_reader.hpp"
#include "verifier/path_cost.hpp"

namespace callgate::cost {

/// What a call costs by its parts, in whatever unit.
struct Parts {
  double entry = 0;            ///< getppid without a filter
  double cached = 0;           ///< added by any filter, the number served by the cache
  double uncached = 0;         ///< added by the smallest filter that defeats the cache
  double per_filter = 0;       ///< by each further one
  double per_instruction = 0;  ///< of a run of compares
  double per_jump = 0;         ///< what a jump that is taken costs beside that
  double per_arithmetic = 0;   ///< what arithmetic costs beside that

  /// What filters add to a call, but for their instructions. `filters` is 1 at least.
  [[nodiscard]] double fixed(bool served, std::size_t filters) const noexcept;

  /// What their instructions add: those of the smallest filters are in the fixed cost already.
  /// `jumps` and `arithmetic` are of the executed: jumps that are taken, and arithmetic.
  [[nodiscard]] double instructions(std::size_t executed, std::size_t jumps, std::size_t arithmetic,
                                    std::size_t filters) const noexcept;
  /// The least and the most of a path.
  [[nodiscard]] std::pair<double, double> bodies(const verifier::PathCost& path,
                                                 std::size_t filters) const noexcept;
};

/// What a call costs by its parts, in nanoseconds: the coefficients of time_model.def. x86_64 only.
struct TimeModel {
#define COEFFICIENT(name, value, ...) double name = value;
#include "harness/cost/time_model.def"
#undef COEFFICIENT
  std::string source =
      "Linux 6.18 on a Zen 5 class virtual machine (built in)";  ///< where it is from

  [[nodiscard]] Parts parts() const noexcept;
};

/// Reads the JSON that `callgate bench --model FILE` writes: all coefficients, finite and not
/// negative. The error says what is wrong.
[[nodiscard]] std::expected<TimeModel, front_ends::ReadError> read_time_model(
    std::string_view json);

}  // namespace callgate::cost
