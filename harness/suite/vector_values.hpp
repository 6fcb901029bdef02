#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "harness/suite/vector.hpp"

/// The values of a vector file's keys; each function takes what follows the colon, and gives
/// nothing where that is not well formed.
namespace callgate::suite {

/// The words between the spaces.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text);

/// "nr=39 arch=x86_64 ip=0x1000 args=1,2", any of them; `token` is the arch where none is given.
[[nodiscard]] std::optional<SeccompData> parse_input(std::string_view text, std::uint32_t token);

/// "ERRNO(2) winner 1", "ALLOW winner none".
[[nodiscard]] std::optional<Verdict> parse_verdict(std::string_view text);

/// "executes", "returns -1", "process-dies 31", "tracer 7", and so on.
[[nodiscard]] std::optional<ExpectedOutcome> parse_outcome(std::string_view text);

/// "signo=31 code=1 errno=7 addr=0x1002 syscall=39 arch=x86_64", any of them.
[[nodiscard]] std::optional<ExpectedSiginfo> parse_siginfo(std::string_view text);

/// "slot-not-stored at 4 (0)", "program-too-long (4097, 4096)".
[[nodiscard]] std::optional<Diagnostic> parse_diagnostic(std::string_view text);

}  // namespace callgate::suite
