#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "harness/live/asker.hpp"
#include "harness/live/child.hpp"

namespace callgate::live {

/// Shared by the tracer (the caller's thread), the child's first thread (which only lives) and its
/// second (which asks).
struct TracedShared {
  volatile std::int32_t setup;          ///< errno of preparing the second thread
  volatile std::int32_t install_error;  ///< errno of the first refused filter
  volatile std::uint64_t installed;     ///< filters that were not
  volatile std::uint64_t at;            ///< the call being made
  volatile std::uint64_t ping;          ///< the first thread answers a ping, while it lives
  volatile std::uint64_t pong;
  volatile std::int64_t second;   ///< id of the second thread
  volatile std::uint64_t passes;  ///< install the filters that let kPass through
  volatile std::uint64_t go;      ///< the second thread may start
  Supervision supervision;        ///< by the first thread, where a filter has a listener
};

/// What the second thread does.
struct TracedWork {
  const Filter* filters;  ///< oldest first
  const Filter* passing;  ///< the same, but letting installing calls pass; nullptr: there are none
  std::size_t filter_count;
  const raw::Registers* registers;
  std::size_t calls;
  std::size_t first;  ///< the call to begin with
  std::int64_t* results;
  TracedShared* shared;
};

/// A child process whose second thread is traced by the caller's thread, with the tracer's view of
/// it. Killed and reaped with the object.
class TracedChild {
 public:
  TracedChild(TracedWork& work, std::byte* stack, int patience_milliseconds);
  ~TracedChild();
  TracedChild(const TracedChild&) = delete;
  TracedChild& operator=(const TracedChild&) = delete;

  /// Attaches to the second thread and lets it go; what went wrong, or nothing.
  [[nodiscard]] std::optional<LiveError> attach();

  /// All filters stand: from here they are asked.
  void ask_filters();

  /// The thread's next stop or end; nothing when it does not come in time.
  [[nodiscard]] std::optional<int> wait();

  /// Lets it go on, with a signal or without.
  void go_on(int signal);

  /// Whether the process lives on after its second thread has ended; nothing when that cannot be
  /// found out in time.
  [[nodiscard]] std::optional<bool> process_lives();

  [[nodiscard]] pid_t thread() const { return thread_; }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool process_ended();
  [[nodiscard]] bool over(Clock::time_point start) const;

  const TracedWork& work_;
  TracedShared* shared_;
  std::chrono::milliseconds patience_;
  pid_t process_ = -1;
  int fork_error_ = 0;
  pid_t thread_ = -1;
  bool thread_gone_ = false;
  bool process_gone_ = false;
};

}  // namespace callgate::live
