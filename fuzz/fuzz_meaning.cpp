// Accepted stacks, any inputs, any kernel: what symbolic execution says of a call is what running
// it says; each call is of one path; a reduced program is no longer and returns the same.

#include <vector>

#include "fuzz/case.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/require.hpp"
#include "verifier/check.hpp"
#include "verifier/meaning.hpp"
#include "verifier/paths.hpp"
#include "verifier/reduce.hpp"
#include "vm/combiner.hpp"
#include "vm/reference.hpp"

CALLGATE_FUZZ_MUTATOR(callgate::fuzz::Want::Accepted)

namespace {

using callgate::verifier::Ending;
using callgate::verifier::Endings;
using callgate::verifier::Space;

// Small, so that a fuzzer sees many.
constexpr callgate::verifier::SpaceLimits kLimits{.nodes = 200'000, .nodes_of_a_term = 3'000};
constexpr std::size_t kMostPaths = 500;

void compare_value(const Endings& endings, Space::Ref function, const callgate::SeccompData& data,
                   const callgate::reference::Result& ran, const callgate::Program& program) {
  const Ending& ending = endings.at(endings.space().evaluate(function, data));
  const bool same = ending.kind == Ending::Kind::NotFollowed ||
                    (ending.kind == Ending::Kind::Undefined
                         ? ran.fault == callgate::reference::Fault::UndefinedShift &&
                               ran.last == ending.instruction
                         : ran.fault == callgate::reference::Fault::None &&
                               endings.value(ending, data) == ran.value);
  if (!same) {
    callgate::fuzz::fail("the meaning is not what the reference says of\n" +
                         callgate::fuzz::rows_of(program));
  }
}

void one_path_each(Space& space, Space::Ref function,
                   const std::vector<callgate::SeccompData>& inputs) {
  std::vector<int> times(inputs.size());
  std::size_t paths = 0;
  try {
    const bool all = callgate::verifier::for_each_path(space, function, [&](const auto& path) {
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!path.holds(space, inputs[i])) continue;
        ++times[i];
        callgate::fuzz::require(path.end == space.evaluate(function, inputs[i]));
      }
      return ++paths < kMostPaths;
    });
    if (!all) return;
  } catch (const callgate::verifier::Diagrams::Full&) {
    return;
  }
  for (const int each : times) callgate::fuzz::require(each == 1);
}

void reduces(const callgate::CheckedProgram& checked, const callgate::KernelModel& model,
             const std::vector<callgate::SeccompData>& inputs) {
  const auto reduced = callgate::verifier::reduced(checked, kLimits);
  const auto shorter = reduced.program.instructions();
  callgate::fuzz::require(shorter.size() <= checked.instructions().size());
  for (const callgate::SeccompData& data : inputs) {
    const auto was = callgate::reference::run(checked.instructions(), data, model);
    const auto is = callgate::reference::run(shorter, data, model);
    callgate::fuzz::require(was.value == is.value && was.fault == is.fault);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const callgate::fuzz::Case a_case = callgate::fuzz::case_of({bytes, size});
  const callgate::KernelModel model = a_case.model();
  callgate::FilterStack stack(model);
  for (const callgate::Program& each : a_case.programs) {
    const auto checked = callgate::verifier::check(each, model);
    if (!checked || !stack.push(*checked).has_value()) return 0;
  }
  const std::vector<callgate::SeccompData> inputs =
      a_case.inputs_and(callgate::fuzz::kMoreInputs, callgate::info(model.arch).token);

  Space space(kLimits);
  Endings endings(space);
  const auto meaning = callgate::verifier::meaning_of(endings, stack, {.steps = 100'000});
  for (const callgate::SeccompData& data : inputs) {
    bool defined = true;
    callgate::Combiner combiner(model);
    for (std::size_t filter = stack.size(); filter-- > 0;) {
      const auto ran = callgate::reference::run(stack.program(filter), data, model);
      compare_value(endings, meaning.filters[filter].value, data, ran, a_case.programs[filter]);
      defined = defined && ran.fault == callgate::reference::Fault::None;
      combiner.add(filter, ran.value);
    }
    const Ending& ending = endings.at(space.evaluate(meaning.verdict, data));
    if (!defined || ending.kind != Ending::Kind::Value) continue;
    const callgate::Verdict verdict = combiner.verdict();
    callgate::fuzz::require(endings.value(ending, data) == verdict.value);
    callgate::fuzz::require(!verdict.winner || ending.filter == verdict.winner);
  }
  one_path_each(space, meaning.verdict, inputs);
  reduces(stack.checked(stack.size() - 1), model, inputs);
  return 0;
}
