#include "harness/random/rewrites.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "harness/random/flow.hpp"
#include "vm/opcodes.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::random {
namespace {

constexpr std::size_t kMostRanges = 400;

std::uint16_t code(Opcode opcode) { return static_cast<std::uint16_t>(opcode); }
bool is(const Instruction& i, Opcode opcode) { return i.code == code(opcode); }

Instruction made(Opcode opcode, std::uint32_t k = 0) { return {code(opcode), 0, 0, k}; }

// Which registers and slots a program never reads or writes.
struct Unused {
  bool x = true;
  std::optional<std::uint32_t> slot;
};

Unused unused(const Flow& flow) {
  Unused out;
  std::uint32_t slots = 0;
  for (const FlowNode& node : flow.nodes) {
    const OpcodeInfo* row = find_opcode(node.instruction.code);
    if (row == nullptr) continue;
    const bool stores = row->kind == OpcodeKind::Store || row->kind == OpcodeKind::StoreX;
    if (stores || row->operand == Operand::Memory) slots |= 1U << node.instruction.k;
    if (row->operand == Operand::X || row->kind == OpcodeKind::LoadX ||
        row->kind == OpcodeKind::StoreX || row->kind == OpcodeKind::Tax ||
        row->kind == OpcodeKind::Txa) {
      out.x = false;
    }
  }
  for (std::uint32_t slot = 0; slot < kMemoryWords; ++slot) {
    if ((slots >> slot & 1U) == 0) out.slot = slot;
  }
  return out;
}

// Puts instructions before a node, for all who come to it.
void put_before(Flow& flow, std::size_t at, const std::vector<Instruction>& instructions) {
  // The node's place is taken by the first of them, so that edges to it stay.
  const std::size_t moved = flow.add(flow.nodes[at]);
  std::size_t next = moved;
  for (std::size_t i = instructions.size(); i-- > 1;)
    next = flow.add({instructions[i], next, next});
  flow.nodes[at] = {instructions[0], next, next};
}

std::vector<Instruction> no_operation(Source& source, const Unused& free) {
  switch (source.below(9)) {
    case 0:
      return {made(Opcode::AddK)};
    case 1:
      return {made(Opcode::OrK)};
    case 2:
      return {made(Opcode::XorK)};
    case 3:
      return {made(Opcode::LshK)};
    case 4:
      return {made(Opcode::MulK, 1)};
    case 5:
      return {made(Opcode::AndK, ~0U)};
    case 6:
      return {made(Opcode::DivK, 1)};
    case 7:
      if (free.x) return {made(Opcode::LdxImm, edge_word(source))};
      break;
    default:
      if (free.slot) return {made(Opcode::St, *free.slot)};
      break;
  }
  const std::uint32_t k = edge_word(source);
  return {made(Opcode::XorK, k), made(Opcode::XorK, k)};
}

void fold(Source& source, Flow& flow, std::size_t at, const Unused& free) {
  Instruction& here = flow.nodes[at].instruction;
  const std::uint32_t k = here.k;
  const std::uint32_t noise = edge_word(source);
  if (is(here, Opcode::RetK)) {
    here = made(Opcode::RetA);
    put_before(flow, at, {made(Opcode::LdImm, k ^ noise), made(Opcode::XorK, noise)});
  } else if (is(here, Opcode::LdImm)) {
    here.k = noise;
    const std::size_t next = flow.nodes[at].yes;
    const std::size_t add = flow.add({made(Opcode::AddK, k - noise), next, next});
    flow.nodes[at].yes = flow.nodes[at].no = add;
  } else if (free.x && is(here, Opcode::JeqK)) {
    here = made(Opcode::JeqX);
    put_before(flow, at, {made(Opcode::LdxImm, k)});
  } else if (free.x && is(here, Opcode::JgeK)) {
    here = made(Opcode::JgeX);
    put_before(flow, at, {made(Opcode::LdxImm, k)});
  } else if (is(here, Opcode::SubK)) {
    here = made(Opcode::AddK, 0U - k);
  } else if (is(here, Opcode::AddK)) {
    here = made(Opcode::SubK, 0U - k);
  }
}

std::vector<Instruction> scratch(Source& source, const Unused& free) {
  if (free.x && source.one_in(2))
    return {made(Opcode::Tax), made(Opcode::LdImm), made(Opcode::Txa)};
  if (!free.slot) return {made(Opcode::OrK)};
  return {made(Opcode::St, *free.slot), made(Opcode::LdImm, edge_word(source)),
          made(Opcode::LdMem, *free.slot)};
}

void invert(Flow& flow, std::size_t at) {
  FlowNode& node = flow.nodes[at];
  const std::uint32_t k = node.instruction.k;
  if (is(node.instruction, Opcode::JgtK) && k != ~0U) {
    node.instruction = made(Opcode::JgeK, k + 1);
  } else if (is(node.instruction, Opcode::JgeK) && k != 0) {
    node.instruction = made(Opcode::JgtK, k - 1);
  } else if (is(node.instruction, Opcode::JeqK)) {
    // Greater: no; else not below: yes.
    const std::size_t below = flow.add({made(Opcode::JgeK, k), node.yes, node.no});
    FlowNode& same = flow.nodes[at];
    same.instruction = made(Opcode::JgtK, k);
    same.yes = same.no;
    same.no = below;
  }
}

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::size_t to = 0;
};

// What compares of A from a node on decide; false where there are too many ranges.
bool add_ranges(const Flow& flow, std::size_t at, std::uint32_t first, std::uint32_t last,
                std::vector<Range>& out) {
  const FlowNode& node = flow.nodes[at];
  const std::uint32_t k = node.instruction.k;
  if (out.size() > kMostRanges) return false;
  if (is(node.instruction, Opcode::JeqK)) {
    if (k > first && !add_ranges(flow, node.no, first, std::min(k - 1, last), out)) return false;
    if (k >= first && k <= last && !add_ranges(flow, node.yes, k, k, out)) return false;
    return k >= last || add_ranges(flow, node.no, std::max(k + 1, first), last, out);
  }
  const bool above = is(node.instruction, Opcode::JgtK);
  if (above || is(node.instruction, Opcode::JgeK)) {
    // From `edge` on it holds; past the last number where it never does.
    const std::uint64_t edge = static_cast<std::uint64_t>(k) + (above ? 1U : 0U);
    if (edge > first) {
      const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(edge - 1, last));
      if (!add_ranges(flow, node.no, first, end, out)) return false;
    }
    if (edge > last) return true;
    return add_ranges(flow, node.yes, std::max(static_cast<std::uint32_t>(edge), first), last, out);
  }
  if (!out.empty() && out.back().to == at && out.back().last + 1 == first) {
    out.back().last = last;
  } else {
    out.push_back({first, last, at});
  }
  return true;
}

std::size_t tree(Source& source, Flow& flow, const std::vector<Range>& ranges, std::size_t from,
                 std::size_t to) {
  if (to - from == 1) return ranges[from].to;
  const std::size_t most = to - from - 1;
  std::size_t middle = from + 1 + most / 2;
  if (source.one_in(4)) middle = from + 1 + source.below(static_cast<std::uint32_t>(most));
  middle = std::min(middle, to - 1);
  const std::size_t below = tree(source, flow, ranges, from, middle);
  const std::size_t above = tree(source, flow, ranges, middle, to);
  return flow.add({made(Opcode::JgeK, ranges[middle].first), above, below});
}

// Ranges one after another in any order; the one left goes without a test.
std::size_t chain(Source& source, Flow& flow, std::vector<Range> ranges) {
  for (std::size_t i = ranges.size(); i > 1; --i) {
    std::swap(ranges[i - 1], ranges[source.below(static_cast<std::uint32_t>(i))]);
  }
  // The widest is the rest, most of the time.
  const auto width = [](const Range& range) { return range.last - range.first; };
  const auto widest = std::ranges::max_element(ranges, {}, width);
  std::swap(*widest, ranges[0]);
  std::size_t next = ranges[0].to;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    const Range& range = ranges[i];
    if (range.first == range.last) {
      next = flow.add({made(Opcode::JeqK, range.first), range.to, next});
    } else {
      const std::size_t below = flow.add({made(Opcode::JgtK, range.last), next, range.to});
      next = flow.add({made(Opcode::JgeK, range.first), below, next});
    }
  }
  return next;
}

void decide(Source& source, Flow& flow, std::size_t at) {
  std::vector<Range> ranges;
  if (!add_ranges(flow, at, 0, ~0U, ranges) || ranges.size() < 2) return;
  const std::size_t root =
      source.one_in(2) ? tree(source, flow, ranges, 0, ranges.size()) : chain(source, flow, ranges);
  flow.nodes[at] = FlowNode{flow.nodes[root]};
}

// A copy of what one edge of a node leads to.
void duplicate(Source& source, Flow& flow, std::size_t at) {
  const bool no = source.one_in(2);
  const std::size_t to = no ? flow.nodes[at].no : flow.nodes[at].yes;
  const std::size_t copy = flow.add(FlowNode{flow.nodes[to]});
  const bool test = is_test(flow.nodes[at].instruction);
  if (no || !test) flow.nodes[at].no = copy;
  if (!no || !test) flow.nodes[at].yes = copy;
}

void change(Source& source, Flow& flow, std::size_t at, Rewrite rewrite, const Unused& free) {
  switch (rewrite) {
    case Rewrite::Layout:
      break;
    case Rewrite::NoOperation:
      put_before(flow, at, no_operation(source, free));
      break;
    case Rewrite::Fold:
      fold(source, flow, at, free);
      break;
    case Rewrite::Scratch:
      put_before(flow, at, scratch(source, free));
      break;
    case Rewrite::Invert:
      invert(flow, at);
      break;
    case Rewrite::Duplicate:
      if (!is_return(flow.nodes[at].instruction)) duplicate(source, flow, at);
      break;
    case Rewrite::Decide:
      if (is_test(flow.nodes[at].instruction)) decide(source, flow, at);
      break;
  }
}

}  // namespace

std::string_view to_string(Rewrite rewrite) noexcept {
  constexpr std::array<std::string_view, kRewrites> kNames = {
      "layout", "no-operation", "fold", "scratch", "invert", "duplicate", "decide"};
  return kNames[static_cast<std::size_t>(rewrite)];
}

Program rewritten(Source& source, std::span<const Instruction> program, Rewrite rewrite) {
  Flow flow = flow_of(program);
  if (rewrite == Rewrite::Layout) return program_of(flow, &source);
  const std::uint32_t places =
      rewrite == Rewrite::Decide
          ? 4
          : 1 + source.below(static_cast<std::uint32_t>(std::min<std::size_t>(program.size(), 12)));
  const std::size_t size = flow.nodes.size();
  for (std::uint32_t i = 0; i < places; ++i) {
    const Unused free = unused(flow);  // what was put in uses some
    const std::size_t at = rewrite == Rewrite::Decide && i == 0
                               ? std::min<std::size_t>(1, size - 1)
                               : source.below(static_cast<std::uint32_t>(size));
    if (flow.nodes[at].instruction.code == 5) continue;  // jumps always are edges
    change(source, flow, at, rewrite, free);
  }
  return program_of(flow, nullptr);
}

Program rewritten(Source& source, std::span<const Instruction> program) {
  Program out(program.begin(), program.end());
  const std::uint32_t rounds = 1 + source.below(5);
  for (std::uint32_t i = 0; i < rounds; ++i) {
    Program next = rewritten(source, out, static_cast<Rewrite>(source.below(kRewrites)));
    if (next.size() <= kMaxProgramLength) out = std::move(next);
  }
  return out;
}

}  // namespace callgate::random
