#pragma once

#include <string>
#include <vector>

#include "verifier/known_call.hpp"
#include "vm/arches.hpp"

namespace callgate::cli {

/// The calls of a `--workload` file, of that ABI; - is standard input. UserError with file and line
/// where it cannot be read.
[[nodiscard]] std::vector<verifier::KnownCall> workload_calls(const std::string& path, Arch arch);

}  // namespace callgate::cli
