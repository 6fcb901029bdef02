#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "vm/instruction.hpp"

/// Programs as graphs: jumps are edges, so that instructions can be put anywhere.
namespace callgate::random {

class Source;

/// An instruction and where it goes. No jump always: those are edges alone.
struct FlowNode {
  Instruction instruction;
  std::size_t yes = 0;  ///< of a test; else what follows, nothing after a return
  std::size_t no = 0;   ///< the same as `yes` but for a test
};

struct Flow {
  std::vector<FlowNode> nodes;
  std::size_t start = 0;

  [[nodiscard]] std::size_t add(const FlowNode& node) {
    nodes.push_back(node);
    return nodes.size() - 1;
  }
};

[[nodiscard]] inline bool is_test(const Instruction& i) {
  return (i.code & 7U) == 5 && i.code != 5;
}
[[nodiscard]] inline bool is_return(const Instruction& i) { return (i.code & 7U) == 6; }

/// Of a program that the checker accepts.
[[nodiscard]] Flow flow_of(std::span<const Instruction> program);

/// As a program, blocks in any order that has jumps go ahead only; unreachable nodes are left out.
/// `source`: chooses the order; without one it is that of a search in depth.
[[nodiscard]] Program program_of(const Flow& flow, Source* source);

}  // namespace callgate::random
