#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "harness/audit/finding.hpp"
#include "harness/front_ends/program_reader.hpp"

namespace callgate::audit {

/// A finding that somebody has looked at and takes as it is.
struct Suppression {
  FindingId id{};
  std::string reason;   ///< never empty
  std::string syscall;  ///< empty: of every call
};

/// Reads {"suppress": [{"id": …, "reason": …, "syscall": …}]}; `syscall` may be left out. Anything
/// else is an error, with its place: an id that is none, a reason that is missing or empty.
[[nodiscard]] std::expected<std::vector<Suppression>, front_ends::ReadError> read_suppressions(
    std::string_view json);

/// Marks what they fit.
void suppress(Report& report, const std::vector<Suppression>& suppressions);

}  // namespace callgate::audit
