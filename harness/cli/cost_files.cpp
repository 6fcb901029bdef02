#include "harness/cli/cost_files.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "harness/cli/cli.hpp"
#include "harness/front_ends/program_reader.hpp"

namespace callgate::cli {

using nlohmann::ordered_json;

cost::TimeModel read_time_model(const std::string& path) {
  const std::string shown = path == "-" ? "standard input" : path;
  const auto text = front_ends::read_file(path);
  if (!text) throw UserError(fmt::format("{}: {}", shown, text.error().message));
  auto result = cost::read_time_model(*text);
  if (!result) {
    const front_ends::ReadError& error = result.error();
    const std::string line = error.line ? fmt::format(":{}", *error.line) : std::string();
    throw UserError(fmt::format("{}{}: {}", shown, line, error.message));
  }
  return std::move(*result);
}

ordered_json json_of(const cost::Span& span) { return {{"min", span.least}, {"max", span.most}}; }

ordered_json json_of(const std::optional<cost::Added>& added) {
  if (!added) return {};
  return {{"adds", json_of(added->sum())},
          {"fixed", json_of(added->fixed)},
          {"instructions", json_of(added->instructions)}};
}

}  // namespace callgate::cli
