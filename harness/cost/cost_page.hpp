#pragma once

#include <string>
#include <string_view>

#include "harness/cost/prediction.hpp"

namespace callgate::cost {

/// The prediction as a page of HTML that needs no other file and no network: a bar for each number,
/// what the cache serves marked, and a table below. Light and dark, as the reader's browser asks.
[[nodiscard]] std::string cost_page(const Report& report);

/// The style sheet of that page and its like: classes chart, soft, key, served, fixed, body.
[[nodiscard]] std::string_view page_style() noexcept;

}  // namespace callgate::cost
