#include "harness/engines/choice.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "harness/engines/engines.hpp"
#include "vm/reference.hpp"

namespace callgate {
namespace {

// Below this many verdicts nothing is worth preparing, whatever the program.
constexpr std::uint64_t kFew = 8;

// Instructions of three kinds: an engine's work on each is alike.
struct Kinds {
  double equal = 0;   // compares for equality: chains of them are looked up
  double tests = 0;   // other loads of words, jumps and compares
  double others = 0;  // arithmetic, memory

  // By the class alone: looking must not cost what choosing saves.
  void count(const Instruction& instruction, double weight) {
    constexpr std::uint16_t kLoad = 0;
    constexpr std::uint16_t kJump = 5;
    constexpr std::uint16_t kReturn = 6;
    switch (instruction.code & 7U) {
      case kJump:
        ((instruction.code & 0xf0U) == 0x10U ? equal : tests) += weight;
        return;
      case kLoad:
        tests += weight;
        return;
      case kReturn:
        return;
      default:
        others += weight;
        return;
    }
  }
};

// What an engine takes, in nanoseconds of one machine: only their relation counts. Taken from
// bench/ over its filters; `cold` and `choice` there show how far off the choice is.
struct Cost {
  std::string_view engine;
  double prepare;      // any program
  Kinds per_prepared;  // instruction of it
  double verdict;      // any verdict
  Kinds per_executed;
};

constexpr Cost kCosts[] = {
    {"reference", 30, {0.3, 0.3, 0.3}, 3, {2.0, 2.0, 6.3}},
    {"decoded", 300, {28, 50, 12}, 4, {0, 0.8, 3.5}},
    {"specialised", 2200, {68, 130, 20}, 2.5, {0, 0, 1.5}},
    {"jit", 10'000, {44, 200, 54}, 4, {0, 0.25, 0.28}},
};

double sum_of(const Kinds& each, const Kinds& count) {
  return each.equal * count.equal + each.tests * count.tests + each.others * count.others;
}

// What a program holds: of a long one, some instructions stand for all. The step is odd, so that of
// a compare and a return in turn both are seen.
Kinds kinds_of(std::span<const Instruction> program) {
  constexpr std::size_t kLooked = 48;
  const std::size_t step = (program.size() / kLooked) | 1U;
  Kinds out;
  for (std::size_t i = 0; i < program.size(); i += step) {
    out.count(program[i], static_cast<double>(step));
  }
  return out;
}

struct Counter {
  std::span<const Instruction> program;
  Kinds* executed;

  void step(const reference::Step& step) const { executed->count(program[step.at], 1); }
};

// The mean over numbers that programs call most: all filters know them, some far down.
Kinds executed_by(const CheckedProgram& program) {
  constexpr std::array<std::int32_t, 5> kNumbers = {9, 257, 3, 262, 0};
  constexpr double kEnough = 250;  // instructions
  Kinds sum;
  SeccompData data;
  data.arch = info(program.model().arch).token;
  double calls = 0;
  for (const std::int32_t nr : kNumbers) {
    data.nr = nr;
    static_cast<void>(reference::run(program.instructions(), data, program.model(),
                                     Counter{program.instructions(), &sum}));
    ++calls;
    if (sum.equal + sum.tests + sum.others > kEnough) break;
  }
  return {sum.equal / calls, sum.tests / calls, sum.others / calls};
}

}  // namespace

const Engine& engine_for(const CheckedProgram& program, std::uint64_t verdicts) {
  if (verdicts < kFew) return *engines().front();
  const Kinds held = kinds_of(program.instructions());
  const Kinds executed = executed_by(program);
  const Engine* best = nullptr;
  double least = std::numeric_limits<double>::max();
  for (const Engine* engine : all_engines()) {
    const auto cost = std::ranges::find(kCosts, engine->name(), &Cost::engine);
    if (cost == std::end(kCosts)) continue;
    const double total =
        cost->prepare + sum_of(cost->per_prepared, held) +
        static_cast<double>(verdicts) * (cost->verdict + sum_of(cost->per_executed, executed));
    if (total >= least) continue;
    least = total;
    best = engine;
  }
  return *best;
}

}  // namespace callgate
