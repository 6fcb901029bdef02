#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/process/tracer.hpp"

namespace callgate::process {

/// What is recorded.
struct RecordLimits {
  SessionLimits session;
  bool results = false;                ///< what calls return, too
  std::optional<std::uint64_t> calls;  ///< after so many the command goes on untraced
};

/// A command that was recorded.
struct Recorded {
  SessionEnd end;
  std::uint64_t calls = 0;
  std::string trouble;  ///< not empty: why the file does not hold all of it
};

/// Runs a command and writes every call that it and its children make to a file, in the format of
/// harness/process/README.md; the file is there, and readable as far as it goes, from the start.
[[nodiscard]] std::expected<Recorded, ProcessError> record_command(
    std::span<const std::string> command, const std::string& path, const RecordLimits& limits);

}  // namespace callgate::process
