#pragma once

#include <vector>

#include "harness/audit/finding.hpp"
#include "harness/audit/subject.hpp"

/// The checks of an audit, each a part of findings.def. Each may throw Diagrams::Full: what it
/// found until then stands.
namespace callgate::audit {

using Found = std::vector<Finding>;

void check_abis(Subject& subject, Found& found);       ///< which ABI a call is of
void check_arguments(Subject& subject, Found& found);  ///< what arguments are asked for
void check_signedness(Subject& subject, Found& found);
void check_calls(Subject& subject, Found& found);     ///< what is left open
void check_flow(Subject& subject, Found& found);      ///< instructions without effect
void check_rules(Subject& subject, Found& found);     ///< rules of profiles without effect
void check_verdicts(Subject& subject, Found& found);  ///< what verdicts do
void check_machines(Subject& subject, Found& found);  ///< what differs between machines
void check_costs(Subject& subject, Found& found);     ///< limits, and the kernel's cache

/// Runs all of them.
[[nodiscard]] Report audit(const FilterStack& stack, std::vector<Layer> layers,
                           Situation situation = {});

}  // namespace callgate::audit
