// Any instructions, any kernel: the checker and the reference interpreter always answer; what the
// checker accepts runs without a fault, on every engine alike; what it refuses has a reason.

#include "fuzz/input.hpp"
#include "verifier/check.hpp"
#include "vm/engine.hpp"
#include "vm/reference.hpp"

using callgate::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  callgate::fuzz::Input input(bytes, size);
  const callgate::KernelModel model = input.take_model();
  const auto data = input.take<callgate::SeccompData>();
  const callgate::Program program = input.take_program(5000);

  const callgate::reference::Result result = callgate::reference::run(program, data, model);
  require(result.executed <= program.size());
  const auto checked = callgate::verifier::check(program, model);
  if (!checked) {
    require(!checked.error().diagnostics.empty());
    for (const callgate::Diagnostic& each : checked.error().diagnostics) {
      require(!each.instruction || *each.instruction < program.size());
      require(!message(each).empty());
    }
    return 0;
  }
  using callgate::reference::Fault;
  const bool undefined =
      result.fault == Fault::UndefinedShift ||
      (result.fault == Fault::ShiftTooLarge && !model.has(callgate::Feature::ShiftKRefused));
  require(result.fault == Fault::None || undefined);
  require(checked->limit_cost().as_attached >= program.size());
  require(checked->limit_cost().as_new <= callgate::kMaxInstructionsPerTask);
  for (const callgate::Engine* engine : callgate::engines()) {
    const auto executable = engine->prepare(*checked);
    if (executable && !undefined) require((*executable)->run(data) == result.value);
  }
  return 0;
}
