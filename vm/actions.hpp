#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace callgate {

/// The actions of actions.def; the value is the upper half of the result, in place.
enum class Action : std::uint32_t {
#define CALLGATE_ACTION(enumerator, value, ...) enumerator = value,
#include "vm/actions.def"
#undef CALLGATE_ACTION
};

/// A row of actions.def.
struct ActionInfo {
  Action action;
  std::string_view name;        ///< "KILL_PROCESS"
  std::string_view libseccomp;  ///< "SCMP_ACT_KILL_PROCESS"
  std::string_view sysctl;      ///< "kill_process"
  int since_major;
  int since_minor;
  std::string_view data;    ///< what the 16 data bits are
  std::string_view effect;  ///< in a few words
};

/// SECCOMP_RET_DATA: the 16 bits that go with an action.
inline constexpr std::uint32_t kDataMask = 0x0000ffffU;
/// SECCOMP_RET_ACTION_FULL: the bits that name the action, since 4.14.
inline constexpr std::uint32_t kActionMask = 0xffff0000U;
/// SECCOMP_RET_ACTION: the bits that named it before.
inline constexpr std::uint32_t kOldActionMask = 0x7fff0000U;

/// Every row, the strictest first as kernels since 4.14 compare.
[[nodiscard]] std::span<const ActionInfo> actions() noexcept;

/// The row of an upper half (low 16 bits 0), or nullptr where no kernel knows it.
[[nodiscard]] const ActionInfo* find_action(std::uint32_t value) noexcept;

/// The action of "ERRNO", "SECCOMP_RET_ERRNO", "SCMP_ACT_ERRNO" or "errno"; "KILL" is KILL_THREAD.
[[nodiscard]] std::optional<Action> action_from_name(std::string_view name) noexcept;

}  // namespace callgate
