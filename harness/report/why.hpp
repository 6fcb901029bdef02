#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "harness/filters/filter_files.hpp"
#include "harness/front_ends/policy.hpp"
#include "harness/report/decision.hpp"
#include "vm/filter_stack.hpp"
#include "vm/seccomp_data.hpp"

/// Why one call gets what it gets: the way through each filter, and the rules that those were made
/// of.
namespace callgate::report {

/// Whether an instruction is a conditional jump.
[[nodiscard]] bool is_branch(const Instruction& instruction);

/// The way, a line for each instruction; many comparisons with one number each, none of which it
/// is, are one line.
[[nodiscard]] std::vector<std::string> path_lines(const FilterRun& run, const Program& program,
                                                  Arch arch);

/// What the profile that a filter is made of says of a call.
struct ProfileWords {
  std::size_t filter = 0;
  front_ends::Decision decision;
  std::string words;  ///< "line 3, column 5: rule for read: ALLOW"
  front_ends::Place place{};
};

/// For each filter that is made of a profile, in the order of the runs.
[[nodiscard]] std::vector<ProfileWords> profiles_of(std::span<const filters::FilterFile> files,
                                                    const std::vector<FilterRun>& runs,
                                                    const SeccompData& data,
                                                    const KernelModel& model);

}  // namespace callgate::report
