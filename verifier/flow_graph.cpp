#include "verifier/flow_graph.hpp"

#include <algorithm>
#include <limits>

namespace callgate::verifier {
namespace {

constexpr std::uint16_t kJa = static_cast<std::uint16_t>(Opcode::Ja);
constexpr std::size_t kFarthest = std::numeric_limits<std::uint8_t>::max();

bool looks_at_k(const OpcodeInfo& row) {
  return row.operand == Operand::K || row.operand == Operand::Data ||
         row.operand == Operand::Memory;
}

// Nodes in an order in which each stands before what follows it: the reverse of the order in which
// they are left behind by a search that looks at one side of a branch first.
std::vector<FlowId> in_order(const FlowGraph& graph, FlowId start, auto&& taken_first) {
  enum class Seen : std::uint8_t { No, Open, Left };
  std::map<FlowId, Seen> seen;
  std::vector<FlowId> order;
  std::vector<FlowId> open{start};
  while (!open.empty()) {
    const FlowId id = open.back();
    Seen& mark = seen[id];
    if (mark != Seen::No) {
      open.pop_back();
      if (mark == Seen::Open) order.push_back(id);
      mark = Seen::Left;
      continue;
    }
    mark = Seen::Open;
    if (graph.is_return(id)) continue;
    const FlowNode& node = graph[id];
    if (graph.is_branch(id)) {
      // The last one pushed is looked at first, and stands last.
      const bool first = taken_first(id);
      open.push_back(first ? node.otherwise : node.next);
      open.push_back(first ? node.next : node.otherwise);
    } else {
      open.push_back(node.next);
    }
  }
  std::ranges::reverse(order);
  return order;
}

// Writes a program from its end to its beginning, so that all distances are known.
class Writer {
 public:
  Writer(const FlowGraph& graph, std::span<const FlowId> order) : graph_(graph) {
    for (std::size_t i = order.size(); i-- > 0;) place(order[i]);
  }

  [[nodiscard]] Program written() {
    std::ranges::reverse(code_);
    return std::move(code_);
  }

 private:
  void place(FlowId id) {
    const FlowNode& node = graph_[id];
    Instruction instruction{node.code, 0, 0, node.k};
    if (graph_.is_branch(id)) {
      // The second may push the first one step away: it is asked for again.
      bring_near(node.next, 1);
      bring_near(node.otherwise, 0);
      instruction.jt = static_cast<std::uint8_t>(distance(node.next));
      instruction.jf = static_cast<std::uint8_t>(distance(node.otherwise));
    } else if (!graph_.is_return(id) && distance(node.next) != 0) {
      copy(node.next);
    }
    push(id, instruction);
  }

  // How far it is from an instruction that is written next.
  [[nodiscard]] std::size_t distance(FlowId id) const { return code_.size() - places_.at(id) - 1; }

  void bring_near(FlowId id, std::size_t spare) {
    if (distance(id) + spare > kFarthest) copy(id);
  }

  // Something that is the same as a node, or leads to it.
  void copy(FlowId id) {
    const FlowNode& node = graph_[id];
    Instruction instruction{node.code, 0, 0, node.k};
    if (graph_.is_branch(id) && distance(node.next) <= kFarthest &&
        distance(node.otherwise) <= kFarthest) {
      instruction.jt = static_cast<std::uint8_t>(distance(node.next));
      instruction.jf = static_cast<std::uint8_t>(distance(node.otherwise));
    } else if (!graph_.is_return(id)) {
      instruction = {kJa, 0, 0, static_cast<std::uint32_t>(distance(id))};
    }
    push(id, instruction);
  }

  void push(FlowId id, const Instruction& instruction) {
    places_[id] = code_.size();
    code_.push_back(instruction);
  }

  const FlowGraph& graph_;
  Program code_;                          // backwards
  std::map<FlowId, std::size_t> places_;  // of what leads there, the nearest
};

}  // namespace

FlowId FlowGraph::keep(const FlowNode& node) {
  const auto [place, fresh] = places_.try_emplace(node, static_cast<FlowId>(nodes_.size()));
  if (fresh) nodes_.push_back(node);
  return place->second;
}

FlowId FlowGraph::keep(const Instruction& instruction, FlowId next, FlowId otherwise) {
  const OpcodeInfo& row = *find_opcode(instruction.code);
  const bool branch = row.kind == OpcodeKind::Branch;
  if (branch && next == otherwise) return next;
  return keep({instruction.code, looks_at_k(row) ? instruction.k : 0,
               row.kind == OpcodeKind::Return ? 0 : next, branch ? otherwise : 0});
}

std::vector<FlowId> FlowGraph::reachable(FlowId start) const {
  std::vector<bool> reached(start + 1);
  reached[start] = true;
  std::vector<FlowId> ids;
  for (FlowId id = start + 1; id-- > 0;) {
    if (!reached[id]) continue;
    ids.push_back(id);
    if (is_return(id)) continue;
    reached[nodes_[id].next] = true;
    if (is_branch(id)) reached[nodes_[id].otherwise] = true;
  }
  std::ranges::reverse(ids);
  return ids;
}

std::optional<Program> laid_out(const FlowGraph& graph, FlowId start) {
  std::optional<Program> best;
  for (const bool taken_first : {true, false}) {
    const auto order = in_order(graph, start, [&](FlowId) { return taken_first; });
    Program program = Writer(graph, order).written();
    if (program.size() > kMaxProgramLength) continue;
    if (!best || program.size() < best->size()) best = std::move(program);
  }
  return best;
}

std::optional<Program> laid_out(const FlowGraph& graph, FlowId start,
                                const std::vector<bool>& taken_follows) {
  const auto order = in_order(
      graph, start, [&](FlowId id) { return id >= taken_follows.size() || !taken_follows[id]; });
  Program program = Writer(graph, order).written();
  if (program.size() > kMaxProgramLength) return std::nullopt;
  return program;
}

ProgramGraph graph_of(std::span<const Instruction> program) {
  ProgramGraph made;
  made.nodes.resize(program.size());
  for (std::size_t i = program.size(); i-- > 0;) {
    const Instruction& here = program[i];
    switch (find_opcode(here.code)->kind) {
      case OpcodeKind::Jump:
        made.nodes[i] = made.nodes[i + 1 + here.k];
        break;
      case OpcodeKind::Return:
        made.nodes[i] = made.graph.keep(here, 0, 0);
        break;
      case OpcodeKind::Branch:
        made.nodes[i] =
            made.graph.keep(here, made.nodes[i + 1 + here.jt], made.nodes[i + 1 + here.jf]);
        break;
      case OpcodeKind::Load:
      case OpcodeKind::LoadX:
      case OpcodeKind::Store:
      case OpcodeKind::StoreX:
      case OpcodeKind::Alu:
      case OpcodeKind::Tax:
      case OpcodeKind::Txa:
        made.nodes[i] = made.graph.keep(here, made.nodes[i + 1], 0);
        break;
    }
  }
  return made;
}

}  // namespace callgate::verifier
