#include "harness/live/fitting.hpp"

namespace callgate::live {

std::expected<Fitted, LiveError> fitting(std::span<const Program* const> programs,
                                         int patience_milliseconds) {
  struct Shared {
    volatile std::uint64_t progress;
    volatile int setup;
    volatile int error;
    volatile bool done;
  };
  const SharedMemory memory(sizeof(Shared));
  auto* const shared = memory.as<Shared>();
  const ChildEnd end = run_child(
      [&] {
        shared->setup = allow_filters();
        if (shared->setup == 0) {
          for (const Program* program : programs) {
            const long result = install(program->data(), program->size());
            if (result != 0) {
              shared->error = static_cast<int>(-result);
              break;
            }
            shared->progress = shared->progress + 1;
          }
          shared->done = true;
        }
        raw::callgate_live_end();  // the last filter may forbid every other way out
      },
      &shared->progress, patience_milliseconds);
  if (!shared->done) {
    if (auto wrong = what_went_wrong(end, shared->setup)) return std::unexpected(std::move(*wrong));
  }
  return Fitted{shared->progress, shared->error};
}

}  // namespace callgate::live
