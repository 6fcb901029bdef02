#include "harness/cost/kernel_body.hpp"

#include <utility>
#include <vector>

#include "harness/cost/probe_filters.hpp"
#include "harness/live/timing.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"

namespace callgate::cost {
namespace {

// Inputs that are timed together: short, so that some windows are not disturbed.
constexpr std::size_t kTogether = 64;

// For one input, from the times of groups.
double mean(const live::TimedWork& work, const live::Timed& timed) {
  double ticks = 0;
  double inputs = 0;
  for (std::size_t i = 0; i < timed.ticks.size(); ++i) {
    const auto here = static_cast<double>(work.groups[i].calls.size());
    ticks += here * timed.ticks[i];
    inputs += here;
  }
  return ticks / inputs;
}

}  // namespace

std::expected<BodyCost, live::LiveError> kernel_body_cost(std::span<const Instruction> program,
                                                          std::span<const SeccompData> inputs,
                                                          const BodyOptions& options) {
  const KernelModel model = KernelModel::host();
  const Program changed = refusing(program);
  std::vector<live::TimedGroup> groups;
  for (const SeccompData& each : inputs) {
    if (each.arch != info(Arch::X86_64).token || is_exempt(each, model)) {
      return std::unexpected(live::LiveError{"an input is no call that filters see here"});
    }
    if (reference::run(changed, each, model).value != kRefusal) {
      return std::unexpected(
          live::LiveError{"an input does not end the program by a return of its own"});
    }
    if (groups.empty() || groups.back().calls.size() == kTogether) groups.emplace_back();
    groups.back().calls.push_back({each.nr, each.args});
  }
  if (groups.empty()) return std::unexpected(live::LiveError{"there is no input"});
  int cpu = options.cpu;
  if (const auto cores = live::usable_cores(); cpu < 0 && !cores.empty()) cpu = cores.back();
  live::TimedWork trivial{.filters = {refusing_filter()},
                          .groups = std::move(groups),
                          .windows = options.windows,
                          .must_return = kRefused,
                          .cpu = cpu};
  live::TimedWork whole = trivial;
  whole.filters = {changed};

  BodyCost out;
  const live::TickClock clock;
  live::Pace pace(live::Pace::Priority::Unchanged);
  std::vector<double> bodies;
  std::vector<double> totals;
  for (unsigned round = 0; round < options.rounds; ++round) {
    pace.step(2);
    // Which comes first changes from round to round, as does what it leaves in the caches.
    const auto first = live::time_calls(round % 2 == 0 ? trivial : whole);
    if (!first) return std::unexpected(first.error());
    const auto second = live::time_calls(round % 2 == 0 ? whole : trivial);
    if (!second) return std::unexpected(second.error());
    const live::Timed& of_trivial = round % 2 == 0 ? *first : *second;
    const live::Timed& of_whole = round % 2 == 0 ? *second : *first;
    if (of_whole.install_error != 0) {
      out.install_error = of_whole.install_error;
      return out;
    }
    if (of_trivial.ticks.empty() || of_whole.ticks.empty()) {
      return std::unexpected(
          live::LiveError{"a call was not refused by the filter that refuses it"});
    }
    totals.push_back(mean(trivial, of_trivial));
    bodies.push_back(mean(whole, of_whole) - totals.back());
  }
  const double scale = clock.nanoseconds_per_tick();
  for (double& each : bodies) each *= scale;
  for (double& each : totals) each *= scale;
  out.nanoseconds = estimate(bodies);
  out.trivial_total = estimate(totals);
  return out;
}

}  // namespace callgate::cost
