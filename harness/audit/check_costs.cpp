// Limits, and the kernel's cache of constant actions.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "harness/audit/checks.hpp"
#include "harness/cost/prediction.hpp"
#include "verifier/cache.hpp"
#include "vm/syscalls.hpp"

namespace callgate::audit {
namespace {

using verifier::Cached;

// From here on it is near.
constexpr std::size_t near(std::size_t limit) { return limit - limit / 10; }

void limits(Subject& subject, Found& out) {
  const FilterStack& stack = subject.stack();
  for (std::size_t filter = 0; filter < stack.size(); ++filter) {
    const std::size_t length = stack.program(filter).size();
    if (length < near(kMaxProgramLength)) continue;
    Finding finding = found(FindingId::NearProgramLimit,
                            fmt::format("{} of {} instructions", length, kMaxProgramLength));
    finding.filter = filter;
    out.push_back(std::move(finding));
  }
  if (stack.limit_used() < near(kMaxInstructionsPerTask)) return;
  out.push_back(found(FindingId::NearStackLimit,
                      fmt::format("{} of the {} instructions that a task may hold, as this kernel "
                                  "counts",
                                  stack.limit_used(), kMaxInstructionsPerTask)));
}

struct Blamed {
  std::vector<cost::CallCount> calls;
  bool emulated = true;  ///< the emulator came to a verdict, but not to a plain ALLOW
};

std::string cost_words(const Subject& subject, const std::vector<cost::CallCount>& calls) {
  if (subject.native() != Arch::X86_64) return {};
  const cost::TimeModel time;
  const cost::Prediction predicted = cost::predict(subject.stack(), calls, time, std::nullopt);
  if (!predicted.totals.time) return {};
  const cost::Span adds = predicted.totals.time->sum();
  return fmt::format("; about {:.0f} ns a call instead of {:.0f} ({})", adds.most, time.cached_ns,
                     time.source);
}

void cache_defeated(Subject& subject, Found& out) {
  const Arch arch = subject.native();
  if (!verifier::cache_range(subject.model()) || subject.stack().size() == 0) return;
  std::map<std::pair<std::size_t, std::size_t>, Blamed> places;
  for (const SyscallRow& row : syscalls(arch)) {
    if (syscall_name(arch, row.nr) != row.name) continue;
    if (subject.of_call(subject.permitted(), arch, row.nr) != Diagrams::kTrue) continue;
    const verifier::CacheAnswer answer = verifier::cache_answer(subject.stack(), row.nr);
    if (answer.cached != Cached::NotEmulated && answer.cached != Cached::NotAllowed) continue;
    const bool emulated = answer.cached == Cached::NotAllowed;
    // LOG is meant to run.
    if (emulated && (answer.value & kActionMask) != static_cast<std::uint32_t>(Action::Allow)) {
      continue;
    }
    Blamed& blamed = places[{answer.filter, answer.instruction}];
    blamed.calls.push_back({row.nr, std::string(row.name), 1});
    blamed.emulated = emulated;
  }
  for (const auto& [place, blamed] : places) {
    const std::size_t count = blamed.calls.size();
    const std::string who =
        count == 1 ? blamed.calls.front().name
                   : fmt::format("{} and {} more calls", blamed.calls.front().name, count - 1);
    Finding finding = found(
        FindingId::CacheDefeated,
        fmt::format("{}: always allowed, but {} at instruction {}{}", who,
                    blamed.emulated ? "with data beside ALLOW" : "the kernel's emulator stops",
                    place.second, cost_words(subject, blamed.calls)),
        count == 1 ? blamed.calls.front().name : std::string());
    finding.filter = place.first;
    finding.instruction = place.second;
    if (auto shown = subject.show(subject.is_call(arch, blamed.calls.front().nr))) {
      finding.shown.push_back(*shown);
    }
    out.push_back(std::move(finding));
  }
}

}  // namespace

void check_costs(Subject& subject, Found& found) {
  limits(subject, found);
  cache_defeated(subject, found);
}

}  // namespace callgate::audit
