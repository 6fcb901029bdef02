#include "verifier/paths.hpp"

#include <algorithm>
#include <map>

namespace callgate::verifier {
namespace {

using Ref = Space::Ref;

// Where a function's questions about a field lead to, in the order in which they are found.
std::vector<Ref> exits_of(const Diagrams& diagrams, Ref function, std::uint32_t end) {
  std::map<Ref, bool> seen{{function, true}};
  std::vector<Ref> open{function};
  std::vector<Ref> exits;
  while (!open.empty()) {
    const Ref at = open.back();
    open.pop_back();
    if (diagrams.variable_of(at) >= end) {
      exits.push_back(at);
      continue;
    }
    for (const Ref next : {diagrams.yes(at), diagrams.no(at)}) {
      if (seen.emplace(next, true).second) open.push_back(next);
    }
  }
  return exits;
}

// The condition on a field's bits that they lead to an exit.
Ref leads_to(Diagrams& diagrams, Ref at, Ref exit, std::uint32_t end, std::map<Ref, Ref>& known) {
  if (diagrams.variable_of(at) >= end) return at == exit ? Diagrams::kTrue : Diagrams::kFalse;
  if (const auto found = known.find(at); found != known.end()) return found->second;
  const std::uint32_t variable = diagrams.variable_of(at);
  const Ref no_side = diagrams.no(at);
  const Ref yes_side = diagrams.yes(at);
  const Ref no = leads_to(diagrams, no_side, exit, end, known);
  const Ref yes = leads_to(diagrams, yes_side, exit, end, known);
  const Ref result = diagrams.node(variable, no, yes);
  known.emplace(at, result);
  return result;
}

bool visit_ranges(const Diagrams& diagrams, Ref at, std::uint32_t end, unsigned bits_left,
                  std::uint64_t first, const auto& add) {
  const std::uint32_t variable = end - bits_left;
  if (diagrams.variable_of(at) >= end) {
    const std::uint64_t size = bits_left >= 64 ? ~0ULL : (1ULL << bits_left) - 1;
    return add(ValueRange{first, first + size}, at);
  }
  const bool asked = diagrams.variable_of(at) == variable;
  const Ref no = asked ? diagrams.no(at) : at;
  const Ref yes = asked ? diagrams.yes(at) : at;
  return visit_ranges(diagrams, no, end, bits_left - 1, first, add) &&
         visit_ranges(diagrams, yes, end, bits_left - 1, first | 1ULL << (bits_left - 1), add);
}

bool visit_masks(const Diagrams& diagrams, Ref at, std::uint32_t end, MaskedValue so_far,
                 const auto& add) {
  if (at == Diagrams::kFalse) return true;
  if (diagrams.variable_of(at) >= end) return add(so_far);
  const std::uint64_t bit = 1ULL << (end - 1 - diagrams.variable_of(at));
  so_far.mask |= bit;
  if (!visit_masks(diagrams, diagrams.no(at), end, so_far, add)) return false;
  so_far.value |= bit;
  return visit_masks(diagrams, diagrams.yes(at), end, so_far, add);
}

bool visit_paths(Space& space, Ref at, Path& path, const std::function<bool(const Path&)>& visit) {
  const Diagrams& diagrams = space.diagrams();
  if (diagrams.is_end(at)) {
    path.end = at;
    return visit(path);
  }
  const std::uint32_t variable = diagrams.variable_of(at);
  if (const auto field = Space::field_of(variable)) {
    // Part by part: who has seen enough does not wait for all.
    const std::uint32_t end = bits_of(*field).end();
    for (const Ref next : exits_of(diagrams, at, end)) {
      std::map<Ref, Ref> known;
      path.values.emplace_back(*field, leads_to(space.diagrams(), at, next, end, known));
      const bool go_on = visit_paths(space, next, path, visit);
      path.values.pop_back();
      if (!go_on) return false;
    }
    return true;
  }
  for (const bool holds : {false, true}) {
    path.opaques.emplace_back(variable, holds);
    const Ref next = holds ? diagrams.yes(at) : diagrams.no(at);
    const bool go_on = visit_paths(space, next, path, visit);
    path.opaques.pop_back();
    if (!go_on) return false;
  }
  return true;
}

}  // namespace

std::optional<std::vector<Part>> split(Space& space, Ref function, const BitRun& bits,
                                       std::size_t most) {
  Diagrams& diagrams = space.diagrams();
  const std::vector<Ref> exits = exits_of(diagrams, function, bits.end());
  if (exits.size() > most) return std::nullopt;
  std::vector<Part> parts;
  for (const Ref exit : exits) {
    std::map<Ref, Ref> known;
    parts.push_back({leads_to(diagrams, function, exit, bits.end(), known), exit});
  }
  return parts;
}

std::vector<Part> split(Space& space, Ref function, Field field) {
  return *split(space, function, bits_of(field), ~std::size_t{0});
}

std::optional<std::vector<ValueRange>> ranges_of(const Space& space, Ref values, const BitRun& bits,
                                                 std::size_t most) {
  const auto parts = range_parts(space, values, bits, 2 * most + 1);
  if (!parts) return std::nullopt;
  std::vector<ValueRange> ranges;
  for (const RangePart& part : *parts) {
    if (part.next == Diagrams::kTrue) ranges.push_back(part.range);
  }
  if (ranges.size() > most) return std::nullopt;
  return ranges;
}

std::optional<std::vector<MaskedValue>> masks_of(const Space& space, Ref values, const BitRun& bits,
                                                 std::size_t most) {
  std::vector<MaskedValue> masks;
  const bool all =
      visit_masks(space.diagrams(), values, bits.end(), {}, [&](const MaskedValue& mask) {
        masks.push_back(mask);
        return masks.size() <= most;
      });
  if (!all) return std::nullopt;
  return masks;
}

std::optional<std::vector<RangePart>> range_parts(const Space& space, Ref function,
                                                  const BitRun& bits, std::size_t most) {
  std::vector<RangePart> parts;
  const bool all = visit_ranges(space.diagrams(), function, bits.end(), bits.width, 0,
                                [&](const ValueRange& range, Ref next) {
                                  if (!parts.empty() && parts.back().next == next) {
                                    parts.back().range.last = range.last;
                                    return true;
                                  }
                                  parts.push_back({range, next});
                                  return parts.size() <= most;
                                });
  if (!all) return std::nullopt;
  return parts;
}

bool Path::holds(const Space& space, const SeccompData& data) const {
  const auto satisfied = [&](Ref condition) { return space.holds(condition, data); };
  return std::ranges::all_of(values, [&](const auto& each) { return satisfied(each.second); }) &&
         std::ranges::all_of(opaques, [&](const auto& each) {
           const Opaque& asked = space.opaque(each.first);
           const std::array<TermId, 2> both{asked.a, asked.b};
           const auto terms = space.terms().evaluate(both, data);
           return callgate::holds(asked.test, terms[0], terms[1]) == each.second;
         });
}

Ref Path::condition(Space& space) const {
  Diagrams& diagrams = space.diagrams();
  Ref all = Diagrams::kTrue;
  for (const auto& each : opaques) {
    const Ref asked = diagrams.variable(each.first);
    all = diagrams.both(all, each.second ? asked : diagrams.negated(asked));
  }
  for (const auto& each : values) all = diagrams.both(all, each.second);
  return all;
}

bool for_each_path(Space& space, Ref function, const std::function<bool(const Path&)>& visit) {
  Path path;
  return visit_paths(space, function, path, visit);
}

}  // namespace callgate::verifier
