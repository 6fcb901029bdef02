#include "harness/audit/subject.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "harness/report/words.hpp"
#include "vm/reference.hpp"

namespace callgate::audit {
namespace {

using verifier::Ending;
using verifier::Space;

struct MachineAbi {
  Arch machine;
  Arch other;
};

constexpr std::array kMachineAbis = {
#define MACHINE_ABI(machine, other) MachineAbi{Arch::machine, Arch::other},
#include "harness/audit/machine_abis.def"
#undef MACHINE_ABI
};

}  // namespace

Subject::Subject(const FilterStack& stack, std::vector<Layer> layers, Situation situation)
    : stack_(stack), layers_(std::move(layers)), situation_(situation), endings_(space_) {
  for (const MachineAbi& each : kMachineAbis) {
    if (each.machine == native()) others_.push_back(each.other);
  }
  meaning_ = verifier::meaning_of(endings_, stack);
  verifier::Terms& terms = space_.terms();
  const std::uint32_t mask = model().has(Feature::ActionFull) ? kActionMask : kOldActionMask;
  const auto is = [&](const Ending& ending, Action action) {
    return space_.compared(Test::Equal, terms.bit_and(ending.value, terms.constant(mask)),
                           terms.constant(static_cast<std::uint32_t>(action)));
  };
  permitted_ = where(meaning_.value, [&](const Ending& ending) {
    return diagrams().either(is(ending, Action::Allow), model().has(Feature::ActionFull)
                                                            ? is(ending, Action::Log)
                                                            : Diagrams::kFalse);
  });
  denied_ = diagrams().without(where(meaning_.value, [](const Ending&) { return Diagrams::kTrue; }),
                               permitted_);
  sendable_ = space_.equal(Field::Arch, info(native()).token);
  for (const Arch other : others_) {
    sendable_ = diagrams().either(sendable_, space_.equal(Field::Arch, info(other).token));
  }
}

Ref Subject::of_arch(Ref function, Arch arch) const {
  return space_.fixed(function, Field::Arch, info(arch).token);
}

Ref Subject::of_call(Ref function, Arch arch, std::uint32_t nr) const {
  return space_.fixed(of_arch(function, arch), Field::Nr, nr);
}

Ref Subject::is_call(Arch arch, std::uint32_t nr) {
  return diagrams().both(space_.equal(Field::Arch, info(arch).token), space_.equal(Field::Nr, nr));
}

Ref Subject::with_bits(Ref function, std::uint32_t first, unsigned count, std::uint64_t value) {
  std::unordered_map<Ref, Ref> known;
  const auto set = [&](auto&& self, Ref at) -> Ref {
    const std::uint32_t variable = diagrams().variable_of(at);
    if (variable >= first + count) return at;
    if (const auto found = known.find(at); found != known.end()) return found->second;
    const Ref no = diagrams().no(at);
    const Ref yes = diagrams().yes(at);
    Ref result = 0;
    if (variable >= first) {
      const bool bit = (value >> (first + count - 1 - variable) & 1U) != 0;
      result = self(self, bit ? yes : no);
    } else {
      const Ref new_no = self(self, no);
      const Ref new_yes = self(self, yes);
      result = diagrams().node(variable, new_no, new_yes);
    }
    known.emplace(at, result);
    return result;
  };
  return set(set, function);
}

Ref Subject::differ(Ref a, Ref b) {
  return diagrams().joined(
      a, b, [](Ref x, Ref y) { return x == y ? Diagrams::kFalse : Diagrams::kTrue; });
}

Support Subject::support(Ref function) const {
  Support support;
  std::unordered_set<Ref> seen{function};
  std::vector<Ref> open{function};
  while (!open.empty()) {
    const Ref at = open.back();
    open.pop_back();
    if (space_.diagrams().is_end(at)) continue;
    const std::uint32_t variable = space_.diagrams().variable_of(at);
    if (variable < Space::kFirstOpaque) support.set(variable);
    for (const Ref next : {space_.diagrams().no(at), space_.diagrams().yes(at)}) {
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return support;
}

std::optional<Shown> Subject::show(Ref condition) {
  const auto call = space_.find(condition);
  if (!call) return std::nullopt;
  return ran(*call);
}

Shown Subject::ran(const SeccompData& call) {
  const Shown shown{call, stack_.run(call).value};
  const Ending& ending = endings_.at(space_.evaluate(meaning_.value, call));
  const auto said = endings_.value(ending, call);
  if (said && *said != shown.value) {
    throw std::logic_error(fmt::format(
        "the analysis says {:#010x} of {} ({:#x}, {:#x}), and running it gives {:#010x}", *said,
        report::call_name(call), call.nr, call.arch, shown.value));
  }
  return shown;
}

void Subject::place(Finding& finding, const SeccompData& call) const {
  std::optional<std::size_t> filter = stack_.run(call).winner;
  if (!filter && stack_.size() == 1) filter = 0;
  if (!filter) return;
  finding.filter = filter;
  finding.instruction = reference::run(stack_.program(*filter), call, model()).last;
  const auto& policy = layers_[*filter].policy;
  if (!policy) return;
  const front_ends::Decision decision = front_ends::evaluate(*policy, call);
  if (!decision.rule) return;
  const std::size_t line = policy->rules[*decision.rule].place.line;
  if (line != 0) finding.line = line;
}

Finding found(FindingId id, std::string message, std::string syscall) {
  Finding out;
  out.id = id;
  out.severity = info(id).severity;
  out.message = std::move(message);
  out.syscall = std::move(syscall);
  return out;
}

}  // namespace callgate::audit
