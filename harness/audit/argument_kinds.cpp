#include "harness/audit/argument_kinds.hpp"

#include <algorithm>
#include <array>

namespace callgate::audit {
namespace {

struct Row {
  std::string_view name;
  std::string_view kinds;
};

// Not deduced: clang takes no list as long as this for that.
constexpr auto kRows = std::to_array<Row>({
#define ARGUMENTS(name, kinds) Row{#name, kinds},
#include "harness/audit/argument_kinds.def"
#undef ARGUMENTS
});
static_assert(std::ranges::is_sorted(kRows, {}, &Row::name));

}  // namespace

std::optional<ArgumentKind> argument_kind(Arch arch, std::string_view syscall,
                                          unsigned index) noexcept {
  if (info(arch).bits != 64) return std::nullopt;
  // The stack comes first there.
  if (arch == Arch::S390x && syscall == "clone") return std::nullopt;
  const auto found = std::ranges::lower_bound(kRows, syscall, {}, &Row::name);
  if (found == kRows.end() || found->name != syscall) return std::nullopt;
  if (index >= found->kinds.size()) return ArgumentKind::Absent;
  switch (found->kinds[index]) {
    case 'i':
      return ArgumentKind::Signed32;
    case 'u':
      return ArgumentKind::Unsigned32;
    case 'w':
      return ArgumentKind::Unsigned64;
    case 'l':
      return ArgumentKind::Signed64;
    case 'p':
      return ArgumentKind::Pointer;
    default:
      return std::nullopt;
  }
}

}  // namespace callgate::audit
