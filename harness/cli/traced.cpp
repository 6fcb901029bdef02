#include "harness/cli/traced.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdio>

#include "harness/cli/cli.hpp"

namespace callgate::cli {

void TracedOptions::add_to(CLI::App& command_line) {
  command_line.add_option("COMMAND", command, "A command and its arguments; put -- before it")
      ->type_name("");
  command_line
      .add_option("--timeout", timeout,
                  "Kill the command, with its children, after so many seconds")
      ->check(CLI::Range(0.001, 1e6))
      ->type_name("SECONDS");
  command_line.add_flag("--follow", follow,
                        "Go on until the command's last child has ended; without it, children that "
                        "live longer than the command are let go");
}

process::SessionLimits TracedOptions::limits() const {
  process::SessionLimits out;
  out.follow = follow;
  if (timeout > 0) out.timeout = std::chrono::milliseconds(static_cast<long>(timeout * 1000));
  return out;
}

int end_like(const process::SessionEnd& end) {
  constexpr int kTimedOut = 124;  // as timeout(1)
  if (end.timed_out) {
    tell("callgate: time is over; the command was killed");
    return kTimedOut;
  }
  if (end.command.signal == 0) return end.command.code;
  static_cast<void>(std::fflush(nullptr));
  const rlimit no_core{0, 0};  // the command has left its own
  setrlimit(RLIMIT_CORE, &no_core);
  signal(end.command.signal, SIG_DFL);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, end.command.signal);
  sigprocmask(SIG_UNBLOCK, &mask, nullptr);
  raise(end.command.signal);
  return 128 + end.command.signal;  // a signal that ends nobody by itself
}

}  // namespace callgate::cli
