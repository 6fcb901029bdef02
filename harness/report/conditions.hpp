#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "verifier/decision_table.hpp"
#include "verifier/meaning.hpp"
#include "verifier/paths.hpp"
#include "vm/arches.hpp"
#include "vm/kernel_model.hpp"

/// Conditions on calls, in words.
namespace callgate::report {

/// The call whose arguments are spoken of.
struct CallView {
  Arch arch = Arch::X86_64;
  std::string_view call{};  ///< empty: none, arguments have numbers alone
};

/// What the words leave out is said in them, and here.
struct Words {
  std::string text;
  bool whole = true;    ///< false: values that there are too many of have no words of their own
  bool joined = false;  ///< parts with "or" or "and" between
};

/// A condition on one field: "domain == AF_VSOCK", "(flags & CLONE_NEWUSER) == 0", "persona is 0,
/// 8 or 0xffffffff". Where a 64-bit register's low half alone is looked at, "(domain as 32 bits)".
[[nodiscard]] Words field_words(verifier::Space& space, verifier::Field field,
                                verifier::Space::Ref values, const CallView& view);

/// All that a rule asks, "and" between: empty where it asks nothing.
[[nodiscard]] Words condition_words(verifier::Space& space, const verifier::Path& rule,
                                    const CallView& view);

/// A formula: "(arg0.low * arg1.low)".
[[nodiscard]] std::string term_words(const verifier::Terms& terms, verifier::TermId term,
                                     const CallView& view);

/// A comparison that cannot be taken apart into bits, or that it does not hold.
[[nodiscard]] std::string opaque_words(const verifier::Space& space, std::uint32_t variable,
                                       bool holds, const CallView& view);

/// "ALLOW", "ERRNO(1)", "returns (arg0.low & 0xffff), as action and data", "unknown: …".
[[nodiscard]] std::string ending_words(const verifier::Endings& endings,
                                       const verifier::Ending& ending, const KernelModel& model);

}  // namespace callgate::report
