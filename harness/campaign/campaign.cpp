#include "harness/campaign/campaign.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "harness/campaign/properties.hpp"
#include "harness/task/live_tasks.hpp"

namespace callgate::campaign {
namespace {

using Clock = std::chrono::steady_clock;

// Gives units out, and counts what came of them in the plan's order.
class Run {
 public:
  Run(State& state, const Watch& watch)
      : state_(state),
        watch_(watch),
        plan_(plan(state.settings)),
        next_(state.done),
        before_(state.seconds) {
    context_.settings = state.settings;
    context_.model = KernelModel::host();
    context_.has_sys_admin = task::has_sys_admin();
  }

  // Threads must not throw: what does is thrown again by end().
  void work() noexcept {
    try {
      while (const auto at = take()) count(*at, run_unit(context_, plan_[*at]));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!thrown_) thrown_ = std::current_exception();
    }
  }

  [[nodiscard]] std::expected<void, live::LiveError> end() {
    if (thrown_) std::rethrow_exception(thrown_);
    if (error_) return std::unexpected(std::move(*error_));
    return {};
  }

 private:
  std::optional<std::size_t> take() {
    const std::lock_guard lock(mutex_);
    if (error_ || thrown_ || next_ >= plan_.size() || watch_.stop()) return std::nullopt;
    return next_++;
  }

  void count(std::size_t at, UnitResult result) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(at, std::move(result));
    while (!waiting_.empty() && waiting_.begin()->first == state_.done && !error_) {
      UnitResult first = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      if (!first) {
        error_ = std::move(first.error());
        return;
      }
      state_.tally.add(std::move(*first));
      ++state_.done;
      state_.seconds = before_ + std::chrono::duration<double>(Clock::now() - start_).count();
      watch_.counted(state_);
    }
  }

  State& state_;
  const Watch& watch_;
  Context context_;
  const std::vector<Unit> plan_;
  std::mutex mutex_;
  std::size_t next_;
  std::map<std::size_t, UnitResult> waiting_;  // done, and one before them is not
  std::optional<live::LiveError> error_;
  std::exception_ptr thrown_;
  const double before_;
  const Clock::time_point start_ = Clock::now();
};

}  // namespace

std::expected<void, live::LiveError> run(State& state, unsigned jobs, const Watch& watch) {
  Run run(state, watch);
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < jobs; ++i) others.emplace_back([&run] { run.work(); });
  run.work();
  others.clear();  // joins
  return run.end();
}

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? names.release : "unknown";
}

}  // namespace callgate::campaign
