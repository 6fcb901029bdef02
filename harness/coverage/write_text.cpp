#include <fmt/format.h>

#include <iterator>

#include "harness/coverage/missing.hpp"
#include "harness/coverage/writers.hpp"
#include "harness/suite/clean_text.hpp"

namespace callgate::coverage {
namespace {

// Of one program, or of all rules: more are counted.
constexpr std::size_t kMostLines = 50;

std::string count_words(const Count& count, std::string_view what) {
  std::string out =
      fmt::format("{} {} ({} of {}", what, percent_words(count), count.covered, count.all());
  if (count.unreachable != 0) out += fmt::format(", {} unreachable", count.unreachable);
  if (count.foreign != 0) out += fmt::format(", {} foreign", count.foreign);
  if (count.not_known != 0) out += fmt::format(", {} not known", count.not_known);
  return out + ")";
}

// What is not covered, in words; nothing of what is.
class MissingWords {
 public:
  explicit MissingWords(const Report& report) : report_(report) {}

  void add(const std::string& what, const Point& point, Arch arch) {
    switch (point.state) {
      case State::Covered:
        return;
      case State::NotVisited:
        lines_.push_back(fmt::format(
            "not visited: {}{}", what,
            point.would ? fmt::format(": `{}` would", call_words(report_, *point.would, arch))
                        : ""));
        return;
      case State::Foreign:
        lines_.push_back(fmt::format(
            "foreign: {}: only calls of other machines come there{}", what,
            point.would ? fmt::format(", such as `{}`", call_words(report_, *point.would, arch))
                        : ""));
        return;
      case State::Unreachable:
        lines_.push_back(fmt::format("unreachable: {}: {}", what,
                                     point.why.empty() ? "no call comes there" : point.why));
        return;
      case State::NotKnown:
        lines_.push_back(fmt::format("not known: {}: {}", what, point.why));
        return;
    }
  }

  void print(std::string& out) const {
    for (std::size_t i = 0; i < lines_.size() && i < kMostLines; ++i) {
      out += fmt::format("  {}\n", lines_[i]);
    }
    if (lines_.size() > kMostLines) {
      out += fmt::format("  and {} more; the listing shows all\n", lines_.size() - kMostLines);
    }
  }

 private:
  const Report& report_;
  std::vector<std::string> lines_;
};

// What comes next to what was covered first, then what is behind it.
MissingWords missing_words(const Report& report, const ProgramCoverage& program) {
  MissingWords out(report);
  for (const Missing& each : missing_of(program)) {
    std::string what = fmt::format("instruction {}", each.at);
    if (each.taken) what += " " + way_words(program.program[each.at], each.at, *each.taken);
    out.add(what, *each.point, program.arch);
  }
  return out;
}

}  // namespace

Document text_summary(const Report& report, const Layout& /*layout*/) {
  std::string out =
      fmt::format("coverage by {} input{} and {} proof{}\n", report.inputs,
                  report.inputs == 1 ? "" : "s", report.proofs, report.proofs == 1 ? "" : "s");
  for (const ProgramCoverage& each : report.programs) {
    out += fmt::format("{}: {}, {}\n", program_name(report, each),
                       count_words(instructions_of(each), "instructions"),
                       count_words(branches_of(each), "branches"));
    missing_words(report, each).print(out);
  }
  std::size_t first = 0;
  while (first < report.rules.size()) {
    const std::string& file = report.rules[first].file;
    Count count;
    MissingWords missing(report);
    std::string differ;
    for (; first < report.rules.size() && report.rules[first].file == file; ++first) {
      const RuleCoverage& rule = report.rules[first];
      count.add(rule.point.state);
      missing.add(fmt::format("line {}, {}", rule.line, rule.call), rule.point, rule.arch);
      if (rule.differs.empty()) continue;
      differ += fmt::format("  differs: line {}, {}: {}\n", rule.line, rule.call, rule.differs);
    }
    out += fmt::format("{}: {}\n", suite::one_line(file), count_words(count, "rules"));
    missing.print(out);
    out += differ;
  }
  out += fmt::format("all: {}, {}", count_words(report.instructions(), "instructions"),
                     count_words(report.branches(), "branches"));
  if (!report.rules.empty()) out += ", " + count_words(report.rules_count(), "rules");
  return {out + "\n", {}};
}

}  // namespace callgate::coverage
