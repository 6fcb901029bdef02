#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "harness/suite/results.hpp"

/// What came of a run, written for those who want to know: people, and programs that collect
/// results of tests. Names and reasons may hold any bytes; what is written is well-formed
/// nevertheless.
namespace callgate::suite {

struct ReportOptions {
  bool colour = false;   ///< of `text`: for terminals
  bool verbose = false;  ///< of `text`: cases that passed too, and every way to a verdict
  /// What is not proved does not count as failed where readers know only failed and not failed:
  /// tap, junit.
  bool accept_unknown = false;
  /// Of the same readers: what a machine does not have counts as failed, not as skipped.
  bool absent_fails = false;
};

/// A row of reporters.def.
struct Reporter {
  std::string_view name;  ///< "text", "tap", …
  std::string_view what;  ///< what it is, in words
  std::string (*write)(const RunResults& results, const ReportOptions& options);
};

/// Every reporter, in the order of the table.
[[nodiscard]] std::span<const Reporter> reporters() noexcept;

/// The reporter of that name, or null.
[[nodiscard]] const Reporter* reporter_from_name(std::string_view name) noexcept;

/// A failure as lines, each ended by a newline: the call, what was expected, what came and why.
/// Without colours; assertions of tests in C++ say the same.
/// `whole_way`: with all of the way through the instructions, else that is shortened, and left out
/// where a rule with its line says it.
[[nodiscard]] std::string failure_lines(const Failure& failure, std::string_view indent,
                                        bool whole_way = false);

/// A case as `text` shows it, lines each ended by a newline.
[[nodiscard]] std::string case_lines(const CaseResult& result, const ReportOptions& options = {});

/// "12,034 cases: 12,030 passed, 3 failed, 1 unknown (not proved), 0 absent, 0 errors in 0.42 s"
[[nodiscard]] std::string summary_line(const RunResults& results);

/// "a.yaml:12:7", or empty.
[[nodiscard]] std::string place_text(const CasePlace& place);

/// What there is to say of a case that did not pass, without its failures: the note, what was done;
/// of Unknown it begins with "not proved".
[[nodiscard]] std::string note_text(const CaseResult& result);

/// TAP, case by case: the first line; then each case with its number from 1; then the end.
[[nodiscard]] std::string tap_begin(int version);
[[nodiscard]] std::string tap_case(const CaseResult& result, std::size_t number,
                                   const ReportOptions& options);
[[nodiscard]] std::string tap_end(const RunResults& results);

}  // namespace callgate::suite
