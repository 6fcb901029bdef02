#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/suite/call_pattern.hpp"
#include "harness/suite/results.hpp"
#include "harness/suite/suite.hpp"
#include "harness/suite/target.hpp"
#include "harness/suite/verb.hpp"

/// Suites made into cases, and these run.
namespace callgate::suite {

/// What is run, and how.
struct RunOptions {
  unsigned jobs = 1;                 ///< threads
  std::size_t shard = 1;             ///< of
  std::size_t shards = 1;            ///< so many parts, this one
  std::vector<std::string> filters;  ///< of cases with such names alone: * and ? as in a shell
  bool fail_fast = false;            ///< nothing is begun after a failure
  bool coverage = false;             ///< what cases cover is collected
  std::vector<Arch> arches;          ///< instead of those that suites name
  std::vector<Version> kernels;      ///< likewise
  /// Called after each case, by any thread, one at a time.
  std::function<void(const CaseResult& result, std::size_t done, std::size_t all)> progress{};
};

/// One machine that a suite is asked on.
struct PlannedTarget {
  std::size_t suite = 0;
  KernelModel model;
  std::unique_ptr<Target> target;  ///< made by load()
};

/// One case.
struct PlannedCase {
  std::size_t target = 0;
  std::string name;
  CasePlace place;
  std::string reason;
  // One of these:
  std::optional<CallPattern> pattern{};
  std::size_t verb = 0;  ///< with a pattern
  const Expectation* other = nullptr;
  std::unique_ptr<LoadedStack> other_stack{};  ///< with `other`: made by load()
  const Recorded* table = nullptr;             ///< all of its calls
  const RecordedCall* recorded = nullptr;      ///< of `block`
  const Recorded* block = nullptr;
  std::string absent;  ///< why it cannot be asked here
};

/// All cases of some suites. The suites must outlive it.
class Plan {
 public:
  /// The error is what is wrong with a suite, with its place: a pattern that is none, say, or that
  /// it has no cases, or an expectation for a machine that it does not name. What is not for the
  /// machines of the options is left out without a word, and so is what they choose away.
  [[nodiscard]] static std::expected<Plan, SuiteError> make(const std::vector<Suite>& suites,
                                                            const RunOptions& options);

  /// Reads the filters of the cases that are left, and those that they are compared with. What
  /// cannot be read is an error of its suite.
  [[nodiscard]] std::expected<void, SuiteError> load();

  [[nodiscard]] RunResults run(const RunOptions& options);

  /// What the cases of a suite that were run covered, on all of its machines: of patterns all that
  /// was proved of their calls. Comparisons with other filters cover nothing. Needs
  /// RunOptions::coverage.
  [[nodiscard]] coverage::Report coverage(std::size_t suite) const;
  /// A case for each least coverage that was asked for: of suites, or `instead` of all.
  [[nodiscard]] std::vector<CaseResult> coverage_cases(const LeastCoverage* instead) const;

  [[nodiscard]] const std::vector<PlannedCase>& cases() const noexcept { return cases_; }
  [[nodiscard]] const std::vector<PlannedTarget>& targets() const noexcept { return targets_; }
  [[nodiscard]] const std::vector<Suite>& suites() const noexcept { return *suites_; }
  [[nodiscard]] const Verb& verb(std::size_t number) const { return verbs_[number]; }
  /// How many cases there were before the shard was taken.
  [[nodiscard]] std::size_t all() const noexcept { return all_; }
  /// What was passed over, each once: by readers, and of files that suites include what is for
  /// machines that the suite does not name.
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

 private:
  explicit Plan(const std::vector<Suite>& suites) : suites_(&suites) {}

  const std::vector<Suite>* suites_;
  std::vector<PlannedTarget> targets_;
  std::vector<PlannedCase> cases_;
  std::size_t all_ = 0;
  std::vector<Verb> verbs_;
  std::vector<std::string> notes_;

  friend class Planner;
};

/// Runs one case whose target is loaded. Cases of one target are run one at a time.
[[nodiscard]] CaseResult run_case(const Plan& plan, const PlannedCase& planned, Target& target,
                                  unsigned jobs);

/// Whether a name is meant by a pattern in which * stands for anything, ? for one character; a
/// pattern without either is looked for anywhere in the name.
[[nodiscard]] bool name_matches(std::string_view name, std::string_view pattern) noexcept;

}  // namespace callgate::suite
