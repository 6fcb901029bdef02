// What differs between machines and kernels.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/audit/checks.hpp"
#include "harness/report/words.hpp"
#include "verifier/check.hpp"
#include "vm/opcodes.hpp"

namespace callgate::audit {
namespace {

using verifier::Ending;

bool shifts_by_x(std::span<const Instruction> program) {
  return std::ranges::any_of(program, [](const Instruction& each) {
    const OpcodeInfo* row = find_opcode(each.code);
    return row != nullptr && (row->opcode == Opcode::LshX || row->opcode == Opcode::RshX);
  });
}

void shift_undefined(Subject& subject, Found& out) {
  const Ref undefined = subject.diagrams().changed(subject.meaning().value, [&](std::uint32_t end) {
    const Ending& ending = subject.endings().at(subject.diagrams().end(end));
    return ending.kind == Ending::Kind::Undefined ? Diagrams::kTrue : Diagrams::kFalse;
  });
  const auto call = subject.space().find(undefined);
  if (!call) return;
  const Ending ending =
      subject.endings().at(subject.space().evaluate(subject.meaning().verdict, *call));
  Finding finding =
      found(FindingId::ShiftUndefined,
            fmt::format("{} comes to a shift by 32 or more, and Linux {} on {} leaves "
                        "open what that gives",
                        report::call_name(*call), to_string(subject.model().version),
                        info(subject.native()).name));
  finding.shown.push_back(subject.ran(*call));
  finding.filter = ending.filter;
  finding.instruction = ending.instruction;
  out.push_back(std::move(finding));
}

// The same stack where the JIT of another architecture of the same byte order shifts.
std::optional<FilterStack> as_on(const FilterStack& stack, Arch arch) {
  KernelModel model = stack.model();
  model.arch = arch;
  model.engine = KernelEngine::Jit;
  FilterStack other(model);
  for (std::size_t filter = 0; filter < stack.size(); ++filter) {
    const auto checked = verifier::check(stack.program(filter), model);
    if (!checked || !other.push(*checked, stack.flags(filter))) return std::nullopt;
  }
  return other;
}

bool shift_differs(Subject& subject, Arch arch, Found& out) {
  const FilterStack& here = subject.stack();
  const auto there = as_on(here, arch);
  if (!there) return false;
  const verifier::StackMeaning other = verifier::meaning_of(subject.endings(), *there);
  Ref differ = subject.diagrams().joined(subject.meaning().value, other.value, [&](Ref a, Ref b) {
    const Ending one = subject.endings().at(a);
    const Ending two = subject.endings().at(b);
    if (one.kind != Ending::Kind::Value || two.kind != Ending::Kind::Value) return Diagrams::kFalse;
    return subject.diagrams().negated(subject.space().compared(Test::Equal, one.value, two.value));
  });
  differ = subject.diagrams().both(differ, subject.sendable());
  const auto shown = subject.show(differ);
  if (!shown) return false;
  const std::uint32_t value = there->run(shown->call).value;
  if (value == shown->value) return false;
  const bool decides_more = (value & kActionMask) != (shown->value & kActionMask);
  Finding finding = found(
      FindingId::ShiftDependsOnArchitecture,
      fmt::format("{} gets {} where a shift by 32 or more goes as on {}, and {} as on {}{}",
                  report::call_name(shown->call), report::verdict_words(shown->value, here.model()),
                  info(here.model().arch).name, report::verdict_words(value, there->model()),
                  info(arch).name, decides_more ? "" : " (the data alone differ)"));
  subject.place(finding, shown->call);
  finding.shown.push_back(*shown);
  out.push_back(std::move(finding));
  return true;
}

void shift_depends_on_architecture(Subject& subject, Found& out) {
  bool shifts = false;
  for (std::size_t filter = 0; filter < subject.stack().size(); ++filter) {
    shifts = shifts || shifts_by_x(subject.stack().program(filter));
  }
  if (!shifts || !shift_rule(subject.model())) return;
  // Each rule once, of the same byte order.
  std::vector<ShiftRule> seen{*shift_rule(subject.model())};
  for (const ArchInfo& row : arches()) {
    if (row.byte_order != info(subject.native()).byte_order) continue;
    if (std::ranges::find(seen, row.shift_rule) != seen.end()) continue;
    seen.push_back(row.shift_rule);
    if (shift_differs(subject, row.arch, out)) return;
  }
}

void flags(Subject& subject, Found& out) {
  struct Row {
    bool FilterFlags::* flag;
    Feature feature;
    std::string_view name;
  };
  constexpr std::array kFlags = {
      Row{&FilterFlags::log, Feature::FlagLog, "SECCOMP_FILTER_FLAG_LOG"},
      Row{&FilterFlags::new_listener, Feature::FlagNewListener, "SECCOMP_FILTER_FLAG_NEW_LISTENER"},
  };
  for (std::size_t filter = 0; filter < subject.stack().size(); ++filter) {
    for (const Row& row : kFlags) {
      if (!(subject.stack().flags(filter).*row.flag) || subject.model().has(row.feature)) continue;
      const auto since = std::ranges::find(features(), row.feature, &FeatureInfo::feature)->since;
      Finding finding = found(FindingId::FlagNewerThanKernel,
                              fmt::format("filter {} is installed with {}, which came with {}",
                                          filter, row.name, to_string(since)));
      finding.filter = filter;
      out.push_back(std::move(finding));
    }
  }
}

}  // namespace

void check_machines(Subject& subject, Found& found) {
  shift_undefined(subject, found);
  shift_depends_on_architecture(subject, found);
  flags(subject, found);
}

}  // namespace callgate::audit
