#include "verifier/expected_cost.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "verifier/cache.hpp"
#include "verifier/transfer.hpp"
#include "vm/arches.hpp"
#include "vm/arithmetic.hpp"
#include "vm/opcodes.hpp"
#include "vm/outcome.hpp"

namespace callgate::verifier {
namespace {

constexpr std::size_t kMostStates = 64;  // at one instruction

using Known = std::optional<std::uint32_t>;

// Values of registers, as far as the words of one call tell them.
class KnownValues {
 public:
  using Value = Known;

  KnownValues(const KnownCall& call, ByteOrder order, std::optional<ShiftRule> rule)
      : call_(call), order_(order), rule_(rule) {}

  [[nodiscard]] static Known constant(std::uint32_t value) { return value; }
  [[nodiscard]] Known word(std::uint32_t offset) const {
    if ((call_.known >> word_bit(offset, order_) & 1U) == 0) return std::nullopt;
    return load_word(call_.data, offset, order_);
  }
  [[nodiscard]] static Known length() { return kSeccompDataSize; }
  [[nodiscard]] Known computed(Opcode opcode, const Known& a, const Known& operand) const {
    if (opcode == Opcode::Neg) return a ? Known(0U - *a) : std::nullopt;
    if (a && operand) return callgate::computed(opcode, *a, *operand, rule_);
    const bool gives_zero = alu_of(opcode) == Alu::And || alu_of(opcode) == Alu::Mul;
    if (gives_zero && (a == 0U || operand == 0U)) return 0;
    return std::nullopt;
  }
  /// Whether a run ends at this operation, with 0.
  [[nodiscard]] bool ends_at(Opcode opcode, const Known& operand) const {
    if (opcode != Opcode::DivX && opcode != Opcode::LshX && opcode != Opcode::RshX) return false;
    return operand && !callgate::computed(opcode, 1, *operand, rule_);
  }

 private:
  const KnownCall& call_;
  ByteOrder order_;
  std::optional<ShiftRule> rule_;
};

class Runner {
 public:
  Runner(std::span<const Instruction> program, const KernelModel& model, const Prices& prices,
         Profile* profile)
      : program_(program),
        order_(byte_order(model.arch)),
        rule_(shift_rule(model)),
        prices_(prices),
        profile_(profile) {
    for (const Instruction& each : program) rows_.push_back(find_opcode(each.code));
    if (profile_ == nullptr) return;
    profile_->taken.resize(program.size());
    profile_->not_taken.resize(program.size());
  }

  double cost(const WeighedCall& weighed) {
    const KnownValues values(weighed.call, order_, rule_);
    cost_ = 0;
    State start;
    start.weight = weighed.weight;
    start.registers.a = start.registers.x = 0;
    run(values, 0, start);
    // What a fork has left behind: jumps go forward, so that all ways to a place are known when it
    // is the lowest one.
    while (!waiting_.empty()) {
      const auto place = waiting_.begin();
      const std::size_t pc = place->first;
      const std::vector<State> states = std::move(place->second);
      waiting_.erase(place);
      for (const State& each : states) step(values, pc, each);
    }
    return cost_;
  }

 private:
  struct State {
    Registers<Known> registers;
    double weight = 0;
  };

  // As long as there is one way.
  void run(const KnownValues& values, std::size_t pc, State& state) {
    std::optional<std::size_t> next = pc;
    while (next) {
      pc = *next;
      next = advance(values, pc, state);
    }
  }

  void step(const KnownValues& values, std::size_t pc, State state) {
    const auto next = advance(values, pc, state);
    if (next) add(*next, state);
  }

  // Where it goes on; nothing at an end, and at a fork, whose sides are left waiting.
  std::optional<std::size_t> advance(const KnownValues& values, std::size_t pc, State& state) {
    const Instruction& here = program_[pc];
    const OpcodeInfo& row = *rows_[pc];
    cost_ += state.weight * prices_.instruction;
    if (row.kind == OpcodeKind::Return) return std::nullopt;
    if (row.kind == OpcodeKind::Jump) return jumped(pc, pc + 1 + here.k, state.weight);
    const Known operand = operand_of(values, state.registers, here, row.operand);
    if (row.kind == OpcodeKind::Branch) return branched(pc, operand, state);
    if (row.kind == OpcodeKind::Alu) {
      cost_ += state.weight * prices_.arithmetic;
      if (values.ends_at(row.opcode, operand)) return std::nullopt;
    }
    transfer(values, state.registers, here, row);
    return pc + 1;
  }

  std::optional<std::size_t> branched(std::size_t pc, const Known& operand, const State& state) {
    const Instruction& here = program_[pc];
    const std::size_t yes = pc + 1 + here.jt;
    const std::size_t no = pc + 1 + here.jf;
    if (yes == no) return jumped(pc, yes, state.weight);
    if (state.registers.a && operand) {
      const bool holds = callgate::holds(test_of(rows_[pc]->opcode), *state.registers.a, *operand);
      count(pc, holds ? state.weight : 0, holds ? 0 : state.weight);
      return jumped(pc, holds ? yes : no, state.weight);
    }
    State half = state;
    half.weight /= 2;
    count(pc, half.weight, half.weight);
    add(jumped(pc, yes, half.weight), half);
    add(jumped(pc, no, half.weight), half);
    return std::nullopt;
  }

  std::size_t jumped(std::size_t pc, std::size_t to, double weight) {
    if (to != pc + 1) cost_ += weight * prices_.jump_taken;
    return to;
  }

  void count(std::size_t pc, double taken, double not_taken) {
    if (profile_ == nullptr) return;
    profile_->taken[pc] += taken;
    profile_->not_taken[pc] += not_taken;
  }

  void add(std::size_t pc, const State& state) {
    std::vector<State>& there = waiting_[pc];
    const auto same = std::ranges::find(there, state.registers, &State::registers);
    if (same != there.end()) {
      same->weight += state.weight;
    } else if (there.size() < kMostStates) {
      there.push_back(state);
    } else {
      join(there.front(), state);
    }
  }

  static void join(State& into, const State& other) {
    const auto join_one = [](Known& one, const Known& with) {
      if (one != with) one.reset();
    };
    join_one(into.registers.a, other.registers.a);
    join_one(into.registers.x, other.registers.x);
    for (std::size_t slot = 0; slot < kMemoryWords; ++slot) {
      join_one(into.registers.memory[slot], other.registers.memory[slot]);
    }
    into.weight += other.weight;
  }

  std::span<const Instruction> program_;
  std::vector<const OpcodeInfo*> rows_;
  ByteOrder order_;
  std::optional<ShiftRule> rule_;
  Prices prices_;
  Profile* profile_;
  double cost_ = 0;
  std::map<std::size_t, std::vector<State>> waiting_;
};

}  // namespace

double expected_cost(std::span<const Instruction> program, const KernelModel& model,
                     std::span<const WeighedCall> calls, const Prices& prices, Profile* profile) {
  Runner runner(program, model, prices, profile);
  double sum = 0;
  for (const WeighedCall& each : calls) sum += runner.cost(each);
  return sum;
}

bool is_served(std::span<const CheckedProgram> stack, const KernelModel& model,
               const KnownCall& call) {
  constexpr KnownWords kBoth = kNumberKnown | kArchKnown;
  if ((call.known & kBoth) != kBoth) return false;
  if (is_exempt(call.data, model)) return true;
  const auto nr = static_cast<std::uint32_t>(call.data.nr);
  const auto arch = arch_of_call(call.data.arch, nr);
  if (!arch) return false;
  KernelModel abi = model;
  abi.arch = *arch;
  const auto range = cache_range(abi);
  if (!range || nr >= range->surely) return false;
  return std::ranges::all_of(stack, [&](const CheckedProgram& each) {
    return emulate(each.instructions(), nr, call.data.arch).cached == Cached::Yes;
  });
}

}  // namespace callgate::verifier
