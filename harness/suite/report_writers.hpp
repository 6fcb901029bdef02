#pragma once

#include <string>

#include "harness/suite/reporters.hpp"

/// The functions of reporters.def, for the registry alone.
namespace callgate::suite {

#define REPORTER(name, what) \
  [[nodiscard]] std::string write_##name(const RunResults& results, const ReportOptions& options);
#include "harness/suite/reporters.def"
#undef REPORTER

}  // namespace callgate::suite
