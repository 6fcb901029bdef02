#include "harness/coverage/neighbours.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>

#include "harness/coverage/calls.hpp"
#include "harness/report/explanation.hpp"
#include "verifier/paths.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"

namespace callgate::coverage {
namespace {

using verifier::BitRun;
using verifier::Diagrams;
using verifier::Field;
using verifier::Space;
using verifier::Word;
using Ref = Space::Ref;

constexpr std::size_t kMostRanges = 4;
constexpr std::uint64_t kGarbage = 0xdeadbeef00000000U;
constexpr std::uint64_t kBit31 = 0x80000000U;

// The condition on one word's bits, all others as in a call. It asks for no earlier bits.
Ref of_word(Space& space, Ref function, const BitRun& bits, const SeccompData& call,
            std::unordered_map<Ref, Ref>& known) {
  Diagrams& diagrams = space.diagrams();
  const std::uint32_t variable = diagrams.variable_of(function);
  if (variable >= bits.end()) return space.evaluate(function, call);
  if (const auto found = known.find(function); found != known.end()) return found->second;
  const Ref no_side = diagrams.no(function);
  const Ref yes_side = diagrams.yes(function);
  const Ref no = of_word(space, no_side, bits, call, known);
  const Ref yes = of_word(space, yes_side, bits, call, known);
  const Ref result = diagrams.node(variable, no, yes);
  known.emplace(function, result);
  return result;
}

// What is left of a function after some first bits of a field.
Ref after(const Space& space, Ref function, const BitRun& bits, std::uint32_t value) {
  const Diagrams& diagrams = space.diagrams();
  while (diagrams.variable_of(function) < bits.end()) {
    const bool yes = (value >> (bits.end() - 1 - diagrams.variable_of(function)) & 1U) != 0;
    function = yes ? diagrams.yes(function) : diagrams.no(function);
  }
  return function;
}

std::uint32_t turned_bits(const Diagrams& diagrams, Ref condition, const BitRun& bits) {
  std::uint32_t out = 0;
  std::set<Ref> seen{condition};
  std::vector<Ref> open{condition};
  while (!open.empty()) {
    const Ref at = open.back();
    open.pop_back();
    if (diagrams.is_end(at)) continue;
    out |= 1U << (bits.end() - 1 - diagrams.variable_of(at));
    for (const Ref next : {diagrams.no(at), diagrams.yes(at)}) {
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return out;
}

// Values of one word that matter, by word.
using Values = std::map<std::uint32_t, std::set<std::uint32_t>>;  // first variable, values

void add_values(Space& space, Ref function, const BitRun& bits, const SeccompData& call,
                std::uint32_t is, Values& values) {
  std::unordered_map<Ref, Ref> known;
  const Ref condition = of_word(space, function, bits, call, known);
  if (space.diagrams().is_end(condition)) return;
  std::set<std::uint32_t>& its = values[bits.first];
  const auto ranges = verifier::ranges_of(space, condition, bits, kMostRanges);
  if (!ranges) {
    const std::uint32_t turned = turned_bits(space.diagrams(), condition, bits);
    for (unsigned bit = 0; bit < 32; ++bit) {
      if ((turned >> bit & 1U) != 0) its.insert(is ^ 1U << bit);
    }
    return;
  }
  for (const verifier::ValueRange& range : *ranges) {
    const auto first = static_cast<std::uint32_t>(range.first);
    const auto last = static_cast<std::uint32_t>(range.last);
    its.insert({first, last});
    if (first > 0) its.insert(first - 1);
    if (last < 0xffffffffU) its.insert(last + 1);
  }
}

// What a comparison depends on, word by word in the order of questions.
void look_at(Space& space, Ref function, const SeccompData& call, Values& values) {
  function = space.fixed(function, Field::Arch, call.arch);
  function = space.fixed(function, Field::Nr, static_cast<std::uint32_t>(call.nr));
  for (auto place = static_cast<unsigned>(Field::Arg0);
       place <= static_cast<unsigned>(Field::InstructionPointer); ++place) {
    const auto field = static_cast<Field>(place);
    const std::uint64_t value = value_of(call, field);
    for (const bool high : {true, false}) {
      if (space.diagrams().variable_of(function) >= Space::kFirstOpaque) return;
      const BitRun bits = verifier::bits_of(Word{field, high});
      const auto is = static_cast<std::uint32_t>(high ? value >> 32U : value);
      if (space.diagrams().variable_of(function) < bits.end()) {
        add_values(space, function, bits, call, is, values);
      }
      function = after(space, function, bits, is);
    }
  }
}

struct Branches {
  std::span<const Instruction> program;
  std::vector<std::size_t>& at;

  void step(const reference::Step& step) const {
    const OpcodeInfo* row = find_opcode(program[step.at].code);
    if (row != nullptr && row->kind == OpcodeKind::Branch) at.push_back(step.at);
  }
};

}  // namespace

std::vector<SeccompData> neighbours_of(Space& space, const FilterStack& stack,
                                       const verifier::StackMeaning& meaning,
                                       const SeccompData& call) {
  const auto abi = arch_of_call(call.arch, static_cast<std::uint32_t>(call.nr));
  const std::vector<Arch> own = report::abis_of(stack.model().arch);
  if (!abi || std::ranges::find(own, *abi) == own.end()) return {};
  Values values;
  for (std::size_t filter = 0; filter < stack.size(); ++filter) {
    std::vector<std::size_t> branches;
    (void)reference::run(stack.program(filter), call, stack.model(),
                         Branches{stack.program(filter), branches});
    for (const std::size_t at : branches) {
      look_at(space, meaning.filters[filter].taken[at], call, values);
    }
  }
  const bool short_registers = has_short_registers(*abi);
  std::vector<SeccompData> out;
  const auto add = [&](Field field, std::uint64_t value) {
    SeccompData fresh = call;
    set_value(fresh, field, value);
    if (fresh == call || std::ranges::find(out, fresh) != out.end()) return;
    out.push_back(fresh);
  };
  for (auto place = static_cast<unsigned>(Field::Arg0);
       place <= static_cast<unsigned>(Field::InstructionPointer); ++place) {
    const auto field = static_cast<Field>(place);
    const std::uint64_t is = value_of(call, field);
    const auto low = values.find(verifier::bits_of(Word{field, false}).first);
    if (low != values.end()) {
      for (const std::uint32_t value : low->second) {
        add(field, (is & ~std::uint64_t{0xffffffffU}) | value);
      }
      add(field, is ^ kBit31);
    }
    const auto high = values.find(verifier::bits_of(Word{field, true}).first);
    if (short_registers) continue;
    if (high != values.end()) {
      for (const std::uint32_t value : high->second) {
        add(field, (is & 0xffffffffU) | std::uint64_t{value} << 32U);
      }
    }
    if (low != values.end() || high != values.end()) add(field, (is & 0xffffffffU) | kGarbage);
  }
  return out;
}

}  // namespace callgate::coverage
