#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/suite/scmp/tests_file.hpp"
#include "vm/arches.hpp"

/// Which architectures and numbers the columns of `.tests` files mean.
namespace callgate::suite::scmp {

/// An item of the column ARCHES: "all", "+all_le", "+arm", "-x32", "x86_64"; or what is wrong.
[[nodiscard]] std::expected<ArchTerm, std::string> arch_term(std::string_view text);

/// The members of a group: those that libseccomp's own runner has there, of the architectures that
/// the libseccomp of this build knows (a generator that uses it cannot add others).
[[nodiscard]] std::vector<Arch> members(ArchSet set);

/// The architectures that the column names on a machine of `native`, each once, in its order; empty
/// where none is left, which libseccomp's runner calls SKIPPED.
[[nodiscard]] std::vector<Arch> arches_of(std::span<const ArchTerm> terms, Arch native);

/// The number that libseccomp's runner has for a name: socketcall's or ipc's where the call comes
/// through these (also where the architecture has it by itself, too); where the architecture has no
/// such call, the negative number that libseccomp uses for it. Where libseccomp has no number at
/// all, the tables' one; nothing where they have none.
[[nodiscard]] std::optional<std::int32_t> resolve_syscall(Arch arch, const std::string& name);

}  // namespace callgate::suite::scmp
