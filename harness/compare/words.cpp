#include "harness/compare/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/report/conditions.hpp"
#include "harness/report/words.hpp"
#include "verifier/decision_table.hpp"
#include "vm/actions.hpp"
#include "vm/outcome.hpp"
#include "vm/syscalls.hpp"

namespace callgate::compare {
namespace {

using verifier::Diagrams;
using verifier::Field;
using verifier::Level;
using Ref = verifier::Space::Ref;

constexpr std::size_t kMostRules = 6;

std::string verdict(std::uint32_t value, const KernelModel& model) {
  const ActionInfo* row = find_action(action_bits(value, model));
  if (row != nullptr && row->action == Action::Errno) {
    if (const auto name = report::errno_name(value & kDataMask, model.arch)) {
      return fmt::format("ERRNO({})", *name);
    }
  }
  return report::verdict_words(value, model);
}

}  // namespace

std::string Words::result(std::uint32_t value, const SeccompData& data,
                          const KernelModel& model) const {
  if (request_.options.level == Level::Raw) return fmt::format("0x{:08x}", value);
  if (request_.options.level != Level::Outcome) return verdict(value, model);
  Outcome outcome = outcome_of(value, data, model, request_.options.around);
  outcome.logged = false;
  return outcome.kind == OutcomeKind::Executes ? "executes" : report::outcome_words(outcome, "it");
}

Change Words::change(const verifier::Difference& difference) const {
  const auto strictness = [&](std::uint32_t value, const SeccompData& data,
                              const KernelModel& model) {
    return verifier::at_level(Level::Strictness, value, data, model, request_.options.around);
  };
  const auto a = strictness(difference.a, difference.call, a_);
  const auto b = strictness(difference.b, difference.call_b, b_);
  Change out;
  out.from = result(difference.a, difference.call, a_);
  out.to = result(difference.b, difference.call_b, b_);
  out.which = a < b ? "laxer" : a > b ? "stricter" : "only the data differ";
  return out;
}

// The names of the tables of all ABIs that are meant; of others than the kernel's own with theirs.
void Words::add_names(Ref arches, Ref numbers, Calls& to) const {
  std::set<Arch> asked;
  bool own_token = false;
  std::vector<std::string> foreign;
  for (const ArchInfo& row : callgate::arches()) {
    if (!space_.holds(arches, {.arch = row.token})) continue;
    const bool own = row.token == info(a_.arch).token;
    own_token = own_token || own;
    for (const SyscallRow& call : syscalls(row.arch)) {
      if (!space_.holds(numbers, {.nr = static_cast<std::int32_t>(call.nr)})) continue;
      if (own && row.arch == a_.arch) {
        to.names.emplace_back(call.name);
      } else {
        foreign.push_back(fmt::format("{} ({})", call.name, row.name));
      }
    }
  }
  // What all architectures have in common is told for the kernel's own.
  if (!own_token) to.names.insert(to.names.end(), foreign.begin(), foreign.end());
  if (own_token && to.names.empty()) to.names = std::move(foreign);
  std::set<std::uint32_t> named;
  for (const ArchInfo& row : callgate::arches()) {
    const bool counts = own_token ? row.arch == a_.arch : space_.holds(arches, {.arch = row.token});
    if (!counts) continue;
    for (const SyscallRow& call : syscalls(row.arch)) {
      if (space_.holds(numbers, {.nr = static_cast<std::int32_t>(call.nr)})) named.insert(call.nr);
    }
  }
  to.unnamed = space_.count(numbers, Field::Nr) - static_cast<double>(named.size());
}

std::string Words::condition(Ref rest, const SeccompData& call) const {
  if (rest == Diagrams::kTrue) return {};
  verifier::CallClass rules;
  rules.behaviour = rest;
  try {
    verifier::add_rules(space_, rules);
  } catch (const Diagrams::Full&) {
    return {};
  }
  if (!rules.otherwise || rules.rules.empty() || rules.rules.size() > kMostRules) return {};
  const auto arch = arch_of_call(call.arch, static_cast<std::uint32_t>(call.nr)).value_or(a_.arch);
  const std::string name = report::call_name(call);
  const report::CallView view{arch, name};
  std::string out;
  for (const verifier::Path& rule : rules.rules) {
    const report::Words words = report::condition_words(space_, rule, view);
    if (!words.whole) return {};
    if (!out.empty()) out += ", or ";
    out += words.text;
  }
  return (*rules.otherwise == Diagrams::kFalse ? "if " : "unless ") + out;
}

Calls Words::calls(const verifier::Difference& difference) const {
  Calls out;
  if (request_.by_name) {
    out.names.push_back(report::call_name(difference.call));
  } else {
    add_names(difference.arches, difference.numbers, out);
  }
  out.always = difference.rest == Diagrams::kTrue;
  out.condition = condition(difference.rest, difference.call);
  out.call = difference.call;
  out.call_b = difference.call_b;
  out.a = difference.a;
  out.b = difference.b;
  return out;
}

Open Words::open(const verifier::OpenCalls& open) const {
  Open out;
  out.why = open.why;
  if (!open.name.empty()) {
    out.calls = open.name;
    return out;
  }
  Calls calls;
  add_names(open.arches, open.numbers, calls);
  constexpr std::size_t kMost = 4;
  const std::size_t shown = std::min(calls.names.size(), kMost);
  out.calls =
      fmt::format("{}", fmt::join(calls.names.begin(),
                                  calls.names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (calls.names.size() > shown)
    out.calls += fmt::format(" and {} more", calls.names.size() - shown);
  if (calls.names.empty()) out.calls = fmt::format("{:.0f} numbers without a name", calls.unnamed);
  const auto call = space_.find(open.condition);
  out.condition = condition(open.rest, call.value_or(SeccompData{}));
  return out;
}

std::string run_words(const SeccompData& data, Arch own) {
  const auto nr = static_cast<std::uint32_t>(data.nr);
  const auto of_call = arch_of_call(data.arch, nr);
  if (!of_call) return {};
  const Arch arch = data.arch == info(own).token ? own : *of_call;
  std::string out = arch == own ? std::string() : fmt::format("--arch {} ", info(arch).name);
  if (data.instruction_pointer != 0) out += fmt::format("--ip {:#x} ", data.instruction_pointer);
  const auto name = syscall_name(arch, nr);
  out += name ? std::string(*name) : fmt::format("{:#x}", nr);
  const auto last = std::ranges::find_if(data.args.rbegin(), data.args.rend(),
                                         [](std::uint64_t each) { return each != 0; });
  for (auto each = data.args.begin(); each != last.base(); ++each)
    out += fmt::format(" {:#x}", *each);
  return out;
}

}  // namespace callgate::compare
