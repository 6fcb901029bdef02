#include "harness/report/decision.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callgate::report {
namespace {

struct StepCollector {
  std::vector<reference::Step>& steps;
  void step(const reference::Step& step) const { steps.push_back(step); }
};

}  // namespace

std::vector<FilterRun> run_filters(const FilterStack& stack, const SeccompData& data, Steps steps) {
  std::vector<FilterRun> runs;
  runs.reserve(stack.size());
  for (std::size_t i = stack.size(); i-- > 0;) {
    FilterRun& run = runs.emplace_back();
    run.filter = i;
    run.result = steps == Steps::Yes ? reference::run(stack.program(i), data, stack.model(),
                                                      StepCollector{run.steps})
                                     : reference::run(stack.program(i), data, stack.model());
  }
  return runs;
}

const FilterRun* first_fault(const std::vector<FilterRun>& runs) noexcept {
  const auto found = std::ranges::find_if(
      runs, [](const FilterRun& run) { return run.result.fault != reference::Fault::None; });
  return found == runs.end() ? nullptr : &*found;
}

const FilterRun* Decision::winner() const noexcept {
  if (!verdict.winner) return nullptr;
  const auto found = std::ranges::find(runs, *verdict.winner, &FilterRun::filter);
  return found == runs.end() ? nullptr : &*found;
}

std::string Decision::fault_words() const {
  const FilterRun& run = runs[*fault];
  return fmt::format("filter {} at instruction {} makes a {}", run.filter, run.result.last,
                     reference::to_string(run.result.fault));
}

std::size_t Decision::executed() const noexcept {
  std::size_t sum = 0;
  for (const FilterRun& run : runs) sum += run.result.executed;
  return sum;
}

Decision decide(const FilterStack& stack, const SeccompData& data, const Surroundings& around,
                Steps steps) {
  Decision out;
  out.runs = run_filters(stack, data, steps);
  // What the kernel leaves undefined is said, rather than guessed.
  if (const FilterRun* fault = first_fault(out.runs)) {
    out.fault = static_cast<std::size_t>(fault - out.runs.data());
    return out;
  }
  out.exempt = is_exempt(data, stack.model());
  if (!out.exempt) out.verdict = stack.run(data);
  out.outcome = outcome_of(stack, out.verdict, data, around);
  return out;
}

}  // namespace callgate::report
