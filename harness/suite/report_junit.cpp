#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "harness/suite/clean_text.hpp"
#include "harness/suite/report_writers.hpp"

// JUnit XML. There is no one definition of it: these are the elements and attributes that Jenkins'
// schema knows. A testsuite is one of our suites.
namespace callgate::suite {
namespace {

bool is_in_xml(char32_t point) {
  if (point < 0x20) return point == '\t' || point == '\n' || point == '\r';
  return point != 0xfffe && point != 0xffff;
}

// What XML has no way to hold, not even escaped, is U+FFFD. Ends of lines survive in attributes
// only as references.
std::string xml(std::string_view text, bool attribute) {
  std::string out;
  while (!text.empty()) {
    const Decoded next = first_character(text);
    if (!next.valid || !is_in_xml(next.point)) {
      out += "\xef\xbf\xbd";
    } else if (next.point == '&') {
      out += "&amp;";
    } else if (next.point == '<') {
      out += "&lt;";
    } else if (next.point == '>') {
      out += "&gt;";
    } else if (next.point == '"') {
      out += "&quot;";
    } else if (next.point == '\r' || (attribute && next.point < 0x20)) {
      out += fmt::format("&#{};", static_cast<std::uint32_t>(next.point));
    } else {
      out += text.substr(0, next.length);
    }
    text.remove_prefix(next.length);
  }
  return out;
}

std::string attribute(std::string_view name, std::string_view value) {
  return fmt::format(" {}=\"{}\"", name, xml(value, true));
}

std::string seconds(double value) { return fmt::format(" time=\"{:.6f}\"", std::max(value, 0.0)); }

// <failure>, <error>, <skipped>
std::string answer(std::string_view element, std::string_view type, std::string_view message,
                   std::string_view text) {
  return fmt::format("      <{}{}{}>{}</{}>\n", element, attribute("type", type),
                     attribute("message", message), xml(text, false), element);
}

std::string failure_answer(const CaseResult& result, const Failure& failure) {
  std::string text;
  if (!result.reason.empty()) text += fmt::format("because {}\n", one_line(result.reason));
  text += failure_lines(failure, "", true);
  return answer(
      "failure", "failed",
      fmt::format("{}: expected {}, actual {}", failure.call, failure.expected, failure.actual),
      text);
}

std::string answers(const CaseResult& result, const ReportOptions& options) {
  const std::string note = note_text(result);
  switch (result.status) {
    case Status::Passed:
      return "";
    case Status::Failed: {
      std::string out;
      for (const Failure& each : result.failures) out += failure_answer(result, each);
      // Without one it would read as passed.
      return out.empty() ? answer("failure", "failed", note, "") : out;
    }
    case Status::Absent:
      return answer(options.absent_fails ? "failure" : "skipped", "absent", note, "");
    case Status::Unknown:
      return answer(options.accept_unknown ? "skipped" : "failure", "unknown", note, "");
    case Status::Error:
      return answer("error", "error", note, "");
  }
  return "";
}

std::string case_xml(const CaseResult& result, const ReportOptions& options) {
  std::string out =
      "    <testcase" + attribute("name", result.name) + attribute("classname", result.suite);
  if (!result.place.file.empty()) out += attribute("file", result.place.file);
  if (result.place.line != 0) out += fmt::format(" line=\"{}\"", result.place.line);
  out += seconds(result.seconds) + ">\n" + answers(result, options);
  if (!result.how.empty()) {
    out += fmt::format("      <system-out>{}</system-out>\n", xml(result.how, false));
  }
  return out + "    </testcase>\n";
}

// " tests=… failures=… errors=…", and of testsuites, which have it, " skipped=…"
std::string count_attributes(const Counts& counts, const ReportOptions& options, bool skipped) {
  const std::size_t failures = counts.failed + (options.accept_unknown ? 0 : counts.unknown) +
                               (options.absent_fails ? counts.absent : 0);
  const std::size_t skips =
      (options.accept_unknown ? counts.unknown : 0) + (options.absent_fails ? 0 : counts.absent);
  std::string out = fmt::format(" tests=\"{}\" failures=\"{}\" errors=\"{}\"", counts.all(),
                                failures, counts.errors);
  if (skipped) out += fmt::format(" skipped=\"{}\"", skips);
  return out;
}

std::string suite_xml(std::span<const CaseResult> cases, const ReportOptions& options) {
  Counts counts;
  double sum = 0;
  for (const CaseResult& each : cases) {
    counts.add(each.status);
    sum += std::max(each.seconds, 0.0);
  }
  const std::string& file = cases.front().place.file;
  std::string out = "  <testsuite" + attribute("name", cases.front().suite) +
                    (file.empty() ? "" : attribute("file", file)) +
                    count_attributes(counts, options, true) + seconds(sum) + ">\n";
  out += "    <properties>\n";
  for (const auto& [name, count] : {std::pair{"passed", counts.passed},
                                    {"failed", counts.failed},
                                    {"unknown", counts.unknown},
                                    {"absent", counts.absent}}) {
    out += fmt::format("      <property name=\"callgate.{}\" value=\"{}\"/>\n", name, count);
  }
  out += "    </properties>\n";
  for (const CaseResult& each : cases) out += case_xml(each, options);
  return out + "  </testsuite>\n";
}

}  // namespace

std::string write_junit(const RunResults& results, const ReportOptions& options) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"callgate test\"" +
      count_attributes(results.counts(), options, false) + seconds(results.seconds) + ">\n";
  const std::span<const CaseResult> all = results.cases;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    while (end < all.size() && all[end].suite == all[begin].suite) ++end;
    out += suite_xml(all.subspan(begin, end - begin), options);
    begin = end;
  }
  return out + "</testsuites>\n";
}

}  // namespace callgate::suite
