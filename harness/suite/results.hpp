#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What came of the cases of a test run, whoever ran them: suites, libseccomp's .tests. Reporters
/// need nothing else.
namespace callgate::suite {

/// Where a case stands.
struct CasePlace {
  std::string file{};
  std::size_t line = 0;    ///< from 1; 0: nowhere
  std::size_t column = 0;  ///< from 1

  friend bool operator==(const CasePlace&, const CasePlace&) = default;
};

enum class Status : std::uint8_t {
  Passed,
  Failed,
  Absent,   ///< it cannot be asked here: the architecture has no such call, say
  Unknown,  ///< nothing failed, and nothing is proved; `how` says what was done instead
  Error,    ///< it could not be run
};

/// "passed", "failed", "absent", "unknown", "error"
[[nodiscard]] std::string_view to_string(Status status) noexcept;

/// Why a case failed: one call, the smallest that was found.
struct Failure {
  std::string call{};      ///< "socket(0x100000028, 0x0, 0x0)"
  std::string expected{};  ///< "ERRNO(1), EPERM"
  std::string actual{};    ///< "ALLOW"
  std::string outcome{};   ///< what the process sees: "executes", "returns -1, EPERM"
  /// The way through the filters that led there, a line each.
  std::vector<std::string> path{};
  /// The profile's rule that decided, in words; empty where the filter has none.
  std::string rule{};
  std::optional<CasePlace> rule_place{};
  std::string hint{};  ///< what is mostly behind such a failure; empty: nothing known
};

/// A case, and what came of it.
struct CaseResult {
  std::string suite{};   ///< as it was named: the path
  std::string name{};    ///< unique in its suite: "errno EPERM: ptrace [x86_64]"
  std::string arch{};    ///< "x86_64"; empty: of no architecture
  std::string kernel{};  ///< "6.18"; empty: of no kernel
  CasePlace place{};
  Status status = Status::Passed;
  std::string how{};     ///< "proved", "run", "tried 48 calls", "asked the running kernel"
  std::string reason{};  ///< the author's
  std::string note{};    ///< of Absent, Unknown, Error: why
  std::vector<Failure> failures{};  ///< of Failed: one at least
  double seconds = 0;
};

/// How many cases came to what.
struct Counts {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t absent = 0;
  std::size_t unknown = 0;
  std::size_t errors = 0;

  [[nodiscard]] std::size_t all() const noexcept {
    return passed + failed + absent + unknown + errors;
  }
  void add(Status status) noexcept;
};

/// All that ran, in the order of the suites whatever ran side by side.
struct RunResults {
  std::vector<CaseResult> cases;
  std::size_t not_run = 0;  ///< because of --fail-fast
  double seconds = 0;

  [[nodiscard]] Counts counts() const noexcept;
};

}  // namespace callgate::suite
