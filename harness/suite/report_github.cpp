#include <fmt/format.h>

#include <map>
#include <vector>

#include "harness/suite/clean_text.hpp"
#include "harness/suite/report_writers.hpp"

// Commands that a workflow of GitHub Actions reads from the output of its steps. A page shows the
// first ten of a kind: failures come first, and what is absent for one reason is one notice.
namespace callgate::suite {
namespace {

// In the message `%` and ends of lines have a meaning; among the properties `:` and `,` too.
std::string escaped(std::string_view text, bool property) {
  std::string out;
  for (const char each : text) {
    if (each == '%' || each == '\n' || each == '\r' || (property && (each == ':' || each == ','))) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(each));
    } else {
      out += each;
    }
  }
  return out;
}

// `message` may have several lines.
std::string command(std::string_view kind, const CasePlace& place, std::string_view title,
                    std::string_view message) {
  std::string properties;
  if (!place.file.empty()) {
    properties += fmt::format("file={},", escaped(one_line(place.file), true));
    if (place.line != 0) properties += fmt::format("line={},", place.line);
    if (place.column != 0) properties += fmt::format("col={},", place.column);
  }
  return fmt::format("::{} {}title={}::{}\n", kind, properties, escaped(one_line(title), true),
                     escaped(message, false));
}

std::string title(const CaseResult& result) {
  return fmt::format("{}: {}", to_string(result.status), result.name);
}

std::string message(const CaseResult& result) {
  std::string out;
  if (!result.reason.empty()) out += fmt::format("because {}\n", one_line(result.reason));
  if (result.status != Status::Failed) out += note_text(result) + "\n";
  for (const Failure& each : result.failures) out += failure_lines(each, "");
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

void add(std::string& out, const RunResults& results, Status status, std::string_view kind) {
  for (const CaseResult& each : results.cases) {
    if (each.status == status) out += command(kind, each.place, title(each), message(each));
  }
}

void add_absent(std::string& out, const RunResults& results) {
  using Key = std::pair<std::string, std::string>;
  std::vector<Key> order;
  std::map<Key, std::vector<const CaseResult*>> alike;
  for (const CaseResult& each : results.cases) {
    if (each.status != Status::Absent) continue;
    const Key key{each.suite, note_text(each)};
    auto& those = alike[key];
    if (those.empty()) order.push_back(key);
    those.push_back(&each);
  }
  for (const Key& key : order) {
    const std::vector<const CaseResult*>& those = alike.at(key);
    const std::string more =
        those.size() == 1 ? "" : fmt::format(" and {} more", grouped(those.size() - 1));
    out += command("notice", those.front()->place, title(*those.front()) + more, key.second);
  }
}

}  // namespace

std::string write_github(const RunResults& results, const ReportOptions& /*options*/) {
  std::string out;
  add(out, results, Status::Failed, "error");
  add(out, results, Status::Error, "error");
  add(out, results, Status::Unknown, "warning");
  add_absent(out, results);
  return out + summary_line(results) + "\n";
}

}  // namespace callgate::suite
