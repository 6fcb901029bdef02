#include "harness/process/relay.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace callgate::process {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWake = SIGALRM;

extern "C" void wake(int /*signal*/) {}

}  // namespace

BlockedSignals::BlockedSignals() {
  sigemptyset(&blocked_);
  for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&blocked_, each);
  pthread_sigmask(SIG_BLOCK, &blocked_, &before_);
}

BlockedSignals::~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

SignalRelay::SignalRelay(const sigset_t& signals, int process,
                         std::optional<std::chrono::milliseconds> timeout)
    : owner_(pthread_self()) {
  struct sigaction action{};
  action.sa_handler = wake;  // without SA_RESTART: waitpid(2) returns
  sigemptyset(&action.sa_mask);
  sigaction(kWake, &action, &before_);
  thread_ = std::jthread(
      [=, this](const std::stop_token& stop) { work(stop, signals, process, timeout); });
}

SignalRelay::~SignalRelay() {
  thread_.request_stop();
  thread_.join();
  sigaction(kWake, &before_, nullptr);
}

void SignalRelay::work(const std::stop_token& stop, sigset_t signals, int process,
                       std::optional<std::chrono::milliseconds> timeout) {
  const auto start = Clock::now();
  while (!stop.stop_requested()) {
    const timespec slice{0, 20'000'000};
    siginfo_t info{};
    const int signal = sigtimedwait(&signals, &info, &slice);
    // What a terminal sends goes to the whole group, the command too.
    if (signal > 0 && info.si_code != SI_KERNEL) {
      syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0);
    }
    if (timeout && Clock::now() - start >= *timeout) {
      over_ = true;
      // Again and again: once may be just before it waits.
      pthread_kill(owner_, kWake);
    }
  }
}

}  // namespace callgate::process
