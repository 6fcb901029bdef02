#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/audit/finding.hpp"
#include "harness/front_ends/policy.hpp"
#include "verifier/meaning.hpp"
#include "verifier/space.hpp"
#include "vm/filter_stack.hpp"

/// What the checks of an audit look at: a stack of filters, and what it means.
namespace callgate::audit {

using verifier::Diagrams;
using verifier::Field;
using Ref = verifier::Space::Ref;

/// What the filters alone do not say.
struct Situation {
  bool tracer = false;    ///< there is one that handles SECCOMP_RET_TRACE
  bool listener = false;  ///< there is one, whatever the filters' flags say
};

/// One filter of the stack.
struct Layer {
  std::string name;
  std::optional<front_ends::Policy> policy{};  ///< of a profile
};

/// The bits of seccomp_data that a function asks for, by Space's variables.
using Support = std::bitset<verifier::Space::kFirstOpaque>;

class Subject {
 public:
  /// `layers` are of the stack's filters; the stack must outlive it. Throws Diagrams::Full.
  Subject(const FilterStack& stack, std::vector<Layer> layers, Situation situation);
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  [[nodiscard]] const FilterStack& stack() const noexcept { return stack_; }
  [[nodiscard]] const KernelModel& model() const noexcept { return stack_.model(); }
  [[nodiscard]] Arch native() const noexcept { return model().arch; }
  [[nodiscard]] const std::vector<Layer>& layers() const noexcept { return layers_; }
  [[nodiscard]] const Situation& situation() const noexcept { return situation_; }
  /// Other ABIs of the machine that have an architecture's token of their own.
  [[nodiscard]] const std::vector<Arch>& others() const noexcept { return others_; }

  [[nodiscard]] verifier::Space& space() noexcept { return space_; }
  [[nodiscard]] Diagrams& diagrams() noexcept { return space_.diagrams(); }
  [[nodiscard]] verifier::Endings& endings() noexcept { return endings_; }
  [[nodiscard]] const verifier::StackMeaning& meaning() const noexcept { return meaning_; }

  /// Calls that are executed: ALLOW or LOG. What was not followed is in neither of the two.
  [[nodiscard]] Ref permitted() const noexcept { return permitted_; }
  /// Calls that get any other verdict.
  [[nodiscard]] Ref denied() const noexcept { return denied_; }
  /// Calls of an architecture that this machine's kernel takes.
  [[nodiscard]] Ref sendable() const noexcept { return sendable_; }

  /// A function for calls of one ABI, over numbers and arguments.
  [[nodiscard]] Ref of_arch(Ref function, Arch arch) const;
  /// … and of one number: over arguments alone.
  [[nodiscard]] Ref of_call(Ref function, Arch arch, std::uint32_t nr) const;
  /// The condition that a call is of that ABI's architecture and number.
  [[nodiscard]] Ref is_call(Arch arch, std::uint32_t nr);

  /// A function with some variables set: `count` from `first` on, the highest bit first.
  [[nodiscard]] Ref with_bits(Ref function, std::uint32_t first, unsigned count,
                              std::uint64_t value);
  [[nodiscard]] Ref with_field(Ref function, Field field, std::uint64_t value) {
    return with_bits(function, verifier::Space::first_variable(field), verifier::width(field),
                     value);
  }
  /// … the upper or the lower half of an argument.
  [[nodiscard]] Ref with_half(Ref function, Field field, bool high, std::uint32_t value) {
    return with_bits(function, verifier::Space::first_variable(field) + (high ? 0 : 32), 32, value);
  }
  /// Where two functions come to different ends.
  [[nodiscard]] Ref differ(Ref a, Ref b);
  [[nodiscard]] Support support(Ref function) const;

  /// A formula of a half of a field.
  [[nodiscard]] verifier::TermId half(Field field, bool high) {
    return space_.terms().word({field, high});
  }

  /// Calls for which `holds(value)`, a condition on the formula that is returned, is true; of
  /// `function`'s ends that are values.
  template <typename Holds>
  [[nodiscard]] Ref where(Ref function, Holds&& holds) {
    return diagrams().changed(function, [&](std::uint32_t number) {
      const verifier::Ending ending = endings_.at(diagrams().end(number));
      return ending.kind == verifier::Ending::Kind::Value ? holds(ending) : Diagrams::kFalse;
    });
  }

  /// A call for which a condition holds, and what running it gave. Nothing where none is found.
  /// Throws std::logic_error where running gives something else than the analysis says.
  [[nodiscard]] std::optional<Shown> show(Ref condition);
  /// What running a call gives, held against the analysis in the same way.
  [[nodiscard]] Shown ran(const SeccompData& call);

  /// Says where a call's verdict is decided: filter, instruction, line of the profile.
  void place(Finding& finding, const SeccompData& call) const;

 private:
  const FilterStack& stack_;
  std::vector<Layer> layers_;
  Situation situation_;
  std::vector<Arch> others_;
  verifier::Space space_;
  verifier::Endings endings_;
  verifier::StackMeaning meaning_;
  Ref permitted_ = 0;
  Ref denied_ = 0;
  Ref sendable_ = 0;
};

/// args[index].
[[nodiscard]] constexpr Field argument(unsigned index) noexcept {
  return static_cast<Field>(static_cast<unsigned>(Field::Arg0) + index);
}

/// A finding of a row, with its severity.
[[nodiscard]] Finding found(FindingId id, std::string message, std::string syscall = {});

}  // namespace callgate::audit
