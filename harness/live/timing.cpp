#include "harness/live/timing.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <x86intrin.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <limits>

#include "harness/live/asker.hpp"
#include "harness/live/raw.hpp"

namespace callgate::live {
namespace {

constexpr double kLeastNanoseconds = 5e7;  // between two looks at the clocks

// Plain words in shared memory: what a child under filters may touch.
struct Shared {
  volatile std::uint64_t progress;
  volatile std::int32_t affinity_error;
  volatile std::int32_t setup;
  volatile std::int32_t install_error;
  volatile std::uint64_t installed;
  volatile std::uint64_t install_ticks;
  volatile std::uint64_t surprise;  // the group, from 1
  volatile std::uint64_t done;
};

struct Group {
  const TimedCall* calls;
  std::size_t count;
  unsigned repeats;
};

struct Work {
  const Filter* filters;
  std::size_t filter_count;
  const Group* groups;
  std::size_t group_count;
  unsigned windows;
  bool checked;
  std::int64_t must_return;
  Shared* shared;
  std::uint64_t* least;  // ticks of a window, for each group
};

CALLGATE_IN_CHILD inline std::int64_t make(const TimedCall& call) {
  return raw::call(static_cast<std::uint32_t>(call.nr), call.args[0], call.args[1], call.args[2],
                   call.args[3], call.args[4], call.args[5]);
}

// One window of a group; whether every result was as it must be. The first call is not timed: it
// brings code and data into the caches.
CALLGATE_IN_CHILD bool window(const Work& work, std::size_t index) {
  const Group& group = work.groups[index];
  if (const std::int64_t first = make(group.calls[0]); work.checked && first != work.must_return) {
    return false;
  }
  bool well = true;
  const std::uint64_t start = __rdtsc();
  for (unsigned repeat = 0; repeat < group.repeats; ++repeat) {
    for (std::size_t i = 0; i < group.count; ++i) {
      well &= make(group.calls[i]) == work.must_return;
    }
  }
  const std::uint64_t ticks = __rdtsc() - start;
  if (ticks < work.least[index]) work.least[index] = ticks;
  return well || !work.checked;
}

CALLGATE_IN_CHILD void serve(const Work& work) {
  Shared& shared = *work.shared;
  if (work.filter_count > 0) {
    shared.setup = allow_filters();
    if (shared.setup != 0) return;
  }
  const std::uint64_t start = __rdtsc();
  for (std::size_t i = 0; i < work.filter_count; ++i) {
    const long refused = install(work.filters[i].instructions, work.filters[i].length, 0, kPass);
    if (refused != 0) {
      shared.install_error = static_cast<std::int32_t>(-refused);
      break;
    }
    shared.installed = shared.installed + 1;
  }
  shared.install_ticks = __rdtsc() - start;
  if (shared.install_error == 0) {
    for (unsigned pass = 0; pass < work.windows; ++pass) {
      for (std::size_t i = 0; i < work.group_count; ++i) {
        if (!window(work, i)) {
          shared.surprise = i + 1;
          raw::callgate_live_end();
        }
        shared.progress = shared.progress + 1;
      }
    }
  }
  shared.done = 1;
  // Without a call: the filters may forbid all.
  raw::callgate_live_end();
}

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_RAW, &time);
  return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

}  // namespace

std::expected<Timed, LiveError> time_calls(const TimedWork& work, int patience_milliseconds) {
  const std::size_t groups = work.groups.size();
  const SharedMemory memory(sizeof(Shared) + groups * sizeof(std::uint64_t));
  auto* const shared = memory.as<Shared>();
  auto* const least = memory.as<std::uint64_t>(sizeof(Shared));
  std::fill_n(least, groups, std::numeric_limits<std::uint64_t>::max());
  std::vector<Filter> filters;
  for (const Program& each : work.filters) filters.push_back({each.data(), each.size()});
  std::vector<Group> plain;
  for (const TimedGroup& each : work.groups) {
    if (each.calls.empty() || each.repeats == 0)
      return std::unexpected(LiveError{"nothing to time"});
    plain.push_back({each.calls.data(), each.calls.size(), each.repeats});
  }
  const Work in_child{filters.data(),
                      filters.size(),
                      plain.data(),
                      groups,
                      work.windows,
                      work.must_return.has_value(),
                      work.must_return.value_or(0),
                      shared,
                      least};
  const ChildEnd end = run_child(
      [&] {
        if (work.cpu >= 0) {
          cpu_set_t set;
          CPU_ZERO(&set);
          if (work.cpu < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(work.cpu), &set);
          // Figures of another core are none of this one.
          if (sched_setaffinity(0, sizeof(set), &set) != 0) {
            shared->affinity_error = errno;
            raw::callgate_live_end();
          }
        }
        serve(in_child);
      },
      &shared->progress, patience_milliseconds);
  if (shared->affinity_error != 0) {
    const char* const name = strerrorname_np(shared->affinity_error);
    return std::unexpected(LiveError{fmt::format("this process may not use core {}: {}", work.cpu,
                                                 name != nullptr ? name : "an error")});
  }
  Timed timed;
  timed.installed = shared->installed;
  timed.install_error = shared->install_error;
  timed.install_ticks = shared->install_ticks;
  if (shared->surprise != 0) {
    timed.surprise = shared->surprise - 1;
    return timed;
  }
  const bool ended_itself = shared->done != 0 && !end.deadline && WIFSIGNALED(end.status) &&
                            WTERMSIG(end.status) == SIGTRAP;
  if (!ended_itself) {
    if (auto wrong = what_went_wrong(end, shared->setup)) return std::unexpected(std::move(*wrong));
    return std::unexpected(LiveError{"the timing child ended before it was done"});
  }
  if (timed.install_error != 0) return timed;
  for (std::size_t i = 0; i < groups; ++i) {
    timed.ticks.push_back(static_cast<double>(least[i]) /
                          static_cast<double>(plain[i].count * plain[i].repeats));
  }
  return timed;
}

std::uint64_t children_preempted() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  return static_cast<std::uint64_t>(used.ru_nivcsw);
}

std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) cores.push_back(cpu);
  }
  return cores;
}

TickClock::TickClock() noexcept : ticks_(__rdtsc()), nanoseconds_(now()) {}

double TickClock::nanoseconds_per_tick() const {
  for (;;) {
    const double passed = now() - nanoseconds_;
    const auto ticks = static_cast<double>(__rdtsc() - ticks_);
    if (passed >= kLeastNanoseconds && ticks > 0) return passed / ticks;
    const timespec nap{0, 5'000'000};
    nanosleep(&nap, nullptr);
  }
}

}  // namespace callgate::live
