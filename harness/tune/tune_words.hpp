#pragma once

#include <string>

#include "harness/tune/tune.hpp"

/// The words that `callgate tune` and its page put things in.
namespace callgate::tune {

/// "45.2 (-61.3 %)": what is predicted, and how much that is from the original.
[[nodiscard]] std::string change_words(const Report& report, const Proposal& proposal);

/// "47.0 ± 0.3 (-59.8 %)", of what was measured.
[[nodiscard]] std::string measured_words(const Proposal& proposal);

/// Microseconds of an installation.
[[nodiscard]] std::string install_words(const Proposal& proposal);

/// "83.1 %" of the calls.
[[nodiscard]] std::string served_words(const Proposal& proposal);

/// Which calls were weighed.
[[nodiscard]] std::string calls_words(const Report& report);

/// One sentence: the best proposal, and what it gains.
[[nodiscard]] std::string summary(const Report& report);

}  // namespace callgate::tune
