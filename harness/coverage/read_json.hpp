#pragma once

#include <expected>
#include <string_view>

#include "harness/coverage/coverage.hpp"
#include "harness/front_ends/program_reader.hpp"

namespace callgate::coverage {

/// Reads what coverage_json() writes. The error has its place: no JSON, something of
/// coverage.schema.json that is missing or of another kind, a call or an architecture that there is
/// none of. Figures that follow from the rest (`counts`, `text`) are not looked at.
[[nodiscard]] std::expected<Report, front_ends::ReadError> read_coverage(std::string_view json);

}  // namespace callgate::coverage
