#include "verifier/diagrams.hpp"

#include <algorithm>
#include <unordered_set>

namespace callgate::verifier {
namespace {

constexpr std::size_t kFirstTable = 1U << 10U;
constexpr std::size_t kMostChoices = 1U << 20U;
constexpr std::size_t kWorkForANode = 8;

std::size_t mixed(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  std::uint64_t hash = a * 0x9e3779b97f4a7c15ULL;
  hash = (hash ^ b) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ hash >> 29U ^ c) * 0x94d049bb133111ebULL;
  return static_cast<std::size_t>(hash ^ hash >> 32U);
}

}  // namespace

Diagrams::Diagrams(std::size_t most_nodes)
    : budget_{most_nodes, most_nodes * kWorkForANode}, table_(kFirstTable), choices_(kFirstTable) {
  nodes_.push_back({kNoVariable, 0, 0});
  (void)keep({kNoVariable, 1, 0});
}

Diagrams::Budget Diagrams::allow_at_most(std::size_t more_nodes) noexcept {
  return allow({std::min(budget_.nodes, nodes_.size() + more_nodes),
                std::min(budget_.work, work_ + more_nodes * kWorkForANode)});
}

Diagrams::Budget Diagrams::allow_more(std::size_t more_nodes) noexcept {
  return allow({std::max(budget_.nodes, nodes_.size()) + more_nodes,
                std::max(budget_.work, work_) + more_nodes * kWorkForANode});
}

Diagrams::Ref Diagrams::end(std::uint32_t number) {
  return number == 0 ? kFalse : keep({kNoVariable, number, 0});
}

Diagrams::Ref Diagrams::node(std::uint32_t variable, Ref no, Ref yes) {
  return no == yes ? no : keep({variable, no, yes});
}

Diagrams::Ref Diagrams::keep(const Node& node) {
  std::size_t place = mixed(node.variable, node.no, node.yes) & (table_.size() - 1);
  while (table_[place] != 0) {
    if (nodes_[table_[place]] == node) return table_[place];
    place = (place + 1) & (table_.size() - 1);
  }
  if (nodes_.size() >= budget_.nodes) throw Full{};
  const auto ref = static_cast<Ref>(nodes_.size());
  nodes_.push_back(node);
  table_[place] = ref;
  if (nodes_.size() * 2 > table_.size()) grow();
  return ref;
}

void Diagrams::grow() {
  table_.assign(table_.size() * 2, 0);
  for (std::size_t ref = 1; ref < nodes_.size(); ++ref) {
    const Node& node = nodes_[ref];
    std::size_t place = mixed(node.variable, node.no, node.yes) & (table_.size() - 1);
    while (table_[place] != 0) place = (place + 1) & (table_.size() - 1);
    table_[place] = static_cast<Ref>(ref);
  }
  if (choices_.size() < std::min(table_.size(), kMostChoices)) {
    choices_.assign(table_.size(), Choice{});
  }
}

Diagrams::Ref Diagrams::choose(Ref condition, Ref yes, Ref no) {
  if (condition == kTrue || yes == no) return yes;
  if (condition == kFalse) return no;
  if (yes == kTrue && no == kFalse) return condition;
  if (yes == condition) return choose(condition, kTrue, no);
  if (no == condition) return choose(condition, yes, kFalse);
  {
    const Choice& known = choices_[mixed(condition, yes, no) & (choices_.size() - 1)];
    if (known.condition == condition && known.yes == yes && known.no == no) return known.result;
  }
  if (++work_ > budget_.work) throw Full{};
  const std::uint32_t top =
      std::min({nodes_[condition].variable, nodes_[yes].variable, nodes_[no].variable});
  const Ref when_not =
      choose(side(condition, top, false), side(yes, top, false), side(no, top, false));
  const Ref when = choose(side(condition, top, true), side(yes, top, true), side(no, top, true));
  const Ref result = node(top, when_not, when);
  choices_[mixed(condition, yes, no) & (choices_.size() - 1)] = {condition, yes, no, result};
  return result;
}

std::size_t Diagrams::size(Ref function) const {
  std::unordered_set<Ref> seen{function};
  std::vector<Ref> open{function};
  while (!open.empty()) {
    const Ref ref = open.back();
    open.pop_back();
    if (is_end(ref)) continue;
    for (const Ref next : {nodes_[ref].no, nodes_[ref].yes}) {
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return seen.size();
}

std::vector<Diagrams::Ref> Diagrams::ends(Ref function) const {
  std::unordered_set<Ref> seen{function};
  std::vector<Ref> open{function};
  std::vector<Ref> found;
  while (!open.empty()) {
    const Ref ref = open.back();
    open.pop_back();
    if (is_end(ref)) {
      found.push_back(ref);
      continue;
    }
    for (const Ref next : {nodes_[ref].no, nodes_[ref].yes}) {
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  std::ranges::sort(found);
  return found;
}

bool Diagrams::asks_from(Ref function, std::uint32_t variable) const {
  std::unordered_set<Ref> seen{function};
  std::vector<Ref> open{function};
  while (!open.empty()) {
    const Ref ref = open.back();
    open.pop_back();
    if (is_end(ref)) continue;
    if (nodes_[ref].variable >= variable) return true;
    for (const Ref next : {nodes_[ref].no, nodes_[ref].yes}) {
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return false;
}

}  // namespace callgate::verifier
