#include "harness/coverage/execution_paths.hpp"

#include <vector>

#include "harness/report/disassembly.hpp"
#include "vm/opcodes.hpp"

namespace callgate::coverage {
namespace {

using verifier::Diagrams;
using verifier::Space;
using Ref = Space::Ref;

// Where a way has come to.
struct Stop {
  std::size_t filter = 0;
  std::size_t at = 0;
  Ref calls = 0;
};

}  // namespace

bool for_each_execution(const FilterStack& stack, Space& space,
                        const verifier::StackMeaning& meaning, Ref among,
                        const std::function<bool(Ref)>& visit) {
  Diagrams& diagrams = space.diagrams();
  std::vector<Stop> open{{0, 0, among}};
  const auto go = [&](std::size_t filter, std::size_t at, Ref calls) {
    if (calls != Diagrams::kFalse) open.push_back({filter, at, calls});
  };
  while (!open.empty()) {
    const Stop here = open.back();
    open.pop_back();
    if (here.filter == stack.size()) {
      if (!visit(here.calls)) return false;
      continue;
    }
    const verifier::ProgramMeaning& its = meaning.filters[here.filter];
    const Instruction& instruction = stack.program(here.filter)[here.at];
    const OpcodeInfo& row = *find_opcode(instruction.code);
    const Ref calls = diagrams.without(here.calls, its.not_followed);
    if (row.kind == OpcodeKind::Return) {
      go(here.filter + 1, 0, calls);
    } else if (row.kind == OpcodeKind::Branch) {
      // What is put there last is looked at first.
      go(here.filter, here.at + 1 + instruction.jf, diagrams.both(calls, its.not_taken[here.at]));
      go(here.filter, here.at + 1 + instruction.jt, diagrams.both(calls, its.taken[here.at]));
    } else {
      const std::size_t next = report::targets(instruction, here.at).front();
      // A division by 0 and an undefined shift end a run here.
      const Ref on = row.kind == OpcodeKind::Jump ? calls : diagrams.both(calls, its.reached[next]);
      if (on != calls) go(here.filter + 1, 0, diagrams.without(calls, its.reached[next]));
      go(here.filter, next, on);
    }
  }
  return true;
}

}  // namespace callgate::coverage
