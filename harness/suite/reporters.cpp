#include "harness/suite/reporters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/suite/clean_text.hpp"
#include "harness/suite/report_writers.hpp"

namespace callgate::suite {
namespace {

constexpr std::array kReporters = {
#define REPORTER(name, what) Reporter{#name, what, write_##name},
#include "harness/suite/reporters.def"
#undef REPORTER
};

// "name      text", where there is a text.
void add_row(std::string& out, std::string_view indent, std::string_view name,
             std::string_view text) {
  if (!text.empty()) out += fmt::format("{}  {:<9} {}\n", indent, name, one_line(text));
}

}  // namespace

std::span<const Reporter> reporters() noexcept { return kReporters; }

const Reporter* reporter_from_name(std::string_view name) noexcept {
  const auto found = std::ranges::find(kReporters, name, &Reporter::name);
  return found == kReporters.end() ? nullptr : &*found;
}

std::string place_text(const CasePlace& place) {
  if (place.file.empty()) return "";
  std::string out = one_line(place.file);
  if (place.line != 0) out += fmt::format(":{}", place.line);
  if (place.line != 0 && place.column != 0) out += fmt::format(":{}", place.column);
  return out;
}

std::string failure_lines(const Failure& failure, std::string_view indent, bool whole_way) {
  std::string out;
  if (!failure.call.empty()) out = fmt::format("{}{}\n", indent, one_line(failure.call));
  add_row(out, indent, "expected", failure.expected);
  add_row(out, indent, "actual",
          failure.outcome.empty() ? failure.actual
                                  : fmt::format("{}: {}", failure.actual, failure.outcome));
  std::string rule = failure.rule;
  if (failure.rule_place) {
    const std::string place = place_text(*failure.rule_place);
    // Words that begin with a place in that file would say it twice.
    const std::string twice =
        fmt::format("line {}, column {}: ", failure.rule_place->line, failure.rule_place->column);
    if (rule.starts_with(twice)) rule.erase(0, twice.size());
    rule = rule.empty() ? place : fmt::format("{} ({})", rule, place);
  }
  add_row(out, indent, "rule", rule);
  // A rule with its line says more than the instructions that it became.
  constexpr std::size_t kFirst = 4;
  constexpr std::size_t kLast = 8;
  const bool has_rule = failure.rule_place && failure.rule_place->line != 0;
  const std::size_t size = failure.path.size();
  for (std::size_t i = 0; i < size && (whole_way || !has_rule); ++i) {
    const std::string_view mark = i == 0 ? "way" : "";
    if (!whole_way && size > kFirst + kLast + 2 && i == kFirst) {
      add_row(out, indent, mark, fmt::format("… {} more; -v shows them", size - kFirst - kLast));
      i = size - kLast;
    }
    add_row(out, indent, i == 0 ? "way" : "", failure.path[i]);
  }
  add_row(out, indent, "hint", failure.hint);
  return out;
}

std::string summary_line(const RunResults& results) {
  const Counts counts = results.counts();
  std::string out = fmt::format(
      "{} {}: {} passed, {} failed, {} unknown{}, {} absent, {} {}", grouped(counts.all()),
      counts.all() == 1 ? "case" : "cases", grouped(counts.passed), grouped(counts.failed),
      grouped(counts.unknown), counts.unknown == 0 ? "" : " (not proved)", grouped(counts.absent),
      grouped(counts.errors), counts.errors == 1 ? "error" : "errors");
  if (results.not_run != 0) out += fmt::format(", {} not run", grouped(results.not_run));
  return out + fmt::format(" in {:.2f} s", results.seconds);
}

std::string note_text(const CaseResult& result) {
  std::string out = one_line(result.note);
  if (result.status == Status::Unknown && !out.starts_with("not proved")) {
    out = out.empty() ? "not proved" : "not proved: " + out;
  }
  if (out.empty()) return one_line(result.how);
  return result.how.empty() ? out : fmt::format("{} ({})", out, one_line(result.how));
}

}  // namespace callgate::suite
