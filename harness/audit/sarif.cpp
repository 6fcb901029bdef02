#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "harness/audit/writers.hpp"
#include "harness/report/words.hpp"

namespace callgate::audit {
namespace {

using nlohmann::ordered_json;

// "FILE (NAME)" stands for one of several filters of a file.
std::string file_of(const std::string& name) {
  const std::size_t parenthesis = name.rfind(" (");
  return name.ends_with(')') && parenthesis != std::string::npos ? name.substr(0, parenthesis)
                                                                 : name;
}

// A path as a URI reference (RFC 3986): what may not stand in one is written %XX.
std::string uri_of(const std::string& path) {
  std::string out;
  for (const char each : path) {
    const auto byte = static_cast<unsigned char>(each);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') ||
                       std::string_view("-._~/").find(each) != std::string_view::npos;
    out += plain ? std::string(1, each) : fmt::format("%{:02X}", byte);
  }
  return out;
}

ordered_json rule_of(const FindingInfo& row) {
  return {{"id", row.name},
          {"shortDescription", {{"text", row.title}}},
          {"fullDescription", {{"text", fmt::format("{}.", row.title)}}},
          {"help", {{"text", fmt::format("{}.", row.remedy)}}},
          {"defaultConfiguration", {{"level", to_string(row.severity)}}}};
}

ordered_json location_of(const Finding& finding, const Report& report) {
  const std::size_t filter = finding.filter.value_or(0);
  ordered_json physical{
      {"artifactLocation", {{"uri", uri_of(file_of(report.filters.at(filter)))}}}};
  // Pages want a line; where none is known it is the first one, and the logical place says more.
  physical["region"] = {{"startLine", finding.line.value_or(1)}};
  ordered_json out{{"physicalLocation", std::move(physical)}};
  if (!finding.filter) return out;
  std::string name = fmt::format("filter {}", filter);
  if (finding.instruction) name += fmt::format("/instruction {}", *finding.instruction);
  out["logicalLocations"] = ordered_json::array();
  out["logicalLocations"].push_back({{"fullyQualifiedName", name}, {"kind", "function"}});
  return out;
}

ordered_json result_of(const Finding& finding, const Report& report,
                       const std::string& fingerprint) {
  const FindingInfo& row = info(finding.id);
  std::string message = fmt::format("{}: {}.", row.title, finding.message);
  for (const Shown& each : finding.shown) {
    message += fmt::format("\n{}.", shown_words(each, report.model));
  }
  ordered_json out{{"ruleId", row.name},
                   {"ruleIndex", static_cast<std::size_t>(finding.id)},
                   {"level", to_string(finding.severity)},
                   {"message", {{"text", message}}}};
  out["locations"] = ordered_json::array();
  if (!report.filters.empty()) out["locations"].push_back(location_of(finding, report));
  // The same finding keeps its name when instructions move.
  out["partialFingerprints"] = {{"callgateFinding/v1", fingerprint}};
  if (finding.suppressed) {
    out["suppressions"] = ordered_json::array();
    out["suppressions"].push_back({{"kind", "external"}, {"justification", *finding.suppressed}});
  }
  return out;
}

}  // namespace

std::string sarif(const Report& report, const std::string& version) {
  ordered_json rules = ordered_json::array();
  for (const FindingInfo& row : findings()) rules.push_back(rule_of(row));
  ordered_json results = ordered_json::array();
  std::map<std::string, std::size_t> times;
  for (const Finding& each : report.found) {
    std::string name =
        fmt::format("{}:{}:{}", info(each.id).name, each.syscall, each.filter.value_or(0));
    // Of several alike, each has its number.
    if (const std::size_t before = times[name]++; before > 0) name += fmt::format(":{}", before);
    results.push_back(result_of(each, report, name));
  }
  ordered_json notifications = ordered_json::array();
  for (const Incomplete& each : report.incomplete) {
    notifications.push_back(
        {{"level", "warning"},
         {"message", {{"text", fmt::format("{}: {}", each.checks, each.reason)}}}});
  }
  ordered_json invocation{{"executionSuccessful", true}};
  invocation["toolExecutionNotifications"] = std::move(notifications);
  ordered_json run;
  run["tool"] = {{"driver", {{"name", "callgate"}, {"version", version}, {"rules", rules}}}};
  run["invocations"] = ordered_json::array();
  run["invocations"].push_back(std::move(invocation));
  run["results"] = std::move(results);
  run["properties"] = {{"kernel", to_string(report.model.version)},
                       {"arch", info(report.model.arch).name}};
  ordered_json document{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                        {"version", "2.1.0"}};
  document["runs"] = ordered_json::array();
  document["runs"].push_back(std::move(run));
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace callgate::audit
