#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verifier/space.hpp"
#include "vm/checked_program.hpp"
#include "vm/filter_stack.hpp"
#include "vm/kernel_model.hpp"

/// What filters mean: the function from the 512 bits of seccomp_data to what they return, by
/// symbolic execution. Two programs of one space mean the same where their functions are the same
/// reference (and only then, if no comparison stayed opaque).
namespace callgate::verifier {

/// What a way through a filter, or a stack, comes to.
struct Ending {
  enum class Kind : std::uint8_t {
    Value,        ///< `value` is returned
    Undefined,    ///< this kernel leaves open what happens: a shift by 32 or more
    NotFollowed,  ///< the analysis did not come here: `reason` says why
  };
  Kind kind = Kind::Value;
  TermId value = 0;                   ///< Value: mostly a constant; a formula after `ret a`
  std::optional<std::size_t> filter;  ///< of a stack's verdict: who decided, from the oldest (0)
  std::size_t instruction = 0;        ///< Undefined and NotFollowed: where
  std::string_view reason{};          ///< NotFollowed

  friend auto operator<=>(const Ending&, const Ending&) = default;
};

/// How much work an analysis may take.
struct AnalysisLimits {
  std::size_t steps = 4'000'000;  ///< instructions, once for each different state of the registers
};

/// Endings, as the ends of diagrams.
class Endings {
 public:
  explicit Endings(Space& space) : space_(space) {}
  Endings(const Endings&) = delete;
  Endings& operator=(const Endings&) = delete;

  [[nodiscard]] Space& space() const noexcept { return space_; }
  /// The end that stands for it. Throws Diagrams::Full.
  [[nodiscard]] Space::Ref end(const Ending& ending);
  /// Of an end of a function below.
  [[nodiscard]] const Ending& at(Space::Ref end) const {
    return endings_[space_.diagrams().number(end) - kFirst];
  }
  /// The value of an ending for a call; nothing where it is no Value.
  [[nodiscard]] std::optional<std::uint32_t> value(const Ending& ending,
                                                   const SeccompData& data) const;

 private:
  static constexpr std::uint32_t kFirst = 2;  // 0 and 1 are the ends of conditions
  Space& space_;
  std::vector<Ending> endings_;
  std::map<Ending, std::uint32_t> places_;
};

/// Of one program. Conditions are of calls that come there from the start.
struct ProgramMeaning {
  Space::Ref value = 0;               ///< ends: what the program returns, as it stands in `ret`
  std::vector<Space::Ref> reached;    ///< an instruction
  std::vector<Space::Ref> taken;      ///< a conditional jump goes by jt
  std::vector<Space::Ref> not_taken;  ///< and by jf
  /// On every way, an instruction that is no jump and no return leaves what is read later as it
  /// was.
  std::vector<bool> idle;
  Space::Ref not_followed = 0;  ///< calls for which the analysis gave up; kFalse: none
  std::size_t steps = 0;        ///< how much work it was
};

/// Follows every way through a program. Never throws: what is too much is NotFollowed.
[[nodiscard]] ProgramMeaning meaning_of(Endings& endings, const CheckedProgram& program,
                                        AnalysisLimits limits = {});

/// Of a stack: what seccomp_run_filters() returns.
struct StackMeaning {
  std::vector<ProgramMeaning> filters;  ///< from the oldest
  /// Ends: the verdict, with the filter that decided. ALLOW has no data and nobody who decided.
  Space::Ref verdict = 0;
  /// The same without who decided.
  Space::Ref value = 0;
  Space::Ref not_followed = 0;
};

[[nodiscard]] StackMeaning meaning_of(Endings& endings, const FilterStack& stack,
                                      AnalysisLimits limits = {});

}  // namespace callgate::verifier
