// Accepted programs, any inputs, any kernel: every engine returns what the reference returns, one
// input at a time and many at once.

#include <vector>

#include "fuzz/case.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/require.hpp"
#include "harness/engines/engines.hpp"
#include "verifier/check.hpp"
#include "vm/engine.hpp"
#include "vm/reference.hpp"

CALLGATE_FUZZ_MUTATOR(callgate::fuzz::Want::Accepted)

namespace {

[[noreturn]] void differs(const callgate::Engine& engine, const callgate::Program& program,
                          std::uint32_t ours, std::uint32_t reference) {
  callgate::fuzz::fail(std::string(engine.name()) + " returns " + std::to_string(ours) +
                       ", the reference " + std::to_string(reference) + " of\n" +
                       callgate::fuzz::rows_of(program));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const callgate::fuzz::Case a_case = callgate::fuzz::case_of({bytes, size});
  const callgate::KernelModel model = a_case.model();
  const callgate::Program& program = a_case.program();
  const auto checked = callgate::verifier::check(program, model);
  if (!checked) return 0;

  std::vector<callgate::SeccompData> inputs;
  std::vector<std::uint32_t> expected;
  for (const callgate::SeccompData& data :
       a_case.inputs_and(callgate::fuzz::kMoreInputs, callgate::info(model.arch).token)) {
    const callgate::reference::Result result = callgate::reference::run(program, data, model);
    // What the kernel leaves open may be anything.
    if (result.fault != callgate::reference::Fault::None) continue;
    inputs.push_back(data);
    expected.push_back(result.value);
  }
  for (const callgate::Engine* engine : callgate::all_engines()) {
    const auto executable = engine->prepare(*checked);
    if (!executable) {
      callgate::fuzz::require(!executable.error().empty());
      continue;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::uint32_t value = (*executable)->run(inputs[i]);
      if (value != expected[i]) differs(*engine, program, value, expected[i]);
    }
    std::vector<std::uint32_t> values(inputs.size());
    (*executable)->run_many(inputs, values);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (values[i] != expected[i]) differs(*engine, program, values[i], expected[i]);
    }
  }
  return 0;
}
