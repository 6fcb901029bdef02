#pragma once

#include <string>
#include <string_view>

namespace callgate::report {

/// Text as it stands in HTML, between tags or in an attribute in double quotes.
[[nodiscard]] std::string html_escaped(std::string_view text);

}  // namespace callgate::report
