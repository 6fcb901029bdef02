#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "harness/cost/conditions.hpp"
#include "harness/cost/estimate.hpp"

/// How `bench` and `bench --compare` write figures.
namespace callgate::cli {

/// "   126.3 ±0.4   ", 16 columns.
[[nodiscard]] std::string ns(const cost::Estimate& figure);

/// A figure that is a difference: what is within the spread is said to be.
[[nodiscard]] std::string difference(const cost::Estimate& figure);

/// What was held fixed, in lines; `core`: -1 where none was chosen.
void print_conditions(const cost::Conditions& here, int core, unsigned rounds,
                      std::uint64_t preemptions);

[[nodiscard]] nlohmann::ordered_json json_of(const cost::Estimate& figure);
[[nodiscard]] nlohmann::ordered_json json_of(const std::optional<cost::Estimate>& figure);
[[nodiscard]] nlohmann::ordered_json json_of(const cost::Conditions& here);

/// A document as it is printed.
[[nodiscard]] std::string dump(const nlohmann::ordered_json& document);

}  // namespace callgate::cli
