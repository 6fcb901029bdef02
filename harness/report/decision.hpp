#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "vm/filter_stack.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"
#include "vm/seccomp_data.hpp"

/// What becomes of one call, and how each filter of the stack came to it.
namespace callgate::report {

/// How one filter came to its value.
struct FilterRun {
  std::size_t filter = 0;  ///< from the oldest (0)
  reference::Result result;
  std::vector<reference::Step> steps;  ///< where they were asked for
};

/// Whether the instructions on the way are wanted.
enum class Steps : bool { No, Yes };

/// Runs each filter of a stack by the reference: newest first, as the kernel asks them.
[[nodiscard]] std::vector<FilterRun> run_filters(const FilterStack& stack, const SeccompData& data,
                                                 Steps steps = Steps::Yes);

/// The first filter of the runs that meets what the kernel leaves undefined, or nullptr.
[[nodiscard]] const FilterRun* first_fault(const std::vector<FilterRun>& runs) noexcept;

/// What the stack says of a call, and what the process sees.
struct Decision {
  std::vector<FilterRun> runs;  ///< newest first
  /// The place in `runs` of a filter that leaves the result undefined: nothing of what is below is
  /// known then.
  std::optional<std::size_t> fault{};
  bool exempt = false;  ///< no filter is asked: the call is allowed whatever they say
  Verdict verdict{};
  Outcome outcome{};

  /// How the deciding filter came to its value; nullptr where none was stricter than ALLOW.
  [[nodiscard]] const FilterRun* winner() const noexcept;
  /// With `fault`: why nothing is known, "filter 0 at instruction 3 makes a shift by …".
  [[nodiscard]] std::string fault_words() const;
  /// Instructions that all filters executed.
  [[nodiscard]] std::size_t executed() const noexcept;
};

[[nodiscard]] Decision decide(const FilterStack& stack, const SeccompData& data,
                              const Surroundings& around, Steps steps);

}  // namespace callgate::report
