#include "harness/compare/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "harness/compare/words.hpp"
#include "harness/random/generator.hpp"
#include "vm/syscalls.hpp"

#ifdef CALLGATE_WITH_SOLVER
#include "verifier/solver/z3.hpp"
#endif

namespace callgate::compare {
namespace {

using verifier::Answer;
using verifier::Diagrams;
using verifier::Difference;
using verifier::Level;

// Runs both on calls near what their constants are, and on numbers of the tables.
void try_out(const FilterStack& a, const FilterStack& b, const Request& request, Result& result) {
  random::Source source(1);
  Program all;
  for (const FilterStack* stack : {&a, &b}) {
    for (std::size_t i = 0; i < stack->size(); ++i) {
      const auto program = stack->program(i);
      all.insert(all.end(), program.begin(), program.end());
    }
  }
  const Arch arch_a = a.model().arch;
  const Arch arch_b = b.model().arch;
  const auto rows = syscalls(arch_a);
  for (std::size_t i = 0; i < request.inputs; ++i) {
    SeccompData data_a = random::input(source, all, info(arch_a).token);
    if (!request.by_name && i % 4 == 3) {
      const auto arches = callgate::arches();
      data_a.arch = arches[source.below(static_cast<std::uint32_t>(arches.size()))].token;
    }
    SeccompData data_b = data_a;
    if (request.by_name || i % 2 == 0) {
      const SyscallRow& row = rows[i / 2 % rows.size()];
      data_a.nr = data_b.nr = static_cast<std::int32_t>(row.nr);
      if (request.by_name) {
        const auto nr_b = syscall_number(arch_b, row.name);
        if (!nr_b) continue;
        data_b.nr = static_cast<std::int32_t>(*nr_b);
        data_b.arch = info(arch_b).token;
      }
    }
    const auto stands = verifier::stands(request.options, a, data_a, b, data_b);
    if (!stands) continue;
    ++result.tried;
    if (*stands) {
      result.contradiction = data_a;
      return;
    }
  }
}

}  // namespace

std::unique_ptr<verifier::Solver> built_in_solver(std::chrono::milliseconds in_all) {
#ifdef CALLGATE_WITH_SOLVER
  return verifier::z3_solver({.of_a_question = in_all, .in_all = in_all});
#else
  (void)in_all;
  return nullptr;
#endif
}

Result compared(const FilterStack& a, const FilterStack& b, const Request& request) {
  verifier::Space space;
  verifier::Endings endings(space);
  const auto meaning_a = verifier::meaning_of(endings, a);
  const auto meaning_b = verifier::meaning_of(endings, b);
  const auto z3 = built_in_solver(request.solving);
  verifier::DiagramSolver solver(z3.get(), "Z3 is not built in");
  const verifier::Side side_a{a, meaning_a};
  const verifier::Side side_b{b, meaning_b};
  const verifier::Comparison found =
      request.by_name ? verifier::compare_by_name(endings, side_a, side_b, solver, request.options)
                      : verifier::compare(endings, side_a, side_b, solver, request.options);
  Result result;
  result.answer = found.answer;
  result.how = found.how;
  result.complete = found.complete;
  result.only_a = found.only_a;
  result.only_b = found.only_b;
  result.compared_calls = found.compared_calls;
  if (!found.wrong.empty()) result.contradiction = found.wrong.front();
  const Words words(space, a.model(), b.model(), request);
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (const Difference& each : found.differences) {
    Change change = words.change(each);
    const auto [place, fresh] = places.try_emplace({change.from, change.to}, result.changes.size());
    if (fresh) result.changes.push_back(std::move(change));
    result.changes[place->second].calls.push_back(words.calls(each));
  }
  for (const verifier::OpenCalls& each : found.open) result.open.push_back(words.open(each));
  if (found.answer == Answer::Equal && !result.contradiction) try_out(a, b, request, result);
  return result;
}

}  // namespace callgate::compare
