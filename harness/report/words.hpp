#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vm/actions.hpp"
#include "vm/arches.hpp"
#include "vm/filter_stack.hpp"
#include "vm/outcome.hpp"
#include "vm/seccomp_data.hpp"

/// The words that reports put things in; one place, so that every command says the same.
namespace callgate::report {

/// "EPERM", or nothing where the number has no name on this machine.
[[nodiscard]] std::optional<std::string> errno_name(std::int64_t number);

/// The same for a number of `arch`: nothing where that counts in another way than this machine.
[[nodiscard]] std::optional<std::string> errno_name(std::int64_t number, Arch arch);

/// "ALLOW", "ERRNO(1)", "TRAP(7)", "KILL_PROCESS"; data that matter are shown, and an action that
/// the kernel does not know as "0x00060000 (unknown)".
[[nodiscard]] std::string verdict_words(std::uint32_t value, const KernelModel& model);

/// "returns -1, EPERM", "returns what getpid returns", "SIGSYS: si_errno 7", …
/// `call` is the call's name.
[[nodiscard]] std::string outcome_words(const Outcome& outcome, std::string_view call);

/// The call's name on its ABI, or its number.
[[nodiscard]] std::string call_name(const SeccompData& data);

/// The ABI's name, or its token in hexadecimal.
[[nodiscard]] std::string arch_name(const SeccompData& data);

}  // namespace callgate::report
