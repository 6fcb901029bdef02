#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/report/conditions.hpp"
#include "verifier/decision_table.hpp"
#include "vm/filter_stack.hpp"

/// Decision tables in the words of people.
namespace callgate::report {

/// A condition, and what calls get for which it holds.
struct ExplainedRule {
  Words when;
  const verifier::Path* path = nullptr;  ///< the same for machines
  verifier::Space::Ref end = 0;
};

/// Calls of one class that are spoken of in the same words.
struct CallGroup {
  std::vector<std::string> syscalls;  ///< by number; those that the ABI's table has
  /// Numbers that it has no call for, as ranges; nothing where they are too many ranges.
  std::optional<std::vector<verifier::ValueRange>> unnamed;
  std::string named_for;  ///< the call whose names arguments have in the rules; empty: none
  std::vector<ExplainedRule> rules;
  std::optional<verifier::Space::Ref> otherwise;  ///< as CallClass has it
  std::vector<verifier::Space::Ref> ends;         ///< all that there are
};

/// Calls of one ABI.
struct ExplainedAbi {
  std::optional<Arch> arch;
  std::string name;  ///< "x86_64", "every other architecture", "arch 0x12 or 0x34"
  bool cut = false;  ///< more different behaviours than are listed: no groups
  std::vector<CallGroup> groups;
  /// What numbers get that no call has, as far as one class has nearly all of them.
  std::optional<verifier::Space::Ref> usual;
};

/// What a stack means.
struct Explanation {
  verifier::DecisionTable table;
  std::vector<ExplainedAbi> abis;
  /// What the table leaves out, in words; empty where it is whole and all was followed.
  std::vector<std::string> left_out;
};

/// The ABIs that a kernel of an architecture can have calls of, its own first.
[[nodiscard]] std::vector<Arch> abis_of(Arch machine);

/// Explains what `meaning` says of the stack that it is of.
[[nodiscard]] Explanation explain(verifier::Endings& endings, const verifier::StackMeaning& meaning,
                                  const KernelModel& model,
                                  const verifier::TableLimits& limits = {});

/// The condition of the rules that have an end, for the call that a group is of: "A, or B".
[[nodiscard]] std::string conditions_of(const CallGroup& group, verifier::Space::Ref end);

/// "number 3", "numbers 3, 5 to 9 and 0x40000000 to 0x7fffffff"
[[nodiscard]] std::string numbers_words(const std::vector<verifier::ValueRange>& ranges);

}  // namespace callgate::report
