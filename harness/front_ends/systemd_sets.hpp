#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/program_reader.hpp"

/// The syscall sets of systemd ("@clock"), which change with its releases.
namespace callgate::front_ends::systemd {

/// By name, as "@clock": names of calls and of further sets.
using SyscallSets = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Those of systemd 252, on x86 and arm: systemd_sets_252.def.
[[nodiscard]] SyscallSets sets_252();

/// Those that `systemd-analyze syscall-filter` lists here. It gets so much time.
[[nodiscard]] std::expected<SyscallSets, ReadError> installed_sets(
    std::chrono::milliseconds limit = std::chrono::seconds(5));

/// The major version of the installed systemd ("252"), or why it cannot be told.
[[nodiscard]] std::expected<std::string, ReadError> installed_version(
    std::chrono::milliseconds limit = std::chrono::seconds(5));

/// What a listing of `systemd-analyze syscall-filter` says.
[[nodiscard]] SyscallSets parse_listing(std::string_view listing);

/// The calls of a set and of all sets in it, each once, in order. Nothing for an unknown name.
[[nodiscard]] std::vector<std::string> members_of(const SyscallSets& sets, std::string_view name);

}  // namespace callgate::front_ends::systemd
