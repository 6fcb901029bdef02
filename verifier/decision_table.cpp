#include "verifier/decision_table.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace callgate::verifier {
namespace {

using Ref = Space::Ref;

constexpr std::size_t kCostLimit = 64;
constexpr std::size_t kShortened = 64;  // more rules than that are left as they are

// How long the words for a set of values are, about: a value is shorter than a range or a mask.
std::size_t cost_of(const Space& space, Field field, Ref values) {
  const auto ranges = ranges_of(space, values, field, kCostLimit);
  const auto masks = masks_of(space, values, field, kCostLimit);
  const std::size_t cost = 3 * (masks ? masks->size() : kCostLimit + 1);
  if (!ranges) return cost;
  std::size_t of_ranges = 0;
  for (const ValueRange& each : *ranges) of_ranges += each.first == each.last ? 2 : 3;
  return std::min(cost, of_ranges);
}

std::size_t cost_of(const Space& space, const std::vector<Path>& rules) {
  std::size_t cost = 0;
  for (const Path& rule : rules) {
    cost += 1 + rule.opaques.size();
    for (const auto& [field, values] : rule.values) cost += cost_of(space, field, values);
  }
  return cost;
}

// Leaves out what a rule need not ask, as long as it holds for calls of its end alone.
void shorten(Space& space, Path& rule, Ref wanted) {
  const auto drop = [&](auto& from) {
    for (std::size_t i = from.size(); i-- > 0;) {
      const auto kept = from[i];
      from.erase(from.begin() + static_cast<std::ptrdiff_t>(i));
      if (space.diagrams().without(rule.condition(space), wanted) != Diagrams::kFalse) {
        from.insert(from.begin() + static_cast<std::ptrdiff_t>(i), kept);
      }
    }
  };
  drop(rule.values);
  drop(rule.opaques);
}

// Takes out of a rule's values what another rule, which asks for that field alone, has anyway.
void take_out_what_others_have(Space& space, std::vector<Path>& rules) {
  for (const Path& other : rules) {
    if (other.values.size() != 1 || !other.opaques.empty()) continue;
    const auto& [field, had] = other.values.front();
    for (Path& rule : rules) {
      if (&rule == &other || rule.values.size() + rule.opaques.size() < 2) continue;
      for (auto& [asked, values] : rule.values) {
        if (asked != field) continue;
        const Ref left = space.diagrams().without(values, had);
        if (left != Diagrams::kFalse &&
            cost_of(space, field, left) < cost_of(space, field, values)) {
          values = left;
        }
      }
    }
  }
}

// Leaves out rules that the others together make needless.
void drop_needless(Space& space, std::vector<Path>& rules) {
  Diagrams& diagrams = space.diagrams();
  for (std::size_t i = rules.size(); i-- > 0;) {
    Ref others = Diagrams::kFalse;
    for (std::size_t j = 0; j < rules.size(); ++j) {
      if (j != i) others = diagrams.either(others, rules[j].condition(space));
    }
    if (diagrams.without(rules[i].condition(space), others) == Diagrams::kFalse) {
      rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

struct RulesOfEnd {
  std::vector<Path> rules;
  bool cut = false;
  std::size_t cost = 0;
  bool usual = false;
};

RulesOfEnd rules_of(Space& space, Ref behaviour, Ref end, const TableLimits& limits) {
  Diagrams& diagrams = space.diagrams();
  const Ref wanted = diagrams.changed(behaviour, [&](std::uint32_t number) {
    return number == diagrams.number(end) ? Diagrams::kTrue : Diagrams::kFalse;
  });
  RulesOfEnd out;
  out.cut = !for_each_path(space, wanted, [&](const Path& path) {
    if (path.end != Diagrams::kTrue) return true;
    if (out.rules.size() == limits.rules) return false;
    out.rules.push_back(path);
    return true;
  });
  for (Path& rule : out.rules) rule.end = end;
  if (!out.cut && out.rules.size() > 1 && out.rules.size() <= kShortened) {
    for (Path& rule : out.rules) shorten(space, rule, wanted);
    drop_needless(space, out.rules);
    take_out_what_others_have(space, out.rules);
  }
  out.cost = cost_of(space, out.rules);
  return out;
}

Ref calls_of(Space& space, Arch arch) {
  // As arch_of_call() tells them apart.
  const Ref x32 = space.masked_equal(Field::Nr, 0xc0000000U, kX32Bit);
  if (arch == Arch::X32) return x32;
  return arch == Arch::X86_64 ? space.diagrams().negated(x32) : Diagrams::kTrue;
}

void add_classes(Space& space, ArchRow& row, const TableLimits& limits) {
  const auto parts = split(space, row.behaviour, bits_of(Field::Nr), limits.classes);
  if (!parts) {
    row.cut = true;
    return;
  }
  // What most numbers get, calls or not; of x86_64's those that lie below x32's.
  const Ref counted =
      row.arch == Arch::X86_64 ? space.between(Field::Nr, 0, kX32Bit - 1) : row.numbers;
  const auto largest = std::ranges::max_element(*parts, {}, [&](const Part& part) {
    return space.count(space.diagrams().both(part.values, counted), Field::Nr);
  });
  const auto usual =
      space.diagrams().is_end(largest->next) ? std::optional(largest->next) : std::nullopt;
  std::vector<CallClass> classes;
  std::vector<std::tuple<std::uint64_t, Ref, std::size_t>> order;  // by the lowest number
  for (const Part& part : *parts) {
    const Ref numbers = space.diagrams().both(part.values, row.numbers);
    if (numbers == Diagrams::kFalse) continue;
    CallClass made;
    made.numbers = numbers;
    made.behaviour = part.next;
    made.ranges = ranges_of(space, numbers, Field::Nr, limits.ranges);
    const auto lowest = made.ranges ? made.ranges->front().first : ~std::uint64_t{0};
    add_rules(space, made, limits, usual);
    order.emplace_back(lowest, made.numbers, classes.size());
    classes.push_back(std::move(made));
  }
  std::ranges::sort(order);
  for (const auto& each : order) row.classes.push_back(std::move(classes[std::get<2>(each)]));
}

// Which parts of all tokens there are, and which is that of the tokens nobody knows.
class Rows {
 public:
  Rows(Space& space, Ref function)
      : space_(space), parts_(split(space, function, bits_of(Field::Arch), 5000)) {}

  [[nodiscard]] bool found() const { return parts_.has_value(); }

  std::vector<ArchRow> make(std::span<const Arch> shown) {
    rest_ = &*std::ranges::max_element(
        *parts_, {}, [&](const Part& part) { return space_.count(part.values, Field::Arch); });
    for (const Arch arch : shown) add(arch);
    for (const ArchInfo& each : arches()) {
      if (part_of(each.arch).next != rest_->next) add(each.arch);
    }
    for (const Part& part : *parts_) {
      if (&part != rest_) add_unknown(part, false);
    }
    add_unknown(*rest_, true);
    return std::move(rows_);
  }

 private:
  [[nodiscard]] const Part& part_of(Arch arch) const {
    SeccompData data;
    data.arch = info(arch).token;
    return *std::ranges::find_if(*parts_,
                                 [&](const Part& part) { return space_.holds(part.values, data); });
  }

  void add(Arch arch) {
    const auto has = [&](Arch each) {
      return std::ranges::find(rows_, std::optional(each), &ArchRow::arch) != rows_.end();
    };
    if (has(arch)) return;
    // Who shows one ABI of a token shows both.
    if (arch == Arch::X32) return add(Arch::X86_64);
    ArchRow row;
    row.arch = arch;
    row.tokens = space_.equal(Field::Arch, info(arch).token);
    row.numbers = calls_of(space_, arch);
    row.behaviour = part_of(arch).next;
    owned_ = space_.diagrams().either(owned_, row.tokens);
    rows_.push_back(row);
    if (arch != Arch::X86_64) return;
    row.arch = Arch::X32;
    row.numbers = calls_of(space_, Arch::X32);
    rows_.push_back(row);
  }

  void add_unknown(const Part& part, bool every_other) {
    ArchRow row;
    row.every_other = every_other;
    row.tokens = space_.diagrams().without(part.values, owned_);
    row.numbers = Diagrams::kTrue;
    row.behaviour = part.next;
    if (row.tokens != Diagrams::kFalse) rows_.push_back(row);
  }

  Space& space_;
  std::optional<std::vector<Part>> parts_;
  const Part* rest_ = nullptr;
  Ref owned_ = Diagrams::kFalse;
  std::vector<ArchRow> rows_;
};

}  // namespace

void add_rules(Space& space, CallClass& to, const TableLimits& limits, std::optional<Ref> usual) {
  to.ends = space.diagrams().ends(to.behaviour);
  if (to.ends.size() == 1) {
    to.otherwise = to.ends.front();
    return;
  }
  std::vector<RulesOfEnd> all;
  try {
    for (const Ref end : to.ends) {
      all.push_back(rules_of(space, to.behaviour, end, limits));
      all.back().usual = usual == end;
    }
  } catch (const Diagrams::Full&) {
    return;  // without rules, and nothing said of the others
  }
  const auto longest = [](const RulesOfEnd& a, const RulesOfEnd& b) {
    return std::tuple(a.cut, a.cost, a.usual) < std::tuple(b.cut, b.cost, b.usual);
  };
  const auto left_over = std::ranges::max_element(all, longest);
  const auto cut = std::ranges::count(all, true, &RulesOfEnd::cut);
  if (cut <= 1) {
    to.otherwise = to.ends[static_cast<std::size_t>(left_over - all.begin())];
    all.erase(left_over);
  }
  for (RulesOfEnd& each : all) {
    for (Path& rule : each.rules) to.rules.push_back(std::move(rule));
  }
}

bool DecisionTable::whole() const {
  return std::ranges::none_of(rows, [](const ArchRow& row) {
    return row.cut ||
           std::ranges::any_of(row.classes, [](const CallClass& each) { return !each.otherwise; });
  });
}

DecisionTable decision_table(Endings& endings, Space::Ref function, std::span<const Arch> shown,
                             const TableLimits& limits) {
  Space& space = endings.space();
  DecisionTable table;
  try {
    Rows rows(space, function);
    if (rows.found()) table.rows = rows.make(shown);
  } catch (const Diagrams::Full&) {
    table.rows.clear();
  }
  if (table.rows.empty()) {
    ArchRow all;
    all.every_other = all.cut = true;
    all.tokens = all.numbers = Diagrams::kTrue;
    all.behaviour = function;
    table.rows.push_back(all);
    return table;
  }
  for (ArchRow& row : table.rows) {
    try {
      add_classes(space, row, limits);
    } catch (const Diagrams::Full&) {
      row.classes.clear();
      row.cut = true;
    }
  }
  return table;
}

const ArchRow* row_of(const Space& space, const DecisionTable& table, const SeccompData& data) {
  const auto found = std::ranges::find_if(table.rows, [&](const ArchRow& row) {
    return space.holds(row.tokens, data) && space.holds(row.numbers, data);
  });
  return found == table.rows.end() ? nullptr : &*found;
}

const CallClass* class_of(const Space& space, const ArchRow& row, const SeccompData& data) {
  const auto found = std::ranges::find_if(
      row.classes, [&](const CallClass& each) { return space.holds(each.numbers, data); });
  return found == row.classes.end() ? nullptr : &*found;
}

}  // namespace callgate::verifier
