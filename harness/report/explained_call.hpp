#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/filters/filter_files.hpp"
#include "harness/report/decision.hpp"
#include "harness/report/why.hpp"
#include "verifier/meaning.hpp"
#include "vm/filter_stack.hpp"
#include "vm/seccomp_data.hpp"

/// Why one call gets what it gets: `callgate explain SYSCALL`.
namespace callgate::report {

/// Under which condition every such call gets the same.
struct SameCalls {
  std::string condition{};  ///< empty: none; "if …", "unless …"
  std::size_t others = 0;   ///< syscalls that behave alike
  std::string not_told{};   ///< why there is no condition
};

/// An answer, and of what.
struct ExplainedCall {
  SeccompData data;
  Decision decision;
  SameCalls same{};
  std::vector<ProfileWords> profiles{};

  /// Whether all of it is told.
  [[nodiscard]] bool whole() const noexcept { return !decision.fault && same.not_told.empty(); }
};

/// `endings` and `meaning` are the stack's.
[[nodiscard]] ExplainedCall explain_call(const SeccompData& data,
                                         std::span<const filters::FilterFile> files,
                                         const FilterStack& stack, verifier::Endings& endings,
                                         const verifier::StackMeaning& meaning);

/// Lines, each ended by a newline.
[[nodiscard]] std::string explained_call_text(const ExplainedCall& answer,
                                              std::span<const filters::FilterFile> files,
                                              const KernelModel& model);

/// The document is described in harness/cli/README.md. Where the kernel leaves the result undefined
/// (Decision::fault), it has "verdict": "unknown" and the "reason" alone.
[[nodiscard]] std::string explained_call_json(const ExplainedCall& answer,
                                              std::span<const filters::FilterFile> files,
                                              const KernelModel& model);

}  // namespace callgate::report
