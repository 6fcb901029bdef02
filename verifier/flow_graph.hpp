#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "vm/instruction.hpp"
#include "vm/opcodes.hpp"

/// Programs as graphs: what follows what, without places and distances.
namespace callgate::verifier {

/// A node's place in its FlowGraph.
using FlowId = std::uint32_t;

/// An instruction that is no jump; equal nodes are one node.
struct FlowNode {
  std::uint16_t code = 0;
  std::uint32_t k = 0;   ///< 0 where the instruction does not look at it
  FlowId next = 0;       ///< what follows; of a branch: where it is taken
  FlowId otherwise = 0;  ///< of a branch: where it is not

  friend auto operator<=>(const FlowNode&, const FlowNode&) = default;
};

/// Nodes, each once, so that ends that are the same are shared. What follows a node stands before
/// it.
class FlowGraph {
 public:
  [[nodiscard]] FlowId keep(const FlowNode& node);
  /// The same for an instruction; a branch that leads to one place is no node.
  [[nodiscard]] FlowId keep(const Instruction& instruction, FlowId next, FlowId otherwise);

  [[nodiscard]] const FlowNode& operator[](FlowId id) const { return nodes_[id]; }
  [[nodiscard]] OpcodeKind kind(FlowId id) const { return find_opcode(nodes_[id].code)->kind; }
  [[nodiscard]] bool is_branch(FlowId id) const { return kind(id) == OpcodeKind::Branch; }
  [[nodiscard]] bool is_return(FlowId id) const { return kind(id) == OpcodeKind::Return; }

  /// The nodes that can be reached from one, by rising place: what follows first.
  [[nodiscard]] std::vector<FlowId> reachable(FlowId start) const;
  /// A copy of what can be reached from `start` in which some nodes are replaced:
  /// `replacement(id, copies)` gives the node that is to stand for one, or nothing; `copies` has
  /// what stands for all that follows it. Returns where the copy starts.
  template <typename Replacement>
  FlowId rebuilt(FlowId start, Replacement&& replacement) {
    std::map<FlowId, FlowId> copies;
    for (const FlowId id : reachable(start)) {
      std::optional<FlowId> copy = replacement(id, std::as_const(copies));
      if (!copy) {
        const FlowNode node = nodes_[id];
        copy = keep(Instruction{node.code, 0, 0, node.k}, is_return(id) ? 0 : copies.at(node.next),
                    is_branch(id) ? copies.at(node.otherwise) : 0);
      }
      copies[id] = *copy;
    }
    return copies.at(start);
  }

 private:
  std::vector<FlowNode> nodes_;
  std::map<FlowNode, FlowId> places_;
};

/// The shortest program that was found for a graph. Nothing where it has more than 4096
/// instructions.
[[nodiscard]] std::optional<Program> laid_out(const FlowGraph& graph, FlowId start);

/// The same in one order: behind each branch stands what follows where it is taken, if
/// `taken_follows` says so of its place, else the other side, as long as that stands nowhere yet.
/// Places beyond its end are false.
[[nodiscard]] std::optional<Program> laid_out(const FlowGraph& graph, FlowId start,
                                              const std::vector<bool>& taken_follows);

/// A program as a graph, jumps gone.
struct ProgramGraph {
  FlowGraph graph;
  std::vector<FlowId> nodes;  ///< of each instruction; of a jump: where it goes
};
[[nodiscard]] ProgramGraph graph_of(std::span<const Instruction> program);

}  // namespace callgate::verifier
