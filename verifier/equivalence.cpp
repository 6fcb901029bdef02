#include "verifier/equivalence.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "verifier/paths.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::verifier {
namespace {

using Ref = Space::Ref;

constexpr std::string_view kUndefined =
    "this kernel leaves open what a shift by 32 or more gives there";
constexpr std::string_view kTooManyNodes = "the conditions are too complicated to be compared";

// Pairs of results, as the ends of a diagram: 0 where they do not stand in the relation, then a
// number for each pair that does, or for each reason that keeps it from being known.
class Pairs {
 public:
  Pairs(Endings& endings, Relation relation)
      : endings_(endings), space_(endings.space()), relation_(relation) {}

  [[nodiscard]] Ref of(Ref a, Ref b) {
    return space_.diagrams().joined(a, b, [&](Ref one, Ref other) { return joined(one, other); });
  }

  /// Why an end's calls are not known; empty where they are.
  [[nodiscard]] const std::string& why(Ref end) const {
    return whys_[space_.diagrams().number(end) - 1];
  }

 private:
  [[nodiscard]] Ref joined(Ref end_a, Ref end_b) {
    const Ending a = endings_.at(end_a);
    const Ending b = endings_.at(end_b);
    for (const Ending& each : {a, b}) {
      if (each.kind == Ending::Kind::Undefined) return open(std::string(kUndefined));
      if (each.kind == Ending::Kind::NotFollowed) return open(std::string(each.reason));
    }
    const Ref same = space_.compared(Test::Equal, a.value, b.value);
    const Ref stands = relation_ == Relation::Unequal
                           ? space_.diagrams().negated(same)
                           : space_.compared(Test::Greater, b.value, a.value);
    if (stands == Diagrams::kFalse) return Diagrams::kFalse;
    const auto [place, fresh] = pairs_.try_emplace({a.value, b.value}, whys_.size() + 1);
    if (fresh) whys_.emplace_back();
    return space_.diagrams().choose(stands, end(place->second), Diagrams::kFalse);
  }

  [[nodiscard]] Ref open(const std::string& why) {
    const auto [place, fresh] = reasons_.try_emplace(why, whys_.size() + 1);
    if (fresh) whys_.push_back(why);
    return end(place->second);
  }

  [[nodiscard]] Ref end(std::size_t number) {
    return space_.diagrams().end(static_cast<std::uint32_t>(number));
  }

  Endings& endings_;
  Space& space_;
  Relation relation_;
  std::map<std::pair<TermId, TermId>, std::size_t> pairs_;
  std::map<std::string, std::size_t> reasons_;
  std::vector<std::string> whys_;
};

// A number of an architecture's calls for which a condition on numbers holds; the tables' first.
std::optional<std::uint32_t> named_number(const Space& space, Ref numbers, Arch arch) {
  for (const SyscallRow& row : syscalls(arch)) {
    if (space.holds(numbers, {.nr = static_cast<std::int32_t>(row.nr)})) return row.nr;
  }
  return std::nullopt;
}

// The same programs with the same flags: no analysis is needed to see that they mean the same.
bool same_programs(const FilterStack& a, const FilterStack& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::ranges::equal(a.program(i), b.program(i))) return false;
  }
  return true;
}

bool same_models(const KernelModel& a, const KernelModel& b) {
  return a.version == b.version && a.arch == b.arch && a.engine == b.engine;
}

class Comparer {
 public:
  Comparer(Endings& endings, const Side& a, const Side& b, Solver& solver,
           const ComparisonOptions& options)
      : endings_(endings),
        space_(endings.space()),
        diagrams_(space_.diagrams()),
        a_(a),
        b_(b),
        solver_(solver),
        options_(options),
        pairs_(endings, options.relation) {}

  Comparison all() { return bounded(&Comparer::compare_all); }
  Comparison by_name() { return bounded(&Comparer::compare_names); }

 private:
  // What a comparison found; where it was too much, that everything is open.
  Comparison bounded(void (Comparer::*compare)()) {
    try {
      (this->*compare)();
    } catch (const Diagrams::Full&) {
      result_.open.push_back({Diagrams::kTrue,
                              Diagrams::kTrue,
                              Diagrams::kTrue,
                              Diagrams::kTrue,
                              {},
                              std::string(kTooManyNodes)});
    }
    return answered();
  }

  [[nodiscard]] Ref function(const Side& side) {
    const bool raw = options_.level == Level::Raw && side.meaning.filters.size() == 1;
    const Ref value = raw ? side.meaning.filters[0].value : side.meaning.value;
    const KernelModel& model = side.stack.model();
    return at_level(options_.level, endings_, value, model, options_.around);
  }

  Comparison answered() {
    result_.answer = !result_.differences.empty() ? Answer::Different
                     : !result_.open.empty() || !result_.wrong.empty() || !result_.complete
                         ? Answer::Undecided
                         : Answer::Equal;
    return std::move(result_);
  }

  void compare_all() {
    if (same_models(a_.stack.model(), b_.stack.model()) && same_programs(a_.stack, b_.stack)) {
      result_.how = "the same instructions";
      return;
    }
    const Ref a = function(a_);
    const Ref b = function(b_);
    const Ref pairs = pairs_.of(a, b);
    // They are taken out of each condition, not of the functions: those would be split by them.
    if (options_.level != Level::Raw) exempt_ = exempt_calls(space_, a_.stack.model());
    if (pairs == Diagrams::kFalse) {
      result_.how =
          a == b ? "the same decision diagram of " + std::to_string(diagrams_.size(a)) + " nodes"
                 : "decision diagrams of " + std::to_string(diagrams_.size(a)) + " and " +
                       std::to_string(diagrams_.size(b)) + " nodes, compared";
      return;
    }
    if (space_.has_opaque(pairs)) {
      const Ref any = diagrams_.changed(pairs, [](std::uint32_t number) {
        return number == 0 ? Diagrams::kFalse : Diagrams::kTrue;
      });
      const Decision decision = solver_.decide(space_, diagrams_.without(any, exempt_));
      if (decision.holds == Holds::Never) {
        result_.how = decision.how;
        return;
      }
    }
    for (const Part& of_arch : split(space_, pairs, Field::Arch)) {
      for (const Part& of_number : split(space_, of_arch.next, Field::Nr)) {
        if (!add_ends(of_arch.values, of_number.values, of_number.next)) return;
      }
    }
    if (!result_.differences.empty() || !result_.open.empty()) return;
    result_.how = proofs_.empty()
                      ? "decision diagrams; they differ for calls alone that no filter is asked for"
                      : proofs_;
  }

  // The ends of a function of arguments; false where enough has been found.
  bool add_ends(Ref arches, Ref numbers, Ref function) {
    for (const Ref end : diagrams_.ends(function)) {
      if (end == Diagrams::kFalse) continue;
      const std::uint32_t number = diagrams_.number(end);
      const Ref here = diagrams_.changed(function, [&](std::uint32_t each) {
        return each == number ? Diagrams::kTrue : Diagrams::kFalse;
      });
      const Ref condition =
          diagrams_.without(diagrams_.both(arches, diagrams_.both(numbers, here)), exempt_);
      if (condition == Diagrams::kFalse) continue;
      if (result_.differences.size() >= options_.most_differences) {
        result_.complete = false;
        return false;
      }
      add(arches, numbers, here, condition, pairs_.why(end));
    }
    return true;
  }

  void add(Ref arches, Ref numbers, Ref rest, Ref condition, const std::string& why) {
    Decision decision = decided(arches, numbers, condition);
    if (decision.holds == Holds::Never) {
      proofs_ = decision.how;
      return;
    }
    if (!why.empty() || decision.holds == Holds::NotKnown) {
      result_.open.push_back(
          {arches, numbers, rest, condition, {}, why.empty() ? decision.how : why});
      return;
    }
    const SeccompData call = *decision.call;
    if (stands(options_, a_.stack, call, b_.stack, call) != true) {
      result_.wrong.push_back(call);
      return;
    }
    result_.differences.push_back({arches, numbers, rest, condition, call, call,
                                   returned(a_.stack, call, options_.level),
                                   returned(b_.stack, call, options_.level)});
  }

  // Calls that have a name are shown before others, and the models' own before foreign ones.
  Decision decided(Ref arches, Ref numbers, Ref condition) {
    std::vector<Arch> order{a_.stack.model().arch, b_.stack.model().arch};
    for (const ArchInfo& row : callgate::arches()) order.push_back(row.arch);
    for (const Arch arch : order) {
      const std::uint32_t token = info(arch).token;
      if (!space_.holds(arches, {.arch = token})) continue;
      const auto nr = named_number(space_, numbers, arch);
      Ref call = diagrams_.both(condition, space_.equal(Field::Arch, token));
      if (nr) call = diagrams_.both(call, space_.equal(Field::Nr, *nr));
      if (const auto found = space_.find(call)) return {Holds::Sometimes, found, {}};
      if (nr) break;
    }
    return solver_.decide(space_, condition);
  }

  // A function of the arguments: what it is for a call of one number of one architecture.
  [[nodiscard]] Ref of_call(Ref function, const SeccompData& data) const {
    function = space_.fixed(function, Field::Arch, data.arch);
    return space_.fixed(function, Field::Nr, static_cast<std::uint32_t>(data.nr));
  }

  [[nodiscard]] bool asks_for_identity(TermId term) const {
    const Term& here = space_.terms()[term];
    if (here.kind == TermKind::Constant) return false;
    if (here.kind == TermKind::Word) return here.a <= static_cast<std::uint32_t>(Field::Nr);
    return asks_for_identity(here.a) || asks_for_identity(here.b);
  }

  // Whether formulas of a function still look at architecture or number.
  [[nodiscard]] bool asks_for_identity_in(Ref function) const {
    std::set<Ref> seen{function};
    std::vector<Ref> open{function};
    while (!open.empty()) {
      const Ref at = open.back();
      open.pop_back();
      if (diagrams_.is_end(at)) {
        const Ending& ending = endings_.at(at);
        if (ending.kind == Ending::Kind::Value && asks_for_identity(ending.value)) return true;
        continue;
      }
      if (diagrams_.variable_of(at) >= Space::kFirstOpaque) {
        const Opaque& asked = space_.opaque(diagrams_.variable_of(at));
        if (asks_for_identity(asked.a) || asks_for_identity(asked.b)) return true;
      }
      for (const Ref next : {diagrams_.yes(at), diagrams_.no(at)}) {
        if (seen.insert(next).second) open.push_back(next);
      }
    }
    return false;
  }

  void compare_names() {
    const Arch arch_a = a_.stack.model().arch;
    const Arch arch_b = b_.stack.model().arch;
    const Ref a = function(a_);
    const Ref b = function(b_);
    for (const SyscallRow& row : syscalls(arch_b)) {
      if (!syscall_number(arch_a, row.name)) result_.only_b.emplace_back(row.name);
    }
    for (const SyscallRow& row : syscalls(arch_a)) {
      const auto nr_b = syscall_number(arch_b, row.name);
      if (!nr_b) {
        result_.only_a.emplace_back(row.name);
        continue;
      }
      ++result_.compared_calls;
      SeccompData data_a{.nr = static_cast<std::int32_t>(row.nr), .arch = info(arch_a).token};
      SeccompData data_b{.nr = static_cast<std::int32_t>(*nr_b), .arch = info(arch_b).token};
      const Ref of_a = of_call(a, data_a);
      const Ref of_b = of_call(b, data_b);
      if (asks_for_identity_in(of_a) || asks_for_identity_in(of_b)) {
        result_.open.push_back({Diagrams::kTrue, Diagrams::kTrue, Diagrams::kTrue, Diagrams::kTrue,
                                std::string(row.name),
                                "a formula of it is made of the number or the architecture"});
        continue;
      }
      add_named(row.name, data_a, data_b, pairs_.of(of_a, of_b));
    }
    if (result_.differences.empty() && result_.open.empty()) {
      result_.how = "decision diagrams, call by call";
      if (!proofs_.empty()) result_.how += "; " + proofs_;
    }
  }

  void add_named(std::string_view name, const SeccompData& data_a, const SeccompData& data_b,
                 Ref function) {
    for (const Ref end : diagrams_.ends(function)) {
      if (end == Diagrams::kFalse) continue;
      const std::uint32_t number = diagrams_.number(end);
      const Ref here = diagrams_.changed(function, [&](std::uint32_t each) {
        return each == number ? Diagrams::kTrue : Diagrams::kFalse;
      });
      const Decision decision = solver_.decide(space_, here);
      const std::string& why = pairs_.why(end);
      if (decision.holds == Holds::Never) {
        proofs_ = decision.how;
      } else if (!why.empty() || decision.holds == Holds::NotKnown) {
        result_.open.push_back({Diagrams::kTrue, Diagrams::kTrue, here, here, std::string(name),
                                why.empty() ? decision.how : why});
      } else {
        SeccompData call_a = *decision.call;
        SeccompData call_b = call_a;
        call_a.nr = data_a.nr;
        call_a.arch = data_a.arch;
        call_b.nr = data_b.nr;
        call_b.arch = data_b.arch;
        if (stands(options_, a_.stack, call_a, b_.stack, call_b) != true) {
          result_.wrong.push_back(call_a);
          continue;
        }
        result_.differences.push_back({Diagrams::kTrue, Diagrams::kTrue, here, here, call_a, call_b,
                                       returned(a_.stack, call_a, options_.level),
                                       returned(b_.stack, call_b, options_.level)});
      }
    }
  }

  Endings& endings_;
  Space& space_;
  Diagrams& diagrams_;
  const Side& a_;
  const Side& b_;
  Solver& solver_;
  const ComparisonOptions& options_;
  Pairs pairs_;
  Ref exempt_ = Diagrams::kFalse;
  std::string proofs_;
  Comparison result_;
};

}  // namespace

Comparison compare(Endings& endings, const Side& a, const Side& b, Solver& solver,
                   const ComparisonOptions& options) {
  return Comparer(endings, a, b, solver, options).all();
}

Comparison compare_by_name(Endings& endings, const Side& a, const Side& b, Solver& solver,
                           const ComparisonOptions& options) {
  return Comparer(endings, a, b, solver, options).by_name();
}

std::uint32_t returned(const FilterStack& stack, const SeccompData& data, Level level) {
  if (level == Level::Raw && stack.size() == 1) {
    return reference::run(stack.program(0), data, stack.model()).value;
  }
  if (is_exempt(data, stack.model())) return static_cast<std::uint32_t>(Action::Allow);
  return stack.run(data).value;
}

std::optional<bool> stands(const ComparisonOptions& options, const FilterStack& a,
                           const SeccompData& a_data, const FilterStack& b,
                           const SeccompData& b_data) {
  for (const auto& [stack, data] : {std::pair(&a, &a_data), std::pair(&b, &b_data)}) {
    for (std::size_t i = 0; i < stack->size(); ++i) {
      if (reference::run(stack->program(i), *data, stack->model()).fault !=
          reference::Fault::None) {
        return std::nullopt;
      }
    }
  }
  const auto at_a = at_level(options.level, returned(a, a_data, options.level), a_data, a.model(),
                             options.around);
  const auto at_b = at_level(options.level, returned(b, b_data, options.level), b_data, b.model(),
                             options.around);
  if (!at_a || !at_b) return std::nullopt;
  return options.relation == Relation::Unequal ? *at_a != *at_b : *at_b > *at_a;
}

}  // namespace callgate::verifier
