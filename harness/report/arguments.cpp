#include "harness/report/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>

namespace callgate::report {
namespace {

using enum FamilyKind;

constexpr std::uint64_t kTypeBits = 0xf;

constexpr ArgumentFamily kFamilies[] = {
#define FAMILY(name, kind, patterns) {#name, kind, patterns},
#define CALL(...)
#include "harness/report/arguments.def"
#undef CALL
#undef FAMILY
};

struct Call {
  std::string_view name;
  std::string_view arguments;
};

constexpr Call kCalls[] = {
#define FAMILY(...)
#define CALL(name, arguments) {#name, arguments},
#include "harness/report/arguments.def"
#undef CALL
#undef FAMILY
};

const ArgumentFamily* find_family(std::string_view name) {
  const auto* found = std::ranges::find(kFamilies, name, &ArgumentFamily::name);
  return found == std::ranges::end(kFamilies) ? nullptr : found;
}

// A constant as an argument of that width has it.
std::uint64_t cut(std::uint64_t value, unsigned bits) {
  return bits == 32 ? value & 0xffffffffU : value;
}

std::string flags_words(std::uint64_t value, unsigned bits,
                        const std::vector<front_ends::NamedValue>& names) {
  // Those of many bits first: O_SYNC has the bit of O_DSYNC.
  std::vector<front_ends::NamedValue> order = names;
  std::ranges::sort(order, {}, [](const front_ends::NamedValue& each) {
    return std::pair(-std::popcount(each.value), each.value);
  });
  std::vector<front_ends::NamedValue> found;
  std::uint64_t left = value;
  for (const auto& each : order) {
    const std::uint64_t bits_of_it = cut(each.value, bits);
    if (bits_of_it == 0 || (left & bits_of_it) != bits_of_it) continue;
    found.push_back(each);
    left &= ~bits_of_it;
  }
  constexpr int kFewBits = 3;
  if (found.empty() || std::popcount(left) > kFewBits) {
    return value == 0 ? "0" : fmt::format("{:#x}", value);
  }
  std::ranges::sort(found, {}, &front_ends::NamedValue::value);
  std::string out;
  for (const auto& each : found) out += fmt::format("{}{}", out.empty() ? "" : "|", each.name);
  if (left != 0) out += fmt::format("|{:#x}", left);
  return out;
}

}  // namespace

std::span<const ArgumentFamily> argument_families() noexcept { return kFamilies; }

std::vector<std::string_view> calls_with_arguments() {
  std::vector<std::string_view> out;
  for (const Call& each : kCalls) out.push_back(each.name);
  return out;
}

ArgumentWords argument_words(std::string_view call, unsigned index, Arch arch) {
  ArgumentWords unnamed{fmt::format("arg{}", index), nullptr};
  const auto* row = std::ranges::find(kCalls, call, &Call::name);
  if (row == std::ranges::end(kCalls)) return unnamed;
  const bool of_one =
      arch == Arch::X86 || arch == Arch::S390 || arch == Arch::S390x || arch == Arch::M68k;
  if (call == "mmap" && of_one) return index == 0 ? ArgumentWords{"args", nullptr} : unnamed;
  unsigned place = index;
  if (call == "clone" && (arch == Arch::S390 || arch == Arch::S390x)) {
    if (index > 1) return unnamed;
    place = 1 - index;
  }
  std::string_view rest = row->arguments;
  for (; place > 0; --place) {
    const std::size_t space = rest.find(' ');
    if (space == std::string_view::npos) return unnamed;
    rest.remove_prefix(space + 1);
  }
  const std::string_view word = rest.substr(0, rest.find(' '));
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos) return {std::string(word), nullptr};
  return {std::string(word.substr(0, colon)), find_family(word.substr(colon + 1))};
}

std::string number_words(std::uint64_t value) {
  constexpr std::uint64_t kSmall = 1000;
  return value < kSmall ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

std::string value_words(std::uint64_t value, unsigned bits, const ArgumentFamily* family,
                        Arch arch) {
  if (family == nullptr) return number_words(value);
  auto names = front_ends::constants_of(family->patterns, arch);
  for (const auto& each : names) {
    if (cut(each.value, bits) == value) return std::string(each.name);
  }
  if (family->kind == Values) return number_words(value);
  if (family->kind == Flags || (value & kTypeBits) == 0) return flags_words(value, bits, names);
  const std::uint64_t flags = value & ~kTypeBits;
  const std::string type = value_words(value & kTypeBits, bits, family, arch);
  return flags == 0 ? type : type + "|" + mask_words(flags, family, arch);
}

std::string mask_words(std::uint64_t mask, const ArgumentFamily* family, Arch arch) {
  const std::uint64_t type = family != nullptr && family->kind == Typed ? mask & kTypeBits : 0;
  if (family == nullptr || family->kind == Values || mask == type) {
    return fmt::format("{:#x}", mask);
  }
  auto names = front_ends::constants_of(family->patterns, arch);
  if (family->kind == Typed) {
    std::erase_if(names, [](const auto& each) { return (each.value & kTypeBits) != 0; });
  }
  return flags_words(mask, 64, names);
}

}  // namespace callgate::report
