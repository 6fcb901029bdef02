// Stacks of accepted programs, as they are, in some one with a listener: what becomes of calls is
// what the model says, action, data, signal, siginfo, notification and all, on the running kernel
// under ptrace.

#include <optional>
#include <vector>

#include "fuzz/case.hpp"
#include "fuzz/live.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/require.hpp"
#include "harness/live/availability.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/report/words.hpp"
#include "verifier/check.hpp"
#include "vm/filter_stack.hpp"
#include "vm/kernel_model.hpp"

CALLGATE_FUZZ_MUTATOR(callgate::fuzz::Want::Accepted)

namespace {

namespace fuzz = callgate::fuzz;
namespace live = callgate::live;

// Each call that kills costs a child.
constexpr std::size_t kMostCalls = 8;
// As the oracle's child has it.
constexpr callgate::Surroundings kAround = {.tracer = true,
                                            .listener = false,  // unless the winner has it
                                            .only_thread = false,
                                            .sigsys_blocked_or_ignored = false,
                                            .log_flag = false};

struct Kernel {
  live::Availability available = live::availability();
  bool asked = fuzz::can_be_asked(available.outcomes);
  callgate::KernelModel model = callgate::KernelModel::host();
};

void compare_all(const callgate::FilterStack& stack, const std::vector<callgate::Program>& programs,
                 std::optional<std::size_t> listener, const live::StackSeen& seen) {
  for (const live::Seen& each : seen.calls) {
    const callgate::Verdict verdict = stack.run(each.data);
    callgate::Surroundings around = kAround;
    around.listener = listener && verdict.winner == listener;
    const callgate::Outcome ours = outcome_of(stack, verdict, each.data, around);
    if (compare(ours, verdict.value, each) != live::Agreement::Differs) continue;
    std::string what = fuzz::words_of(each.data) +
                       ": in the model: " + callgate::report::outcome_words(ours, "the call") +
                       "; in the kernel: " + words(each, "the call");
    for (const callgate::Program& program : programs) {
      what += "\nfilter\n" + fuzz::rows_of(program);
    }
    if (listener) what += "\nfilter " + std::to_string(*listener) + " has a listener";
    fuzz::fail(what);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const Kernel kernel;
  const fuzz::Case a_case = fuzz::case_of({bytes, size});
  callgate::FilterStack stack(kernel.model);
  std::vector<callgate::Program> programs;
  for (const callgate::Program& program : a_case.programs) {
    const auto checked = callgate::verifier::check(program, kernel.model);
    if (!checked || !stack.push(*checked)) continue;
    programs.push_back(program);
  }
  if (!kernel.asked || programs.empty()) return 0;

  const std::uint32_t token = callgate::info(callgate::Arch::X86_64).token;
  std::vector<live::Call> calls = fuzz::calls_of(a_case.inputs_and(fuzz::kMoreInputs, token), true);
  if (calls.size() > kMostCalls) calls.resize(kMostCalls);
  live::CallSites sites;
  const auto listener =
      kernel.available.notification.empty() ? a_case.listener(programs.size()) : std::nullopt;
  const auto seen = live::outcomes(programs, calls, sites, {.listener = listener});
  if (!seen) fuzz::no_answer(seen.error());
  if (seen->install_error != 0) {
    fuzz::fail("filter " + std::to_string(seen->installed) + " is refused with errno " +
               std::to_string(seen->install_error));
  }
  compare_all(stack, programs, listener, *seen);
  return 0;
}
