#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/filters/filter_files.hpp"
#include "verifier/check.hpp"
#include "vm/checked_program.hpp"
#include "vm/kernel_model.hpp"

/// Whether a kernel would accept filters, each alone: `callgate check`.
namespace callgate::filters {

struct Acceptance {
  std::optional<LimitCost> accepted{};  ///< what the filter counts; nothing where it is refused
  verifier::Refusal refusal{};
};

/// One for each of the filters.
[[nodiscard]] std::vector<Acceptance> acceptances_of(std::span<const FilterFile> files,
                                                     const KernelModel& model);

/// The document of `callgate check --format json`, described in harness/cli/README.md.
[[nodiscard]] std::string acceptance_json(std::span<const FilterFile> files,
                                          std::span<const Acceptance> acceptances,
                                          const KernelModel& model);

}  // namespace callgate::filters
