// Stacks of one-instruction filters: the verdict is that of the kernel's loop, written down again
// here in its own words, and every verdict has an outcome.

#include <optional>
#include <vector>

#include "fuzz/input.hpp"
#include "verifier/check.hpp"
#include "vm/filter_stack.hpp"
#include "vm/outcome.hpp"

using callgate::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  callgate::fuzz::Input input(bytes, size);
  const callgate::KernelModel model = input.take_model();
  const auto data = input.take<callgate::SeccompData>();
  const auto flags = input.take<std::uint8_t>();
  if (!model.has(callgate::Feature::FilterMode)) return 0;

  callgate::FilterStack stack(model);
  std::vector<std::uint32_t> values;
  while (input.left() >= 4 && values.size() < 16) {
    const auto value = input.take<std::uint32_t>();
    const callgate::Program program = {{0x06, 0, 0, value}};
    const auto checked = callgate::verifier::check(program, model);
    require(checked.has_value());
    require(stack.push(*checked).has_value());
    values.push_back(value);
  }
  const bool full = model.has(callgate::Feature::ActionFull);
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
  const callgate::Verdict verdict = stack.run(data);
  require(verdict == callgate::Verdict{best, winner});

  callgate::Surroundings around;
  around.tracer = (flags & 1U) != 0;
  around.listener = (flags & 2U) != 0;
  around.only_thread = (flags & 4U) != 0;
  around.sigsys_blocked_or_ignored = (flags & 8U) != 0;
  const callgate::Outcome outcome = outcome_of(stack, verdict, data, around);
  if (outcome.kind == callgate::OutcomeKind::Returns && model.has(callgate::Feature::ErrnoClamp)) {
    require(outcome.value <= 0 && outcome.value >= -4095);
  }
  if (outcome.kind == callgate::OutcomeKind::ThreadDies) require(!around.only_thread);
  return 0;
}
