#pragma once

#include <span>
#include <string>
#include <vector>

#include "vm/filter_stack.hpp"
#include "vm/seccomp_data.hpp"

/// Calls that do what a refused one does, and are not refused.
namespace callgate::coverage {

/// One of them.
struct Relative {
  SeccompData data;
  std::string why;  ///< "refused as init_module(): the same call of x32"
};

/// For each name that one of `calls` is refused by: the same call of the kernel's other ABIs, and
/// calls that do the same or reach the same (audit/equivalent_calls.def, relatives.def), where
/// these are executed. Each was run. Of ABIs in `abis` alone, unless there are none.
[[nodiscard]] std::vector<Relative> relatives_of(const FilterStack& stack,
                                                 std::span<const SeccompData> calls,
                                                 std::span<const Arch> abis);

}  // namespace callgate::coverage
