// Stacks of accepted programs: the verdict is that of the kernel's loop, written down again here in
// its own words over what the reference returns, and every verdict has an outcome. The stack that
// is specialised as a whole says the same.

#include <optional>
#include <vector>

#include "fuzz/case.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/require.hpp"
#include "verifier/check.hpp"
#include "vm/filter_stack.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"
#include "vm/specialised_stack.hpp"

using callgate::fuzz::require;

CALLGATE_FUZZ_MUTATOR(callgate::fuzz::Want::Accepted)

namespace {

// What each filter returns, oldest first; nothing where the kernel leaves one open.
std::optional<std::vector<std::uint32_t>> values_of(const callgate::FilterStack& stack,
                                                    const callgate::SeccompData& data) {
  std::vector<std::uint32_t> values;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const auto result = callgate::reference::run(stack.program(i), data, stack.model());
    if (result.fault != callgate::reference::Fault::None) return std::nullopt;
    values.push_back(result.value);
  }
  return values;
}

callgate::Verdict loop(const std::vector<std::uint32_t>& values, bool full) {
  std::uint32_t best = 0x7fff0000U;
  std::optional<std::size_t> winner;
  for (std::size_t i = values.size(); i-- > 0;) {
    const bool stricter = full ? static_cast<std::int32_t>(values[i] & 0xffff0000U) <
                                     static_cast<std::int32_t>(best & 0xffff0000U)
                               : (values[i] & 0x7fff0000U) < (best & 0x7fff0000U);
    if (stricter) {
      best = values[i];
      winner = i;
    }
  }
  return {best, winner};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const callgate::fuzz::Case a_case = callgate::fuzz::case_of({bytes, size});
  const callgate::KernelModel model = a_case.model();
  if (!model.has(callgate::Feature::FilterMode)) return 0;
  callgate::FilterStack stack(model);
  for (const callgate::Program& program : a_case.programs) {
    const auto checked = callgate::verifier::check(program, model);
    if (checked) static_cast<void>(stack.push(*checked));
  }
  const callgate::SpecialisedStack specialised(stack);
  const callgate::Surroundings around = a_case.surroundings();
  for (const callgate::SeccompData& data : a_case.inputs_and(2, callgate::info(model.arch).token)) {
    const auto values = values_of(stack, data);
    if (!values) continue;
    const callgate::Verdict verdict = stack.run(data);
    require(verdict == loop(*values, model.has(callgate::Feature::ActionFull)));
    require(specialised.run(data) == verdict);

    const callgate::Outcome outcome = outcome_of(stack, verdict, data, around);
    if (outcome.kind == callgate::OutcomeKind::Returns &&
        model.has(callgate::Feature::ErrnoClamp)) {
      require(outcome.value <= 0 && outcome.value >= -4095);
    }
    if (outcome.kind == callgate::OutcomeKind::ThreadDies) require(!around.only_thread);
    if (outcome.kind == callgate::OutcomeKind::Unknown) require(!outcome.reason.empty());
  }
  return 0;
}
