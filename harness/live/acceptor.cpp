#include "harness/live/acceptor.hpp"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sys/resource.h>

#include <cerrno>

namespace callgate::live {
namespace {

constexpr std::size_t kControlEvery = 256;

struct Shared {
  volatile std::uint64_t progress;
  volatile int setup;  // errno of the preparation
};

// A length that struct sock_fprog cannot say is one that the kernel would refuse.
long asked_of(const Program& program, unsigned long flags) {
  if (program.size() > UINT16_MAX) return -EINVAL;
  return install(program.data(), program.size(), flags);
}

}  // namespace

std::expected<std::vector<int>, LiveError> accepted(std::span<const Program> programs,
                                                    int patience_milliseconds) {
  const std::size_t errors_at = sizeof(Shared);
  const std::size_t controls = programs.size() / kControlEvery + 1;
  const SharedMemory memory(errors_at + (programs.size() + controls) * sizeof(int));
  auto* const shared = memory.as<Shared>();
  int* const errors = memory.as<int>(errors_at);
  int* const real = errors + programs.size();

  const ChildEnd end = run_child(
      [&] {
        shared->setup = allow_filters();
        if (shared->setup != 0) return;
        const rlimit none{0, 0};
        setrlimit(RLIMIT_NOFILE, &none);
        Pace pace;
        for (std::size_t i = 0; i < programs.size(); ++i) {
          const long result = asked_of(programs[i], SECCOMP_FILTER_FLAG_NEW_LISTENER);
          errors[i] = result == -EMFILE ? 0 : static_cast<int>(-result);
          shared->progress = shared->progress + 1;
          pace.step();
        }
      },
      &shared->progress, patience_milliseconds);
  if (auto wrong = what_went_wrong(end, shared->setup)) return std::unexpected(std::move(*wrong));
  for (std::size_t i = 0; i < programs.size(); i += kControlEvery) {
    int* const answer = real + i / kControlEvery;
    *answer = -1;
    const ChildEnd control = run_child(
        [&] {
          if (allow_filters() != 0) return;
          *answer = static_cast<int>(-asked_of(programs[i], 0));
          shared->progress = shared->progress + 1;
          raw::callgate_live_end();  // the filter may forbid every other way out
        },
        &shared->progress, patience_milliseconds);
    if (control.deadline || *answer != errors[i]) {
      return std::unexpected(LiveError{fmt::format(
          "program {}: {} without attaching it, {} when really installed", i, errors[i], *answer)});
    }
  }
  return std::vector<int>(errors, errors + programs.size());
}

}  // namespace callgate::live
