#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "verifier/levels.hpp"
#include "verifier/meaning.hpp"
#include "verifier/solver.hpp"
#include "vm/filter_stack.hpp"
#include "vm/outcome.hpp"

/// Whether two stacks of filters mean the same, and for which calls they do not.
namespace callgate::verifier {

/// A stack and what was found out about it; all of one Endings. They must outlive the comparison.
struct Side {
  const FilterStack& stack;
  const StackMeaning& meaning;
};

/// What is looked for in pairs of results.
enum class Relation : std::uint8_t {
  Unequal,
  Above,  ///< the second is the higher number: by Level::Strictness or Executes it allows more
};

struct ComparisonOptions {
  Level level = Level::Verdict;
  Relation relation = Relation::Unequal;
  Surroundings around{};
  std::size_t most_differences = 100'000;
};

/// Calls that are told apart in one way: of some architectures and numbers, from one result to
/// another.
struct Difference {
  Space::Ref arches = 0;     ///< a condition on the architecture alone
  Space::Ref numbers = 0;    ///< on the number alone
  Space::Ref rest = 0;       ///< on what is asked after the number
  Space::Ref condition = 0;  ///< all of it
  SeccompData call{};        ///< one of them, run by both
  SeccompData call_b{};      ///< the same for the second stack; another one only between ABIs
  std::uint32_t a = 0;       ///< what the first stack returned for it
  std::uint32_t b = 0;       ///< and the second
};

/// Calls for which it is not known.
struct OpenCalls {
  Space::Ref arches = 0;
  Space::Ref numbers = 0;
  Space::Ref rest = 0;
  Space::Ref condition = 0;
  std::string name{};  ///< of the call, between ABIs
  std::string why{};
};

enum class Answer : std::uint8_t { Equal, Different, Undecided };

struct Comparison {
  Answer answer = Answer::Undecided;
  std::string how{};                      ///< Equal: how it is proved
  std::vector<Difference> differences{};  ///< each shown by a call that was run
  std::vector<OpenCalls> open{};
  bool complete = true;  ///< false: there are more differences than were asked for
  /// Calls that should have shown a difference and did not: an error in this library.
  std::vector<SeccompData> wrong{};
  /// Between ABIs: calls that only one has.
  std::vector<std::string> only_a{};
  std::vector<std::string> only_b{};
  std::size_t compared_calls = 0;  ///< between ABIs: names that both have
};

/// Compares for all inputs; both stacks' kernels are of one version and architecture. Level::Raw
/// needs stacks of one program each. Never throws: what is too
/// much is open.
[[nodiscard]] Comparison compare(Endings& endings, const Side& a, const Side& b, Solver& solver,
                                 const ComparisonOptions& options = {});

/// Compares what two ABIs' filters say of calls of the same name, each of its own ABI; arguments as
/// they are. Numbers without a name are not compared.
[[nodiscard]] Comparison compare_by_name(Endings& endings, const Side& a, const Side& b,
                                         Solver& solver, const ComparisonOptions& options = {});

/// What a side returns for a call at a level's view: a single program's 32 bits for Level::Raw,
/// else the stack's verdict; ALLOW where no filter is asked.
[[nodiscard]] std::uint32_t returned(const FilterStack& stack, const SeccompData& data,
                                     Level level);

/// Whether two results that were returned stand in the relation; nothing where the kernel leaves
/// one open. `a_data` and `b_data` differ between ABIs only.
[[nodiscard]] std::optional<bool> stands(const ComparisonOptions& options, const FilterStack& a,
                                         const SeccompData& a_data, const FilterStack& b,
                                         const SeccompData& b_data);

}  // namespace callgate::verifier
