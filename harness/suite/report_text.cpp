#include <fmt/format.h>

#include <map>
#include <span>
#include <vector>

#include "harness/suite/clean_text.hpp"
#include "harness/suite/report_writers.hpp"

// For people: per suite what did not pass, and one line with the counts.
namespace callgate::suite {
namespace {

std::string coloured(std::string_view text, int colour, const ReportOptions& options) {
  return options.colour ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : std::string(text);
}

constexpr int kRed = 31;
constexpr int kGreen = 32;
constexpr int kYellow = 33;

std::string mark(Status status, const ReportOptions& options) {
  switch (status) {
    case Status::Passed:
      return coloured("passed ", kGreen, options);
    case Status::Failed:
      return coloured("FAILED ", kRed, options);
    case Status::Absent:
      return coloured("absent ", kYellow, options);
    case Status::Unknown:
      return coloured("UNKNOWN", kYellow, options);
    case Status::Error:
      return coloured("ERROR  ", kRed, options);
  }
  return "";
}

std::string head(const CaseResult& result, const ReportOptions& options) {
  const std::string place = place_text(result.place);
  return fmt::format("{} {}{}{}\n", mark(result.status, options), one_line(result.name),
                     place.empty() ? "" : "   ", place);
}

// Cases that are absent for one reason are one line.
void add_absent(std::string& out, std::span<const CaseResult> cases, const ReportOptions& options) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<const CaseResult*>> by_note;
  for (const CaseResult& each : cases) {
    if (each.status != Status::Absent) continue;
    const std::string note = note_text(each);
    auto& those = by_note[note];
    if (those.empty()) order.push_back(note);
    those.push_back(&each);
  }
  for (const std::string& note : order) {
    const std::vector<const CaseResult*>& those = by_note.at(note);
    const CaseResult& first = *those.front();
    const std::string place = place_text(first.place);
    const std::string more =
        those.size() == 1 ? "" : fmt::format(" and {} more", grouped(those.size() - 1));
    out += fmt::format("{} {}{}{}{}: {}\n", mark(Status::Absent, options), one_line(first.name),
                       more, place.empty() ? "" : "   ", place,
                       note.empty() ? "cannot be asked here" : note);
  }
}

// The cases of one suite; nothing where there is nothing to say.
std::string suite_text(std::span<const CaseResult> cases, const ReportOptions& options) {
  std::string out;
  for (const CaseResult& each : cases) {
    const bool shown =
        each.status == Status::Passed ? options.verbose : each.status != Status::Absent;
    if (shown) out += case_lines(each, options);
  }
  add_absent(out, cases, options);
  return out;
}

}  // namespace

std::string case_lines(const CaseResult& result, const ReportOptions& options) {
  std::string out = head(result, options);
  if (result.status == Status::Passed) return out;
  if (!result.reason.empty()) out += fmt::format("  because {}\n", one_line(result.reason));
  if (!result.kernel.empty() || !result.arch.empty()) {
    out += fmt::format(
        "  for {}{}{}\n", result.kernel.empty() ? "" : "Linux ", one_line(result.kernel),
        (result.kernel.empty() || result.arch.empty() ? "" : " ") + one_line(result.arch));
  }
  if (const std::string note = note_text(result);
      !note.empty() && result.status != Status::Failed) {
    out += fmt::format("  {}\n", note);
  }
  for (const Failure& each : result.failures) out += failure_lines(each, "  ", options.verbose);
  return out;
}

std::string write_text(const RunResults& results, const ReportOptions& options) {
  std::string out;
  const std::span<const CaseResult> all = results.cases;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    while (end < all.size() && all[end].suite == all[begin].suite) ++end;
    const std::string text = suite_text(all.subspan(begin, end - begin), options);
    if (!text.empty()) out += fmt::format("{}\n{}\n", one_line(all[begin].suite), text);
    begin = end;
  }
  const Counts counts = results.counts();
  const bool bad = counts.failed + counts.errors != 0;
  const int colour = bad ? kRed : counts.unknown != 0 ? kYellow : kGreen;
  return out + coloured(summary_line(results), colour, options) + "\n";
}

}  // namespace callgate::suite
