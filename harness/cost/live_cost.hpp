#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cost/cache_by_timing.hpp"
#include "harness/cost/estimate.hpp"
#include "harness/live/child.hpp"
#include "vm/filter_stack.hpp"

/// What a stack of filters costs the running kernel for each call, measured.
namespace callgate::cost {

/// How long and where to measure.
struct CostOptions {
  unsigned rounds = 15;
  double seconds = 20;  ///< no round begins after that many, once there are three
  int cpu = -1;         ///< the core; -1: the last one that this process may use
};

/// A number and how often it is called.
struct Weight {
  std::uint32_t nr = 0;
  std::uint64_t count = 1;
};

/// What a call costs by its parts, in nanoseconds; warm: the same call again and again.
struct CostModel {
  Estimate entry;       ///< getppid without a filter
  Estimate cached;      ///< what any filter adds to a number that the kernel serves from its cache
  Estimate uncached;    ///< what the smallest filter of which nothing is cached adds
  Estimate per_filter;  ///< what each further such filter adds
  Estimate per_instruction;  ///< of a long run of compares
  Estimate per_jump;         ///< what each more that is taken costs beside that
  Estimate per_arithmetic;   ///< likewise, additions
};

/// What the stack adds to a call of one number, its arguments all 0.
struct NumberCost {
  std::uint32_t nr = 0;
  std::uint64_t count = 0;
  CacheAnswer cache;
  /// the filters' instructions, measured as refusals; nothing where they could not be run
  std::optional<Estimate> body;
  std::optional<Estimate> adds;  ///< fixed cost and body; nothing where either is not known
  std::size_t executed = 0;      ///< instructions that run where the cache does not serve it
  std::string_view why{};        ///< no body: the reason
};

/// What the stack adds to a call of the whole list, on average by its counts.
struct WeightedCost {
  std::uint64_t calls = 0;         ///< that the figures are about
  std::uint64_t cached_calls = 0;  ///< of these
  std::uint64_t left_out = 0;      ///< calls of numbers whose cost is not known
  Estimate adds;
  Estimate fixed;  ///< of it, what has nothing to do with the filters' instructions
  Estimate instructions;
};

/// All that was measured.
struct StackCost {
  int install_error = 0;    ///< errno of a filter that the kernel refused; nothing else then
  std::size_t refused = 0;  ///< which, from the oldest (0)
  unsigned rounds = 0;
  std::uint64_t preemptions = 0;  ///< how often something else took the core from a child
  int core = -1;
  CostModel model;
  /// calls as they were measured, not what is added: getppid under one filter that is cached, one
  /// that is not, and the stack as it is
  Estimate cached_call;
  Estimate uncached_call;
  std::optional<Estimate> stack_call;
  std::optional<Estimate> stack_adds;  ///< to getppid without a filter
  std::string stack_call_why;          ///< no stack_call: the reason
  std::vector<NumberCost> numbers;
  WeightedCost weighted;
};

/// Measures in children that are pinned to one core, each with filters of its own, in rounds in
/// which all that is compared takes turns. Nothing that the stack allows is executed, but for
/// getppid and the calls of harmless_calls(). x86_64's numbers only.
[[nodiscard]] std::expected<StackCost, live::LiveError> live_cost(const FilterStack& stack,
                                                                  std::span<const Weight> numbers,
                                                                  const CostOptions& options = {});

}  // namespace callgate::cost
