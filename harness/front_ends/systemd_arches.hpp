#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "vm/arches.hpp"

/// Architectures as systemd sees them.
namespace callgate::front_ends::systemd {

/// "x86-64"
[[nodiscard]] std::string_view word_of(Arch arch) noexcept;

/// The architecture of a word of SystemCallArchitectures=, or nothing; "native" is none.
[[nodiscard]] std::optional<Arch> arch_of(std::string_view word) noexcept;

/// The ABIs of a machine, in the order in which systemd 252 makes programs for them: the machine's
/// own is the last. Empty for machines that are not modelled.
[[nodiscard]] std::span<const Arch> local_abis(Arch machine) noexcept;

/// The number that Personality= sets (0: PER_LINUX, 8: PER_LINUX32), or nothing: systemd ignores
/// words that are neither this machine nor its 32-bit one.
[[nodiscard]] std::optional<std::uint32_t> personality_of(std::string_view word,
                                                          Arch machine) noexcept;

}  // namespace callgate::front_ends::systemd
