#include <algorithm>
#include <array>
#include <functional>

#include "harness/audit/checks.hpp"

namespace callgate::audit {
namespace {

struct Check {
  std::string_view what;
  void (*run)(Subject&, Found&);
};

constexpr std::array kChecks = {
    Check{"which ABI a call is of", check_abis},
    Check{"what arguments are asked for", check_arguments},
    Check{"signs of arguments", check_signedness},
    Check{"what is left open", check_calls},
    Check{"instructions without effect", check_flow},
    Check{"rules without effect", check_rules},
    Check{"what verdicts do", check_verdicts},
    Check{"what differs between machines", check_machines},
    Check{"limits and the cache", check_costs},
};

constexpr std::string_view kTooComplicated = "the conditions are too complicated";

void say_incomplete(Subject& subject, Report& report) {
  for (std::size_t filter = 0; filter < subject.stack().size(); ++filter) {
    if (subject.meaning().filters[filter].not_followed == Diagrams::kFalse) continue;
    report.incomplete.push_back(
        {"all but limits and rules of profiles",
         "not all ways through filter " + std::to_string(filter) +
             " could be followed: what is not reported of it may be there all the same"});
  }
  if (!subject.space().opaques().empty()) {
    report.incomplete.push_back(
        {"what arguments are asked for, what is left open, instructions without effect",
         "some comparisons (of products, or quotients, of what is not constant) could not be told "
         "apart into bits: what depends on them is reported only where a call was found that shows "
         "it"});
  }
}

}  // namespace

Report audit(const FilterStack& stack, std::vector<Layer> layers, Situation situation) {
  Report report;
  report.model = stack.model();
  for (const Layer& each : layers) report.filters.push_back(each.name);
  try {
    Subject subject(stack, std::move(layers), situation);
    say_incomplete(subject, report);
    for (const Check& check : kChecks) {
      try {
        check.run(subject, report.found);
      } catch (const Diagrams::Full&) {
        report.incomplete.push_back({std::string(check.what), std::string(kTooComplicated)});
      }
    }
  } catch (const Diagrams::Full&) {
    report.incomplete.push_back({"all checks", std::string(kTooComplicated)});
  }
  // In place, and the same every time: by weight, then by the table, then as they were found.
  std::vector<std::size_t> order(report.found.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const Finding& one = report.found[a];
    const Finding& two = report.found[b];
    if (one.severity != two.severity) return one.severity > two.severity;
    if (one.id != two.id) return one.id < two.id;
    return a < b;
  });
  std::vector<Finding> sorted;
  for (const std::size_t each : order) sorted.push_back(std::move(report.found[each]));
  report.found = std::move(sorted);
  return report;
}

}  // namespace callgate::audit
