#include "harness/front_ends/constants.hpp"

#include <fmt/format.h>

#include <algorithm>

// The rows bear the names of macros that some header may define.
namespace callgate::front_ends {
namespace {

enum class Where : std::uint8_t { Everywhere, Generic, GenericOpen };

struct Constant {
  std::string_view name;
  std::uint64_t value;
  Where where;
};

// A plain array: clang counts the brackets that std::array's deduction would need.
constexpr Constant kConstants[] = {
#define CONSTANT(name, value, where) Constant{#name, value, Where::where},
#include "harness/front_ends/constants.def"
#undef CONSTANT
};
static_assert(std::ranges::is_sorted(kConstants, {}, &Constant::name));

bool holds_on(Where where, Arch arch) {
  switch (arch) {
    case Arch::X86_64:
    case Arch::X86:
    case Arch::X32:
    case Arch::LoongArch64:
    case Arch::Riscv64:
    case Arch::S390:
    case Arch::S390x:
      return true;
    case Arch::Arm:
    case Arch::AArch64:
      return where != Where::GenericOpen;
    case Arch::M68k:
    case Arch::Mips:
    case Arch::Mipsel:
    case Arch::Mips64:
    case Arch::Mipsel64:
    case Arch::Mips64n32:
    case Arch::Mipsel64n32:
    case Arch::Parisc:
    case Arch::Parisc64:
    case Arch::Ppc:
    case Arch::Ppc64:
    case Arch::Ppc64le:
    case Arch::Sheb:
    case Arch::Sh:
      return where == Where::Everywhere;
  }
  return false;
}

bool fits(std::string_view name, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  const std::string_view suffix = pattern.substr(star + 1);
  return name.size() >= star + suffix.size() && name.starts_with(pattern.substr(0, star)) &&
         name.ends_with(suffix);
}

bool is_of(std::string_view name, std::string_view family) {
  bool meant = false;
  while (!family.empty()) {
    const std::size_t space = family.find(' ');
    std::string_view word = family.substr(0, space);
    family.remove_prefix(space == std::string_view::npos ? family.size() : space + 1);
    const bool without = word.starts_with('-');
    if (without) word.remove_prefix(1);
    if (!fits(name, word)) continue;
    if (without) return false;
    meant = true;
  }
  return meant;
}

}  // namespace

std::vector<NamedValue> constants_of(std::string_view family, Arch arch) {
  std::vector<NamedValue> out;
  for (const Constant& row : kConstants) {
    if (is_of(row.name, family) && holds_on(row.where, arch)) out.push_back({row.name, row.value});
  }
  return out;
}

std::vector<std::string_view> constant_names(std::string_view family, std::uint64_t value,
                                             Arch arch) {
  std::vector<std::string_view> out;
  for (const NamedValue& each : constants_of(family, arch)) {
    if (each.value == value) out.push_back(each.name);
  }
  return out;
}

std::expected<std::uint64_t, std::string> find_constant(std::string_view name, Arch arch) {
  const auto row = std::ranges::lower_bound(kConstants, name, {}, &Constant::name);
  if (row == std::ranges::end(kConstants) || row->name != name) {
    return std::unexpected(
        fmt::format("{} is neither a number nor a constant that is known; give its number", name));
  }
  if (!holds_on(row->where, arch)) {
    return std::unexpected(
        fmt::format("{} may have another value on {} than on most architectures; give its number",
                    name, info(arch).name));
  }
  return row->value;
}

}  // namespace callgate::front_ends
