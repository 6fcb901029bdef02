#pragma once

#include <expected>
#include <mutex>

#include "harness/campaign/plan.hpp"
#include "harness/campaign/tally.hpp"
#include "harness/live/call_sites.hpp"
#include "harness/live/child.hpp"
#include "harness/random/generator.hpp"
#include "vm/kernel_model.hpp"

namespace callgate::campaign {

/// What the units of one campaign share.
struct Context {
  Settings settings;
  KernelModel model;  ///< of the running kernel
  /// Whoever asks the kernel holds it: filters made and dropped by several processes at once have
  /// locked up kernels (live::Pace). Programs are made and results compared without it.
  std::mutex kernel;
  live::Pace pace;  ///< under `kernel`
  bool has_sys_admin = false;
};

/// Findings of one unit that are made small and kept; more are counted.
inline constexpr std::size_t kMostFindingsOfUnit = 4;

/// What came of a unit, or why the kernel could not be asked.
using UnitResult = std::expected<Tally, live::LiveError>;

/// One for each row of properties.def: makes the unit's programs, asks the kernel, compares, and
/// makes what differs as small as it can.
#define PROPERTY(enumerator, ...) \
  [[nodiscard]] UnitResult run_##enumerator(Context& context, const Unit& unit);
#include "harness/campaign/properties.def"
#undef PROPERTY

/// Makes the unit of whichever property.
[[nodiscard]] UnitResult run_unit(Context& context, const Unit& unit);

/// A call for `program`: of x86_64, x32 or i386, one in 16 from a place of its own.
[[nodiscard]] live::Call any_call(random::Source& source, std::span<const Instruction> program);

/// "values-17-3"
[[nodiscard]] std::string finding_name(const Unit& unit, std::uint64_t index);

/// What every vector of a finding starts with, and how to make it again.
[[nodiscard]] std::string finding_story(const Context& context, const Unit& unit,
                                        std::string_view what);

/// The `program:` block and the `input:` line of a vector.
[[nodiscard]] std::string program_block(std::span<const Instruction> program);
[[nodiscard]] std::string input_line(const SeccompData& data);

}  // namespace callgate::campaign
