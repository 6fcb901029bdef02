#pragma once

#include <string>
#include <vector>

#include "harness/report/explanation.hpp"

/// Explanations as documents.
namespace callgate::report {

/// An explanation, and of what.
struct Explained {
  const Explanation& explanation;
  verifier::Endings& endings;
  const KernelModel& model;
  const std::vector<std::string>& files;  ///< the filters' names, oldest first
};

/// "ERRNO(1), EPERM", and who decided where there are several filters.
[[nodiscard]] std::string verdict_heading(const Explained& of, verifier::Space::Ref end, Arch arch);

[[nodiscard]] std::string explanation_text(const Explained& of);
[[nodiscard]] std::string explanation_markdown(const Explained& of);
/// The schema is described in harness/cli/README.md.
[[nodiscard]] std::string explanation_json(const Explained& of);

/// Items with commas between, in lines of at most `width` characters that begin with `indent`.
[[nodiscard]] std::string wrapped(const std::vector<std::string>& items, std::string_view indent,
                                  std::size_t width = 100);

}  // namespace callgate::report
