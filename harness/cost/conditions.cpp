#include "harness/cost/conditions.hpp"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "harness/cost/probe_filters.hpp"
#include "harness/live/child.hpp"

namespace callgate::cost {
namespace {

// PR_GET_SPECULATION_CTRL and what it can be asked of and says: newer than some C libraries.
constexpr unsigned long kGetSpeculation = 52;
constexpr unsigned long kStoreBypass = 0;
constexpr unsigned long kIndirectBranch = 1;

struct Shared {
  volatile std::uint64_t progress;
  volatile std::int64_t without[2];
  volatile std::int64_t with[2];
};

CALLGATE_IN_CHILD void look(volatile std::int64_t* out) {
  out[0] = live::raw::call(SYS_prctl, kGetSpeculation, kStoreBypass);
  out[1] = live::raw::call(SYS_prctl, kGetSpeculation, kIndirectBranch);
}

// As /proc/PID/status says it.
std::string speculation_words(std::int64_t state) {
  constexpr std::int64_t kPerThread = 1;
  constexpr std::int64_t kVulnerable = 2;
  constexpr std::int64_t kForced = 8;
  if (state < 0) return "unknown";
  if (state == 0) return "not vulnerable";
  const std::string thread = (state & kPerThread) != 0 ? "thread " : "";
  if ((state & kVulnerable) != 0) return thread + "vulnerable";
  if (thread.empty()) return "globally mitigated";
  return (state & kForced) != 0 ? "thread force mitigated" : "thread mitigated";
}

template <typename T>
std::optional<T> number_in(const char* path) {
  std::ifstream file(path);
  T value{};
  if (file >> value) return value;
  return std::nullopt;
}

// What stands behind a name in a file of lines `name: value`.
std::optional<std::string> value_in(const char* path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t colon = line.find(':');
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    if (colon != std::string::npos && value != std::string::npos) return line.substr(value);
  }
  return std::nullopt;
}

// Kernels before 5.9 say only whether there are filters.
std::optional<int> filters_here() {
  const auto count = value_in("/proc/self/status", "Seccomp_filters:");
  if (count) return std::atoi(count->c_str());
  if (value_in("/proc/self/status", "Seccomp:") == "0") return 0;
  return std::nullopt;
}

}  // namespace

Conditions conditions(std::optional<int> core) {
  Conditions out;
  utsname name{};
  if (uname(&name) == 0) out.kernel = name.release;
  out.cpu = value_in("/proc/cpuinfo", "model name").value_or("");
  out.filters_before = filters_here();
  out.core = core;
  out.jit = number_in<int>("/proc/sys/net/core/bpf_jit_enable");
  out.hardened = number_in<int>("/proc/sys/net/core/bpf_jit_harden");
  out.load = number_in<double>("/proc/loadavg");

  const live::SharedMemory memory(sizeof(Shared));
  auto* const shared = memory.as<Shared>();
  for (volatile std::int64_t* const each : {shared->without, shared->with}) {
    each[0] = -1;
    each[1] = -1;
  }
  const Program allow = cached_filter();
  // What could not be asked stays unknown, for whatever reason.
  static_cast<void>(live::run_child(
      [&] {
        look(shared->without);
        if (live::allow_filters() != 0) return;
        if (live::install(allow.data(), allow.size()) == 0) look(shared->with);
      },
      &shared->progress));
  out.store_bypass = speculation_words(shared->without[0]);
  out.indirect_branch = speculation_words(shared->without[1]);
  out.store_bypass_filtered = speculation_words(shared->with[0]);
  out.indirect_branch_filtered = speculation_words(shared->with[1]);
  return out;
}

}  // namespace callgate::cost
