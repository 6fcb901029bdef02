#include "vm/arches.hpp"

#include <array>
#include <cstddef>

namespace callgate {
namespace {

constexpr std::array kArches = {
#define ARCH(enumerator, name, token, bits, order, rule, base, numbers, aliases)              \
  ArchInfo{Arch::enumerator,    name,   token, bits, ByteOrder::order, ShiftRule::rule, base, \
           k##numbers##Numbers, aliases},
#include "vm/arches.def"
#undef ARCH
};

constexpr bool rows_stand_in_order() {
  for (std::size_t i = 0; i < kArches.size(); ++i) {
    if (static_cast<std::size_t>(kArches[i].arch) != i) return false;
  }
  return true;
}
static_assert(rows_stand_in_order());

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

bool has_word(std::string_view words, std::string_view word) noexcept {
  while (!words.empty()) {
    const std::size_t space = words.find(' ');
    if (same_word(words.substr(0, space), word)) return true;
    if (space == std::string_view::npos) return false;
    words.remove_prefix(space + 1);
  }
  return false;
}

}  // namespace

std::span<const ArchInfo> arches() noexcept { return kArches; }

const ArchInfo& info(Arch arch) noexcept { return kArches[static_cast<std::size_t>(arch)]; }

std::optional<Arch> arch_from_name(std::string_view name) noexcept {
  if (name.empty()) return std::nullopt;
  for (const ArchInfo& row : kArches) {
    if (same_word(row.name, name) || has_word(row.aliases, name)) return row.arch;
  }
  return std::nullopt;
}

std::optional<Arch> arch_from_token(std::uint32_t token) noexcept {
  for (const ArchInfo& row : kArches) {
    if (row.token == token) return row.arch;
  }
  return std::nullopt;
}

std::optional<Arch> arch_of_call(std::uint32_t token, std::uint32_t nr) noexcept {
  const std::optional<Arch> arch = arch_from_token(token);
  // -1 and its neighbours have bit 30 set too, and are no x32 calls.
  if (arch == Arch::X86_64 && (nr & 0xc0000000U) == kX32Bit) return Arch::X32;
  return arch;
}

}  // namespace callgate
