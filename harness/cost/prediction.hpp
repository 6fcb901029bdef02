#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/cost/count_model.hpp"
#include "harness/cost/time_model.hpp"
#include "harness/workload/workload.hpp"
#include "verifier/cache.hpp"
#include "verifier/known_call.hpp"
#include "verifier/path_cost.hpp"
#include "vm/filter_stack.hpp"

/// What a stack of filters will cost, told from its programs alone.
namespace callgate::cost {

using workload::CallCount;

/// From the least to the most.
struct Span {
  double least = 0;
  double most = 0;
};

/// What filters add to a call, in nanoseconds or in executed machine instructions.
struct Added {
  Span fixed;         ///< but for their instructions
  Span instructions;  ///< of these

  [[nodiscard]] Span sum() const noexcept {
    return {fixed.least + instructions.least, fixed.most + instructions.most};
  }
};

/// One number.
struct CallCost {
  std::uint32_t nr = 0;
  std::string name;
  std::uint64_t count = 0;
  verifier::CacheAnswer cache;
  std::string why;               ///< not served, or not known: the reason in words
  verifier::PathCost path;       ///< of all filters, if they run: from the least to the most
  Span executed;                 ///< classic instructions of a call: 0 where the cache serves it
  std::optional<Added> time;     ///< with a time model
  std::optional<Added> machine;  ///< machine instructions, where they were counted
};

/// The whole list; the means are for a call, weighted by the counts.
struct Totals {
  std::uint64_t calls = 0;
  std::uint64_t served = 0;     ///< by the cache
  std::uint64_t not_known = 0;  ///< whether the cache serves them
  Span executed;
  std::optional<Added> time;
  std::optional<Added> machine;
};

/// All that is predicted.
struct Prediction {
  std::vector<CallCost> calls;  ///< the dearest first: count times cost
  Totals totals;
};

/// All that a report is made of.
struct Report {
  KernelModel model;
  std::size_t filters = 0;
  std::optional<TimeModel> time;
  std::optional<CountedKernel> counted;
  std::string_view not_counted{};  ///< why not
  bool has_workload = false;       ///< or each number of the architecture was taken once
  Prediction prediction;
};

/// Predicts calls of the stack's ABI. Without a time model or a counted kernel there are no figures
/// of them.
[[nodiscard]] Prediction predict(const FilterStack& stack, std::span<const CallCount> calls,
                                 const std::optional<TimeModel>& time,
                                 const std::optional<CountedKernel>& counted);

/// The same of calls of which more may be known: words that are bring `least` and `most` together.
/// Calls of one number are one CallCost, its costs their means. Calls of other tokens than the
/// ABI's are left out.
[[nodiscard]] Prediction predict(const FilterStack& stack,
                                 std::span<const verifier::KnownCall> calls,
                                 const std::optional<TimeModel>& time,
                                 const std::optional<CountedKernel>& counted);

/// Every call of an ABI's table, once: what is looked at where there is no workload.
[[nodiscard]] std::vector<CallCount> every_call(Arch arch);

}  // namespace callgate::cost
