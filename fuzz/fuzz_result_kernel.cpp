// Accepted programs, any inputs that this machine can make: the running kernel returns what the
// reference returns, all 32 bits.

#include "fuzz/case.hpp"
#include "fuzz/live.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/require.hpp"
#include "harness/live/availability.hpp"
#include "harness/live/value_oracle.hpp"
#include "verifier/check.hpp"
#include "vm/kernel_model.hpp"
#include "vm/reference.hpp"

CALLGATE_FUZZ_MUTATOR(callgate::fuzz::Want::Accepted)

namespace {

namespace fuzz = callgate::fuzz;
namespace live = callgate::live;

struct Kernel {
  bool asked = fuzz::can_be_asked(live::availability().filters);
  callgate::KernelModel model = callgate::KernelModel::host();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const Kernel kernel;
  const fuzz::Case a_case = fuzz::case_of({bytes, size});
  const callgate::Program& program = a_case.program();
  if (!kernel.asked || !callgate::verifier::check(program, kernel.model)) return 0;

  live::CallSites sites;
  const std::uint32_t token = callgate::info(callgate::Arch::X86_64).token;
  const live::ValueJob job{program, fuzz::calls_of(a_case.inputs_and(fuzz::kMoreInputs, token))};
  const auto answers = live::values(std::span(&job, 1), sites);
  if (!answers) fuzz::no_answer(answers.error());
  const live::ValueAnswer& answer = answers->front();
  if (answer.install_error != 0) {
    fuzz::fail("refused with errno " + std::to_string(answer.install_error) + "\n" +
               fuzz::rows_of(program));
  }
  for (const live::Value& value : answer.values) {
    if (value.state == live::Value::State::NotReachable) continue;
    const auto ours = callgate::reference::run(program, value.data, kernel.model);
    if (!live::differs(ours, value)) continue;
    const bool known = value.state == live::Value::State::Known;
    fuzz::fail(fuzz::words_of(value.data) + ": " + std::to_string(ours.value) +
               " in the model, in the kernel " +
               (known ? std::to_string(value.value) : std::string(value.why)) + ", of\n" +
               fuzz::rows_of(program));
  }
  return 0;
}
