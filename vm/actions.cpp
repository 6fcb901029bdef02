#include "vm/actions.hpp"

#include <array>

namespace callgate {
namespace {

constexpr std::array kActions = {
#define CALLGATE_ACTION(enumerator, value, name, libseccomp, sysctl, major, minor, data, effect) \
  ActionInfo{Action::enumerator, name, libseccomp, sysctl, major, minor, data, effect},
#include "vm/actions.def"
#undef CALLGATE_ACTION
};

consteval bool strictest_first() {
  for (std::size_t i = 1; i < kActions.size(); ++i) {
    const auto before =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(kActions[i - 1].action));
    const auto here = static_cast<std::int32_t>(static_cast<std::uint32_t>(kActions[i].action));
    if (before >= here) return false;
  }
  return true;
}
static_assert(strictest_first());

}  // namespace

std::span<const ActionInfo> actions() noexcept { return kActions; }

const ActionInfo* find_action(std::uint32_t value) noexcept {
  for (const ActionInfo& row : kActions) {
    if (static_cast<std::uint32_t>(row.action) == value) return &row;
  }
  return nullptr;
}

std::optional<Action> action_from_name(std::string_view name) noexcept {
  constexpr std::string_view kPrefix = "SECCOMP_RET_";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  if (name == "KILL" || name == "SCMP_ACT_KILL") return Action::KillThread;
  for (const ActionInfo& row : kActions) {
    if (name == row.name || name == row.libseccomp || name == row.sysctl) return row.action;
  }
  return std::nullopt;
}

}  // namespace callgate
