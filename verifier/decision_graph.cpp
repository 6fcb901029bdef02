#include "verifier/decision_graph.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "verifier/paths.hpp"
#include "verifier/search_tree.hpp"
#include "vm/arches.hpp"

namespace callgate::verifier {
namespace {

using Ref = Space::Ref;

constexpr std::size_t kMostRanges = 4 * kMaxProgramLength;  // of the architecture or the number
constexpr std::size_t kMostRangesOfArguments = 512;         // of a word
constexpr std::size_t kMostParts = kMaxProgramLength;       // of a word
constexpr std::uint32_t kMostNumbers = 1024;                // calls have lower ones, on most ABIs
constexpr std::size_t kMostValues = 64;                     // that are tested for one by one
constexpr std::size_t kMostPlaces = 64;                     // that a word may lead to
constexpr std::size_t kEffort = 8000;                       // of a search of tests
constexpr std::size_t kEffortOfAllWords = 3000;             // likewise
constexpr std::size_t kNodesOfASearch = 200'000;            // of diagrams
constexpr std::uint32_t kFirstArgument = 2;                 // the place of its word
constexpr std::uint32_t kAllWords = Space::kFirstOpaque / 32;

std::optional<std::string> why_no_constant(const Endings& endings, Ref end) {
  const Ending& ending = endings.at(end);
  if (ending.kind == Ending::Kind::NotFollowed) {
    return "not all of the filters was followed: " + std::string(ending.reason);
  }
  if (ending.kind == Ending::Kind::Undefined) {
    return "this kernel leaves open what a shift by 32 or more gives";
  }
  if (!endings.space().terms().value(ending.value)) return "a result is a formula, no constant";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> not_decidable(const Endings& endings, Ref function) {
  const Space& space = endings.space();
  for (const Ref end : space.diagrams().ends(function)) {
    if (auto reason = why_no_constant(endings, end)) return reason;
  }
  if (space.has_opaque(function)) return "a comparison is too complicated to be told apart";
  return std::nullopt;
}

DecisionGraph::DecisionGraph(Endings& endings, const KernelModel& model,
                             const GraphOptions& options)
    : endings_(endings),
      space_(endings.space()),
      diagrams_(space_.diagrams()),
      model_(model),
      order_(byte_order(model.arch)),
      options_(options),
      tests_(endings, graph_, order_, options, [this](Ref each) { return end(each); }) {}

FlowId DecisionGraph::made(Ref function, std::span<const WeighedCall> calls) {
  return word_by_word(function, {calls.begin(), calls.end()}, kFirstArgument);
}

std::optional<FlowId> DecisionGraph::made_of_tests(Ref function,
                                                   std::span<const WeighedCall> calls) {
  return tested(function, calls, kEffortOfAllWords);
}

FlowId DecisionGraph::end(Ref end) {
  if (const auto place = places_.find(end); place != places_.end()) return place->second;
  if (auto reason = why_no_constant(endings_, end)) throw NotDecided{*std::move(reason)};
  const std::uint32_t value = *space_.terms().value(endings_.at(end).value);
  return graph_.keep(Instruction{static_cast<std::uint16_t>(Opcode::RetK), 0, 0, value}, 0, 0);
}

FlowId DecisionGraph::load(std::uint32_t place, FlowId next) {
  return graph_.keep(
      Instruction{static_cast<std::uint16_t>(Opcode::LdAbs), 0, 0, offset_of_word(place, order_)},
      next, 0);
}

FlowId DecisionGraph::word_by_word(Ref function, const Calls& calls, std::uint32_t up_to) {
  Pass pass;
  pass.up_to = up_to;
  reach(pass, function, calls);
  return node(pass, function);
}

// Where a function leads to once a word is known.
std::vector<Ref> DecisionGraph::exits(Ref function, std::uint32_t end) const {
  std::set<Ref> seen{function};
  std::vector<Ref> open{function};
  std::vector<Ref> found;
  while (!open.empty()) {
    const Ref at = open.back();
    open.pop_back();
    if (diagrams_.variable_of(at) >= end) {
      found.push_back(at);
      continue;
    }
    for (const Ref next : {diagrams_.no(at), diagrams_.yes(at)}) {
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return found;
}

// Which calls come to each function that is left over once some words are known. Of words that are
// not known, all that they lead to get the same share.
void DecisionGraph::reach(Pass& pass, Ref function, const Calls& calls) const {
  const auto place_of = [&](Ref at) { return diagrams_.variable_of(at) / 32; };
  if (diagrams_.is_end(function)) return;
  pass.reached[{place_of(function), function}] = calls;
  for (auto each = pass.reached.begin(); each != pass.reached.end(); ++each) {
    const auto [place, at] = each->first;
    if (place >= pass.up_to) return;
    const std::uint32_t end = place * 32 + 32;
    const std::uint32_t offset = offset_of_word(place, order_);
    const std::vector<Ref> found = exits(at, end);
    const auto add = [&](Ref next, const WeighedCall& call, double weight) {
      if (diagrams_.is_end(next)) return;
      pass.reached[{place_of(next), next}].push_back({call.call, weight});
    };
    for (const Ref next : found) {
      if (!diagrams_.is_end(next)) pass.reached.try_emplace({place_of(next), next});
    }
    for (const WeighedCall& call : each->second) {
      if ((call.call.known >> word_bit(offset, order_) & 1U) == 0) {
        const double share = call.weight / static_cast<double>(found.size());
        for (const Ref next : found) add(next, call, share);
        continue;
      }
      const std::uint32_t value = load_word(call.call.data, offset, order_);
      Ref next = at;
      while (diagrams_.variable_of(next) < end) {
        const bool yes = (value >> (end - 1 - diagrams_.variable_of(next)) & 1U) != 0;
        next = yes ? diagrams_.yes(next) : diagrams_.no(next);
      }
      add(next, call, call.weight);
    }
  }
}

FlowId DecisionGraph::node(Pass& pass, Ref function) {
  if (diagrams_.is_end(function)) return end(function);
  if (const auto found = pass.nodes.find(function); found != pass.nodes.end()) {
    return found->second;
  }
  const std::uint32_t place = diagrams_.variable_of(function) / 32;
  if (place >= kAllWords) throw NotDecided{"a comparison is too complicated to be told apart"};
  const FlowId made = place >= pass.up_to ? arguments(function, pass.reached.at({place, function}))
                                          : word_node(pass, function, place);
  pass.nodes.emplace(function, made);
  return made;
}

FlowId DecisionGraph::word_node(Pass& pass, Ref function, std::uint32_t place) {
  const BitRun bits{place * 32, 32};
  const auto tree = [&](Ref ranges, Ref others, FlowId other) -> std::optional<FlowId> {
    const auto parts = range_parts(space_, ranges, bits,
                                   place < kFirstArgument ? kMostRanges : kMostRangesOfArguments);
    if (!parts) return std::nullopt;
    std::vector<RangeLead> leads;
    for (const RangePart& part : *parts) {
      leads.push_back({static_cast<std::uint32_t>(part.range.first),
                       static_cast<std::uint32_t>(part.range.last),
                       part.next == others ? other : node(pass, part.next)});
    }
    return tree_node(leads, pass.reached.at({place, function}), place);
  };
  const Ref none = endings_.end(
      {.kind = Ending::Kind::NotFollowed, .filter = {}, .reason = "it is asked elsewhere"});
  if (const auto whole = tree(function, none, 0)) return *whole;
  // Some values one by one, and bits for the others alone.
  const FlowId masks = masks_node(pass, function, place);
  const Calls& calls = pass.reached.at({place, function});
  FlowId best = masks;
  double least = objective(masks, calls);
  const auto try_some = [&](Ref values) {
    const auto some = tree(diagrams_.choose(values, function, none), none, masks);
    if (!some) return;
    const double costs = objective(*some, calls);
    if (costs < least) least = costs, best = *some;
  };
  const Word word = word_of_place(place);
  if (word.field == Field::Nr) try_some(space_.between(Field::Nr, 0, kMostNumbers - 1));
  std::set<std::uint32_t> seen;
  for (const WeighedCall& each : calls) {
    const std::uint32_t offset = offset_of_word(place, order_);
    if ((each.call.known >> word_bit(offset, order_) & 1U) == 0) continue;
    if (seen.size() < kMostValues) seen.insert(load_word(each.call.data, offset, order_));
  }
  Ref values = Diagrams::kFalse;
  for (const std::uint32_t value : seen) {
    values = diagrams_.either(values, space_.compared(Test::Equal, space_.terms().word(word),
                                                      space_.terms().constant(value)));
  }
  try_some(values);
  return best;
}

FlowId DecisionGraph::tree_node(std::span<const RangeLead> leads, const Calls& calls,
                                std::uint32_t place) {
  TreeOptions options;
  options.prices = options_.prices;
  options.size_price = options_.size_price;
  const std::uint32_t offset = offset_of_word(place, order_);
  std::map<std::uint32_t, double> weights;
  for (const WeighedCall& each : calls) {
    if ((each.call.known >> word_bit(offset, order_) & 1U) == 0) {
      options.spread += each.weight;
    } else {
      weights[load_word(each.call.data, offset, order_)] += each.weight;
    }
  }
  std::vector<ValueWeight> values;
  for (const auto& [value, weight] : weights) values.push_back({value, weight});
  const FlowId tree = search_tree(graph_, leads, values, options);
  const bool asks = std::ranges::any_of(
      leads, [&](const RangeLead& each) { return each.to != leads.front().to; });
  return asks ? load(place, tree) : tree;
}

// A function of one word: where it is known, an end that stands for what comes after.
Ref DecisionGraph::cut(Ref function, std::uint32_t end, const std::map<Ref, Ref>& ends,
                       std::map<Ref, Ref>& known) {
  const std::uint32_t variable = diagrams_.variable_of(function);
  if (variable >= end) return ends.at(function);
  if (const auto found = known.find(function); found != known.end()) return found->second;
  const Ref no = cut(diagrams_.no(function), end, ends, known);
  const Ref yes = cut(diagrams_.yes(function), end, ends, known);
  return known.emplace(function, diagrams_.node(variable, no, yes)).first->second;
}

// Values that no ranges tell: by tests of bits among others.
FlowId DecisionGraph::masks_node(Pass& pass, Ref function, std::uint32_t place) {
  const std::uint32_t end = place * 32 + 32;
  const std::vector<Ref> found = exits(function, end);
  std::optional<FlowId> by_tests;
  if (found.size() <= kMostPlaces) {
    std::map<Ref, Ref> ends;
    for (const Ref next : found) {
      const FlowId to = node(pass, next);
      const Ref stands = endings_.end({.kind = Ending::Kind::NotFollowed,
                                       .filter = {},
                                       .instruction = to,
                                       .reason = "it stands for a node"});
      places_[stands] = to;
      ends.emplace(next, stands);
    }
    std::map<Ref, Ref> known;
    const Ref of_word = cut(function, end, ends, known);
    if (diagrams_.is_end(of_word)) return this->end(of_word);
    by_tests = tested(of_word, pass.reached.at({place, function}), kEffort);
  }
  std::optional<FlowId> chain;
  try {
    chain = masks_chain(pass, function, place);
  } catch (const NotDecided&) {
    if (!by_tests) throw;
  }
  if (!by_tests || !chain) return by_tests ? *by_tests : *chain;
  const Calls& calls = pass.reached.at({place, function});
  return objective(*by_tests, calls) < objective(*chain, calls) ? *by_tests : *chain;
}

// By bits alone, the rarest last; what takes most tests is left over.
FlowId DecisionGraph::masks_chain(Pass& pass, Ref function, std::uint32_t place) {
  struct Tests {
    FlowId to = 0;
    std::vector<MaskedValue> masks;
  };
  const BitRun bits{place * 32, 32};
  const auto parts = split(space_, function, bits, kMostParts);
  if (!parts) throw NotDecided{"it would be longer than a kernel takes"};
  std::map<FlowId, Ref> by_place;
  for (const Part& part : *parts) {
    const FlowId to = node(pass, part.next);
    const auto [found, fresh] = by_place.try_emplace(to, part.values);
    if (!fresh) found->second = diagrams_.either(found->second, part.values);
  }
  std::vector<Tests> tests;
  std::optional<FlowId> left_over;
  std::size_t most = 0;
  for (const auto& [to, values] : by_place) {
    const auto masks = masks_of(space_, values, bits, kMaxProgramLength);
    tests.push_back({to, masks.value_or(std::vector<MaskedValue>(kMaxProgramLength + 1))});
    if (tests.back().masks.size() > most) {
      most = tests.back().masks.size();
      left_over = to;
    }
  }
  std::erase_if(tests, [&](const Tests& each) { return each.to == left_over; });
  FlowId next = *left_over;
  for (const Tests& each : tests) {
    for (const MaskedValue& masked : each.masks) {
      const auto mask = static_cast<std::uint32_t>(masked.mask);
      const auto value = static_cast<std::uint32_t>(masked.value);
      const auto keep = [&](Opcode opcode, std::uint32_t k, FlowId yes, FlowId no) {
        return graph_.keep(Instruction{static_cast<std::uint16_t>(opcode), 0, 0, k}, yes, no);
      };
      if (each.masks.size() > kMaxProgramLength) {
        throw NotDecided{"it would be longer than a kernel takes"};
      }
      if (value == 0) {
        next = load(place, keep(Opcode::JsetK, mask, next, each.to));
      } else {
        next = load(place, keep(Opcode::AndK, mask, keep(Opcode::JeqK, value, each.to, next), 0));
      }
    }
  }
  return next;
}

double DecisionGraph::objective(FlowId start, const Calls& calls) const {
  const auto program = laid_out(graph_, start);
  if (!program) return std::numeric_limits<double>::infinity();
  return expected_cost(*program, model_, calls, options_.prices) +
         options_.size_price * static_cast<double>(program->size());
}

std::optional<FlowId> DecisionGraph::tested(Ref function, std::span<const WeighedCall> calls,
                                            std::size_t effort) {
  std::optional<FlowId> found;
  const Diagrams::Budget before = diagrams_.allow_at_most(kNodesOfASearch);
  try {
    found = tests_.found(function, calls, effort);
  } catch (const Diagrams::Full&) {
    found.reset();
  }
  diagrams_.allow(before);
  return found;
}

FlowId DecisionGraph::arguments(Ref function, const Calls& calls) {
  const FlowId in_order = word_by_word(function, calls, kAllWords);
  const auto found = tested(function, calls, kEffort);
  if (!found || *found == in_order) return in_order;
  return objective(*found, calls) <= objective(in_order, calls) ? *found : in_order;
}

}  // namespace callgate::verifier
