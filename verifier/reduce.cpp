#include "verifier/reduce.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "verifier/check.hpp"
#include "verifier/flow_graph.hpp"
#include "verifier/formulas.hpp"
#include "verifier/meaning.hpp"
#include "verifier/paths.hpp"
#include "verifier/transfer.hpp"
#include "vm/arithmetic.hpp"

namespace callgate::verifier {
namespace {

// Ranges that a run of compares may be parted into.
constexpr std::size_t kMostRanges = 4096;

// Formulas, or that it is not known what a register holds.
class Known {
 public:
  using Value = std::optional<TermId>;

  explicit Known(const KernelModel& model) : formulas_(terms_, model) {}

  [[nodiscard]] Value constant(std::uint32_t value) { return formulas_.constant(value); }
  [[nodiscard]] Value word(std::uint32_t offset) { return formulas_.word(offset); }
  [[nodiscard]] Value length() { return formulas_.length(); }
  [[nodiscard]] Value computed(Opcode opcode, Value a, Value operand) {
    if (!a || !operand) return std::nullopt;
    return formulas_.computed(opcode, *a, *operand);
  }

 private:
  Terms terms_;
  Formulas formulas_;
};

using KnownRegisters = Registers<std::optional<TermId>>;

void join(std::optional<KnownRegisters>& into, const KnownRegisters& other) {
  if (!into) {
    into = other;
    return;
  }
  const auto join_one = [](std::optional<TermId>& one, const std::optional<TermId>& with) {
    if (one != with) one.reset();
  };
  join_one(into->a, other.a);
  join_one(into->x, other.x);
  for (std::size_t slot = 0; slot < kMemoryWords; ++slot) {
    join_one(into->memory[slot], other.memory[slot]);
  }
}

// Instructions that put into a register what it holds already, whichever way they were come to.
std::vector<bool> reloads(const CheckedProgram& checked, const ProgramMeaning& meaning) {
  const std::span<const Instruction> program = checked.instructions();
  Known domain(checked.model());
  std::vector<std::optional<KnownRegisters>> before(program.size());
  before[0] = KnownRegisters{domain.constant(0), domain.constant(0), {}};
  std::vector<bool> found(program.size());
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (!before[i]) continue;
    const Instruction& here = program[i];
    const OpcodeInfo& row = *find_opcode(here.code);
    switch (row.kind) {
      case OpcodeKind::Return:
        break;
      case OpcodeKind::Jump:
        join(before[i + 1 + here.k], *before[i]);
        break;
      case OpcodeKind::Branch:
        if (meaning.taken[i] != Diagrams::kFalse) join(before[i + 1 + here.jt], *before[i]);
        if (meaning.not_taken[i] != Diagrams::kFalse) join(before[i + 1 + here.jf], *before[i]);
        break;
      case OpcodeKind::Load:
      case OpcodeKind::LoadX:
      case OpcodeKind::Store:
      case OpcodeKind::StoreX:
      case OpcodeKind::Alu:
      case OpcodeKind::Tax:
      case OpcodeKind::Txa: {
        KnownRegisters after = *before[i];
        transfer(domain, after, here, row);
        const auto same = [](const std::optional<TermId>& one, const std::optional<TermId>& other) {
          return one && one == other;
        };
        switch (row.kind) {
          case OpcodeKind::Load:
          case OpcodeKind::Txa:
            found[i] = same(after.a, before[i]->a);
            break;
          case OpcodeKind::LoadX:
          case OpcodeKind::Tax:
            found[i] = same(after.x, before[i]->x);
            break;
          case OpcodeKind::Store:
          case OpcodeKind::StoreX:
            found[i] = same(after.memory[here.k], before[i]->memory[here.k]);
            break;
          case OpcodeKind::Alu:  // a division may end the run
          case OpcodeKind::Jump:
          case OpcodeKind::Branch:
          case OpcodeKind::Return:
            break;
        }
        join(before[i + 1], after);
        break;
      }
    }
  }
  return found;
}

// The program as a graph, without instructions that are of no use.
FlowId without(FlowGraph& graph, std::span<const Instruction> program,
               const ProgramMeaning& meaning, const std::vector<bool>& useless) {
  std::vector<FlowId> nodes(program.size());
  for (std::size_t i = program.size(); i-- > 0;) {
    const Instruction& here = program[i];
    switch (find_opcode(here.code)->kind) {
      case OpcodeKind::Jump:
        nodes[i] = nodes[i + 1 + here.k];
        break;
      case OpcodeKind::Return:
        nodes[i] = graph.keep(here, 0, 0);
        break;
      case OpcodeKind::Branch: {
        const FlowId taken = nodes[i + 1 + here.jt];
        const FlowId not_taken = nodes[i + 1 + here.jf];
        if (meaning.taken[i] == Diagrams::kFalse) {
          nodes[i] = not_taken;
        } else if (meaning.not_taken[i] == Diagrams::kFalse) {
          nodes[i] = taken;
        } else {
          nodes[i] = graph.keep(here, taken, not_taken);
        }
        break;
      }
      case OpcodeKind::Load:
      case OpcodeKind::LoadX:
      case OpcodeKind::Store:
      case OpcodeKind::StoreX:
      case OpcodeKind::Alu:
      case OpcodeKind::Tax:
      case OpcodeKind::Txa:
        nodes[i] = useless[i] ? nodes[i + 1] : graph.keep(here, nodes[i + 1], 0);
        break;
    }
  }
  return nodes[0];
}

bool compares(const FlowGraph& graph, FlowId id) {
  const auto opcode = static_cast<Opcode>(graph[id].code);
  return opcode == Opcode::JeqK || opcode == Opcode::JgtK || opcode == Opcode::JgeK;
}

// Compares that are come to from something else than a compare: each begins a run of compares of
// one value.
std::vector<FlowId> heads(const FlowGraph& graph, FlowId start) {
  std::set<FlowId> found;
  if (compares(graph, start)) found.insert(start);
  for (const FlowId id : graph.reachable(start)) {
    if (graph.is_return(id) || compares(graph, id)) continue;
    if (compares(graph, graph[id].next)) found.insert(graph[id].next);
    if (graph.is_branch(id) && compares(graph, graph[id].otherwise)) {
      found.insert(graph[id].otherwise);
    }
  }
  return {found.begin(), found.end()};
}

// What a run of compares makes of each value, as ranges; nothing where there are too many.
class Run {
 public:
  explicit Run(const FlowGraph& graph) : graph_(graph) {}

  [[nodiscard]] std::optional<std::vector<RangePart>> ranges(FlowId head) {
    try {
      return range_parts(space_, meaning(head), Field::Nr, kMostRanges);
    } catch (const Diagrams::Full&) {
      return std::nullopt;
    }
  }

  /// What a range leads to.
  [[nodiscard]] FlowId exit(Space::Ref end) const { return space_.diagrams().number(end) - 2; }

 private:
  // The value stands for the number here: any field of 32 bits would do.
  Space::Ref meaning(FlowId id) {
    if (const auto found = known_.find(id); found != known_.end()) return found->second;
    Space::Ref result = 0;
    if (!compares(graph_, id)) {
      result = space_.diagrams().end(id + 2);
    } else {
      const FlowNode& node = graph_[id];
      const Space::Ref test =
          space_.compared(test_of(static_cast<Opcode>(node.code)),
                          space_.terms().word({Field::Nr, false}), space_.terms().constant(node.k));
      const Space::Ref taken = meaning(node.next);
      result = space_.diagrams().choose(test, taken, meaning(node.otherwise));
    }
    known_.emplace(id, result);
    return result;
  }

  const FlowGraph& graph_;
  Space space_;
  std::map<FlowId, Space::Ref> known_;
};

// A range with single values in it that lead elsewhere.
struct Stretch {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  FlowId exit = 0;
  std::vector<std::pair<std::uint32_t, FlowId>> exceptions{};
};

// A single value between two ranges that lead to the same is one compare, two borders are two.
std::vector<Stretch> stretches(std::span<const RangePart> parts, const Run& run) {
  std::vector<Stretch> found;
  for (const RangePart& part : parts) {
    Stretch next{static_cast<std::uint32_t>(part.range.first),
                 static_cast<std::uint32_t>(part.range.last), run.exit(part.next)};
    if (found.size() >= 2) {
      Stretch& before = found[found.size() - 2];
      const Stretch& single = found.back();
      if (single.first == single.last && single.exceptions.empty() && before.exit == next.exit) {
        before.exceptions.emplace_back(single.first, single.exit);
        before.last = next.last;
        found.pop_back();
        continue;
      }
    }
    found.push_back(std::move(next));
  }
  return found;
}

FlowId compared(FlowGraph& graph, Opcode opcode, std::uint32_t k, FlowId yes, FlowId no) {
  return graph.keep(Instruction{static_cast<std::uint16_t>(opcode), 0, 0, k}, yes, no);
}

using Copies = std::map<FlowId, FlowId>;

// A tree that finds the stretch of a value; `copies` has what stands for what it leads to.
FlowId tree(FlowGraph& graph, std::span<const Stretch> all, const Copies& copies) {
  if (all.size() == 1) {
    FlowId node = copies.at(all[0].exit);
    for (std::size_t i = all[0].exceptions.size(); i-- > 0;) {
      node = compared(graph, Opcode::JeqK, all[0].exceptions[i].first,
                      copies.at(all[0].exceptions[i].second), node);
    }
    return node;
  }
  const std::size_t half = all.size() / 2;
  const FlowId above = tree(graph, all.subspan(half), copies);
  return compared(graph, Opcode::JgeK, all[half].first, above,
                  tree(graph, all.first(half), copies));
}

std::size_t compares_of(std::span<const Stretch> all) {
  std::size_t compares = all.size() - 1;
  for (const Stretch& each : all) compares += each.exceptions.size();
  return compares;
}

// The compares of a run.
std::size_t run_length(const FlowGraph& graph, FlowId head) {
  std::set<FlowId> seen{head};
  std::vector<FlowId> open{head};
  while (!open.empty()) {
    const FlowNode node = graph[open.back()];
    open.pop_back();
    for (const FlowId next : {node.next, node.otherwise}) {
      if (compares(graph, next) && seen.insert(next).second) open.push_back(next);
    }
  }
  return seen.size();
}

// The graph with the runs of compares that get shorter by it made anew.
FlowId with_ranges(FlowGraph& graph, FlowId start) {
  Run run(graph);
  std::map<FlowId, std::vector<Stretch>> anew;
  const auto replacement = [&](FlowId id, const Copies& copies) -> std::optional<FlowId> {
    const auto found = anew.find(id);
    if (found == anew.end()) return std::nullopt;
    return tree(graph, found->second, copies);
  };
  std::size_t length = graph.reachable(start).size();
  for (const FlowId head : heads(graph, start)) {
    const auto parts = run.ranges(head);
    if (!parts) continue;
    std::vector<Stretch> made = stretches(*parts, run);
    if (compares_of(made) >= run_length(graph, head)) continue;
    anew.emplace(head, std::move(made));
    const std::size_t now = graph.reachable(graph.rebuilt(start, replacement)).size();
    if (now < length) {
      length = now;
    } else {
      anew.erase(head);
    }
  }
  return graph.rebuilt(start, replacement);
}

}  // namespace

std::string_view to_string(Reduction reduction) noexcept {
  switch (reduction) {
    case Reduction::Reloads:
      return "left out loads of what a register holds already";
    case Reduction::Cleaned:
      return "left out what is never reached, decided or read; shared equal ends";
    case Reduction::Ranges:
      return "compared ranges";
  }
  return "";
}

Reduced reduced(const CheckedProgram& program, SpaceLimits limits) {
  Reduced result{program, {}};
  const KernelModel& model = program.model();
  Space space(limits);
  Endings endings(space);
  for (;;) {
    const std::span<const Instruction> now = result.program.instructions();
    const ProgramMeaning meaning = meaning_of(endings, result.program);
    if (meaning.not_followed != Diagrams::kFalse) {
      result.analysed = !result.steps.empty();
      return result;
    }
    const auto take = [&](Reduction reduction, const std::optional<Program>& shorter) {
      if (!shorter || shorter->size() >= now.size()) return false;
      const auto checked = check(*shorter, model);
      if (!checked || meaning_of(endings, *checked).value != meaning.value) {
        ++result.refused;
        return false;
      }
      result.steps.push_back({reduction, now.size(), shorter->size()});
      result.program = *checked;
      return true;
    };
    FlowGraph graph;
    if (take(Reduction::Reloads,
             laid_out(graph, without(graph, now, meaning, reloads(result.program, meaning))))) {
      continue;
    }
    const FlowId start = without(graph, now, meaning, meaning.idle);
    if (take(Reduction::Cleaned, laid_out(graph, start))) continue;
    if (take(Reduction::Ranges, laid_out(graph, with_ranges(graph, start)))) continue;
    return result;
  }
}

}  // namespace callgate::verifier
