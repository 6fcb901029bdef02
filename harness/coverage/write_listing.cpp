#include <fmt/format.h>

#include "harness/coverage/writers.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/suite/clean_text.hpp"

namespace callgate::coverage {
namespace {

constexpr std::string_view kLegend =
    "# counts: inputs that came there; proof: no input, but calls that something is proved of do\n"
    "# marks:  ! not visited   - unreachable   ~ foreign: only calls of other machines   ? not "
    "known\n";

char mark_of(State state) {
  switch (state) {
    case State::Covered:
      return ' ';
    case State::NotVisited:
      return '!';
    case State::Foreign:
      return '~';
    case State::Unreachable:
      return '-';
    case State::NotKnown:
      return '?';
  }
  return '?';
}

std::string margin(const Point& point) {
  const std::string count = point.inputs > 0 ? fmt::format("{}", point.inputs)
                            : point.proved   ? "proof"
                                             : "";
  return fmt::format("{:>10} {}", count, mark_of(point.state));
}

std::string direction_words(const Report& report, std::string_view way, const Point& point,
                            Arch arch) {
  std::string out(way);
  switch (point.state) {
    case State::Covered:
      return out + (point.inputs > 0 ? fmt::format(": {}", point.inputs) : ": by proof");
    case State::NotVisited:
      out += ": not visited";
      break;
    case State::Foreign:
      out += ": foreign";
      break;
    case State::Unreachable:
      return out + ": unreachable";
    case State::NotKnown:
      return out + ": not known";
  }
  if (point.would) out += fmt::format(" (`{}`)", call_words(report, *point.would, arch));
  return out;
}

}  // namespace

Document annotated_listing(const Report& report, const Layout& /*layout*/) {
  std::string out(kLegend);
  for (const ProgramCoverage& program : report.programs) {
    out +=
        fmt::format("\n# {}: instructions {}, branches {}\n", program_name(report, program),
                    percent_words(instructions_of(program)), percent_words(branches_of(program)));
    const std::vector<std::string> lines = report::statements(program.program, program.arch);
    for (std::size_t at = 0; at < lines.size(); ++at) {
      std::string line =
          fmt::format("{} {:04}  {}", margin(program.instructions[at]), at, lines[at]);
      if (const auto branch = program.branches.find(at); branch != program.branches.end()) {
        const Instruction& jump = program.program[at];
        line = fmt::format(
            "{:<72}  # {}; {}", line,
            direction_words(report, way_words(jump, at, true), branch->second.taken, program.arch),
            direction_words(report, way_words(jump, at, false), branch->second.not_taken,
                            program.arch));
      }
      out += line + "\n";
    }
  }
  const std::string* file = nullptr;
  for (const RuleCoverage& rule : report.rules) {
    if (file == nullptr || *file != rule.file) {
      file = &rule.file;
      out += fmt::format("\n# rules of {}\n", suite::one_line(rule.file));
    }
    out += fmt::format("{} line {:>5}  {}", margin(rule.point), rule.line, rule.call);
    if (!rule.point.why.empty()) out += fmt::format("  # {}", rule.point.why);
    if (!rule.differs.empty()) out += fmt::format("  # {}", rule.differs);
    out += "\n";
  }
  return {out, {}};
}

}  // namespace callgate::coverage
