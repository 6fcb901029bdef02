#include "harness/workload/tested_arguments.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/front_ends/constants.hpp"
#include "harness/report/arguments.hpp"
#include "vm/syscalls.hpp"

namespace callgate::workload {
namespace {

using report::ArgumentFamily;
using report::FamilyKind;
using verifier::high_known;
using verifier::KnownWords;
using verifier::low_known;
using enum KeptPart;

struct Row {
  std::string_view call;
  unsigned index;
  KeptPart part;
  unsigned other;  // equal to index: no condition
  std::string_view constants;
};

constexpr Row kRows[] = {
#define FAMILY(...)
#define ARGUMENT(call, index, part, reason) {#call, index, part, index, {}},
#define ARGUMENT_WHEN(call, index, other, constants, reason) \
  {#call, index, Value, other, constants},
#include "harness/workload/tested_arguments.def"
#undef ARGUMENT_WHEN
#undef ARGUMENT
#undef FAMILY
};

struct FamilyRow {
  std::string_view family;
  KeptPart part;
};

constexpr FamilyRow kFamilies[] = {
#define FAMILY(family, part, reason) {#family, part},
#define ARGUMENT(...)
#define ARGUMENT_WHEN(...)
#include "harness/workload/tested_arguments.def"
#undef ARGUMENT_WHEN
#undef ARGUMENT
#undef FAMILY
};

KeptPart part_of(const ArgumentFamily* family) {
  if (family == nullptr) return Nothing;
  const auto* row = std::ranges::find(kFamilies, family->name, &FamilyRow::family);
  return row == std::ranges::end(kFamilies) ? Value : row->part;
}

std::vector<std::uint32_t> low_halves(std::string_view family, Arch arch) {
  std::vector<std::uint32_t> out;
  for (const front_ends::NamedValue& each : front_ends::constants_of(family, arch)) {
    out.push_back(static_cast<std::uint32_t>(each.value));
  }
  return out;
}

struct Rule {
  KeptPart part = Nothing;
  std::vector<std::uint32_t> names{};  // of Named
  unsigned other = 0;                  // with `when`
  bool flags = false;
  std::optional<std::vector<std::uint32_t>> when{};
};

Rule rule_of(std::string_view call, unsigned index, Arch arch) {
  Rule out;
  const ArgumentFamily* const family = report::argument_words(call, index, arch).family;
  out.part = part_of(family);
  if (out.part == Named) out.names = low_halves(family->patterns, arch);
  const auto* row = std::ranges::find_if(
      kRows, [&](const Row& each) { return each.call == call && each.index == index; });
  if (row == std::ranges::end(kRows)) return out;
  out.part = row->part;
  if (row->other == index) return out;
  const ArgumentFamily* const other = report::argument_words(call, row->other, arch).family;
  out.other = row->other;
  out.flags = other != nullptr && other->kind == FamilyKind::Flags;
  out.when = low_halves(row->constants, arch);
  return out;
}

bool holds(const Rule& rule, const verifier::KnownCall& call) {
  if (!rule.when) return true;
  if ((call.known & low_known(rule.other)) == 0) return false;
  const auto value = static_cast<std::uint32_t>(call.data.args[rule.other]);
  return std::ranges::any_of(*rule.when, [&](std::uint32_t each) {
    return rule.flags ? (value & each) == each : value == each;
  });
}

// What of a known argument is kept: a mask of bits.
std::uint64_t kept_bits(const Rule& rule, std::uint64_t value, KnownWords known, unsigned index) {
  const std::uint64_t told = ((known & low_known(index)) != 0 ? 0xffffffffU : 0) |
                             ((known & high_known(index)) != 0 ? 0xffffffff00000000U : 0);
  const bool has_low = (known & low_known(index)) != 0;
  switch (rule.part) {
    case Nothing:
      return 0;
    case Value:
      return told;
    case Named:
      return has_low && std::ranges::count(rule.names, static_cast<std::uint32_t>(value)) != 0
                 ? told
                 : 0;
    case Zero:
      return has_low && value == 0 ? told : 0;
  }
  return 0;
}

}  // namespace

struct TestedArguments::Call {
  std::array<Rule, 6> rules;
};

TestedArguments::TestedArguments() = default;
TestedArguments::~TestedArguments() = default;

const TestedArguments::Call& TestedArguments::rules_of(Arch arch, std::uint32_t nr) {
  std::unique_ptr<Call>& call = calls_[{arch, nr}];
  if (call) return *call;
  call = std::make_unique<Call>();
  if (const auto name = syscall_name(arch, nr)) {
    for (unsigned i = 0; i < call->rules.size(); ++i) call->rules[i] = rule_of(*name, i, arch);
  }
  return *call;
}

void TestedArguments::condense(verifier::KnownCall& call) {
  call.data.instruction_pointer = 0;
  KnownWords known = call.known & (verifier::kNumberKnown | verifier::kArchKnown);
  const auto nr = static_cast<std::uint32_t>(call.data.nr);
  const auto arch = arch_of_call(call.data.arch, nr);
  const bool numbered = known == (verifier::kNumberKnown | verifier::kArchKnown) && arch;
  const Call* const rules = numbered ? &rules_of(*arch, nr) : nullptr;
  std::array<std::uint64_t, 6> kept{};
  for (unsigned i = 0; rules != nullptr && i < kept.size(); ++i) {
    const Rule& rule = rules->rules[i];
    if (!holds(rule, call)) continue;
    kept[i] = kept_bits(rule, call.data.args[i], call.known, i);
    if ((kept[i] & 0xffffffffU) != 0) known |= low_known(i);
    if (kept[i] >> 32U != 0) known |= high_known(i);
  }
  for (unsigned i = 0; i < kept.size(); ++i) call.data.args[i] &= kept[i];
  call.known = known;
}

}  // namespace callgate::workload
