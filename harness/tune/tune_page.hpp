#pragma once

#include <span>
#include <string>

#include "harness/tune/tune.hpp"

namespace callgate::tune {

/// The reports as a page of HTML that needs no other file and no network: for each a bar for every
/// proposal, before and after for the dearest calls, advice, and the figures as tables. Light and
/// dark, as the reader's browser asks.
[[nodiscard]] std::string tune_page(std::span<const Report> reports);

}  // namespace callgate::tune
