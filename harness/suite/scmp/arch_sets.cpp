#include "harness/suite/scmp/arch_sets.hpp"

#include <fmt/format.h>
#include <seccomp.h>

#include <algorithm>
#include <utility>

#include "vm/syscalls.hpp"

namespace callgate::suite::scmp {
namespace {

constexpr std::pair<std::string_view, ArchSet> kSets[] = {
    {"all", ArchSet::All},       {"all_le", ArchSet::LittleEndian}, {"all_be", ArchSet::BigEndian},
    {"all_32", ArchSet::Bits32}, {"all_64", ArchSet::Bits64},
};

const ArchSet* find_set(std::string_view name) {
  const auto* const found =
      std::ranges::find(kSets, name, &std::pair<std::string_view, ArchSet>::first);
  return found == std::end(kSets) ? nullptr : &found->second;
}

// By libseccomp's names alone: an alias here is an unknown architecture for its runner.
std::optional<Arch> exact_arch(std::string_view name) {
  for (const ArchInfo& row : arches()) {
    if (row.name == name) return row.arch;
  }
  return std::nullopt;
}

std::uint32_t libseccomp_token(Arch arch) {
  return seccomp_arch_resolve_name(std::string(info(arch).name).c_str());
}

bool is_member(ArchSet set, const ArchInfo& row) {
  // libseccomp's runner has these in neither group of widths.
  const bool no_width = row.arch == Arch::Mipsel64 || row.arch == Arch::Ppc64le;
  switch (set) {
    case ArchSet::All:
      return true;
    case ArchSet::LittleEndian:
      return row.byte_order == ByteOrder::Little;
    case ArchSet::BigEndian:
      return row.byte_order == ByteOrder::Big;
    case ArchSet::Bits32:
      return row.bits == 32 && !no_width;
    case ArchSet::Bits64:
      return row.bits == 64 && !no_width;
  }
  return false;
}

}  // namespace

std::expected<ArchTerm, std::string> arch_term(std::string_view text) {
  using Sign = ArchTerm::Sign;
  const std::string shown(text.substr(0, 40));
  const auto fail = [](std::string message) { return std::unexpected(std::move(message)); };
  if (std::ranges::any_of(text, [](char c) { return c < ' ' || c > '~'; })) {
    return fail("the column of architectures has bytes that are no letters");
  }
  ArchTerm out;
  std::string_view name = text;
  if (text.starts_with('+') || text.starts_with('-')) {
    out.sign = text.front() == '+' ? Sign::Always : Sign::Removed;
    name.remove_prefix(1);
  }
  if (const ArchSet* const set = find_set(name)) {
    if (out.sign == Sign::Removed) {
      return fail(fmt::format(
          "{}: libseccomp's runner removes nothing here; write each architecture with its own -",
          shown));
    }
    if (out.sign == Sign::Always && *set == ArchSet::All) {
      return fail(
          "+all: libseccomp's runner has no such group, and no filter can hold both byte orders; "
          "write +all_le or +all_be");
    }
    out.set = *set;
    return out;
  }
  const auto arch = exact_arch(name);
  if (!arch) {
    std::string names;
    for (const ArchInfo& row : arches()) names += fmt::format(" {}", row.name);
    return fail(fmt::format(
        "{}: not an architecture; write all, all_le, all_be, all_32, all_64 or one of{}", shown,
        names));
  }
  out.arch = *arch;
  return out;
}

std::vector<Arch> members(ArchSet set) {
  std::vector<Arch> out;
  for (const ArchInfo& row : arches()) {
    if (is_member(set, row) && libseccomp_token(row.arch) != 0) out.push_back(row.arch);
  }
  return out;
}

std::vector<Arch> arches_of(std::span<const ArchTerm> terms, Arch native) {
  std::vector<Arch> named;
  for (const ArchTerm& term : terms) {
    std::vector<Arch> added = term.set ? members(*term.set) : std::vector{term.arch};
    switch (term.sign) {
      case ArchTerm::Sign::Native:
        std::erase_if(added, [&](Arch each) { return each != native; });
        break;
      case ArchTerm::Sign::Always:
        break;
      case ArchTerm::Sign::Removed:
        added.clear();
        break;
    }
    named.insert(named.end(), added.begin(), added.end());
  }
  std::vector<Arch> out;
  for (const Arch each : named) {
    const bool removed = std::ranges::any_of(terms, [&](const ArchTerm& term) {
      return term.sign == ArchTerm::Sign::Removed && term.arch == each;
    });
    if (!removed && std::ranges::find(out, each) == out.end()) out.push_back(each);
  }
  return out;
}

std::optional<std::int32_t> resolve_syscall(Arch arch, const std::string& name) {
  const std::uint32_t token = libseccomp_token(arch);
  if (token != 0) {
    const int number = seccomp_syscall_resolve_name_rewrite(token, name.c_str());
    if (number != __NR_SCMP_ERROR) return number;
  }
  const auto number = syscall_number(arch, name);
  return number ? std::optional(static_cast<std::int32_t>(*number)) : std::nullopt;
}

}  // namespace callgate::suite::scmp
