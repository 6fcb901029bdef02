#pragma once

#include <string>
#include <vector>

#include "harness/trace/trace.hpp"
#include "harness/workload/workload.hpp"

namespace callgate::cli {

/// A workload in any format that workload::read() reads; "-" is standard input. UserError with the
/// place where it cannot be read.
[[nodiscard]] workload::Workload read_workload(const std::string& path,
                                               const trace::ReadOptions& options,
                                               workload::Keep keep);

/// The same, to be weighed: the sum of its counts has 64 bits, else UserError. `arch`: of texts
/// that do not say whose calls they have.
[[nodiscard]] workload::Workload read_weights(const std::string& path, Arch arch);

/// Its calls of an ABI, with what is known of their arguments; says on standard error what of it is
/// not counted. UserError where there are none.
[[nodiscard]] std::vector<workload::KnownCall> read_calls(const std::string& path, Arch arch);

/// The same by numbers alone.
[[nodiscard]] std::vector<workload::CallCount> read_counts(const std::string& path, Arch arch);

}  // namespace callgate::cli
