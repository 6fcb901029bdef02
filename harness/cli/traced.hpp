#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "harness/process/tracer.hpp"

namespace callgate::cli {

/// What `capture` and `record` share: a command, and how far it is watched.
struct TracedOptions {
  std::vector<std::string> command;
  double timeout = 0;  ///< seconds; 0: none
  bool follow = false;

  void add_to(CLI::App& command_line);
  [[nodiscard]] process::SessionLimits limits() const;
};

/// Ends as the command ended: its exit code is returned; of a signal that ended it this process
/// dies too, once everything is printed.
[[nodiscard]] int end_like(const process::SessionEnd& end);

}  // namespace callgate::cli
