#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/suite/call_pattern.hpp"
#include "harness/suite/results.hpp"
#include "verifier/levels.hpp"
#include "vm/arches.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"

/// A suite: what is expected of a filter, as an author writes it down. README.md beside this has
/// the language, suite.schema.json its shape.
namespace callgate::suite {

/// What is wrong with a suite, and where.
struct SuiteError {
  CasePlace place;
  std::string message;
  bool refused = false;  ///< the kernel refuses a filter
};

[[nodiscard]] SuiteError suite_error(std::string file, std::size_t line, std::size_t column,
                                     std::string message);

/// A filter or a profile, by its file.
struct FilterName {
  std::string path;  ///< from the working directory
  CasePlace place;
};

/// How profiles are deployed: what the command's options of the same names say.
struct Deploy {
  std::string format;
  std::string caps;
  std::string runtime = "runc";
  std::string systemd;
  std::vector<std::string> with;  ///< from the working directory
  bool denylist = false;
};

/// Which of the suite's machines something is said of; empty: of all.
struct Scope {
  std::vector<Arch> arches;
  std::vector<Version> kernels;
  CasePlace arches_at;   ///< where they are named
  CasePlace kernels_at;  ///< likewise

  [[nodiscard]] bool has(const KernelModel& model) const noexcept;
};

/// A pattern of calls, not read yet: it may mean something else on each machine.
struct CallText {
  std::string text;
  CasePlace place;
};

/// One expectation: a verb and the calls that it is said of, or another filter.
struct Expectation {
  enum class Kind : std::uint8_t {
    Calls,
    SameAs,       ///< the same as another filter, at a level
    NoLaxerThan,  ///< nothing is stricter in the other
  };
  Kind kind = Kind::Calls;
  CasePlace place;
  std::string verb;  ///< "errno EPERM"; of the other kinds the key
  std::vector<CallText> calls;
  std::vector<FilterName> others;
  verifier::Level level = verifier::Level::Verdict;
  Scope scope;
  std::vector<Arch> abis;  ///< whose calls are meant; none: the machine's own
  std::optional<HighHalf> high;
  std::string reason;
};

/// One call, all of it, and the verdict that it had.
struct RecordedCall {
  std::string call;
  std::string verdict;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t verdict_line = 0;
  std::uint32_t verdict_column = 0;
};

/// Recorded calls of one file.
struct Recorded {
  std::string file;    ///< where they stand
  bool table = false;  ///< a file of their own: a line each, "CALL: VERDICT"
  Scope scope;
  std::string reason;
  std::vector<RecordedCall> calls;
};

/// What shall be covered at least, in per cent.
struct LeastCoverage {
  std::optional<double> instructions;
  std::optional<double> branches;
  std::optional<double> rules;

  /// Something is asked for.
  [[nodiscard]] bool any() const noexcept { return instructions || branches || rules; }
};

struct Suite {
  std::string path;                 ///< as it was named
  std::string name;                 ///< the author's; empty: none
  std::vector<FilterName> filters;  ///< the stack, oldest first
  Deploy deploy;
  std::vector<Arch> arches;  ///< machines; never empty
  std::vector<Version> kernels;
  Surroundings around{};
  std::optional<HighHalf> high;
  std::vector<Expectation> expectations;
  std::vector<Recorded> recorded;
  /// Of templates that nothing uses: what in them is the same whatever their parameters are. No
  /// cases come of them, and they must be right.
  std::vector<Expectation> unused;
  LeastCoverage least;
};

/// "90", "92.5", "90%": from 0 to 100.
[[nodiscard]] std::optional<double> parse_per_cent(std::string_view text);

/// Reads a suite's text. `path` is where it comes from: names of files are looked for from there. A
/// text of several documents is several suites. `may_open`: whether files that it names are read
/// (includes, tables); where not, they are errors.
[[nodiscard]] std::expected<std::vector<Suite>, SuiteError> read_suites(std::string_view text,
                                                                        const std::string& path,
                                                                        bool may_open = true);

/// The same of a file.
[[nodiscard]] std::expected<std::vector<Suite>, SuiteError> read_suite_file(
    const std::string& path);

/// The recorded calls of a table's text: "CALL: VERDICT" a line, # comments.
[[nodiscard]] std::expected<std::vector<RecordedCall>, SuiteError> read_table(
    std::string_view text, const std::string& path);

/// "FILE:LINE:COLUMN: message"
[[nodiscard]] std::string to_string(const SuiteError& error);

}  // namespace callgate::suite
