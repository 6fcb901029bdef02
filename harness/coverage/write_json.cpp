#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/coverage/writers.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/suite/explicit_call.hpp"

namespace callgate::coverage {
namespace {

using nlohmann::ordered_json;

std::string_view state_word(State state) {
  switch (state) {
    case State::Covered:
      return "covered";
    case State::NotVisited:
      return "not_visited";
    case State::Foreign:
      return "foreign";
    case State::Unreachable:
      return "unreachable";
    case State::NotKnown:
      return "not_known";
  }
  return "";
}

ordered_json json_of(const Point& point, Arch machine) {
  ordered_json out{
      {"state", state_word(point.state)}, {"inputs", point.inputs}, {"proved", point.proved}};
  if (point.would) out["would"] = suite::explicit_call_text(*point.would, machine);
  if (!point.why.empty()) out["why"] = point.why;
  return out;
}

ordered_json json_of(const Count& count) {
  return {{"covered", count.covered},     {"not_visited", count.not_visited},
          {"foreign", count.foreign},     {"unreachable", count.unreachable},
          {"not_known", count.not_known}, {"percent", count.percent()}};
}

ordered_json json_of(const ProgramCoverage& program) {
  ordered_json out{{"file", program.file},
                   {"arch", info(program.arch).name},
                   {"kernels", ordered_json::array()},
                   {"counts",
                    {{"instructions", json_of(instructions_of(program))},
                     {"branches", json_of(branches_of(program))}}},
                   {"instructions", ordered_json::array()}};
  for (const Version& kernel : program.kernels) out["kernels"].push_back(to_string(kernel));
  const std::vector<std::string> lines = report::statements(program.program, program.arch);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const Instruction& here = program.program[at];
    ordered_json row = json_of(program.instructions[at], program.arch);
    row["code"] = here.code;
    row["jt"] = here.jt;
    row["jf"] = here.jf;
    row["k"] = here.k;
    row["text"] = lines[at];
    if (const auto branch = program.branches.find(at); branch != program.branches.end()) {
      row["taken"] = json_of(branch->second.taken, program.arch);
      row["not_taken"] = json_of(branch->second.not_taken, program.arch);
    }
    out["instructions"].push_back(std::move(row));
  }
  return out;
}

}  // namespace

Document coverage_json(const Report& report, const Layout& /*layout*/) {
  ordered_json document{{"callgate", 1},
                        {"inputs", report.inputs},
                        {"proofs", report.proofs},
                        {"counts",
                         {{"instructions", json_of(report.instructions())},
                          {"branches", json_of(report.branches())},
                          {"rules", json_of(report.rules_count())}}},
                        {"programs", ordered_json::array()},
                        {"rules", ordered_json::array()}};
  for (const ProgramCoverage& each : report.programs) document["programs"].push_back(json_of(each));
  for (const RuleCoverage& each : report.rules) {
    ordered_json row{{"file", each.file},
                     {"line", each.line},
                     {"column", each.column},
                     {"call", each.call},
                     {"arch", info(each.arch).name}};
    row.update(json_of(each.point, each.arch));
    if (!each.differs.empty()) row["differs"] = each.differs;
    document["rules"].push_back(std::move(row));
  }
  return {document.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n", {}};
}

}  // namespace callgate::coverage
