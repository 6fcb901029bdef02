#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "harness/campaign/plan.hpp"
#include "harness/campaign/tally.hpp"
#include "harness/live/child.hpp"

/// Long differential runs: random programs, stacks and scripts, our answers and the running
/// kernel's. Units are done by several threads and counted in order, so that a campaign can be
/// stopped after any of them and gone on with.
namespace callgate::campaign {

/// How far a campaign has come.
struct State {
  Settings settings;
  std::string kernel;    ///< the release that was asked, as uname(2) has it
  std::size_t done = 0;  ///< units of the plan that are counted, from its start
  double seconds = 0;    ///< of all runs together
  Tally tally;
};

/// Who watches a campaign.
struct Watch {
  /// Looked at before each unit; true: no further unit is started.
  std::function<bool()> stop = [] { return false; };
  /// Called after each unit that is counted, by one thread at a time.
  std::function<void(const State&)> counted = [](const State&) {};
};

/// Goes on from `state` until the plan's end or `watch.stop`, with so many threads. On an error
/// (the kernel could not be asked) what was counted before it stays.
[[nodiscard]] std::expected<void, live::LiveError> run(State& state, unsigned jobs,
                                                       const Watch& watch);

/// A file's text for a state, and the way back: an error says what is wrong with it.
[[nodiscard]] std::string state_text(const State& state);
[[nodiscard]] std::expected<State, std::string> parse_state(const std::string& text);

/// The running kernel's release: "6.18.44".
[[nodiscard]] std::string kernel_release();

}  // namespace callgate::campaign
