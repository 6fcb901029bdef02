#include "harness/cost/live_cost.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "harness/cost/probe_filters.hpp"
#include "harness/live/timing.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"

namespace callgate::cost {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kGetppid = 110;
constexpr std::size_t kFiltersMore = 8;  // above the one that one filter's cost is told from
constexpr std::size_t kCompares = 1000;
constexpr std::size_t kJumps = 1000;
constexpr unsigned kWindows = 64;       // where one call is timed
constexpr unsigned kNumberWindows = 8;  // of each number, where many are
constexpr unsigned kRepeats = 32;
constexpr unsigned kLeastRounds = 3;

// What takes turns in a round.
enum Turn : std::uint8_t {
  Bare,
  OneCached,
  OneUncached,
  Several,
  Refusing,
  Chain,
  Jumps,
  Additions,
  Whole,
  Bodies,
};
constexpr std::size_t kTurns = Bodies + 1;

SeccompData data_of(std::uint32_t nr) {
  return {.nr = static_cast<std::int32_t>(nr),
          .arch = info(Arch::X86_64).token,
          .instruction_pointer = 0,
          .args = {}};
}

live::TimedGroup group_of(std::uint32_t nr) {
  return {{{static_cast<std::int32_t>(nr), {}}}, kRepeats};
}

std::vector<Program> programs_of(const FilterStack& stack) {
  std::vector<Program> out;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    out.emplace_back(stack.program(i).begin(), stack.program(i).end());
  }
  return out;
}

// The figures of each round, in ticks at first.
class Experiment {
 public:
  Experiment(const FilterStack& stack, std::span<const Weight> numbers, const CostOptions& options)
      : stack_(stack), options_(options), programs_(programs_of(stack)) {
    const auto cores = live::usable_cores();
    out_.core = options.cpu < 0 && !cores.empty() ? cores.back() : options.cpu;
    for (const Weight& each : numbers) {
      NumberCost& number = out_.numbers.emplace_back();
      number.nr = each.nr;
      number.count = each.count;
    }
  }

  std::expected<StackCost, live::LiveError> run() {
    prepare_turns();
    if (auto error = try_stack()) return std::unexpected(std::move(*error));
    if (out_.install_error != 0) return std::move(out_);
    if (auto error = ask_cache()) return std::unexpected(std::move(*error));
    const live::TickClock clock;
    const std::uint64_t before = live::children_preempted();
    const auto start = Clock::now();
    const std::chrono::duration<double> limit(options_.seconds);
    for (; out_.rounds < options_.rounds; ++out_.rounds) {
      if (out_.rounds >= kLeastRounds && Clock::now() - start > limit) break;
      if (auto error = round()) return std::unexpected(std::move(*error));
    }
    out_.preemptions = live::children_preempted() - before;
    scale_ = clock.nanoseconds_per_tick();
    sum_up();
    return std::move(out_);
  }

 private:
  live::TimedWork work(std::vector<Program> filters) const {
    return {.filters = std::move(filters),
            .groups = {group_of(kGetppid)},
            .windows = kWindows,
            .must_return = {},
            .cpu = out_.core};
  }

  void prepare_turns() {
    turns_[Bare] = work({});
    turns_[OneCached] = work({cached_filter()});
    turns_[OneUncached] = work({uncached_filter()});
    turns_[Several] = work(std::vector<Program>(1 + kFiltersMore, uncached_filter()));
    turns_[Chain] = work({refusing(chain_of_compares(kCompares))});
    turns_[Jumps] = work({refusing(chain_of_jumps(kJumps))});
    turns_[Additions] = work({refusing(chain_of_additions(kCompares))});
    for (const Turn each : {Chain, Jumps, Additions}) turns_[each]->must_return = kRefused;
    refusing_one_ = work({refusing_filter()});
    refusing_one_.must_return = kRefused;
    prepare_bodies();
    prepare_whole();
  }

  // The stack with refusals for returns, on each number that can be asked.
  void prepare_bodies() {
    std::vector<Program> refusals;
    for (const Program& each : programs_) refusals.push_back(refusing(each));
    auto bodies = installable(refusals);
    auto trivial = installable(std::vector<Program>(programs_.size(), refusing_filter()));
    live::TimedWork of_bodies{.filters = {},
                              .groups = {},
                              .windows = kNumberWindows,
                              .must_return = kRefused,
                              .cpu = out_.core};
    for (std::size_t i = 0; i < out_.numbers.size(); ++i) {
      NumberCost& number = out_.numbers[i];
      const SeccompData data = data_of(number.nr);
      if (is_exempt(data, stack_.model())) {
        number.why = "no filter sees this number";
        continue;
      }
      if (!bodies) {
        number.why = "the changed program would be too long";
        continue;
      }
      bool returns = true;
      for (const Program& each : refusals) {
        const reference::Result result = reference::run(each, data, stack_.model());
        returns = returns && result.value == kRefusal;
        number.executed += result.executed;
      }
      if (!returns) {
        number.why = "a filter ends by a division by 0";
        continue;
      }
      measured_.push_back(i);
      of_bodies.groups.push_back(group_of(number.nr));
    }
    if (!bodies || of_bodies.groups.empty()) return;
    of_bodies.filters = std::move(*bodies);
    turns_[Bodies] = std::move(of_bodies);
    turns_[Refusing] = work(std::move(*trivial));
    turns_[Refusing]->must_return = kRefused;
  }

  // The stack as it is, where it lets itself be installed and getppid pass.
  void prepare_whole() {
    if (stack_.run(data_of(kGetppid)).value != kPlainAllow) {
      out_.stack_call_why = "it does not simply allow getppid";
      return;
    }
    if (!lets_itself_be_installed(programs_, stack_.model())) {
      out_.stack_call_why = "an older filter does not let a newer one be installed";
      return;
    }
    turns_[Whole] = work(programs_);
  }

  // Whether the kernel takes the stack, before anything is measured.
  std::optional<live::LiveError> try_stack() {
    for (const Turn turn : {Whole, Bodies}) {
      if (!turns_[turn]) continue;
      live::TimedWork once = *turns_[turn];
      once.windows = 1;
      auto timed = live::time_calls(once);
      const bool as_given = turn == Whole || programs_.size() == 1;
      if (timed && timed->install_error != 0 && as_given) {
        out_.install_error = timed->install_error;
        out_.refused = timed->installed;
        return std::nullopt;
      }
      if (timed && timed->install_error == 0 && !timed->surprise) continue;
      if (turn == Whole) {
        out_.stack_call_why =
            timed ? "the kernel gave getppid another result" : std::move(timed.error().message);
        turns_[Whole].reset();
        continue;
      }
      if (!timed) return std::move(timed.error());
      if (timed->surprise)
        return live::LiveError{"a call was not refused by filters that refuse it"};
      for (const std::size_t i : measured_) {
        out_.numbers[i].why = "the stack leaves no room for what installs it";
      }
      measured_.clear();
      turns_[Bodies].reset();
      turns_[Refusing].reset();
    }
    return std::nullopt;
  }

  std::optional<live::LiveError> ask_cache() {
    std::vector<std::uint32_t> numbers;
    for (const NumberCost& each : out_.numbers) numbers.push_back(each.nr);
    if (numbers.empty()) return std::nullopt;
    auto answers = cached_by_timing(programs_, numbers, out_.core);
    if (!answers) return std::move(answers.error());
    for (std::size_t i = 0; i < answers->size(); ++i) out_.numbers[i].cache = (*answers)[i];
    return std::nullopt;
  }

  std::optional<live::LiveError> take(const live::TimedWork& turn,
                                      std::vector<std::vector<double>>& figures) {
    pace_.step(turn.filters.size());
    auto timed = live::time_calls(turn);
    if (!timed) return std::move(timed.error());
    if (timed->ticks.empty()) return live::LiveError{"what was measured before fails now"};
    figures.push_back(std::move(timed->ticks));
    return std::nullopt;
  }

  std::optional<live::LiveError> round() {
    // Each round begins with another: what one turn leaves behind falls on different ones.
    for (std::size_t i = 0; i < kTurns; ++i) {
      const std::size_t turn = (i + out_.rounds) % kTurns;
      if (!turns_[turn]) continue;
      if (auto error = take(*turns_[turn], ticks_[turn])) return error;
    }
    return take(refusing_one_, refusing_one_ticks_);
  }

  [[nodiscard]] double at(Turn turn, unsigned round, std::size_t item = 0) const {
    return scale_ * ticks_[turn][round][item];
  }

  // An estimate of `figure(round)` over all rounds.
  template <typename Figure>
  [[nodiscard]] Estimate over_rounds(Figure figure) const {
    std::vector<double> figures;
    for (unsigned r = 0; r < out_.rounds; ++r) figures.push_back(figure(r));
    return estimate(figures);
  }

  [[nodiscard]] double cached(unsigned r) const { return at(OneCached, r) - at(Bare, r); }
  [[nodiscard]] double uncached(unsigned r) const { return at(OneUncached, r) - at(Bare, r); }
  [[nodiscard]] double per_filter(unsigned r) const {
    return (at(Several, r) - at(OneUncached, r)) / kFiltersMore;
  }
  // What the stack costs a number that is not cached, before any of its instructions.
  [[nodiscard]] double before_instructions(unsigned r) const {
    const std::size_t more = programs_.empty() ? 0 : programs_.size() - 1;
    return uncached(r) + static_cast<double>(more) * per_filter(r);
  }
  [[nodiscard]] double body(unsigned r, std::size_t item) const {
    return at(Bodies, r, item) - at(Refusing, r);
  }

  void sum_up() {
    out_.model.entry = over_rounds([&](unsigned r) { return at(Bare, r); });
    out_.model.cached = over_rounds([&](unsigned r) { return cached(r); });
    out_.model.uncached = over_rounds([&](unsigned r) { return uncached(r); });
    out_.model.per_filter = over_rounds([&](unsigned r) { return per_filter(r); });
    const auto each_of = [&](Turn chain, double count, unsigned r) {
      return (at(chain, r) - scale_ * refusing_one_ticks_[r][0]) / count;
    };
    const auto compare = [&](unsigned r) { return each_of(Chain, kCompares, r); };
    out_.model.per_instruction = over_rounds(compare);
    out_.model.per_jump =
        over_rounds([&](unsigned r) { return each_of(Jumps, kJumps, r) - compare(r); });
    out_.model.per_arithmetic =
        over_rounds([&](unsigned r) { return each_of(Additions, kCompares, r) - compare(r); });
    out_.cached_call = over_rounds([&](unsigned r) { return at(OneCached, r); });
    out_.uncached_call = over_rounds([&](unsigned r) { return at(OneUncached, r); });
    if (turns_[Whole]) {
      out_.stack_call = over_rounds([&](unsigned r) { return at(Whole, r); });
      out_.stack_adds = over_rounds([&](unsigned r) { return at(Whole, r) - at(Bare, r); });
    }
    for (std::size_t item = 0; item < measured_.size(); ++item) {
      NumberCost& number = out_.numbers[measured_[item]];
      number.body = over_rounds([&](unsigned r) { return body(r, item); });
      if (number.cache.cached == Cached::No) {
        number.adds =
            over_rounds([&](unsigned r) { return before_instructions(r) + body(r, item); });
      }
    }
    for (NumberCost& each : out_.numbers) {
      if (each.cache.cached == Cached::Yes) each.adds = out_.model.cached;
    }
    weigh();
  }

  void weigh() {
    WeightedCost& sum = out_.weighted;
    for (const NumberCost& each : out_.numbers) {
      if (!each.adds) {
        sum.left_out += each.count;
        continue;
      }
      sum.calls += each.count;
      if (each.cache.cached == Cached::Yes) sum.cached_calls += each.count;
    }
    if (sum.calls == 0) return;
    const auto calls = static_cast<double>(sum.calls);
    const double part = static_cast<double>(sum.cached_calls) / calls;
    const auto fixed = [&](unsigned r) {
      return part * cached(r) + (1 - part) * before_instructions(r);
    };
    const auto instructions = [&](unsigned r) {
      double total = 0;
      for (std::size_t item = 0; item < measured_.size(); ++item) {
        const NumberCost& number = out_.numbers[measured_[item]];
        if (number.cache.cached == Cached::No) {
          total += static_cast<double>(number.count) * body(r, item);
        }
      }
      return total / calls;
    };
    sum.fixed = over_rounds(fixed);
    sum.instructions = over_rounds(instructions);
    sum.adds = over_rounds([&](unsigned r) { return fixed(r) + instructions(r); });
  }

  const FilterStack& stack_;
  CostOptions options_;
  std::vector<Program> programs_;
  StackCost out_;
  std::array<std::optional<live::TimedWork>, kTurns> turns_;
  live::TimedWork refusing_one_;
  std::array<std::vector<std::vector<double>>, kTurns> ticks_;  // of each round, of each group
  std::vector<std::vector<double>> refusing_one_ticks_;
  std::vector<std::size_t> measured_;  // the number that a group of Bodies is about
  live::Pace pace_{live::Pace::Priority::Unchanged};
  double scale_ = 0;  // nanoseconds a tick
};

}  // namespace

std::expected<StackCost, live::LiveError> live_cost(const FilterStack& stack,
                                                    std::span<const Weight> numbers,
                                                    const CostOptions& options) {
  return Experiment(stack, numbers, options).run();
}

}  // namespace callgate::cost
