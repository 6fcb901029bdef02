// How a program is solved for all numbers at once: it is followed with sets of numbers, which
// compares of the number part. What depends on other words becomes questions, shared between all
// numbers that come to the same.

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <utility>

#include "vm/arithmetic.hpp"
#include "vm/equality_chains.hpp"
#include "vm/number_set.hpp"
#include "vm/opcodes.hpp"
#include "vm/specialised_program.hpp"

namespace callgate {
namespace {

constexpr std::uint32_t kNrOffset = 0;
constexpr std::uint32_t kArchOffset = 4;
// Questions that stand on the taken sides of others, at most.
constexpr std::size_t kMostDepth = 256;
// A test of bits of the number parts it into at most so many ranges; else it is left as a question.
constexpr int kMostHighBits = 6;
constexpr int kMostFreeBits = 4;

Term constant(std::uint32_t value) { return {Term::kConstant, value}; }
Term word(std::uint32_t offset) { return {static_cast<std::uint8_t>(offset), ~0U}; }

// The instructions that control may go to from one.
template <typename Visit>
void visit_next(std::span<const Instruction> program, std::size_t at, Visit&& visit) {
  const Instruction& instruction = program[at];
  switch (find_opcode(instruction.code)->kind) {
    case OpcodeKind::Return:
      return;
    case OpcodeKind::Jump:
      return visit(at + 1 + instruction.k);
    case OpcodeKind::Branch:
      visit(at + 1 + instruction.jt);
      return visit(at + 1 + instruction.jf);
    case OpcodeKind::Load:
    case OpcodeKind::LoadX:
    case OpcodeKind::Store:
    case OpcodeKind::StoreX:
    case OpcodeKind::Alu:
    case OpcodeKind::Tax:
    case OpcodeKind::Txa:
      return visit(at + 1);
  }
}

bool loads(const Instruction& instruction, std::uint32_t offset) {
  return find_opcode(instruction.code)->operand == Operand::Data && instruction.k == offset;
}

// The constants that A is compared with where it may hold the architecture, at most kMostArches.
std::vector<std::uint32_t> arches_asked_for(std::span<const Instruction> program,
                                            std::uint32_t own) {
  std::vector<bool> holds_arch(program.size());
  std::vector<std::uint32_t> tokens;
  for (std::size_t i = 0; i < program.size(); ++i) {
    const OpcodeInfo& row = *find_opcode(program[i].code);
    bool after = holds_arch[i];
    if (row.kind == OpcodeKind::Load) after = loads(program[i], kArchOffset);
    if (row.kind == OpcodeKind::Alu || row.kind == OpcodeKind::Txa) after = false;
    if (after) visit_next(program, i, [&](std::size_t next) { holds_arch[next] = true; });
    if (!holds_arch[i] || row.opcode != Opcode::JeqK) continue;
    if (std::ranges::find(tokens, program[i].k) == tokens.end()) tokens.push_back(program[i].k);
  }
  const auto found = std::ranges::find(tokens, own);
  if (found != tokens.end()) std::rotate(tokens.begin(), found, found + 1);
  if (tokens.size() > SpecialisedProgram::kMostArches) {
    tokens.resize(SpecialisedProgram::kMostArches);
  }
  return tokens;
}

// Whether the number may be loaded from an instruction on.
std::vector<bool> may_load_number(std::span<const Instruction> program) {
  std::vector<bool> may(program.size());
  for (std::size_t i = program.size(); i-- > 0;) {
    may[i] = loads(program[i], kNrOffset);
    visit_next(program, i, [&](std::size_t next) { may[i] = may[i] || may[next]; });
  }
  return may;
}

// A place in the program, and what is known of the registers there.
struct State {
  std::size_t at = 0;
  Term a = constant(0);
  Term x = constant(0);
  std::array<Term, kMemoryWords> memory{};
  std::optional<std::uint32_t> nr;  // where it is one

  friend auto operator<=>(const State&, const State&) = default;
};

// The state if the number is that one.
State with_number(State state, std::uint32_t nr) {
  const auto settle = [nr](Term& term) {
    if (term.offset == kNrOffset) term = constant(nr & term.value);
  };
  settle(state.a);
  settle(state.x);
  std::ranges::for_each(state.memory, settle);
  state.nr = nr;
  return state;
}

}  // namespace

class SpecialisedProgram::Solver {
 public:
  Solver(SpecialisedProgram& out, const CheckedProgram& program)
      : out_(out),
        program_(program.instructions()),
        rule_(shift_rule(program.model())),
        arches_(arches_asked_for(program_, info(program.model().arch).token)),
        may_load_number_(may_load_number(program_)),
        lands_(past_jumps(program_)) {}

  void solve() {
    out_.resumes_.emplace_back();  // the start
    for (const std::uint32_t arch : arches_) solve_plane(arch);
    solve_plane(std::nullopt);
  }

 private:
  // What an instruction does to a state.
  enum class Went : std::uint8_t { On, Returned, Stuck, ToBranch };

  struct Found {
    NumberRange range;
    Entry entry;
  };

  void solve_plane(std::optional<std::uint32_t> arch) {
    arch_ = arch;
    known_.clear();
    found_.clear();
    waiting_.clear();
    waiting_.emplace_back(State{}, NumberSet::all());
    while (!waiting_.empty()) {
      auto [state, numbers] = std::move(waiting_.back());
      waiting_.pop_back();
      follow(std::move(state), std::move(numbers));
    }
    std::ranges::sort(found_, {}, [](const Found& each) { return each.range.first; });
    Plane plane{arch.value_or(0), {}};
    for (const Found& each : found_) {
      if (plane.ranges.empty() || plane.ranges.back().entry != each.entry) {
        plane.ranges.push_back({each.range.first, each.entry});
      }
    }
    out_.planes_.push_back(std::move(plane));
  }

  void assign(const NumberSet& numbers, Entry entry) {
    for (const NumberRange& range : numbers.ranges()) found_.push_back({range, entry});
  }

  // Follows the program for some numbers until they have an entry; parts of them may be left
  // waiting.
  void follow(State state, NumberSet numbers) {
    for (;;) {
      if (numbers.empty()) return;
      if (!state.nr && numbers.is_single()) state = with_number(state, numbers.front());
      std::uint32_t value = 0;
      switch (step(state, value)) {
        case Went::On:
          break;
        case Went::Returned:
          return assign(numbers, {value, Entry::Kind::Constant});
        case Went::Stuck:
          return assign(numbers, resume(state));
        case Went::ToBranch:
          if (take_one(state, numbers)) break;
          if (const auto yes = part(state, numbers)) {
            const Instruction& branch = program_[state.at];
            State taken = state;
            taken.at += 1 + branch.jt;
            if (!yes->empty()) waiting_.emplace_back(std::move(taken), *yes);
            state.at += 1 + branch.jf;
            break;
          }
          return assign(numbers, question(state, 0));
      }
    }
  }

  // What most filters are made of: a compare with one number that returns a constant when it finds
  // it. As part(), and true where the state goes on with the others.
  bool take_one(State& state, NumberSet& numbers) {
    const Instruction& branch = program_[state.at];
    if (opcode_at(state.at) != Opcode::JeqK || state.a != word(kNrOffset)) return false;
    const Instruction& target = program_[lands_[state.at + 1 + branch.jt]];
    if (static_cast<Opcode>(target.code) != Opcode::RetK) return false;
    if (numbers.take(branch.k)) {
      found_.push_back({{branch.k, branch.k}, {target.k, Entry::Kind::Constant}});
    }
    state.at += 1 + branch.jf;
    return true;
  }

  // Takes those numbers out for which a branch on the number is taken, and returns them; nothing
  // where it is no such branch, or parts them too finely.
  std::optional<NumberSet> part(const State& state, NumberSet& numbers) const {
    const auto [term, k] = asked(state);
    if (term.offset != kNrOffset) return std::nullopt;
    switch (test_of(opcode_at(state.at))) {
      case Test::Equal:
        return part_equal(numbers, term.value, k);
      case Test::Greater:
        if (term.value != ~0U) return std::nullopt;
        return k == ~0U ? NumberSet() : numbers.take(NumberRange{k + 1, ~0U});
      case Test::GreaterOrEqual:
        if (term.value != ~0U) return std::nullopt;
        return numbers.take(NumberRange{k, ~0U});
      case Test::AnyBit:
        return part_any_bit(numbers, term.value & k);
    }
    return std::nullopt;
  }

  static std::optional<NumberSet> part_equal(NumberSet& numbers, std::uint32_t mask,
                                             std::uint32_t k) {
    NumberSet equal;
    if ((k & ~mask) != 0) return equal;
    const std::uint32_t free = ~mask;
    if (std::popcount(free) > kMostFreeBits) return std::nullopt;
    std::uint32_t bits = 0;
    do {
      const std::uint32_t nr = k | bits;
      if (numbers.take(nr)) equal.append(NumberSet({nr, nr}));
      bits = (bits - free) & free;  // the next subset of the free bits
    } while (bits != 0);
    return equal;
  }

  static std::optional<NumberSet> part_any_bit(NumberSet& numbers, std::uint32_t bits) {
    NumberSet any;
    if (bits == 0) return any;
    const int lowest = std::countr_zero(bits);
    if (32 - lowest > kMostHighBits) return std::nullopt;
    const std::uint32_t last = (1U << lowest) - 1;
    for (std::uint32_t piece = 0; piece < 1U << (32 - lowest); ++piece) {
      const std::uint32_t first = piece << lowest;
      if ((first & bits) != 0) any.append(numbers.take(NumberRange{first, first | last}));
    }
    return any;
  }

  // The questions that are left from a state on.
  Entry question(State state, std::size_t depth) {
    Entry first;
    std::optional<std::size_t> previous;
    const auto link = [&](Entry entry) {
      (previous ? out_.nodes_[*previous].no : first) = entry;
      return first;
    };
    for (;;) {
      if (depth > kMostDepth || out_.nodes_.size() >= kMostNodes) return link(resume(state));
      std::uint32_t value = 0;
      switch (step(state, value)) {
        case Went::On:
          continue;
        case Went::Returned:
          return link({value, Entry::Kind::Constant});
        case Went::Stuck:
          return link(resume(state));
        case Went::ToBranch:
          break;
      }
      State key = state;
      if (!may_load_number_[state.at]) key.nr.reset();
      const std::size_t node = out_.nodes_.size();
      const Entry entry{static_cast<std::uint32_t>(node), Entry::Kind::Node};
      const auto [place, fresh] = known_.emplace(std::move(key), entry);
      link(place->second);
      if (!fresh) return first;
      const auto [term, k] = asked(state);
      out_.nodes_.push_back(
          {.offset = static_cast<std::uint8_t>(host_offset(term.offset, out_.order_)),
           .test = test_of(opcode_at(state.at)),
           .mask = term.value,
           .k = k,
           .yes = {},
           .no = {}});
      const Instruction& branch = program_[state.at];
      State taken = state;
      taken.at += 1 + branch.jt;
      const Entry yes = question(std::move(taken), depth + 1);
      out_.nodes_[node].yes = yes;
      previous = node;
      state.at += 1 + branch.jf;
    }
  }

  Entry resume(const State& state) {
    if (out_.resumes_.size() >= kMostResumes) return {0, Entry::Kind::Resume};
    out_.resumes_.push_back({state.at, state.a, state.x, state.memory});
    return {static_cast<std::uint32_t>(out_.resumes_.size() - 1), Entry::Kind::Resume};
  }

  [[nodiscard]] Opcode opcode_at(std::size_t at) const {
    return static_cast<Opcode>(program_[at].code);
  }

  // What a branch asks of which word: A and k, or for jeq A and X either way round.
  [[nodiscard]] std::pair<Term, std::uint32_t> asked(const State& state) const {
    const Term operand = operand_of(state);
    return state.a.is_constant() ? std::pair(operand, state.a.value)
                                 : std::pair(state.a, operand.value);
  }

  [[nodiscard]] Term operand_of(const State& state) const {
    const bool x = find_opcode(program_[state.at].code)->operand == Operand::X;
    return x ? state.x : constant(program_[state.at].k);
  }

  // Executes one instruction. Stuck: it cannot be told what it does, and the state is the one
  // before it; so is the state at a branch that depends on a word.
  Went step(State& state, std::uint32_t& value) {
    if (++steps_ > kMostSteps) return Went::Stuck;
    const Instruction& instruction = program_[state.at];
    const OpcodeInfo& row = *find_opcode(instruction.code);
    switch (row.kind) {
      case OpcodeKind::Load:
        state.a = loaded(state, row, instruction.k);
        break;
      case OpcodeKind::LoadX:
        state.x = loaded(state, row, instruction.k);
        break;
      case OpcodeKind::Store:
        state.memory[instruction.k] = state.a;
        break;
      case OpcodeKind::StoreX:
        state.memory[instruction.k] = state.x;
        break;
      case OpcodeKind::Tax:
        state.x = state.a;
        break;
      case OpcodeKind::Txa:
        state.a = state.x;
        break;
      case OpcodeKind::Jump:
        state.at += instruction.k;
        break;
      case OpcodeKind::Return: {
        const Term result = row.operand == Operand::A ? state.a : constant(instruction.k);
        value = result.value;
        return result.is_constant() ? Went::Returned : Went::Stuck;
      }
      case OpcodeKind::Alu: {
        const Term operand = operand_of(state);
        if (!operand.is_constant()) return Went::Stuck;
        const bool masks = row.opcode == Opcode::AndK || row.opcode == Opcode::AndX;
        if (state.a.is_constant()) {
          const auto result = computed(row.opcode, state.a.value, operand.value, rule_);
          if (!result) return Went::Returned;  // with 0
          state.a = constant(*result);
        } else if (masks) {
          state.a.value &= operand.value;
          if (state.a.value == 0) state.a = constant(0);
        } else {
          return Went::Stuck;
        }
        break;
      }
      case OpcodeKind::Branch:
        return branch(state, row.opcode);
    }
    ++state.at;
    return Went::On;
  }

  Went branch(State& state, Opcode opcode) {
    const Instruction& instruction = program_[state.at];
    const Test test = test_of(opcode);
    const Term operand = operand_of(state);
    std::optional<bool> goes;
    if (instruction.jt == instruction.jf) {
      goes = true;
    } else if (state.a.is_constant() && operand.is_constant()) {
      goes = holds(test, state.a.value, operand.value);
    } else if (!operand.is_constant() && !(state.a.is_constant() && test == Test::Equal)) {
      return Went::Stuck;
    } else if (const auto [term, k] = asked(state);
               term.offset == kArchOffset && term.value == ~0U && test == Test::Equal &&
               std::ranges::find(arches_, k) != arches_.end()) {
      goes = false;  // those have planes of their own
    }
    if (!goes) return Went::ToBranch;
    state.at += std::size_t{1} + (*goes ? instruction.jt : instruction.jf);
    return Went::On;
  }

  [[nodiscard]] Term loaded(const State& state, const OpcodeInfo& row, std::uint32_t k) const {
    switch (row.operand) {
      case Operand::Memory:
        return state.memory[k];
      case Operand::Length:
        return constant(kSeccompDataSize);
      case Operand::Data:
        if (k == kNrOffset && state.nr) return constant(*state.nr);
        if (k == kArchOffset && arch_) return constant(*arch_);
        return word(k);
      case Operand::K:
      case Operand::None:
      case Operand::X:
      case Operand::A:
        break;
    }
    return constant(k);
  }

  SpecialisedProgram& out_;
  std::span<const Instruction> program_;
  std::optional<ShiftRule> rule_;
  std::vector<std::uint32_t> arches_;
  std::vector<bool> may_load_number_;
  std::vector<std::uint16_t> lands_;
  std::optional<std::uint32_t> arch_;  // of the plane that is being solved
  std::vector<Found> found_;
  std::vector<std::pair<State, NumberSet>> waiting_;
  std::map<State, Entry> known_;  // the questions of this plane
  std::size_t steps_ = 0;
};

SpecialisedProgram::SpecialisedProgram(const CheckedProgram& program)
    : decoded_(program), order_(info(program.model().arch).byte_order) {
  Solver(*this, program).solve();
}

}  // namespace callgate
