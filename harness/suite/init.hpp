#pragma once

#include <expected>
#include <string>
#include <vector>

#include "harness/suite/suite.hpp"

/// A first suite of what a filter does now.
namespace callgate::suite {

struct InitRequest {
  std::vector<std::string> filters;  ///< as they are to stand in the suite
  Deploy deploy;
  std::vector<Arch> arches;
  Version kernel;
  bool has_kernel = false;  ///< the suite names it
  std::string suite;        ///< the suite's own path: what filters are looked for from
};

/// The suite's text: every call that has a name, by verdict; conditions of arguments as patterns of
/// whole registers, each proved; what patterns cannot say as recorded calls. It was read again,
/// run, and every case passed. The error is a sentence.
[[nodiscard]] std::expected<std::string, std::string> first_suite(const InitRequest& request);

/// Text as a YAML scalar in a list in brackets, quoted where it must be.
[[nodiscard]] std::string yaml_scalar(const std::string& text);

}  // namespace callgate::suite
