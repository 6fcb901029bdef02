#pragma once

#include <string>
#include <string_view>

#include "harness/cost/prediction.hpp"

/// The words that `callgate cost` and its page put things in.
namespace callgate::cost {

/// "yes", "no", "unknown".
[[nodiscard]] std::string_view cached_word(const verifier::CacheAnswer& answer);

/// "5", or "5..9".
[[nodiscard]] std::string count_words(const verifier::Count& count);

/// The same with one decimal.
[[nodiscard]] std::string span_words(const Span& span);

/// Half way from the least to the most.
[[nodiscard]] constexpr double middle(const Span& span) { return (span.least + span.most) / 2; }

/// Which numbers the cache holds, and how that is known.
[[nodiscard]] std::string cache_words(const KernelModel& model);

/// Where figures of machine instructions are from, with them; or that they are unknown, and why.
[[nodiscard]] std::string machine_words(const Report& report);

/// One sentence: what the cache serves, and what the rest costs.
[[nodiscard]] std::string summary(const Report& report);

}  // namespace callgate::cost
