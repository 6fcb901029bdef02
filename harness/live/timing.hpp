#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "harness/live/child.hpp"
#include "vm/instruction.hpp"

/// How long calls take under filters, in children pinned to a core.
namespace callgate::live {

/// A call to make again and again.
struct TimedCall {
  std::int32_t nr = 0;
  std::array<std::uint64_t, 6> args{};
};

/// Calls that are timed together, one after the other, `repeats` times in each window.
struct TimedGroup {
  std::vector<TimedCall> calls;
  unsigned repeats = 1;
};

/// What one child does. Calls that its filters allow are executed: whoever asks sees to it that
/// they are harmless.
struct TimedWork {
  std::vector<Program> filters;  ///< oldest first; those below another must let `install` pass
  std::vector<TimedGroup> groups;
  unsigned windows = 1;  ///< of each group; the child goes through all groups once for each
  /// the result that every call must have; any other ends the child at once
  std::optional<std::int64_t> must_return;
  int cpu = -1;  ///< the core to stay on; -1: wherever the kernel puts it
};

/// What a child saw.
struct Timed {
  int install_error = 0;                ///< errno of the first filter refused; no times then
  std::size_t installed = 0;            ///< filters that were not
  std::uint64_t install_ticks = 0;      ///< that installing took, all filters together
  std::optional<std::size_t> surprise;  ///< the group with a result that it must not have
  /// processor ticks for a call of each group: the least of all windows, since whatever disturbs a
  /// window makes it longer
  std::vector<double> ticks;
};

/// Runs the work in one child, which ends when it is done and is killed where it shows no progress.
/// An error too where it may not stay on the core.
[[nodiscard]] std::expected<Timed, LiveError> time_calls(const TimedWork& work,
                                                         int patience_milliseconds = kPatience);

/// How often something else took the core from a child of this process, of those that have ended.
[[nodiscard]] std::uint64_t children_preempted();

/// The cores that this process may use, by rising number.
[[nodiscard]] std::vector<int> usable_cores();

/// Translates ticks of the processor to nanoseconds, by what both clocks did since it was made.
class TickClock {
 public:
  TickClock() noexcept;
  /// Waits until the two clocks have gone on for long enough to be compared.
  [[nodiscard]] double nanoseconds_per_tick() const;

 private:
  std::uint64_t ticks_;
  double nanoseconds_;
};

}  // namespace callgate::live
