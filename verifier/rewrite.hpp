#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "verifier/expected_cost.hpp"
#include "verifier/known_call.hpp"
#include "verifier/meaning.hpp"
#include "vm/checked_program.hpp"
#include "vm/filter_stack.hpp"

/// One program for a stack of filters: the same function of seccomp_data, at the least cost for a
/// workload that is found.
namespace callgate::verifier {

struct RewriteOptions {
  Prices prices;
  std::size_t most_instructions = kMaxProgramLength;
  /// What an instruction of length is worth in cost of the average call: a longer program is taken
  /// only where it gains more than that.
  double size_price = 0.0001;
};

/// Where a program comes from.
enum class RewriteOrigin : std::uint8_t {
  Trees,     ///< search trees for the number and graphs of tests for arguments, for the workload
  Tests,     ///< a graph of tests of all words in any order, for the workload
  Table,     ///< lower_table(): the decision table as it stands
  Reduced,   ///< reduced(), of a stack of one program of up to 1024 instructions
  Original,  ///< the stack's one program as it was
};

/// In words.
[[nodiscard]] std::string_view to_string(RewriteOrigin origin) noexcept;

struct Rewritten {
  CheckedProgram program;  ///< proved: what the stack returns, as StackMeaning::value, it returns
  RewriteOrigin origin = RewriteOrigin::Trees;
  /// Where what stands likely after a branch was put behind it (laid out by the workload).
  bool laid_out_by_workload = false;
  /// The mean over all calls of the workload, as expected_cost() has it, all programs of the stack
  /// together. A call that no filter is run for (is_served()) costs 0: before by the stack, after
  /// by the new program. An empty workload: 0.
  double cost_before = 0;
  double cost_after = 0;
  /// The share of the workload for which filters are run.
  double run_before = 0;
  double run_after = 0;
  /// Numbers that are always plainly allowed, in the cache's range for certain, of the ABIs of the
  /// kernel and of the workload; how many of them the cache serves.
  std::size_t cacheable = 0;
  std::size_t cached_before = 0;
  std::size_t cached_after = 0;  ///< all, or no program that serves all is as cheap as the original
};

/// The cheapest that is found; never dearer than the stack by cost_before and cost_after. Programs
/// that let the cache serve all that it can come first; of these the one that costs least, with
/// size_price for each instruction, and with what a thousandth of calls would cost of which nothing
/// is known (it keeps what the workload never asks short and in balance, and is in no figure). An
/// error says why there is none. `meaning` is that of the stack, of these Endings. Never throws.
[[nodiscard]] std::expected<Rewritten, std::string> rewritten(Endings& endings,
                                                              const FilterStack& stack,
                                                              const StackMeaning& meaning,
                                                              std::span<const KnownCall> workload,
                                                              const RewriteOptions& options = {});

/// Whether a program alone says what `value` (StackMeaning::value of the stack that it is to stand
/// for) says: the same decision diagram. Every program of rewritten() has passed it. Throws
/// Diagrams::Full.
[[nodiscard]] bool proved_same(Endings& endings, const CheckedProgram& program, Space::Ref value);

}  // namespace callgate::verifier
