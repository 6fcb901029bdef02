#include <nlohmann/json.hpp>

#include "harness/suite/report_writers.hpp"

// The document of results.schema.json.
namespace callgate::suite {
namespace {

using nlohmann::ordered_json;

ordered_json or_null(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

ordered_json or_null(std::size_t number) {
  return number == 0 ? ordered_json() : ordered_json(number);
}

ordered_json json_of(const CasePlace& place) {
  if (place.file.empty()) return nullptr;
  return {{"file", place.file}, {"line", or_null(place.line)}, {"column", or_null(place.column)}};
}

ordered_json json_of(const Failure& failure) {
  ordered_json out{{"call", failure.call},
                   {"expected", failure.expected},
                   {"actual", failure.actual},
                   {"outcome", or_null(failure.outcome)}};
  out["path"] = ordered_json::array();
  for (const std::string& each : failure.path) out["path"].push_back(each);
  out["rule"] = or_null(failure.rule);
  out["rule_place"] = failure.rule_place ? json_of(*failure.rule_place) : ordered_json();
  out["hint"] = or_null(failure.hint);
  return out;
}

ordered_json json_of(const CaseResult& result) {
  ordered_json out{{"suite", result.suite},
                   {"name", result.name},
                   {"status", to_string(result.status)},
                   {"arch", or_null(result.arch)},
                   {"kernel", or_null(result.kernel)},
                   {"place", json_of(result.place)},
                   {"how", or_null(result.how)},
                   {"reason", or_null(result.reason)},
                   {"note", or_null(result.note)},
                   {"seconds", result.seconds}};
  out["failures"] = ordered_json::array();
  for (const Failure& each : result.failures) out["failures"].push_back(json_of(each));
  return out;
}

}  // namespace

std::string write_json(const RunResults& results, const ReportOptions& /*options*/) {
  const Counts counts = results.counts();
  ordered_json document{{"callgate", 1},
                        {"counts",
                         {{"passed", counts.passed},
                          {"failed", counts.failed},
                          {"absent", counts.absent},
                          {"unknown", counts.unknown},
                          {"errors", counts.errors},
                          {"not_run", results.not_run}}},
                        {"seconds", results.seconds}};
  document["cases"] = ordered_json::array();
  for (const CaseResult& each : results.cases) document["cases"].push_back(json_of(each));
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace callgate::suite
