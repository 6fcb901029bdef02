#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/trace/trace.hpp"
#include "vm/filter_stack.hpp"
#include "vm/reference.hpp"

/// What filters would have done to calls that were made without them.
namespace callgate::trace {

/// How one filter came to its answer.
struct FilterPath {
  std::size_t filter = 0;  ///< from the oldest
  reference::Result result;
  std::vector<reference::Step> steps;
};

/// What a stack says of a call.
struct Judgement {
  Verdict verdict;                  ///< where nothing is unknown
  std::string unknown;              ///< not empty: why it cannot be told
  std::optional<std::size_t> last;  ///< the instruction of the winner that decided
  bool exempt = false;              ///< no filter is asked
};

/// Runs every filter by the reference. A filter that looks at a word that is not known makes the
/// answer unknown: nothing is guessed. `paths`: not null, then the steps of each filter go there,
/// the newest first.
[[nodiscard]] Judgement judge(const FilterStack& stack, const Call& call,
                              std::vector<FilterPath>* paths = nullptr);

/// Whether the call goes on as if there were no filter: ALLOW and LOG.
[[nodiscard]] bool lets_through(std::uint32_t value, const KernelModel& model);

/// The call's name, or its number; "?" where neither is known.
[[nodiscard]] std::string call_name(const Call& call);

}  // namespace callgate::trace
