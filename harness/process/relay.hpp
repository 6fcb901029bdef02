#pragma once

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

namespace callgate::process {

/// Signals that are kept from this thread, and from threads that it starts, while this lives.
class BlockedSignals {
 public:
  BlockedSignals();
  ~BlockedSignals();
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

  [[nodiscard]] const sigset_t& blocked() const { return blocked_; }
  /// What was blocked before.
  [[nodiscard]] const sigset_t& before() const { return before_; }

 private:
  sigset_t blocked_{};
  sigset_t before_{};
};

/// A thread that passes blocked signals on to a process, and wakes the thread that made it out of
/// waitpid(2), with EINTR, when time is over.
class SignalRelay {
 public:
  /// `process` is a pidfd.
  SignalRelay(const sigset_t& signals, int process,
              std::optional<std::chrono::milliseconds> timeout);
  ~SignalRelay();
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;

  [[nodiscard]] bool is_time_over() const { return over_; }

 private:
  void work(const std::stop_token& stop, sigset_t signals, int process,
            std::optional<std::chrono::milliseconds> timeout);

  pthread_t owner_;
  struct sigaction before_{};
  std::atomic<bool> over_ = false;
  std::jthread thread_;
};

}  // namespace callgate::process
