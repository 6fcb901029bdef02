#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/profile.hpp"

/// The filters that firejail 0.9.72 makes on x86_64.
namespace callgate::front_ends {

inline constexpr std::uint32_t kFirejailHighestCall = 440;  ///< of its list of x86_64's calls
inline constexpr std::uint64_t kTimeNamespace = 0x80;       ///< not among clone()'s bits

/// One entry of a list of calls.
struct FirejailEntry {
  std::optional<std::int32_t> number{};  ///< nothing: firejail passes over it
  bool named = false;                    ///< firejail knows a name of the number
  bool excluded = false;                 ///< !name
  std::optional<std::uint32_t> value{};  ///< name:EACCES, name:kill
  Place place{};
};
using FirejailList = std::vector<FirejailEntry>;

/// What a profile says of filters.
struct FirejailSettings {
  bool asked = false;  ///< some seccomp command
  bool block_secondary = false;
  bool debuggers = false;
  bool no_write_execute = false;
  std::uint64_t namespaces = 0;          ///< CLONE_NEW*
  std::uint32_t error_value = 0x50001U;  ///< what calls that are blocked get
  std::vector<std::uint64_t> protocols;  ///< AF_*
  std::optional<FirejailList> list;
  std::optional<FirejailList> drop;
  std::optional<FirejailList> keep;
};

/// The calls of a group, "default-keep"; nothing where there is no such group.
[[nodiscard]] std::optional<std::vector<std::string_view>> firejail_group(std::string_view name);

/// A text's parts between a character, without empty ones.
[[nodiscard]] std::vector<std::string_view> parted(std::string_view text, char at);

/// The filters, as they are installed, oldest first.
[[nodiscard]] std::vector<Layer> firejail_layers(const FirejailSettings& settings,
                                                 std::vector<Note>& notes);

}  // namespace callgate::front_ends
