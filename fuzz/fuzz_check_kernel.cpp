// Any instructions: the running kernel accepts what the checker accepts, and gives the same errno
// for what it refuses.

#include <optional>

#include "fuzz/case.hpp"
#include "fuzz/live.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/require.hpp"
#include "harness/live/acceptor.hpp"
#include "verifier/check.hpp"
#include "vm/kernel_model.hpp"

CALLGATE_FUZZ_MUTATOR(callgate::fuzz::Want::Any)

namespace {

namespace fuzz = callgate::fuzz;

struct Kernel {
  std::optional<callgate::live::InProcessAcceptor> acceptor;
  callgate::KernelModel model = callgate::KernelModel::host();

  Kernel() {
    auto made = callgate::live::InProcessAcceptor::make();
    if (fuzz::can_be_asked(made ? std::string() : made.error().message)) acceptor = *made;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static Kernel kernel;
  const fuzz::Case a_case = fuzz::case_of({bytes, size});
  const callgate::Program& program = a_case.program();
  const auto checked = callgate::verifier::check(program, kernel.model);
  if (!kernel.acceptor) return 0;
  const auto error = kernel.acceptor->ask(program);
  if (!error) fuzz::no_answer(error.error());
  const int ours = checked ? 0 : static_cast<int>(checked.error().error);
  if (ours == *error) return 0;
  fuzz::fail("errno " + std::to_string(ours) + " in the model, " + std::to_string(*error) +
             " in the kernel, for\n" + fuzz::rows_of(program));
}
