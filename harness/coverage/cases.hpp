#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verifier/meaning.hpp"
#include "vm/filter_stack.hpp"
#include "vm/seccomp_data.hpp"

/// Calls that come to all that a stack of filters can do.
namespace callgate::coverage {

/// What there is to be a call for.
enum class Per : std::uint8_t {
  Branch,   ///< every instruction, and every conditional jump both ways
  Path,     ///< every way through the filters
  Verdict,  ///< every verdict, of every filter that decides
};

/// "branch", "path", "verdict"
[[nodiscard]] std::string_view to_string(Per per) noexcept;

struct CaseOptions {
  Per per = Per::Branch;
  bool neighbours = true;
  std::vector<Arch> abis{};              ///< calls of these alone; all if there are none
  std::size_t most_paths = 1000;         ///< of Per::Path
  std::size_t most_neighbours = 10'000;  ///< of all calls together
};

/// Something that a call can come to.
struct Target {
  enum class Way : std::uint8_t { Executed, Taken, NotTaken };
  std::size_t filter = 0;  ///< from the oldest
  std::size_t instruction = 0;
  Way way = Way::Executed;

  friend auto operator<=>(const Target&, const Target&) = default;
};

/// A call, and what it is for. It was run.
struct Case {
  SeccompData data;
  std::optional<Verdict> verdict;  ///< nothing where this kernel leaves it open
  /// Per::Branch: what no case before it covers. Per::Path: the jumps that are taken on its way.
  /// And where each filter ends.
  std::vector<Target> covers;
  std::vector<std::size_t> ends_at;  ///< by filter: the instruction
  /// The case that it is a neighbour of: one value of an argument is another.
  std::optional<std::size_t> neighbour_of;
  /// It does what a refused call does, and is executed: why it is shown; empty for all others.
  std::string relative{};
};

struct Cases {
  std::vector<Case> cases;            ///< the machine's own calls first, by number; neighbours
                                      ///< behind theirs, relatives last
  std::size_t targets = 0;            ///< what was to be covered, and is
  std::vector<Target> unreachable;    ///< proved: by no call that is meant
  std::vector<std::string> left_out;  ///< what could not be found out, in words
};

/// Finds them. That all that can be reached is reached is checked by running them; throws
/// std::logic_error where it is not. What is too much for the analysis is left out, in words.
[[nodiscard]] Cases cases_of(const FilterStack& stack, verifier::Endings& endings,
                             const verifier::StackMeaning& meaning, const CaseOptions& options);

}  // namespace callgate::coverage
