#include "harness/engines/choice.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "harness/engines/engines.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"

namespace callgate {
namespace {

// Below this many verdicts nothing is worth preparing, whatever the program.
constexpr std::uint64_t kFew = 8;

// What an engine takes, in nanoseconds of one machine: only their relation counts. Taken from
// bench/ over its filters; `choice` there shows how far off the choice is.
struct Cost {
  std::string_view engine;
  double prepare;          // any program
  double per_instruction;  // of it
  double verdict;          // any verdict
  double per_test;         // loads, jumps, compares, returns executed
  double per_arithmetic;   // others executed
};

constexpr Cost kCosts[] = {
    {"reference", 30, 0.3, 8, 1.0, 6.0},
    {"decoded", 400, 32, 4, 0.15, 3.5},
    {"specialised", 2500, 80, 2, 0, 3.5},
    {"jit", 10'000, 50, 4, 0.05, 0.3},
};

// How much of what a call executes.
struct Executed {
  double tests = 0;
  double arithmetic = 0;
};

struct Counter {
  std::span<const Instruction> program;
  Executed* executed;

  void step(const reference::Step& step) const {
    switch (find_opcode(program[step.at].code)->kind) {
      case OpcodeKind::Load:
      case OpcodeKind::Jump:
      case OpcodeKind::Branch:
      case OpcodeKind::Return:
        ++executed->tests;
        return;
      case OpcodeKind::LoadX:
      case OpcodeKind::Store:
      case OpcodeKind::StoreX:
      case OpcodeKind::Alu:
      case OpcodeKind::Tax:
      case OpcodeKind::Txa:
        ++executed->arithmetic;
        return;
    }
  }
};

// The mean over numbers that programs call: all filters know them, some far down.
Executed mean_of(const CheckedProgram& program, std::uint64_t verdicts) {
  static constexpr std::array<std::int32_t, 6> kNumbers = {257, 9, 0, 1, 3, 202};
  const std::size_t calls = verdicts < 1000 ? 2 : kNumbers.size();
  Executed sum;
  SeccompData data;
  data.arch = info(program.model().arch).token;
  for (std::size_t i = 0; i < calls; ++i) {
    data.nr = kNumbers[i];
    static_cast<void>(reference::run(program.instructions(), data, program.model(),
                                     Counter{program.instructions(), &sum}));
  }
  return {sum.tests / static_cast<double>(calls), sum.arithmetic / static_cast<double>(calls)};
}

}  // namespace

const Engine& engine_for(const CheckedProgram& program, std::uint64_t verdicts) {
  const Engine* best = all_engines().front();
  if (verdicts < kFew) return *best;
  const Executed executed = mean_of(program, verdicts);
  double least = std::numeric_limits<double>::max();
  for (const Engine* engine : all_engines()) {
    const auto cost = std::ranges::find(kCosts, engine->name(), &Cost::engine);
    if (cost == std::end(kCosts)) continue;
    const double verdict = cost->verdict + cost->per_test * executed.tests +
                           cost->per_arithmetic * executed.arithmetic;
    const double total =
        cost->prepare + cost->per_instruction * static_cast<double>(program.instructions().size()) +
        static_cast<double>(verdicts) * verdict;
    if (total >= least) continue;
    least = total;
    best = engine;
  }
  return *best;
}

}  // namespace callgate
