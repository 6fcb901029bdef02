#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "harness/workload/workload.hpp"

/// Workloads as text: read(), written().
namespace callgate::workload {

/// Whether the first line that says something is one of a table: `arch ABI`, `workload NAME`, or a
/// call and a count. Logs have no such lines.
[[nodiscard]] bool looks_like_table(std::string_view bytes);

[[nodiscard]] std::expected<Workload, ReadError> read_table(std::string_view bytes, Arch arch,
                                                            Keep keep);

/// A name or a note as it can stand in a text: one line, without blanks at its ends.
[[nodiscard]] std::string clean_note(std::string_view text);

[[nodiscard]] ReadError too_many_calls();

}  // namespace callgate::workload
