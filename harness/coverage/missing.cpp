#include "harness/coverage/missing.hpp"

#include "harness/report/disassembly.hpp"

namespace callgate::coverage {
namespace {

// Whether something that was covered goes on to an instruction without a choice, or begins there:
// else what leads to it is listed already.
std::vector<bool> told_on_their_own(const ProgramCoverage& program) {
  std::vector<bool> out(program.program.size(), false);
  if (!out.empty()) out[0] = true;
  for (std::size_t at = 0; at < program.program.size(); ++at) {
    if (program.branches.contains(at) || program.instructions[at].state != State::Covered) continue;
    for (const std::size_t next : report::targets(program.program[at], at)) {
      if (next < out.size()) out[next] = true;
    }
  }
  return out;
}

}  // namespace

std::vector<Missing> missing_of(const ProgramCoverage& program) {
  std::vector<Missing> out;
  const auto add = [&](std::size_t at, std::optional<bool> taken, const Point& point) {
    if (point.state != State::Covered) out.push_back({at, taken, &point});
  };
  const std::vector<bool> own = told_on_their_own(program);
  for (const bool behind : {false, true}) {
    for (std::size_t at = 0; at < program.instructions.size(); ++at) {
      const Point& point = program.instructions[at];
      const bool dead = point.state == State::Unreachable;
      if (!behind && (own[at] || dead)) add(at, std::nullopt, point);
      const auto branch = program.branches.find(at);
      if (branch == program.branches.end() || dead) continue;
      if (behind == (point.state == State::Covered)) continue;
      add(at, true, branch->second.taken);
      add(at, false, branch->second.not_taken);
    }
  }
  return out;
}

}  // namespace callgate::coverage
