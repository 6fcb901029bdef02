#pragma once

#include <string>

#include "harness/audit/finding.hpp"

namespace callgate::audit {

/// For people.
[[nodiscard]] std::string text(const Report& report);

/// The document of harness/audit/README.md.
[[nodiscard]] std::string json(const Report& report);

/// SARIF 2.1.0, as pages for code scanning take it. `version` is Callgate's.
[[nodiscard]] std::string sarif(const Report& report, const std::string& version);

/// Every finding that there is, with severity, title and remedy: text for people.
[[nodiscard]] std::string list_text();

/// "openat(0x1, 0x0, …) on x86_64 gets ALLOW"
[[nodiscard]] std::string shown_words(const Shown& shown, const KernelModel& model);

/// "filter 0 (name), instruction 4, line 12 of the profile"; empty: nowhere
[[nodiscard]] std::string place_words(const Finding& finding, const Report& report);

}  // namespace callgate::audit
