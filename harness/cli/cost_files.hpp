#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "harness/cost/prediction.hpp"
#include "harness/cost/time_model.hpp"

/// What `callgate cost` and `callgate tune` share.
namespace callgate::cli {

/// A file that `callgate bench --model FILE` wrote; "-" is standard input. UserError with the place
/// where it cannot be read.
[[nodiscard]] cost::TimeModel read_time_model(const std::string& path);

/// `min` and `max`.
[[nodiscard]] nlohmann::ordered_json json_of(const cost::Span& span);
/// `adds`, `fixed` and `instructions`, or null.
[[nodiscard]] nlohmann::ordered_json json_of(const std::optional<cost::Added>& added);

}  // namespace callgate::cli
