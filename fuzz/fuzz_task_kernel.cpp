// Scripts of tasks that install, fork, make threads and call: each step comes to what the model
// says, in real processes of the running kernel.

#include <cstdint>
#include <span>

#include "fuzz/live.hpp"
#include "fuzz/require.hpp"
#include "fuzz/script.hpp"
#include "harness/live/availability.hpp"
#include "harness/task/live_runner.hpp"
#include "vm/kernel_model.hpp"

namespace {

namespace fuzz = callgate::fuzz;
namespace task = callgate::task;

struct Kernel {
  bool asked = fuzz::can_be_asked(callgate::live::availability().outcomes);
  callgate::KernelModel model = callgate::KernelModel::host();
  callgate::live::Pace pace;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static Kernel kernel;
  const task::Script script = fuzz::script_of({bytes, size}, kernel.model);
  if (!kernel.asked) return 0;
  const auto run = task::run_live(script, kernel.model, kernel.pace);
  if (!run) fuzz::fail("no answer: " + run.error().message + "\n" + task::text_of(script));
  if (!run->difference) return 0;
  fuzz::fail("step " + std::to_string(run->difference->step + 1) +
             ": in the model: " + run->difference->ours +
             "; in the kernel: " + run->difference->kernel + ", of\n" + task::text_of(script));
}
