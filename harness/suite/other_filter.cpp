#include "harness/suite/other_filter.hpp"

#include <fmt/format.h>

#include "harness/suite/failures.hpp"
#include "verifier/equivalence.hpp"

namespace callgate::suite {

void compare_with(Target& target, const FilterStack& other, verifier::Level level, bool no_laxer,
                  CaseResult& out) {
  constexpr std::size_t kMostFailures = 20;
  verifier::ComparisonOptions options;
  options.level = level;
  options.around = target.around();
  options.most_differences = kMostFailures;
  if (no_laxer) {
    // What is stricter is an order at these levels alone.
    if (level != verifier::Level::Executes) options.level = verifier::Level::Strictness;
    options.relation = verifier::Relation::Above;
  }
  const verifier::StackMeaning meaning = verifier::meaning_of(target.endings(), other);
  // From the other to ours: Above is what ours allows more.
  const verifier::Comparison found =
      verifier::compare(target.endings(), {other, meaning}, {target.stack(), target.meaning()},
                        target.solver(), options);
  if (!found.wrong.empty()) {
    out.status = Status::Error;
    out.note =
        "what was proved and what was run do not agree: an error in Callgate; please report it";
    return;
  }
  switch (found.answer) {
    case verifier::Answer::Equal:
      out.status = Status::Passed;
      out.how = "proved";
      return;
    case verifier::Answer::Undecided:
      out.status = Status::Unknown;
      out.how = "compared as far as the analysis goes";
      out.note = found.open.empty() ? "undecided" : found.open.front().why;
      return;
    case verifier::Answer::Different:
      break;
  }
  out.status = Status::Failed;
  out.how = "shown by a call";
  for (const verifier::Difference& each : found.differences) {
    const std::string expected = value_words(each.a, target.model());
    out.failures.push_back(failure_of(target.files(), target.stack(), each.call, target.around(),
                                      no_laxer ? "nothing laxer than " + expected : expected));
  }
}

}  // namespace callgate::suite
