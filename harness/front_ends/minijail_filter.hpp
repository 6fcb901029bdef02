#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/minijail_tokens.hpp"
#include "harness/front_ends/policy.hpp"

/// What stands behind the colon of a statement for compile_seccomp_policy.
namespace callgate::front_ends {

/// The words of one statement, as they are taken.
class MinijailWords {
 public:
  MinijailWords(const PolicyText& source, const MinijailStatement& statement)
      : source_(source), statement_(statement) {}

  [[nodiscard]] bool done() const { return next_ == statement_.words.size(); }
  [[nodiscard]] const MinijailWord* peek() const {
    return done() ? nullptr : &statement_.words[next_];
  }
  [[nodiscard]] bool at(std::string_view text) const {
    return !done() && peek()->kind == MinijailToken::Mark && peek()->text == text;
  }
  [[nodiscard]] bool at(MinijailToken kind) const { return !done() && peek()->kind == kind; }
  bool take(std::string_view text) {
    if (!at(text)) return false;
    ++next_;
    return true;
  }
  void skip() { ++next_; }
  MinijailWord take(std::string_view what, std::string_view advice) {
    if (done()) fail(fmt::format("{} is missing; {}", what, advice));
    return statement_.words[next_++];
  }
  /// Ends the reading at the next word, or at the end.
  [[noreturn]] void fail(const std::string& message) const {
    source_.fail(done() ? statement_.end : peek()->offset,
                 done() ? message : shown(peek()->text) + ": " + message);
  }
  [[noreturn]] void fail(const MinijailWord& word, const std::string& message) const {
    source_.fail(word.offset, shown(word.text) + ": " + message);
  }
  [[nodiscard]] const PolicyText& source() const { return source_; }

 private:
  const PolicyText& source_;
  const MinijailStatement& statement_;
  std::size_t next_ = 0;
};

/// Tests, of which some conjunction holds, and what becomes of the call then.
struct MinijailFilter {
  std::vector<std::vector<ArgTest>> clauses;
  bool always = false;  ///< no tests
  std::uint32_t value = 0;
};

/// Takes one filter, or several in braces.
[[nodiscard]] std::vector<MinijailFilter> read_minijail_filters(MinijailWords& words, Arch arch,
                                                                bool denylist);

}  // namespace callgate::front_ends
