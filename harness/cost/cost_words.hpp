#pragma once

#include <string>
#include <string_view>

#include "harness/cost/prediction.hpp"

/// The words that `callgate cost` and its page put things in.
namespace callgate::cost {

/// Why there are no figures for machine instructions: "unknown, because " this.
inline constexpr std::string_view kNoMachineCode =
    "the kernel's JIT chooses them, and its choices are not modelled";

/// "yes", "no", "unknown".
[[nodiscard]] std::string_view cached_word(const verifier::CacheAnswer& answer);

/// "5", or "5..9".
[[nodiscard]] std::string count_words(const verifier::Count& count);

/// The same with one decimal.
[[nodiscard]] std::string span_words(const Span& span);

/// Which numbers the cache holds, and how that is known.
[[nodiscard]] std::string cache_words(const KernelModel& model);

/// One sentence: what the cache serves, and what the rest costs.
[[nodiscard]] std::string summary(const Report& report);

}  // namespace callgate::cost
