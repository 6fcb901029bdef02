#include "verifier/meaning.hpp"

#include <algorithm>
#include <utility>

#include "verifier/formulas.hpp"
#include "verifier/transfer.hpp"
#include "vm/opcodes.hpp"

namespace callgate::verifier {
namespace {

using Ref = Space::Ref;

constexpr std::string_view kTooManySteps =
    "the registers hold too many different formulas on the ways to it";
constexpr std::string_view kTooManyNodes = "the conditions on the ways to it are too complicated";
// What may still be made once the limit is reached, to finish what was begun.
constexpr std::size_t kReserve = 1'000'000;

// In a register that is not read again, and in a slot that was not stored.
constexpr TermId kForgotten = ~0U;

constexpr std::uint32_t kBitA = 1U << 16U;
constexpr std::uint32_t kBitX = 1U << 17U;

// Which registers are read from an instruction on, before they are written.
std::vector<std::uint32_t> live_registers(std::span<const Instruction> program) {
  std::vector<std::uint32_t> live(program.size());
  for (std::size_t i = program.size(); i-- > 0;) {
    const Instruction& here = program[i];
    const OpcodeInfo& row = *find_opcode(here.code);
    std::uint32_t after = 0;
    if (row.kind == OpcodeKind::Jump) {
      after = live[i + 1 + here.k];
    } else if (row.kind == OpcodeKind::Branch) {
      after = live[i + 1 + here.jt] | live[i + 1 + here.jf];
    } else if (row.kind != OpcodeKind::Return) {
      after = live[i + 1];
    }
    std::uint32_t reads = 0;
    std::uint32_t writes = 0;
    if (row.operand == Operand::X) reads |= kBitX;
    if (row.operand == Operand::A) reads |= kBitA;
    switch (row.kind) {
      case OpcodeKind::Load:
        writes = kBitA;
        if (row.operand == Operand::Memory) reads |= 1U << here.k;
        break;
      case OpcodeKind::LoadX:
        writes = kBitX;
        if (row.operand == Operand::Memory) reads |= 1U << here.k;
        break;
      case OpcodeKind::Store:
        writes = 1U << here.k;
        reads |= kBitA;
        break;
      case OpcodeKind::StoreX:
        writes = 1U << here.k;
        reads |= kBitX;
        break;
      case OpcodeKind::Tax:
        writes = kBitX;
        reads |= kBitA;
        break;
      case OpcodeKind::Txa:
        writes = kBitA;
        reads |= kBitX;
        break;
      case OpcodeKind::Alu:
      case OpcodeKind::Branch:
        reads |= kBitA;
        break;
      case OpcodeKind::Jump:
      case OpcodeKind::Return:
        break;
    }
    live[i] = (after & ~writes) | reads;
  }
  return live;
}

class Follower {
 public:
  Follower(Endings& endings, const CheckedProgram& program, AnalysisLimits limits)
      : endings_(endings),
        space_(endings.space()),
        diagrams_(space_.diagrams()),
        formulas_(space_.terms(), program.model()),
        program_(program.instructions()),
        live_(live_registers(program_)),
        limits_(limits),
        states_(program_.size()) {
    result_.reached.assign(program_.size(), Diagrams::kFalse);
    result_.taken = result_.not_taken = result_.reached;
    result_.idle.assign(program_.size(), true);
    const TermId zero = space_.terms().constant(0);
    start_.a = start_.x = zero;
    start_.memory.fill(kForgotten);
  }

  ProgramMeaning follow() {
    states_[0].emplace(start_, Diagrams::kTrue);
    std::string_view reason;
    std::size_t at = 0;
    try {
      for (; at < program_.size(); ++at) {
        if (result_.steps > limits_.steps) {
          reason = kTooManySteps;
          break;
        }
        follow_from(at);
      }
    } catch (const Diagrams::Full&) {
      reason = kTooManyNodes;
    }
    const Diagrams::Budget before = diagrams_.allow_more(kReserve);
    try {
      if (!reason.empty()) give_up(at, reason);
      finish();
    } catch (const Diagrams::Full&) {
      // Not even what was found can be kept: 0 and 1 and one end are there, or can be made.
      (void)diagrams_.allow_more(2);
      result_.value =
          endings_.end({.kind = Ending::Kind::NotFollowed, .filter = {}, .reason = kTooManyNodes});
      result_.not_followed = Diagrams::kTrue;
    }
    diagrams_.allow(before);
    return std::move(result_);
  }

 private:
  using State = Registers<TermId>;

  void follow_from(std::size_t at) {
    // The states stay where they are until all are followed: what is given up is given up whole.
    for (const auto& [state, condition] : states_[at]) {
      ++result_.steps;
      result_.reached[at] = diagrams_.either(result_.reached[at], condition);
      step(at, state, condition);
    }
    states_[at].clear();
  }

  void step(std::size_t at, State state, Ref condition) {
    const Instruction& here = program_[at];
    const OpcodeInfo& row = *find_opcode(here.code);
    const TermId operand = operand_of(formulas_, state, here, row.operand);
    if (row.kind == OpcodeKind::Jump) {
      result_.idle[at] = false;
      return go(at + 1 + here.k, state, condition);
    }
    if (row.kind == OpcodeKind::Return) {
      result_.idle[at] = false;
      return ends(condition, {.kind = Ending::Kind::Value, .value = operand, .filter = {}});
    }
    if (row.kind == OpcodeKind::Branch) {
      result_.idle[at] = false;
      const Ref test = space_.compared(test_of(row.opcode), state.a, operand);
      const Ref taken = diagrams_.both(condition, test);
      const Ref not_taken = diagrams_.without(condition, test);
      result_.taken[at] = diagrams_.either(result_.taken[at], taken);
      result_.not_taken[at] = diagrams_.either(result_.not_taken[at], not_taken);
      if (here.jt == here.jf) return go(at + 1 + here.jt, state, condition);
      go(at + 1 + here.jt, state, taken);
      return go(at + 1 + here.jf, state, not_taken);
    }
    if (row.opcode == Opcode::DivX) {
      const TermId zero = space_.terms().constant(0);
      const Ref by_zero = diagrams_.both(condition, space_.compared(Test::Equal, operand, zero));
      if (by_zero != Diagrams::kFalse) result_.idle[at] = false;
      ends(by_zero, {.kind = Ending::Kind::Value, .value = zero, .filter = {}});
      condition = diagrams_.without(condition, by_zero);
    }
    if ((row.opcode == Opcode::LshX || row.opcode == Opcode::RshX) &&
        formulas_.leaves_shifts_undefined()) {
      const TermId limit = space_.terms().constant(32);
      const Ref far =
          diagrams_.both(condition, space_.compared(Test::GreaterOrEqual, operand, limit));
      if (far != Diagrams::kFalse) result_.idle[at] = false;
      ends(far, {.kind = Ending::Kind::Undefined, .filter = {}, .instruction = at});
      condition = diagrams_.without(condition, far);
    }
    const State before = only_live(state, at + 1);
    transfer(formulas_, state, here, row);
    if (only_live(state, at + 1) != before) result_.idle[at] = false;
    go(at + 1, state, condition);
  }

  // The state with what is not read from an instruction on forgotten.
  [[nodiscard]] State only_live(State state, std::size_t at) const {
    const std::uint32_t live = live_[at];
    if ((live & kBitA) == 0) state.a = kForgotten;
    if ((live & kBitX) == 0) state.x = kForgotten;
    for (std::size_t slot = 0; slot < kMemoryWords; ++slot) {
      if ((live >> slot & 1U) == 0) state.memory[slot] = kForgotten;
    }
    return state;
  }

  void go(std::size_t to, const State& state, Ref condition) {
    if (condition == Diagrams::kFalse) return;
    const auto [place, fresh] = states_[to].try_emplace(only_live(state, to), condition);
    if (!fresh) place->second = diagrams_.either(place->second, condition);
  }

  void ends(Ref condition, const Ending& ending) {
    if (condition == Diagrams::kFalse) return;
    const Ref end = endings_.end(ending);
    const auto [place, fresh] = ended_.try_emplace(end, condition);
    if (!fresh) place->second = diagrams_.either(place->second, condition);
  }

  // All that has not been followed yet. Some of what came from `at` may have been: it is given up
  // too, and takes the place of what was found.
  void give_up(std::size_t at, std::string_view reason) {
    for (std::size_t i = at; i < program_.size(); ++i) {
      for (const auto& [state, condition] : states_[i]) {
        result_.not_followed = diagrams_.either(result_.not_followed, condition);
        unfollowed_.emplace_back(condition, endings_.end({.kind = Ending::Kind::NotFollowed,
                                                          .filter = {},
                                                          .instruction = i,
                                                          .reason = reason}));
      }
    }
  }

  void finish() {
    // Every call comes to exactly one ending.
    Ref value = ended_.empty() ? Diagrams::kFalse : ended_.begin()->first;
    for (const auto& [end, condition] : ended_) value = diagrams_.choose(condition, end, value);
    for (const auto& [condition, end] : unfollowed_) {
      value = diagrams_.choose(condition, end, value);
    }
    result_.value = value;
  }

  Endings& endings_;
  Space& space_;
  Diagrams& diagrams_;
  Formulas formulas_;
  std::span<const Instruction> program_;
  std::vector<std::uint32_t> live_;
  AnalysisLimits limits_;
  State start_;
  std::vector<std::map<State, Ref>> states_;
  std::map<Ref, Ref> ended_;
  std::vector<std::pair<Ref, Ref>> unfollowed_;
  ProgramMeaning result_;
};

// How a kernel compares what two filters return: the lower wins.
class Ranks {
 public:
  Ranks(Terms& terms, const KernelModel& model)
      : terms_(terms), full_(model.has(Feature::ActionFull)) {}

  [[nodiscard]] TermId rank(TermId value) {
    if (!full_) return terms_.bit_and(value, terms_.constant(kOldActionMask));
    // Signed, in an unsigned comparison.
    return terms_.bit_xor(terms_.bit_and(value, terms_.constant(kActionMask)),
                          terms_.constant(0x80000000U));
  }

 private:
  Terms& terms_;
  bool full_;
};

}  // namespace

Space::Ref Endings::end(const Ending& ending) {
  const auto [place, fresh] =
      places_.try_emplace(ending, static_cast<std::uint32_t>(endings_.size()));
  if (fresh) endings_.push_back(ending);
  return space_.diagrams().end(place->second + kFirst);
}

std::optional<std::uint32_t> Endings::value(const Ending& ending, const SeccompData& data) const {
  if (ending.kind != Ending::Kind::Value) return std::nullopt;
  return space_.terms().evaluate(ending.value, data);
}

ProgramMeaning meaning_of(Endings& endings, const CheckedProgram& program, AnalysisLimits limits) {
  return Follower(endings, program, limits).follow();
}

StackMeaning meaning_of(Endings& endings, const FilterStack& stack, AnalysisLimits limits) {
  Space& space = endings.space();
  Diagrams& diagrams = space.diagrams();
  Ranks ranks(space.terms(), stack.model());
  StackMeaning result;
  const TermId allow = space.terms().constant(static_cast<std::uint32_t>(Action::Allow));
  try {
    result.verdict = endings.end({.kind = Ending::Kind::Value, .value = allow, .filter = {}});
    for (std::size_t filter = 0; filter < stack.size(); ++filter) {
      result.filters.push_back(meaning_of(endings, stack.checked(filter), limits));
    }
    for (std::size_t filter = stack.size(); filter-- > 0;) {
      const auto join = [&](Ref before, Ref here) {
        const Ending old = endings.at(before);
        Ending now = endings.at(here);
        now.filter = filter;
        if (old.kind != Ending::Kind::Value) return before;
        const Ref end = endings.end(now);
        if (now.kind != Ending::Kind::Value) return end;
        const Ref stricter =
            space.compared(Test::Greater, ranks.rank(old.value), ranks.rank(now.value));
        return diagrams.choose(stricter, end, before);
      };
      result.verdict = diagrams.joined(result.verdict, result.filters[filter].value, join);
      result.not_followed =
          diagrams.either(result.not_followed, result.filters[filter].not_followed);
    }
    result.value = diagrams.changed(result.verdict, [&](std::uint32_t number) {
      Ending ending = endings.at(diagrams.end(number));
      ending.filter.reset();
      return endings.end(ending);
    });
  } catch (const Diagrams::Full&) {
    const Diagrams::Budget before = diagrams.allow_more(2);
    result.verdict = result.value =
        endings.end({.kind = Ending::Kind::NotFollowed, .filter = {}, .reason = kTooManyNodes});
    result.not_followed = Diagrams::kTrue;
    diagrams.allow(before);
  }
  return result;
}

}  // namespace callgate::verifier
