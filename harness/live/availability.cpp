#include "harness/live/availability.hpp"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "harness/live/child.hpp"

namespace callgate::live {
namespace {

std::string errno_words(int error) {
  const char* const name = strerrorname_np(error);
  return name != nullptr ? name : fmt::format("errno {}", error);
}

struct Probes {
  volatile std::uint64_t progress;
  volatile int setup;
  volatile int install;
  volatile int listener;
};

// Installs a filter that allows everything, and one with a listener.
void probe_filters(Availability& out, int patience_milliseconds) {
  const SharedMemory memory(sizeof(Probes));
  auto* const probes = memory.as<Probes>();
  const Program allow = {{0x06, 0, 0, 0x7fff0000U}};
  const ChildEnd end = run_child(
      [&] {
        probes->setup = allow_filters();
        if (probes->setup != 0) return;
        probes->install = static_cast<int>(-install(allow.data(), allow.size()));
        probes->progress = probes->progress + 1;
        const long listener = install(allow.data(), allow.size(), SECCOMP_FILTER_FLAG_NEW_LISTENER);
        probes->listener = listener < 0 ? static_cast<int>(-listener) : 0;
      },
      &probes->progress, patience_milliseconds);
  if (end.deadline) {
    out.filters = fmt::format(
        "an installation did not end within {} s: this kernel's installations hang; it needs a "
        "reboot",
        patience_milliseconds / 1000);
  } else if (auto wrong = what_went_wrong(end, probes->setup)) {
    out.filters = std::move(wrong->message);
  } else if (probes->install != 0) {
    out.filters = fmt::format("installing a filter that allows everything gives {}",
                              errno_words(probes->install));
  } else if (probes->listener != 0) {
    out.notification =
        fmt::format("a filter with a listener gives {}", errno_words(probes->listener));
  }
  if (!out.filters.empty()) out.notification = out.filters;
}

// Attaches to a child that does nothing.
std::string probe_tracing() {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fmt::format("no process can be started: {}", errno_words(errno));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    for (;;) raw::call(SYS_pause);
  }
  const int error =
      ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) != 0 ? errno : 0;
  kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, __WALL) == pid && !WIFSIGNALED(status)) {
  }
  if (error == 0) return {};
  return fmt::format("PTRACE_SEIZE of a child gives {}", errno_words(error));
}

}  // namespace

Availability availability(int patience_milliseconds) {
  Availability out;
  probe_filters(out, patience_milliseconds);
  out.tracing = out.filters.empty() ? probe_tracing() : out.filters;
  out.outcomes = out.filters;
  if (out.outcomes.empty() && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0) {
    out.outcomes = "this process runs under filters already: they would answer too";
  }
  return out;
}

}  // namespace callgate::live
