#include "verifier/levels.hpp"

#include <array>

#include "vm/actions.hpp"
#include "vm/filter_stack.hpp"
#include "vm/syscalls.hpp"

namespace callgate::verifier {
namespace {

using Ref = Space::Ref;

constexpr std::uint32_t kAllow = static_cast<std::uint32_t>(Action::Allow);
constexpr std::string_view kLeftOpen = "the kernel leaves open what the process sees";

bool is_known(const ActionInfo& row, const KernelModel& model) {
  return model.version >= Version{row.since_major, row.since_minor, 0};
}

// The place of an action in the kernel's order.
std::uint32_t strictness(std::uint32_t value, const KernelModel& model) {
  std::uint32_t place = 0;
  for (const ActionInfo& row : actions()) {
    if (static_cast<std::uint32_t>(row.action) == action_bits(value, model) &&
        is_known(row, model)) {
      return place;
    }
    ++place;
  }
  return model.has(Feature::UnknownKillsProcess) ? 0 : 1;
}

// An outcome as a number, without what does not count.
std::optional<std::uint32_t> coded(const Outcome& outcome) {
  switch (outcome.kind) {
    case OutcomeKind::Executes:
    case OutcomeKind::ListenerDecides:
      return outcome_number(outcome.kind);
    case OutcomeKind::Returns:
      return outcome_number(outcome.kind, static_cast<std::uint32_t>(-outcome.value));
    case OutcomeKind::Sigsys:
    case OutcomeKind::TracerDecides:
      return outcome_number(outcome.kind, outcome.data);
    case OutcomeKind::ThreadDies:
    case OutcomeKind::ProcessDies:
      return outcome_number(outcome.kind, outcome.core_dump ? 1U : 0U);
    case OutcomeKind::Unknown:
      break;
  }
  return std::nullopt;
}

// A number of a level as a function of a formula, for calls of one architecture.
class Leveler {
 public:
  Leveler(Level level, Endings& endings, const KernelModel& model, const Surroundings& around)
      : level_(level), endings_(endings), model_(model), around_(around) {}

  [[nodiscard]] Ref of(Ref function) {
    Diagrams& diagrams = endings_.space().diagrams();
    return diagrams.changed(function, [&](std::uint32_t number) {
      const Ref end = diagrams.end(number);
      const Ending ending = endings_.at(end);
      return ending.kind == Ending::Kind::Value ? of_term(ending.value) : end;
    });
  }

 private:
  [[nodiscard]] Ref number(TermId term) {
    return endings_.end({.kind = Ending::Kind::Value, .value = term, .filter = {}});
  }
  [[nodiscard]] Ref end_of(std::optional<std::uint32_t> code) {
    if (code) return number(endings_.space().terms().constant(*code));
    return endings_.end({.kind = Ending::Kind::NotFollowed, .filter = {}, .reason = kLeftOpen});
  }
  [[nodiscard]] std::optional<std::uint32_t> code(std::uint32_t value, std::uint32_t token) const {
    return at_level(level_, value, {.nr = 0, .arch = token}, model_, around_);
  }

  [[nodiscard]] Ref of_term(TermId term) {
    Space& space = endings_.space();
    Terms& terms = space.terms();
    const std::uint32_t mask = model_.has(Feature::ActionFull) ? kActionMask : kOldActionMask;
    if (level_ == Level::Raw) return number(term);
    if (level_ == Level::Verdict) {
      return number(terms.bit_and(term, terms.constant(mask | kDataMask)));
    }
    // Which architecture a call is of counts for numbers of errnos alone.
    const std::uint32_t own = info(model_.arch).token;
    Ref result = by_action(term, mask, own);
    if (level_ != Level::Outcome) return result;
    for (const ArchInfo& row : arches()) {
      if (row.token == own || arch_from_token(row.token) != row.arch) continue;
      const Ref here = by_action(term, mask, row.token);
      if (here == result) continue;
      result = space.diagrams().choose(space.equal(Field::Arch, row.token), here, result);
    }
    return result;
  }

  [[nodiscard]] Ref by_action(TermId term, std::uint32_t mask, std::uint32_t token) {
    Space& space = endings_.space();
    Terms& terms = space.terms();
    if (const auto value = terms.value(term)) return end_of(code(*value, token));
    const TermId data = terms.bit_and(term, terms.constant(kDataMask));
    const TermId action = terms.bit_and(term, terms.constant(mask));
    Ref result = by_data(unknown_action(), data, token);
    for (const ActionInfo& row : actions()) {
      if (!is_known(row, model_)) continue;
      const auto value = static_cast<std::uint32_t>(row.action);
      const Ref is_it = space.compared(Test::Equal, action, terms.constant(value));
      result = space.diagrams().choose(is_it, by_data(value, data, token), result);
    }
    return result;
  }

  // A value that names no action.
  [[nodiscard]] static std::uint32_t unknown_action() {
    std::uint32_t value = 0x00010000;
    while (find_action(value) != nullptr) value += 0x00010000;
    return value;
  }

  // The data count not at all, or as they are up to a highest number.
  [[nodiscard]] Ref by_data(std::uint32_t action, TermId data, std::uint32_t token) {
    Space& space = endings_.space();
    Terms& terms = space.terms();
    const auto least = code(action, token);
    const auto most = code(action | kDataMask, token);
    if (least == most || !least || !most) return end_of(least);
    const Ref as_they_are = number(terms.bit_or(data, terms.constant(*least)));
    const std::uint32_t highest = *most & kDataMask;
    if (highest == kDataMask) return as_they_are;
    const Ref above = space.compared(Test::Greater, data, terms.constant(highest));
    return space.diagrams().choose(above, end_of(most), as_they_are);
  }

  Level level_;
  Endings& endings_;
  const KernelModel& model_;
  const Surroundings& around_;
};

}  // namespace

std::string_view to_string(Level level) noexcept {
  switch (level) {
    case Level::Raw:
      return "raw";
    case Level::Verdict:
      return "verdict";
    case Level::Outcome:
      return "outcome";
    case Level::Strictness:
      return "strictness";
    case Level::Executes:
      return "executes";
  }
  return "";
}

std::optional<std::uint32_t> at_level(Level level, std::uint32_t value, const SeccompData& data,
                                      const KernelModel& model, const Surroundings& around) {
  if (level != Level::Raw && is_exempt(data, model)) value = kAllow;
  switch (level) {
    case Level::Raw:
      return value;
    case Level::Verdict:
      return action_bits(value, model) | (value & kDataMask);
    case Level::Outcome:
      return coded(outcome_of(value, data, model, around));
    case Level::Strictness:
      return strictness(value, model);
    case Level::Executes: {
      const ActionInfo& row = actions()[strictness(value, model)];
      return row.action == Action::Allow || row.action == Action::Log ? 1 : 0;
    }
  }
  return std::nullopt;
}

Space::Ref exempt_calls(Space& space, const KernelModel& model) {
  Ref result = Diagrams::kFalse;
  for (const std::string_view name : {"uretprobe", "uprobe"}) {
    const auto nr = syscall_number(Arch::X86_64, name);
    if (!nr) continue;
    const SeccompData data{.nr = static_cast<std::int32_t>(*nr), .arch = info(Arch::X86_64).token};
    if (!is_exempt(data, model)) continue;
    const Ref call =
        space.diagrams().both(space.equal(Field::Arch, data.arch), space.equal(Field::Nr, *nr));
    result = space.diagrams().either(result, call);
  }
  return result;
}

Space::Ref at_level(Level level, Endings& endings, Space::Ref function, const KernelModel& model,
                    const Surroundings& around) {
  return Leveler(level, endings, model, around).of(function);
}

}  // namespace callgate::verifier
