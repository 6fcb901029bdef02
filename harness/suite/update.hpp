#pragma once

#include <expected>
#include <string>
#include <vector>

#include "harness/suite/runner.hpp"

/// Recorded verdicts, written anew.
namespace callgate::suite {

/// One verdict that is another now.
struct VerdictChange {
  std::string file;
  std::uint32_t line = 0;    ///< of the verdict, from 1
  std::uint32_t column = 0;  ///< in bytes, from 1
  std::string call;
  std::string before;
  std::string after;
};

/// The recorded calls of loaded targets that get another verdict than they should. Where several
/// machines share a line and do not agree, the error says which.
[[nodiscard]] std::expected<std::vector<VerdictChange>, SuiteError> changed_verdicts(
    const Plan& plan);

/// A file's text with its changes made: nothing but verdicts is touched. The error is a verdict
/// that does not stand where it was read.
[[nodiscard]] std::expected<std::string, SuiteError> with_changes(
    std::string_view text, const std::vector<VerdictChange>& changes);

}  // namespace callgate::suite
