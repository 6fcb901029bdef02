#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verifier/meaning.hpp"
#include "verifier/paths.hpp"
#include "vm/arches.hpp"

/// What filters mean, as a table: per ABI, which numbers behave alike, and under which conditions
/// a call of them gets what.
namespace callgate::verifier {

/// How large a table may get. What does not fit is cut, and said to be.
struct TableLimits {
  std::size_t classes = 5000;  ///< of one row
  std::size_t rules = 256;     ///< for each ending of a class
  std::size_t ranges = 5000;   ///< of the numbers of a class
};

/// Numbers whose calls get the same under the same conditions.
struct CallClass {
  Space::Ref numbers = 0;  ///< a condition on Field::Nr alone
  /// The same as ranges, by rising number; nothing where there are too many.
  std::optional<std::vector<ValueRange>> ranges;
  Space::Ref behaviour = 0;  ///< what is asked after the number
  /// Each is exact on its own: all calls that it holds for come to its end. Calls may be of several
  /// rules, of one end then.
  std::vector<Path> rules;
  /// The end of all calls that no rule holds for. Nothing where there are more rules than are
  /// listed: such a call comes to one of `ends`.
  std::optional<Space::Ref> otherwise;
  std::vector<Space::Ref> ends;  ///< all that there are
};

/// Calls of one ABI, or of several that are not told apart.
struct ArchRow {
  /// Nothing: tokens that have no row of their own.
  std::optional<Arch> arch;
  bool every_other = false;        ///< without an arch: nearly all tokens that there can be
  Space::Ref tokens = 0;           ///< a condition on Field::Arch alone
  Space::Ref numbers = 0;          ///< on Field::Nr: x86_64 and x32 share a token
  Space::Ref behaviour = 0;        ///< what is asked after the token
  std::vector<CallClass> classes;  ///< by their lowest numbers; none where there are too many
  bool cut = false;                ///< whether there were
};

/// All calls: each is of exactly one row, and of one class of it where that is not cut.
struct DecisionTable {
  std::vector<ArchRow> rows;

  /// Whether nothing was cut, of rows and of classes. A table may be whole and have endings that
  /// the analysis did not follow.
  [[nodiscard]] bool whole() const;
};

/// The table of a function whose ends are Endings: StackMeaning::verdict, say. `shown` have rows of
/// their own in any case; so has each other known ABI that does not get what unknown ones get.
/// Never throws: what is too much is cut.
[[nodiscard]] DecisionTable decision_table(Endings& endings, Space::Ref function,
                                           std::span<const Arch> shown,
                                           const TableLimits& limits = {});

/// The rules of one function that asks for arguments: as CallClass has them. Of endings with
/// conditions of the same length `usual` is the one that is left over.
void add_rules(Space& space, CallClass& to, const TableLimits& limits = {},
               std::optional<Space::Ref> usual = {});

/// The row and the class that a call is of; nullptr where there is none because of a cut.
[[nodiscard]] const ArchRow* row_of(const Space& space, const DecisionTable& table,
                                    const SeccompData& data);
[[nodiscard]] const CallClass* class_of(const Space& space, const ArchRow& row,
                                        const SeccompData& data);

}  // namespace callgate::verifier
