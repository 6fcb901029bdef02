#include "verifier/path_cost.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "verifier/limits.hpp"
#include "vm/arches.hpp"
#include "vm/arithmetic.hpp"
#include "vm/opcodes.hpp"

namespace callgate::verifier {
namespace {

// A register or slot: its value, or nothing where it depends on the call or on the way.
using Known = std::optional<std::uint32_t>;

// What holds on every way to an instruction, and how many ran on the shortest and the longest.
struct Place {
  bool reached = false;
  Count classic;
  Count ebpf;
  Count jumps_taken;
  Count arithmetic;
  Count weighed;
  Known a;
  Known x;
  std::array<Known, kMemoryWords> memory{};
};

Known both(const Known& one, const Known& other) { return one == other ? one : std::nullopt; }

Count widest(const Count& one, const Count& other) {
  return {std::min(one.least, other.least), std::max(one.most, other.most)};
}

Count operator+(const Count& count, std::size_t more) {
  return {count.least + more, count.most + more};
}

Count operator+(const Count& one, const Count& other) {
  return {one.least + other.least, one.most + other.most};
}

void join(Place& into, const Place& from) {
  if (!into.reached) {
    into = from;
    return;
  }
  into.classic = widest(into.classic, from.classic);
  into.ebpf = widest(into.ebpf, from.ebpf);
  into.jumps_taken = widest(into.jumps_taken, from.jumps_taken);
  into.arithmetic = widest(into.arithmetic, from.arithmetic);
  into.weighed = widest(into.weighed, from.weighed);
  into.a = both(into.a, from.a);
  into.x = both(into.x, from.x);
  for (std::size_t slot = 0; slot < kMemoryWords; ++slot) {
    into.memory[slot] = both(into.memory[slot], from.memory[slot]);
  }
}

// Jumps go forward: one pass in the program's order has seen every way to a place when it comes to
// it.
class Walk {
 public:
  Walk(const CheckedProgram& program, const KnownCall& call, const Weigher* weigh = nullptr)
      : program_(program.instructions()),
        model_(program.model()),
        shift_rule_(shift_rule(program.model())),
        order_(info(program.model().arch).byte_order),
        call_(call),
        weigh_(weigh),
        places_(program.instructions().size()) {}

  PathCost result() {
    Place start;
    start.reached = true;
    start.a = start.x = 0;
    start.ebpf = start.ebpf + converted_prologue(model_);
    places_[0] = start;
    for (pc_ = 0; pc_ < program_.size(); ++pc_) {
      if (places_[pc_].reached) step(program_[pc_], places_[pc_]);
    }
    const bool one_figure =
        end_.classic.least == end_.classic.most && end_.ebpf.least == end_.ebpf.most;
    PathCost cost{.classic = end_.classic,
                  .ebpf = end_.ebpf,
                  .jumps_taken = end_.jumps_taken,
                  .arithmetic = end_.arithmetic,
                  .exact = exact_ || one_figure};
    if (runs_classic_programs(model_)) cost.ebpf.reset();
    return cost;
  }

  // After result().
  [[nodiscard]] Count weighed() const { return end_.weighed; }

 private:
  [[nodiscard]] std::size_t weight(Way way) const {
    return weigh_ == nullptr ? 0 : (*weigh_)(program_, pc_, way);
  }

  void step(const Instruction& i, Place here) {
    const OpcodeInfo& row = *find_opcode(i.code);
    here.classic = here.classic + 1;
    if (row.kind != OpcodeKind::Branch) here.weighed = here.weighed + weight(Way::Plain);
    const std::size_t converted = converted_length_of(i, model_);
    // A branch and a division leave out some of what they became; the others run all of it.
    if (row.kind != OpcodeKind::Branch && row.opcode != Opcode::DivX) {
      here.ebpf = here.ebpf + converted;
    }
    switch (row.kind) {
      case OpcodeKind::Load:
        here.a = loaded(i, row, here);
        break;
      case OpcodeKind::LoadX:
        here.x = loaded(i, row, here);
        break;
      case OpcodeKind::Store:
        here.memory[i.k] = here.a;
        break;
      case OpcodeKind::StoreX:
        here.memory[i.k] = here.x;
        break;
      case OpcodeKind::Tax:
        here.x = here.a;
        break;
      case OpcodeKind::Txa:
        here.a = here.x;
        break;
      case OpcodeKind::Alu:
        here.arithmetic = here.arithmetic + 1;
        if (row.opcode == Opcode::DivX) {
          divide(here, converted);
          return;
        }
        here.a = alu(i, row, here);
        break;
      case OpcodeKind::Jump:
        go(pc_ + 1 + i.k, here);
        return;
      case OpcodeKind::Branch:
        branch(i, row, here, converted);
        return;
      case OpcodeKind::Return:
        join(end_, here);
        return;
    }
    go(pc_ + 1, here);
  }

  void go(std::size_t to, Place state) {
    if (to != pc_ + 1) state.jumps_taken = state.jumps_taken + 1;
    join(places_[to], state);
  }

  [[nodiscard]] Known loaded(const Instruction& i, const OpcodeInfo& row, const Place& here) const {
    if (row.operand == Operand::K) return i.k;
    if (row.operand == Operand::Length) return kSeccompDataSize;
    if (row.operand == Operand::Memory) return here.memory[i.k];
    if ((call_.known >> word_bit(i.k, order_) & 1U) == 0) return std::nullopt;
    return load_word(call_.data, i.k, order_);
  }

  static Known operand(const Instruction& i, const OpcodeInfo& row, const Place& here) {
    return row.operand == Operand::X ? here.x : Known(i.k);
  }

  [[nodiscard]] Known alu(const Instruction& i, const OpcodeInfo& row, const Place& here) const {
    const Known value = operand(i, row, here);
    if (here.a && value) return computed(row.opcode, *here.a, *value, shift_rule_);
    // These leave no choice, whatever the other side is.
    const bool gives_zero = row.opcode == Opcode::AndK || row.opcode == Opcode::AndX ||
                            row.opcode == Opcode::MulK || row.opcode == Opcode::MulX;
    if (gives_zero && (here.a == 0U || value == 0U)) return 0;
    return std::nullopt;
  }

  // A division by an X of 0 ends the program; either way it leaves out what the other way runs.
  void divide(Place here, std::size_t converted) {
    const bool checked = model_.has(Feature::DivXChecked);
    const bool may_end = !here.x || *here.x == 0;
    const bool may_go_on = !here.x || *here.x != 0;
    if (!here.x) exact_ = false;
    if (may_end) {
      Place ends = here;
      ends.ebpf = ends.ebpf + (checked ? converted - 1 : converted);
      join(end_, ends);
    }
    if (!may_go_on) return;
    here.ebpf = here.ebpf + (checked ? converted - 2 : converted);
    here.a = here.a && here.x ? Known(*here.a / *here.x) : std::nullopt;
    go(pc_ + 1, here);
  }

  void branch(const Instruction& i, const OpcodeInfo& row, const Place& here,
              std::size_t converted) {
    const Known value = operand(i, row, here);
    Known holds_there;
    if (here.a && value) holds_there = holds(test_of(row.opcode), *here.a, *value) ? 1 : 0;
    const bool twice = jumps_twice(i, model_);
    if (!holds_there && (twice || i.jt != i.jf)) exact_ = false;
    if (holds_there != 0U) {
      Place taken = here;
      taken.weighed = taken.weighed + weight(Way::Taken);
      taken.ebpf = taken.ebpf + (twice ? converted - 1 : converted);
      go(pc_ + 1 + i.jt, taken);
    }
    if (holds_there != 1U) {
      Place not_taken = here;
      not_taken.weighed = not_taken.weighed + weight(Way::NotTaken);
      not_taken.ebpf = not_taken.ebpf + converted;
      go(pc_ + 1 + i.jf, not_taken);
    }
  }

  std::span<const Instruction> program_;
  KernelModel model_;
  std::optional<ShiftRule> shift_rule_;
  ByteOrder order_;
  const KnownCall& call_;
  const Weigher* weigh_;
  std::vector<Place> places_;
  Place end_;
  std::size_t pc_ = 0;
  bool exact_ = true;
};

}  // namespace

PathCost path_cost(const CheckedProgram& program, const KnownCall& call) {
  return Walk(program, call).result();
}

PathCost path_cost(const CheckedProgram& program, std::uint32_t nr, std::uint32_t arch) {
  return path_cost(program, call_of(nr, arch));
}

Count weighed_path(const CheckedProgram& program, const KnownCall& call, const Weigher& weigh) {
  Walk walk(program, call, &weigh);
  static_cast<void>(walk.result());
  return walk.weighed();
}

PathCost path_cost(const FilterStack& stack, const KnownCall& call) {
  PathCost sum;
  if (!runs_classic_programs(stack.model())) sum.ebpf = Count{};
  for (std::size_t filter = 0; filter < stack.size(); ++filter) {
    const PathCost one = path_cost(stack.checked(filter), call);
    sum.classic = sum.classic + one.classic;
    if (sum.ebpf && one.ebpf) sum.ebpf = *sum.ebpf + *one.ebpf;
    sum.jumps_taken = sum.jumps_taken + one.jumps_taken;
    sum.arithmetic = sum.arithmetic + one.arithmetic;
    sum.exact = sum.exact && one.exact;
  }
  return sum;
}

PathCost path_cost(const FilterStack& stack, std::uint32_t nr) {
  return path_cost(stack, call_of(nr, info(stack.model().arch).token));
}

}  // namespace callgate::verifier
