#include <fmt/format.h>

#include "harness/suite/clean_text.hpp"
#include "harness/suite/report_writers.hpp"

// TAP: https://testanything.org. A case is a line, and a block of YAML says more of it. The YAML
// keeps to what Perl's small reader of it knows: texts in double quotes, and lists of mappings (a
// text with a colon in a list it takes for a mapping).
namespace callgate::suite {
namespace {

// `#` begins a directive, and `\` escapes.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char each : one_line(text)) {
    if (each == '\\' || each == '#') out += '\\';
    out += each;
  }
  return out;
}

// In double quotes. one_line() has written what YAML takes for the end of a line in letters
// already: the reader sees these.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char each : one_line(text)) {
    if (each == '\\' || each == '"') out += '\\';
    out += each;
  }
  return out + '"';
}

void add(std::string& out, std::string_view indent, std::string_view key, std::string_view value) {
  if (!value.empty()) out += fmt::format("{}{}: {}\n", indent, key, quoted(value));
}

std::string failure_yaml(const Failure& failure) {
  std::string out;
  const std::string_view indent = "      ";
  add(out, indent, "call", failure.call);
  add(out, indent, "expected", failure.expected);
  add(out, indent, "actual", failure.actual);
  add(out, indent, "outcome", failure.outcome);
  add(out, indent, "rule", failure.rule);
  if (failure.rule_place) add(out, indent, "rule_place", place_text(*failure.rule_place));
  if (!failure.path.empty()) {
    out += fmt::format("{}path:\n", indent);
    for (const std::string& each : failure.path) {
      out += fmt::format("{}  - step: {}\n", indent, quoted(each));
    }
  }
  add(out, indent, "hint", failure.hint);
  // A mapping in a list: its first key stands after the dash.
  if (!out.empty()) out.replace(4, 1, "-");
  return out;
}

std::string yaml(const CaseResult& result) {
  std::string out = "  ---\n";
  add(out, "  ", "status", to_string(result.status));
  add(out, "  ", "message", result.reason);
  add(out, "  ", "note", result.note);
  add(out, "  ", "how", result.how);
  add(out, "  ", "suite", result.suite);
  add(out, "  ", "arch", result.arch);
  add(out, "  ", "kernel", result.kernel);
  add(out, "  ", "file", result.place.file);
  if (result.place.line != 0) out += fmt::format("  line: {}\n", result.place.line);
  if (result.place.column != 0) out += fmt::format("  column: {}\n", result.place.column);
  if (!result.failures.empty()) {
    out += "  failures:\n";
    for (const Failure& each : result.failures) out += failure_yaml(each);
  }
  return out + "  ...\n";
}

std::string all_of(const RunResults& results, const ReportOptions& options, int version) {
  std::string out = tap_begin(version);
  for (std::size_t i = 0; i < results.cases.size(); ++i) {
    out += tap_case(results.cases[i], i + 1, options);
  }
  return out + tap_end(results);
}

}  // namespace

std::string tap_begin(int version) { return fmt::format("TAP version {}\n", version); }

std::string tap_case(const CaseResult& result, std::size_t number, const ReportOptions& options) {
  const bool ok =
      result.status == Status::Passed || (result.status == Status::Absent && !options.absent_fails);
  std::string out = fmt::format("{} {} - {}: {}", ok ? "ok" : "not ok", number,
                                escaped(file_name(result.suite)), escaped(result.name));
  switch (result.status) {
    case Status::Passed:
      return out + "\n";
    case Status::Absent:
      if (ok) out += fmt::format(" # SKIP {}", escaped(note_text(result)));
      break;
    case Status::Unknown:
      // A line `ok` would look like a proof. TODO is TAP's word for what need not be ok.
      if (options.accept_unknown) {
        out += fmt::format(" # TODO {}", escaped(note_text(result)));
      }
      break;
    case Status::Failed:
    case Status::Error:
      break;
  }
  return out + "\n" + yaml(result);
}

std::string tap_end(const RunResults& results) {
  std::string out = fmt::format("1..{}\n", results.cases.size());
  if (results.cases.empty()) out = "1..0 # SKIP there is no case\n";
  if (results.not_run != 0) out += fmt::format("# not run: {}\n", results.not_run);
  return out + fmt::format("# {}\n", summary_line(results));
}

std::string write_tap(const RunResults& results, const ReportOptions& options) {
  return all_of(results, options, 14);
}

std::string write_tap13(const RunResults& results, const ReportOptions& options) {
  return all_of(results, options, 13);
}

}  // namespace callgate::suite
