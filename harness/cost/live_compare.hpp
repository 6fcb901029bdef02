#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include "harness/cost/compared_calls.hpp"
#include "harness/cost/estimate.hpp"
#include "harness/cost/paired.hpp"
#include "harness/live/child.hpp"
#include "verifier/known_call.hpp"
#include "vm/filter_stack.hpp"

/// What stacks of filters cost the running kernel for the calls of a workload, side by side.
namespace callgate::cost {

/// How long and where to measure.
struct CompareOptions {
  unsigned rounds = 15;  ///< kLeastPairedRounds are made at least
  double seconds = 20;   ///< no round begins after that many, once there are kLeastPairedRounds
  int cpu = -1;          ///< the core; -1: the last one that this process may use
  bool install = true;   ///< whether installing is timed too
};

/// One of the stacks. Times are in nanoseconds.
struct ComparedStack {
  int install_error = 0;    ///< errno of a filter that the kernel refused; no figures then
  std::size_t refused = 0;  ///< which, from the oldest (0)
  std::string_view why{};   ///< no figures though the kernel takes it: the reason

  std::size_t filters = 0;
  std::size_t length = 0;      ///< instructions of all its programs
  double executed = 0;         ///< of them, that run for an average call
  double cached_share = 0;     ///< of the calls, served by the cache: no filter runs for them
  std::uint64_t left_out = 0;  ///< calls that are in no figure because of this stack
  bool reads_pointer = false;  ///< it looks at the instruction pointer, which is not the workload's

  Estimate adds;          ///< that it adds to the average call of the workload
  Estimate fixed;         ///< of it, what has nothing to do with its instructions
  Estimate instructions;  ///< of it, these
  /// that installing takes, all calls of seccomp(2) together; no rounds: not timed
  Estimate install;
  /// Timed as given; or its older filters would not let the newer ones be installed, and were given
  /// a few instructions more for that
  bool installs_as_given = true;

  [[nodiscard]] bool has_figures() const noexcept { return install_error == 0 && why.empty(); }
};

/// What stack `b` adds to the average call, less what `a` does.
struct StackDifference {
  std::size_t a = 0;
  std::size_t b = 0;
  PairedDifference adds;
};

/// All that was measured.
struct ComparisonOfCosts {
  std::vector<ComparedStack> stacks;         ///< as they were given
  std::vector<StackDifference> differences;  ///< of all pairs that have figures
  unsigned rounds = 0;
  std::uint64_t preemptions = 0;  ///< how often something else took the core from a child
  int core = -1;
  CacheToldBy cache_told_by = CacheToldBy::Model;
  std::uint64_t calls = 0;  ///< that the figures are about
  /// of them, with an argument of which not every bit was known; those bits were 0
  std::uint64_t unknown_arguments = 0;
  std::vector<CallsLeftOut> left_out;
  Estimate entry;   ///< getppid without a filter
  Estimate cached;  ///< what any filter adds to a number that the cache serves
};

/// Measures in children pinned to one core, each with a stack of its own, in rounds in which all
/// stacks take turns in an order that changes. The calls of the workload are made with their
/// arguments, some thousand of them drawn by their counts, in a shuffled order that is the same for
/// all stacks. Every return of the filters is a refusal then: nothing that they allow is executed.
/// What a refused call costs more than under as many smallest filters is what the instructions
/// cost; what those, allowing getppid, cost more than none is the fixed part. A call that the cache
/// serves costs what it does under one filter that allows everything.
/// x86_64's calls only: others, numbers that no filter sees and calls that a filter ends by a
/// division by 0 are left out, of all stacks. Stacks are of filters that KernelModel::host() takes,
/// with that model. An error where the kernel cannot be asked, or no call is left.
[[nodiscard]] std::expected<ComparisonOfCosts, live::LiveError> live_compare(
    std::span<const FilterStack* const> stacks, std::span<const verifier::KnownCall> workload,
    const CompareOptions& options = {});

}  // namespace callgate::cost
