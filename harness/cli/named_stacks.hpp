#pragma once

#include <string>
#include <vector>

#include "harness/cli/cli.hpp"

namespace callgate::cli {

/// A stack as one argument asks for it.
struct NamedStack {
  std::string name;               ///< the argument
  std::vector<FilterFile> files;  ///< oldest first
};

/// What an argument that names a whole stack stands for: a FILTER, or several with commas between,
/// the oldest first (a file that has commas in its own name is that file). UserError where one
/// cannot be read.
[[nodiscard]] NamedStack read_named_stack(const std::string& argument, const InputOptions& input,
                                          const ModelOptions& options);

}  // namespace callgate::cli
