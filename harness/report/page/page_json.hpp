#pragma once

#include <nlohmann/json_fwd.hpp>

#include "harness/report/page/page.hpp"
#include "vm/seccomp_data.hpp"

/// Parts of a page's data, for its scripts.
namespace callgate::report {

/// A call, as the form of the page takes it.
[[nodiscard]] nlohmann::ordered_json call_json(const SeccompData& data);

/// What coverage.js shows.
[[nodiscard]] nlohmann::ordered_json coverage_json(const PageCoverage& coverage);

}  // namespace callgate::report
