#include "harness/random/flow.hpp"

#include <algorithm>
#include <limits>

#include "harness/random/generator.hpp"

namespace callgate::random {
namespace {

constexpr std::uint16_t kAlways = 0x05;

bool goes_on(const FlowNode& node) { return !is_return(node.instruction); }

// Nodes that can be reached, each before those that it goes to.
std::vector<std::size_t> order_of(const Flow& flow, Source* source) {
  enum class Mark : std::uint8_t { Fresh, Open, Done };
  std::vector<Mark> marks(flow.nodes.size(), Mark::Fresh);
  std::vector<std::size_t> open{flow.start};
  std::vector<std::size_t> done;
  while (!open.empty()) {
    const std::size_t at = open.back();
    if (marks[at] == Mark::Done) {
      open.pop_back();
      continue;
    }
    const FlowNode& node = flow.nodes[at];
    if (marks[at] == Mark::Open || !goes_on(node)) {
      marks[at] = Mark::Done;
      done.push_back(at);
      open.pop_back();
      continue;
    }
    marks[at] = Mark::Open;
    // What is visited last comes first in the program, next to this.
    const bool other = source != nullptr && source->one_in(3);
    const std::size_t first = other ? node.no : node.yes;
    const std::size_t last = other ? node.yes : node.no;
    for (const std::size_t next : {first, last}) {
      if (marks[next] == Mark::Fresh) open.push_back(next);
    }
  }
  std::ranges::reverse(done);
  return done;
}

struct Placed {
  std::size_t node = 0;
  bool far = false;     // a test whose ways are jumps of their own
  bool leaves = false;  // a jump follows
};

}  // namespace

Flow flow_of(std::span<const Instruction> program) {
  Flow flow;
  // Where a jump always leads in the end.
  const auto through = [&](std::size_t at) {
    while (program[at].code == kAlways) at += 1 + program[at].k;
    return at;
  };
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Instruction& here = program[at];
    FlowNode node{here, 0, 0};
    if (is_test(here)) {
      node.yes = through(at + 1 + here.jt);
      node.no = through(at + 1 + here.jf);
      node.instruction.jt = node.instruction.jf = 0;
    } else if (here.code != kAlways && !is_return(here)) {
      node.yes = node.no = through(at + 1);
    }
    (void)flow.add(node);
  }
  flow.start = through(0);
  return flow;
}

Program program_of(const Flow& flow, Source* source) {
  std::vector<Placed> placed;
  for (const std::size_t node : order_of(flow, source)) {
    placed.push_back({node, false, source != nullptr && source->one_in(16)});
  }
  std::vector<std::size_t> places(flow.nodes.size(), std::numeric_limits<std::size_t>::max());
  // Jumps that turn out too long make others longer: again until none is new.
  for (bool again = true; again;) {
    again = false;
    std::size_t size = 0;
    for (std::size_t i = 0; i < placed.size(); ++i) {
      Placed& here = placed[i];
      const FlowNode& node = flow.nodes[here.node];
      const bool next = i + 1 < placed.size() && placed[i + 1].node == node.yes;
      const bool test = is_test(node.instruction);
      if (test || !goes_on(node)) here.leaves = false;
      if (!test && goes_on(node) && !next) here.leaves = true;
      places[here.node] = size;
      size += 1U + (here.far ? 2U : 0U) + (here.leaves ? 1U : 0U);
    }
    for (Placed& here : placed) {
      const FlowNode& node = flow.nodes[here.node];
      if (here.far || !is_test(node.instruction)) continue;
      const std::size_t after = places[here.node] + 1;
      if (places[node.yes] - after > 255 || places[node.no] - after > 255) {
        here.far = true;
        again = true;
      }
    }
  }
  Program out;
  const auto jump = [&](std::size_t to) {
    out.push_back({kAlways, 0, 0, static_cast<std::uint32_t>(places[to] - (out.size() + 1))});
  };
  for (const Placed& here : placed) {
    const FlowNode& node = flow.nodes[here.node];
    Instruction i = node.instruction;
    if (is_test(i)) {
      const std::size_t after = out.size() + 1;
      i.jt = here.far ? 0 : static_cast<std::uint8_t>(places[node.yes] - after);
      i.jf = here.far ? 1 : static_cast<std::uint8_t>(places[node.no] - after);
    }
    out.push_back(i);
    if (here.far) {
      jump(node.yes);
      jump(node.no);
    } else if (here.leaves) {
      jump(node.yes);
    }
  }
  return out;
}

}  // namespace callgate::random
