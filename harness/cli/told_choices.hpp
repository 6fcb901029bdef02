#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace callgate::cli {

/// For Option::check(): choices that --help, the manual and completions tell. The value is not
/// checked: what reads it says more of a wrong one than CLI::IsMember would.
[[nodiscard]] inline CLI::Validator told_choices(const std::vector<std::string_view>& names) {
  std::string all;
  for (const std::string_view each : names) {
    if (!all.empty()) all += ',';
    all += each;
  }
  return {[](std::string&) { return std::string(); }, "{" + all + "}"};
}

/// The member `name` of each row of a table.
template <typename Table>
[[nodiscard]] std::vector<std::string_view> names_of(const Table& table) {
  std::vector<std::string_view> out;
  for (const auto& row : table) out.push_back(row.name);
  return out;
}

}  // namespace callgate::cli
