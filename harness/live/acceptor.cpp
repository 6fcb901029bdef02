#include "harness/live/acceptor.hpp"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sys/resource.h>

#include <cerrno>

namespace callgate::live {
namespace {

constexpr std::size_t kControlEvery = 256;
constexpr Instruction kRight{0x06, 0, 0, 0};

struct Shared {
  volatile std::uint64_t progress;
  volatile int setup;     // errno of the preparation
  volatile int listener;  // errno of a program that is right, if it is not that of no descriptor
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
        const long right = install(&kRight, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER);
        if (right != -EMFILE) {
          shared->listener = right < 0 ? static_cast<int>(-right) : -1;
          return;
        }
        for (std::size_t i = 0; i < programs.size(); ++i) {
          const long result = asked_of(programs[i], SECCOMP_FILTER_FLAG_NEW_LISTENER);
          errors[i] = result == -EMFILE ? 0 : static_cast<int>(-result);
          shared->progress = shared->progress + 1;
          pace.step();
        }
      },
      &shared->progress, patience_milliseconds);
  if (auto wrong = what_went_wrong(end, shared->setup)) return std::unexpected(std::move(*wrong));
  if (shared->listener != 0) {
    return std::unexpected(LiveError{
        fmt::format("programs are asked with a listener, and this process gets none: errno {}",
                    shared->listener),
        LiveFault::FiltersDenied});
  }
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

std::expected<InProcessAcceptor, LiveError> InProcessAcceptor::make() {
  const std::vector<Program> known = {{{0x06, 0, 0, 0}}, {{0x06, 0, 0, 0}, {0x00, 0, 0, 0}}};
  const auto answers = accepted(known);
  if (!answers) return std::unexpected(answers.error());
  if ((*answers)[0] != 0 || (*answers)[1] != EINVAL) {
    return std::unexpected(
        LiveError{fmt::format("programs that are known to be right and wrong give errno {} and {}",
                              (*answers)[0], (*answers)[1])});
  }
  if (const int error = allow_filters(); error != 0) {
    return std::unexpected(*what_went_wrong({}, error));
  }
  return InProcessAcceptor();
}

std::expected<int, LiveError> InProcessAcceptor::ask(const Program& program) {
  constexpr std::uint64_t kSecondOpinionEvery = 4096;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return std::unexpected(LiveError{"getrlimit(RLIMIT_NOFILE) fails"});
  }
  const rlimit none{0, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const long result = asked_of(program, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  setrlimit(RLIMIT_NOFILE, &limit);
  pace_.step();
  if (result >= 0) {
    return std::unexpected(LiveError{"the kernel found a descriptor: the program is attached"});
  }
  const int error = result == -EMFILE ? 0 : static_cast<int>(-result);
  if (++asked_ % kSecondOpinionEvery != 0) return error;
  const auto second = accepted(std::span(&program, 1));
  if (!second) return std::unexpected(second.error());
  if (second->front() != error) {
    return std::unexpected(LiveError{
        fmt::format("errno {} in this process, {} in a child of it", error, second->front())});
  }
  return error;
}

}  // namespace callgate::live
