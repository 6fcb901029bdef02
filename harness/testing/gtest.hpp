#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "harness/testing/filter.hpp"

/// What filters do with calls, for GoogleTest:
///
///     const auto filter = callgate::testing::Filter::load("default.json", {.arch = "x86_64"});
///     EXPECT_THAT(filter, Allows("read", "openat(*, *, O_RDONLY)"));
///     EXPECT_THAT(filter, ReturnsErrno(EPERM, "clone(flags & CLONE_NEWUSER)"));
///
/// A matcher holds where it is proved for every call of every pattern; a failure shows the smallest
/// call that was found. Where nothing is proved the test fails: with Not() around the matcher too.
/// or_tried() takes what was only tried out for enough.
namespace callgate::testing {

/// What comes of several questions, as a matcher has to say it.
struct MatchAnswer {
  bool holds = true;
  bool decided = true;  ///< false: neither it nor its opposite is known
  std::string text;     ///< of those that do not hold
};

[[nodiscard]] inline MatchAnswer match_answer(const std::vector<suite::CaseResult>& results,
                                              bool or_tried) {
  MatchAnswer out;
  bool failed = false;
  for (const suite::CaseResult& each : results) {
    const bool tried = or_tried && each.status == suite::Status::Unknown;
    if (each.status == suite::Status::Passed || tried) continue;
    out.holds = false;
    failed = failed || each.status == suite::Status::Failed;
    out.text += (out.text.empty() ? "" : "\n") + case_text(each);
  }
  out.decided = out.holds || failed;
  return out;
}

/// A matcher of filters. What it asks is `Question`: `ask(filter)` gives results, `words` says it.
template <typename Question>
class FilterMatcher {
 public:
  using is_gtest_matcher = void;

  explicit FilterMatcher(Question question) : question_(std::move(question)) {}

  /// Takes calls that were tried out at the edges for enough, where there is no proof.
  [[nodiscard]] FilterMatcher or_tried() const {
    FilterMatcher out = *this;
    out.or_tried_ = true;
    return out;
  }

  bool MatchAndExplain(const Filter& filter, ::testing::MatchResultListener* listener) const {
    const MatchAnswer answer = match_answer(question_.ask(filter), or_tried_);
    // Not() would make a success of it. It is asked once more where it is to be explained.
    if (!answer.decided && !listener->IsInterested()) {
      ADD_FAILURE() << filter.words() << ": not known, nor the opposite:\n" << answer.text;
    }
    if (!answer.holds) *listener << "\n" << answer.text;
    return answer.holds;
  }
  void DescribeTo(std::ostream* out) const { *out << question_.words; }
  void DescribeNegationTo(std::ostream* out) const { *out << "not: " << question_.words; }

 private:
  Question question_;
  bool or_tried_ = false;
};

/// Asks what a verb of suites says of calls.
struct CallsQuestion {
  std::string verb;
  std::vector<std::string> patterns;
  std::string words;

  [[nodiscard]] std::vector<suite::CaseResult> ask(const Filter& filter) const {
    return filter.ask(verb, patterns);
  }
};

/// Asks how a filter stands to another.
struct ComparisonQuestion {
  Filter other;
  verifier::Level level = verifier::Level::Verdict;
  bool subset = false;
  std::string words;

  [[nodiscard]] std::vector<suite::CaseResult> ask(const Filter& filter) const {
    return {subset ? filter.no_laxer_than(other) : filter.same_as(other, level)};
  }
};

/// Any verb of suites: Does("trap 7", "reboot"), Does("sometimes allow", "socket").
template <typename... Patterns>
[[nodiscard]] FilterMatcher<CallsQuestion> Does(const std::string& verb, Patterns&&... patterns) {
  CallsQuestion question{
      .verb = verb, .patterns = {std::string(std::forward<Patterns>(patterns))...}, .words = {}};
  question.words = verb + ":";
  for (const std::string& each : question.patterns) question.words += " " + each;
  return FilterMatcher<CallsQuestion>(std::move(question));
}

/// Every call of these is allowed.
template <typename... Patterns>
[[nodiscard]] auto Allows(Patterns&&... patterns) {
  return Does("allow", std::forward<Patterns>(patterns)...);
}

/// None is executed unasked, whatever becomes of it.
template <typename... Patterns>
[[nodiscard]] auto Denies(Patterns&&... patterns) {
  return Does("deny", std::forward<Patterns>(patterns)...);
}

/// None is allowed.
template <typename... Patterns>
[[nodiscard]] auto NeverAllows(Patterns&&... patterns) {
  return Does("never allow", std::forward<Patterns>(patterns)...);
}

/// The filter's verdict is ERRNO with this number of the machine.
template <typename... Patterns>
[[nodiscard]] auto ReturnsErrno(int number, Patterns&&... patterns) {
  return Does("errno " + std::to_string(number), std::forward<Patterns>(patterns)...);
}
/// The same by name: ReturnsErrno("EPERM", "ptrace").
template <typename... Patterns>
[[nodiscard]] auto ReturnsErrno(const char* name, Patterns&&... patterns) {
  return Does("errno " + std::string(name), std::forward<Patterns>(patterns)...);
}

/// KILL_THREAD or KILL_PROCESS.
template <typename... Patterns>
[[nodiscard]] auto Kills(Patterns&&... patterns) {
  return Does("kill", std::forward<Patterns>(patterns)...);
}
template <typename... Patterns>
[[nodiscard]] auto KillsThread(Patterns&&... patterns) {
  return Does("kill_thread", std::forward<Patterns>(patterns)...);
}
template <typename... Patterns>
[[nodiscard]] auto KillsProcess(Patterns&&... patterns) {
  return Does("kill_process", std::forward<Patterns>(patterns)...);
}

/// TRAP, TRACE, USER_NOTIF, LOG, whatever the data.
template <typename... Patterns>
[[nodiscard]] auto Traps(Patterns&&... patterns) {
  return Does("trap", std::forward<Patterns>(patterns)...);
}
template <typename... Patterns>
[[nodiscard]] auto Traces(Patterns&&... patterns) {
  return Does("trace", std::forward<Patterns>(patterns)...);
}
template <typename... Patterns>
[[nodiscard]] auto Notifies(Patterns&&... patterns) {
  return Does("notify", std::forward<Patterns>(patterns)...);
}
template <typename... Patterns>
[[nodiscard]] auto Logs(Patterns&&... patterns) {
  return Does("log", std::forward<Patterns>(patterns)...);
}

/// The same verdict for every call there can be.
[[nodiscard]] inline auto SameVerdicts(const Filter& other,
                                       verifier::Level level = verifier::Level::Verdict) {
  return FilterMatcher<ComparisonQuestion>(
      ComparisonQuestion{.other = other,
                         .level = level,
                         .subset = false,
                         .words = "the same verdicts as " + other.words()});
}

/// For no call a less strict action than the other has.
[[nodiscard]] inline auto NoLaxerThan(const Filter& other) {
  return FilterMatcher<ComparisonQuestion>(
      ComparisonQuestion{.other = other,
                         .level = verifier::Level::Strictness,
                         .subset = true,
                         .words = "no laxer than " + other.words()});
}

}  // namespace callgate::testing
