#include "harness/cost/cache_by_timing.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "harness/cost/probe_filters.hpp"
#include "harness/live/timing.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"

namespace callgate::cost {
namespace {

constexpr std::array kHarmless = {
#define HARMLESS(nr, name, ...) HarmlessCall{nr, name},
#include "harness/cost/harmless_calls.def"
#undef HARMLESS
};

constexpr std::array<std::uint64_t, 6> kNothing = {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL};
constexpr std::uint32_t kGetppid = 110;  // the quickest of them
constexpr std::size_t kPadLength = 2048;
constexpr unsigned kWindows = 16;
constexpr unsigned kRepeats = 8;
constexpr int kTries = 5;  // for a number whose time is between the two

// `and` leaves the 0 that A is: nothing is changed, and the cache follows it.
Program pad() {
  Program out(kPadLength, Instruction{0x54, 0, 0, 0xffff'ffffU});
  out.push_back({0x06, 0, 0, kPlainAllow});
  return out;
}

live::TimedGroup group_of(std::uint32_t nr) {
  return {{{static_cast<std::int32_t>(nr), kNothing}}, kRepeats};
}

// Ticks of a harmless call, under the pad and a filter of which all is cached, or nothing.
struct Control {
  std::uint32_t nr = 0;
  double cached = 0;
  double uncached = 0;  ///< allowed or refused, whichever is less

  // A kernel without a cache, and one whose cache does not reach so far, make no difference: the
  // pad alone costs more than a call. Nor is a call that takes longer than the pad one to ask by:
  // refused, it would look cached.
  [[nodiscard]] bool usable() const { return uncached > 1.6 * cached; }

  [[nodiscard]] Cached tell(double ticks) const {
    const double part = (ticks - cached) / (uncached - cached);
    if (part < 0.35) return Cached::Yes;
    return part > 0.65 ? Cached::No : Cached::BelowNoise;
  }
};

// Asks one stack after the other.
class Asker {
 public:
  explicit Asker(int cpu) : cpu_(cpu) {}

  // Ticks of each call; none where the stack cannot be installed.
  std::expected<std::vector<double>, live::LiveError> ticks(std::vector<Program> stack,
                                                            std::span<const std::uint32_t> numbers,
                                                            bool padded = true) {
    live::TimedWork work{
        .filters = {}, .groups = {}, .windows = kWindows, .must_return = {}, .cpu = cpu_};
    if (padded) work.filters.push_back(pad_);
    for (Program& each : stack) work.filters.push_back(std::move(each));
    for (const std::uint32_t nr : numbers) work.groups.push_back(group_of(nr));
    pace_.step(work.filters.size());
    auto timed = live::time_calls(work);
    if (!timed) return std::unexpected(std::move(timed.error()));
    return std::move(timed->ticks);
  }

 private:
  int cpu_;
  Program pad_ = pad();
  live::Pace pace_{live::Pace::Priority::Unchanged};
};

struct Controls {
  std::vector<Control> calls;
  bool no_cache = false;  ///< the pad costs something though all is allowed
};

std::expected<Controls, live::LiveError> controls(Asker& asker) {
  std::vector<std::uint32_t> numbers;
  Controls made;
  std::vector<Control>& out = made.calls;
  for (const HarmlessCall& each : kHarmless) {
    numbers.push_back(each.nr);
    out.push_back({each.nr, 0, 0});
  }
  for (int round = 0; round < 3; ++round) {
    for (const Program& filter : {cached_filter(), uncached_filter(), refusing_filter()}) {
      const auto ticks = asker.ticks({filter}, numbers);
      if (!ticks) return std::unexpected(ticks.error());
      if (ticks->empty()) {
        return std::unexpected(live::LiveError{"the kernel refuses the controls"});
      }
      for (std::size_t i = 0; i < out.size(); ++i) {
        double& least = filter == cached_filter() ? out[i].cached : out[i].uncached;
        least = least == 0 ? (*ticks)[i] : std::min(least, (*ticks)[i]);
      }
    }
  }
  const auto bare = asker.ticks({cached_filter()}, numbers, false);
  if (!bare) return std::unexpected(bare.error());
  const auto paid = [&](std::size_t i) { return out[i].cached > 1.6 * (*bare)[i]; };
  made.no_cache = bare->size() == out.size();
  for (std::size_t i = 0; made.no_cache && i < out.size(); ++i) {
    if (out[i].usable() || (out[i].nr == kGetppid && !paid(i))) made.no_cache = false;
  }
  return made;
}

// The harmless call to ask about a number by: itself, or one that has all its bits.
const Control* way_to_ask(std::uint32_t nr, std::span<const Control> controls) {
  const Control* way = nullptr;
  for (const Control& each : controls) {
    if (!each.usable()) continue;
    if (each.nr == nr) return &each;
    if (way == nullptr && (each.nr & nr) == nr) way = &each;
  }
  return way;
}

// Whether the stack ends every call by a return, asked with these arguments: no division by 0.
bool returns(std::span<const Program> stack, const SeccompData& data, const KernelModel& model) {
  return std::ranges::all_of(stack, [&](const Program& each) {
    const std::uint32_t value = reference::run(each, data, model).value;
    return value == kRefusal || value == kPlainAllow;
  });
}

std::optional<std::vector<Program>> masked(std::span<const Program> stack, std::uint32_t nr) {
  std::vector<Program> out;
  for (const Program& each : stack) {
    auto program = with_masked_number(each, nr);
    if (!program) return std::nullopt;
    out.push_back(std::move(*program));
  }
  return out;
}

}  // namespace

std::span<const HarmlessCall> harmless_calls() noexcept { return kHarmless; }

std::string_view to_string(Cached cached) noexcept {
  switch (cached) {
    case Cached::Yes:
      return "yes";
    case Cached::No:
      return "no";
    case Cached::BelowNoise:
      return "below the noise";
    case Cached::NotAsked:
      return "not asked";
  }
  return "";
}

std::expected<std::vector<CacheAnswer>, live::LiveError> cached_by_timing(
    std::span<const Program> oldest_first, std::span<const std::uint32_t> numbers, int cpu) {
  if (const auto cores = live::usable_cores(); cpu < 0 && !cores.empty()) cpu = cores.back();
  const KernelModel model = KernelModel::host();
  Asker asker(cpu);
  const auto known = controls(asker);
  if (!known) return std::unexpected(known.error());
  std::vector<Program> stack;
  for (const Program& each : oldest_first) stack.push_back(refusing_unless_allowed(each));

  std::vector<CacheAnswer> answers;
  for (const std::uint32_t nr : numbers) {
    CacheAnswer& answer = answers.emplace_back();
    answer.nr = nr;
    const SeccompData data{.nr = static_cast<std::int32_t>(nr),
                           .arch = info(Arch::X86_64).token,
                           .instruction_pointer = 0,
                           .args = kNothing};
    if (is_exempt(data, model)) {
      answer.why = "no filter sees this number";
      continue;
    }
    if (known->no_cache) {
      answer.cached = Cached::No;
      answer.why = "nothing is served from a cache here";
      continue;
    }
    const Control* const way = way_to_ask(nr, known->calls);
    if (way == nullptr) {
      const bool any = std::ranges::any_of(known->calls, &Control::usable);
      answer.cached = any ? Cached::NotAsked : Cached::BelowNoise;
      answer.why = any ? "no harmless call has all bits of this number"
                       : "no difference between what is cached and what is not";
      continue;
    }
    answer.asked_by = way->nr;
    if (!returns(stack, data, model)) {
      answer.cached = Cached::No;
      answer.why = "not by time: a filter ends by a division by 0";
      continue;
    }
    auto changed = way->nr == nr ? std::optional(stack) : masked(stack, nr);
    if (changed) changed = installable(std::move(*changed));
    if (!changed) {
      answer.why = "the changed program would be too long";
      continue;
    }
    answer.cached = Cached::BelowNoise;
    for (int i = 0; i < kTries && answer.cached == Cached::BelowNoise; ++i) {
      const auto ticks = asker.ticks(*changed, std::array{way->nr});
      if (!ticks) return std::unexpected(ticks.error());
      if (ticks->empty()) {
        answer.cached = Cached::NotAsked;
        answer.why = "the stack leaves no room for what measures it";
        break;
      }
      answer.cached = way->tell((*ticks)[0]);
    }
  }
  return answers;
}

}  // namespace callgate::cost
