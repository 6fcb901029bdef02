// Scripts of tasks: what every step returns, who lives after it and in which state.

#include <fmt/format.h>

#include <utility>

#include "harness/campaign/properties.hpp"
#include "harness/task/live_runner.hpp"

namespace callgate::campaign {
namespace {

constexpr std::size_t kLongest = 30;

std::expected<task::LiveRun, live::LiveError> ask(Context& context, const task::Script& script) {
  const std::lock_guard lock(context.kernel);
  return task::run_live(script, context.model, context.pace);
}

bool makes_a_task(task::StepKind kind) {
  return kind == task::StepKind::Fork || kind == task::StepKind::Thread;
}

// Steps taken out as long as it still differs. Those that make tasks stay: others go by their
// order.
task::Script smallest(Context& context, task::Script script, task::LiveDifference& difference) {
  script.steps.resize(difference.step + 1);
  for (std::size_t i = script.steps.size() - 1; i-- > 0;) {
    if (makes_a_task(script.steps[i].kind)) continue;
    task::Script fewer = script;
    fewer.steps.erase(fewer.steps.begin() + static_cast<std::ptrdiff_t>(i));
    const auto run = ask(context, fewer);
    if (!run || !run->difference) continue;
    difference = *run->difference;
    script = std::move(fewer);
    script.steps.resize(difference.step + 1);
    i = std::min(i, script.steps.size() - 1);
  }
  return script;
}

}  // namespace

UnitResult run_Scripts(Context& context, const Unit& unit) {
  random::Source source(seed_of(unit, context.settings.seed));
  Tally tally;
  Count& count = tally.count(unit.property);
  for (std::uint64_t s = 0; s < unit.count; ++s) {
    const task::Script script =
        task::random_script(source, kLongest, context.has_sys_admin, context.model);
    auto run = ask(context, script);
    if (!run) return std::unexpected(run.error());
    ++count.made;
    count.asked += run->made;
    if (!run->difference) continue;
    ++count.disagreements;
    if (tally.findings.size() >= kMostFindingsOfUnit) continue;
    task::LiveDifference difference = *run->difference;
    const task::Script small = smallest(context, script, difference);
    Finding out{unit.property, finding_name(unit, s), {}, "task", {}};
    out.summary = fmt::format("step {}: the model: {}; the kernel: {}", difference.step + 1,
                              difference.ours, difference.kernel);
    out.text = finding_story(context, unit, out.summary) + task::text_of(small);
    tally.findings.push_back(std::move(out));
  }
  return tally;
}

}  // namespace callgate::campaign
