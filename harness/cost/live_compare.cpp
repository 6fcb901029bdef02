#include "harness/cost/live_compare.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "harness/cost/call_mix.hpp"
#include "harness/cost/probe_filters.hpp"
#include "harness/live/timing.hpp"

namespace callgate::cost {
namespace {

using Clock = std::chrono::steady_clock;
using verifier::KnownCall;

constexpr std::uint32_t kGetppid = 110;
constexpr std::size_t kDrawn = 4096;   // calls that stand for the workload
constexpr std::size_t kFewest = 64;    // of those, that tell what a body costs
constexpr std::size_t kTogether = 64;  // calls timed as one: short, for windows without disturbance
constexpr unsigned kPasses = 24;       // of all of them, in a child
constexpr unsigned kWindows = 256;     // where one call is timed
constexpr unsigned kRepeats = 32;
constexpr unsigned kInstalls = 3;  // in a round
constexpr std::uint64_t kSeed = 1;

// What is timed in every round: calls in one child, or installing in several.
struct Turn {
  live::TimedWork work;
  unsigned installs = 0;           // 0: calls
  std::vector<double> ticks = {};  // for a call, or for an installation; of each round
};

double mean(const live::TimedWork& work, const live::Timed& timed) {
  double ticks = 0;
  double calls = 0;
  for (std::size_t i = 0; i < timed.ticks.size(); ++i) {
    const auto here = static_cast<double>(work.groups[i].calls.size());
    ticks += here * timed.ticks[i];
    calls += here;
  }
  return ticks / calls;
}

bool reads_pointer(const Program& program) {
  return std::ranges::any_of(
      program, [](const Instruction& i) { return i.code == 0x20 && (i.k == 8 || i.k == 12); });
}

// A stack, and the turns that are about it.
struct Contestant {
  const FilterStack* given = nullptr;
  std::vector<Program> programs = {};
  std::vector<Program> refusals = {};            // the same, with refusals for returns
  std::vector<std::size_t> asked = {};           // drawn calls that the cache does not serve
  std::vector<std::optional<bool>> cached = {};  // of each call of the workload
  std::optional<std::size_t> fixed = {};         // as many smallest filters, allowing getppid
  std::optional<std::size_t> trivial = {};       // as many smallest filters, refusing `asked`
  std::optional<std::size_t> bodies = {};        // `refusals`, on `asked`
  std::optional<std::size_t> installing = {};
};

class Comparer {
 public:
  Comparer(std::span<const FilterStack* const> stacks, std::span<const KnownCall> workload,
           const CompareOptions& options)
      : workload_(workload), options_(options) {
    const auto cores = live::usable_cores();
    out_.core = options.cpu < 0 && !cores.empty() ? cores.back() : options.cpu;
    for (const FilterStack* each : stacks) {
      Contestant& made = contestants_.emplace_back();
      made.given = each;
      ComparedStack& row = out_.stacks.emplace_back();
      row.filters = each->size();
      for (std::size_t i = 0; i < each->size(); ++i) {
        made.programs.emplace_back(each->program(i).begin(), each->program(i).end());
        made.refusals.push_back(refusing(made.programs.back()));
        row.length += made.programs.back().size();
        row.reads_pointer = row.reads_pointer || reads_pointer(made.programs.back());
      }
    }
  }

  std::expected<ComparisonOfCosts, live::LiveError> run() {
    for (const Contestant& each : contestants_) {
      if (each.programs.empty()) return wrong("a stack has no filter");
      if (each.given->model().arch != Arch::X86_64) return wrong("a stack is not for x86_64");
    }
    for (std::size_t i = 0; i < contestants_.size(); ++i) {
      if (auto error = try_stack(i)) return std::unexpected(std::move(*error));
    }
    if (std::ranges::none_of(out_.stacks, &ComparedStack::has_figures)) return std::move(out_);
    if (auto error = choose_calls()) return std::unexpected(std::move(*error));
    if (out_.calls == 0) return wrong(nothing_left());
    plan();
    const live::TickClock clock;
    const std::uint64_t before = live::children_preempted();
    const auto start = Clock::now();
    const std::chrono::duration<double> limit(options_.seconds);
    const unsigned rounds = std::max(options_.rounds, kLeastPairedRounds);
    for (; out_.rounds < rounds; ++out_.rounds) {
      if (out_.rounds >= kLeastPairedRounds && Clock::now() - start > limit) break;
      if (auto error = round()) return std::unexpected(std::move(*error));
    }
    out_.preemptions = live::children_preempted() - before;
    scale_ = clock.nanoseconds_per_tick();
    sum_up();
    return std::move(out_);
  }

 private:
  static std::unexpected<live::LiveError> wrong(std::string message) {
    return std::unexpected(live::LiveError{std::move(message)});
  }

  live::TimedWork work(std::vector<Program> filters) const {
    return {.filters = std::move(filters),
            .groups = {},
            .windows = kWindows,
            .must_return = {},
            .cpu = out_.core};
  }

  // Whether the kernel takes the stack, and with refusals for returns.
  std::optional<live::LiveError> try_stack(std::size_t which) {
    Contestant& each = contestants_[which];
    ComparedStack& row = out_.stacks[which];
    row.installs_as_given = lets_itself_be_installed(each.programs, each.given->model());
    auto given = row.installs_as_given ? std::optional(each.programs) : installable(each.programs);
    auto refusals = installable(each.refusals);
    if (!given || !refusals) {
      row.why = "the changed programs would be too long";
      return std::nullopt;
    }
    each.refusals = std::move(*refusals);
    for (const bool as_given : {true, false}) {
      pace_.step(each.programs.size());
      const auto timed = live::time_calls(work(as_given ? *given : each.refusals));
      if (!timed) return timed.error();
      if (timed->install_error == 0) continue;
      if (as_given && row.installs_as_given) {
        row.install_error = timed->install_error;
        row.refused = timed->installed;
      } else {
        row.why = "the stack leaves no room for what measures it";
      }
      return std::nullopt;
    }
    if (options_.install) each.installing = add({work(std::move(*given)), kInstalls});
    return std::nullopt;
  }

  // Stacks without figures are not asked about: they leave no call out.
  std::optional<live::LiveError> choose_calls() {
    std::vector<const FilterStack*> measured;
    for (std::size_t i = 0; i < contestants_.size(); ++i) {
      if (out_.stacks[i].has_figures()) measured.push_back(contestants_[i].given);
    }
    auto calls = compared_calls(measured, workload_, out_.core);
    if (!calls) return std::move(calls.error());
    counts_ = std::move(calls->counts);
    out_.cache_told_by = calls->cache_told_by;
    out_.calls = calls->calls;
    out_.unknown_arguments = calls->unknown_arguments;
    out_.left_out = std::move(calls->left_out);
    auto next = calls->stacks.begin();
    for (std::size_t i = 0; i < contestants_.size(); ++i) {
      ComparedStack& row = out_.stacks[i];
      if (!row.has_figures()) continue;
      row.cached_share = next->cached_share;
      row.executed = next->executed;
      row.left_out = next->left_out;
      contestants_[i].cached = std::move(next->cached);
      ++next;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string nothing_left() const {
    std::string out = "there is no call to compare by";
    for (const CallsLeftOut& each : out_.left_out) out.append("; ").append(each.why);
    return out;
  }

  std::size_t add(Turn turn) {
    turns_.push_back(std::move(turn));
    return turns_.size() - 1;
  }

  // Turns that several stacks need are made once: then their noise is the same for all of these.
  void plan() {
    bare_ = add({getppid_under({})});
    one_cached_ = add({getppid_under({cached_filter()})});
    const std::vector<std::size_t> all = drawn(counts_, kDrawn, kSeed);
    std::map<std::size_t, std::size_t> fixed;
    std::map<std::pair<std::size_t, std::vector<std::size_t>>, std::size_t> trivial;
    for (std::size_t i = 0; i < contestants_.size(); ++i) {
      Contestant& stack = contestants_[i];
      if (!out_.stacks[i].has_figures()) continue;
      if (out_.stacks[i].cached_share == 1) continue;
      choose_asked(stack, all);
      const std::size_t filters = stack.programs.size();
      if (!fixed.contains(filters)) {
        fixed[filters] = add({getppid_under(std::vector<Program>(filters, uncached_filter()))});
      }
      const auto key = std::pair(filters, stack.asked);
      if (!trivial.contains(key)) {
        const std::vector<Program> smallest(filters, refusing_filter());
        trivial[key] = add({refused(*installable(smallest), stack.asked)});
      }
      stack.fixed = fixed[filters];
      stack.trivial = trivial[key];
      stack.bodies = add({refused(stack.refusals, stack.asked)});
    }
  }

  void choose_asked(Contestant& stack, std::span<const std::size_t> all) const {
    const auto is_asked = [&](std::size_t call) { return !*stack.cached[call]; };
    std::ranges::copy_if(all, std::back_inserter(stack.asked), is_asked);
    if (stack.asked.size() >= std::min(kFewest, all.size())) return;
    // So few of all calls that hardly one was drawn.
    std::vector<std::uint64_t> counts = counts_;
    for (std::size_t call = 0; call < counts.size(); ++call) {
      if (counts[call] != 0 && !is_asked(call)) counts[call] = 0;
    }
    stack.asked = drawn(counts, kDrawn, kSeed);
  }

  live::TimedWork getppid_under(std::vector<Program> filters) const {
    live::TimedWork out = work(std::move(filters));
    out.groups = {{{{static_cast<std::int32_t>(kGetppid), {}}}, kRepeats}};
    return out;
  }

  live::TimedWork refused(std::vector<Program> filters, std::span<const std::size_t> calls) const {
    live::TimedWork out = work(std::move(filters));
    out.windows = kPasses;
    out.must_return = kRefused;
    for (const std::size_t call : calls) {
      if (out.groups.empty() || out.groups.back().calls.size() == kTogether) {
        out.groups.emplace_back();
      }
      const SeccompData& data = workload_[call].data;
      out.groups.back().calls.push_back({data.nr, data.args});
    }
    return out;
  }

  std::optional<live::LiveError> take(Turn& turn) {
    std::vector<double> ticks;
    for (unsigned i = 0; i < std::max(1U, turn.installs); ++i) {
      pace_.step(turn.work.filters.size());
      const auto timed = live::time_calls(turn.work);
      if (!timed) return timed.error();
      if (timed->install_error != 0 || timed->surprise) {
        return live::LiveError{"what was measured before fails now"};
      }
      ticks.push_back(turn.installs > 0 ? static_cast<double>(timed->install_ticks)
                                        : mean(turn.work, *timed));
    }
    turn.ticks.push_back(median(ticks));
    return std::nullopt;
  }

  // What one turn leaves behind falls on different ones in each round.
  std::optional<live::LiveError> round() {
    const std::vector<std::uint64_t> once(turns_.size(), 1);
    for (const std::size_t turn : drawn(once, turns_.size(), kSeed + out_.rounds)) {
      if (auto error = take(turns_[turn])) return error;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::vector<double> nanoseconds(std::size_t turn) const {
    std::vector<double> out = turns_[turn].ticks;
    for (double& each : out) each *= scale_;
    return out;
  }

  // What the stack adds to an average call, of each round.
  std::vector<double> sum_up(std::size_t which) {
    const Contestant& stack = contestants_[which];
    ComparedStack& row = out_.stacks[which];
    const std::vector<double> bare = nanoseconds(bare_);
    const std::vector<double> cached = nanoseconds(one_cached_);
    const double part = row.cached_share;
    std::vector<double> fixed(out_.rounds, 0);
    std::vector<double> instructions(out_.rounds, 0);
    for (unsigned r = 0; r < out_.rounds; ++r) fixed[r] = part * (cached[r] - bare[r]);
    if (stack.bodies) {
      const std::vector<double> uncached = nanoseconds(*stack.fixed);
      const std::vector<double> trivial = nanoseconds(*stack.trivial);
      const std::vector<double> bodies = nanoseconds(*stack.bodies);
      for (unsigned r = 0; r < out_.rounds; ++r) {
        fixed[r] += (1 - part) * (uncached[r] - bare[r]);
        instructions[r] = (1 - part) * (bodies[r] - trivial[r]);
      }
    }
    row.fixed = estimate(fixed);
    row.instructions = estimate(instructions);
    for (unsigned r = 0; r < out_.rounds; ++r) fixed[r] += instructions[r];
    row.adds = estimate(fixed);
    if (stack.installing) row.install = estimate(nanoseconds(*stack.installing));
    return fixed;
  }

  void sum_up() {
    const std::vector<double> bare = nanoseconds(bare_);
    std::vector<double> cached = nanoseconds(one_cached_);
    out_.entry = estimate(bare);
    for (unsigned r = 0; r < out_.rounds; ++r) cached[r] -= bare[r];
    out_.cached = estimate(cached);
    std::vector<std::vector<double>> adds(contestants_.size());
    for (std::size_t b = 0; b < contestants_.size(); ++b) {
      if (!out_.stacks[b].has_figures()) continue;
      adds[b] = sum_up(b);
      for (std::size_t a = 0; a < b; ++a) {
        if (!out_.stacks[a].has_figures()) continue;
        out_.differences.push_back({a, b, paired_difference(adds[a], adds[b])});
      }
    }
  }

  std::span<const KnownCall> workload_;
  CompareOptions options_;
  std::vector<std::uint64_t> counts_ = {};  // of each call; 0: left out
  std::vector<Contestant> contestants_ = {};
  std::vector<Turn> turns_ = {};
  std::size_t bare_ = 0;
  std::size_t one_cached_ = 0;
  ComparisonOfCosts out_ = {};
  live::Pace pace_{live::Pace::Priority::Unchanged};
  double scale_ = 0;  // nanoseconds a tick
};

}  // namespace

std::expected<ComparisonOfCosts, live::LiveError> live_compare(
    std::span<const FilterStack* const> stacks, std::span<const KnownCall> workload,
    const CompareOptions& options) {
  return Comparer(stacks, workload, options).run();
}

}  // namespace callgate::cost
