// Any instructions, any kernel: the checker and the reference interpreter always answer; what the
// checker accepts runs without a fault; what it refuses has a reason.

#include "fuzz/case.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/require.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

using callgate::fuzz::require;

CALLGATE_FUZZ_MUTATOR(callgate::fuzz::Want::Any)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const callgate::fuzz::Case a_case = callgate::fuzz::case_of({bytes, size});
  const callgate::KernelModel model = a_case.model();
  const callgate::Program& program = a_case.program();
  const auto checked = callgate::verifier::check(program, model);
  if (!checked) {
    require(!checked.error().diagnostics.empty());
    for (const callgate::Diagnostic& each : checked.error().diagnostics) {
      require(!each.instruction || *each.instruction < program.size());
      require(!message(each).empty());
    }
  } else {
    require(checked->limit_cost().as_attached >= program.size());
    require(checked->limit_cost().as_new <= callgate::kMaxInstructionsPerTask);
  }
  using callgate::reference::Fault;
  for (const callgate::SeccompData& data : a_case.inputs_and(1, callgate::info(model.arch).token)) {
    const callgate::reference::Result result = callgate::reference::run(program, data, model);
    require(result.executed <= program.size());
    if (!checked) continue;
    const bool undefined =
        result.fault == Fault::UndefinedShift ||
        (result.fault == Fault::ShiftTooLarge && !model.has(callgate::Feature::ShiftKRefused));
    require(result.fault == Fault::None || undefined);
  }
  return 0;
}
