#include "harness/coverage/calls.hpp"

#include <algorithm>

#include "harness/report/explanation.hpp"
#include "verifier/levels.hpp"
#include "vm/syscalls.hpp"

namespace callgate::coverage {
namespace {

using verifier::Diagrams;
using verifier::Field;
using verifier::Space;
using Ref = Space::Ref;

// The numbers that an ABI has calls for.
Ref named_numbers(Space& space, Arch abi) {
  Ref numbers = Diagrams::kFalse;
  const std::span<const SyscallRow> rows = syscalls(abi);
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t end = i + 1;
    while (end < rows.size() && rows[end].nr <= rows[end - 1].nr + 1) ++end;
    numbers =
        space.diagrams().either(numbers, space.between(Field::Nr, rows[i].nr, rows[end - 1].nr));
    i = end;
  }
  return numbers;
}

// No bit in the upper half of any register.
Ref short_registers(Space& space) {
  Diagrams& diagrams = space.diagrams();
  Ref all = Diagrams::kTrue;
  for (auto field = static_cast<unsigned>(Field::InstructionPointer);
       field >= static_cast<unsigned>(Field::Arg0); --field) {
    all = diagrams.both(space.between(static_cast<Field>(field), 0, 0xffffffffU), all);
  }
  return all;
}

}  // namespace

bool has_short_registers(Arch abi) noexcept { return info(abi).bits == 32 && abi != Arch::X32; }

Ref calls_of(Space& space, Arch abi) {
  Diagrams& diagrams = space.diagrams();
  const Ref token = space.equal(Field::Arch, info(abi).token);
  if (abi != Arch::X86_64 && abi != Arch::X32) return token;
  const Ref x32 = diagrams.without(space.between(Field::Nr, kX32Bit, 0xffffffffU),
                                   space.equal(Field::Nr, 0xffffffffU));
  return abi == Arch::X32 ? diagrams.both(token, x32) : diagrams.without(token, x32);
}

Choice::Choice(Space& space, const KernelModel& model, std::span<const Arch> abis)
    : space_(space), own_(Diagrams::kFalse) {
  Diagrams& diagrams = space.diagrams();
  const Ref asked = diagrams.negated(verifier::exempt_calls(space, model));
  const Ref is_short = short_registers(space);
  const std::vector<Arch> machine = report::abis_of(model.arch);
  const auto is_meant = [&](Arch abi) {
    return abis.empty() || std::ranges::find(abis, abi) != abis.end();
  };
  meant_ = abis.empty() ? asked : Diagrams::kFalse;
  const auto add = [&](Arch abi, bool is_own) {
    const Ref calls = diagrams.both(calls_of(space, abi), asked);
    if (is_own) own_ = diagrams.either(own_, calls);
    if (!is_meant(abi)) return;
    meant_ = diagrams.either(meant_, calls);
    const Ref fitting = has_short_registers(abi) ? diagrams.both(calls, is_short) : calls;
    classes_.push_back(diagrams.both(fitting, named_numbers(space, abi)));
    classes_.push_back(fitting);
  };
  for (const Arch abi : machine) add(abi, true);
  for (const ArchInfo& row : arches()) {
    if (std::ranges::find(machine, row.arch) == machine.end()) add(row.arch, false);
  }
  own_ = diagrams.both(own_, meant_);
  classes_.push_back(meant_);
}

Ref Choice::most_welcome(Ref condition) const {
  for (const Ref each : classes_) {
    const Ref part = space_.diagrams().both(condition, each);
    if (part != Diagrams::kFalse) return part;
  }
  return Diagrams::kFalse;
}

std::optional<SeccompData> Choice::find(Ref condition) const {
  const Ref part = most_welcome(condition);
  if (auto call = space_.find(part)) return call;
  // Opaque comparisons may keep that part from having any.
  return space_.find(space_.diagrams().both(condition, meant_));
}

}  // namespace callgate::coverage
