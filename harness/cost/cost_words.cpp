#include "harness/cost/cost_words.hpp"

#include <fmt/format.h>

namespace callgate::cost {

using verifier::Cached;

namespace {

double percent(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

}  // namespace

std::string_view cached_word(const verifier::CacheAnswer& answer) {
  if (answer.is_served()) return "yes";
  return answer.cached == Cached::NotKnown ? "unknown" : "no";
}

std::string count_words(const verifier::Count& count) {
  if (count.least == count.most) return fmt::format("{}", count.least);
  return fmt::format("{}..{}", count.least, count.most);
}

std::string span_words(const Span& span) {
  const std::string least = fmt::format("{:.1f}", span.least);
  const std::string most = fmt::format("{:.1f}", span.most);
  return least == most ? least : least + ".." + most;
}

std::string cache_words(const KernelModel& model) {
  const auto range = verifier::cache_range(model);
  if (!range) return "no cache of constant actions";
  std::string words = fmt::format("the cache holds numbers 0 to {}", range->surely - 1);
  if (range->at_most > range->surely) {
    words += range->at_most == kX32Bit ? " and may hold more"
                                       : fmt::format(", perhaps to {}", range->at_most - 1);
  }
  return words + fmt::format(" (known: {}; that there is one: {})", to_string(range->mark),
                             to_string(range->arch_mark));
}

std::string machine_words(const Report& report) {
  if (!report.counted) {
    return fmt::format("Machine instructions: unknown, because {}.", report.not_counted);
  }
  const Parts& parts = report.counted->parts;
  std::string served;
  if (verifier::cache_range(report.model)) served = fmt::format("cached +{:.0f}, ", parts.cached);
  const std::string each =
      report.model.arch == Arch::AArch64
          ? std::string("their instructions as the code that arm64's JIT makes of each")
          : fmt::format("an instruction +{:.2f}, a jump that is taken {:+.2f}, arithmetic {:+.2f}",
                        parts.per_instruction, parts.per_jump, parts.per_arithmetic);
  return fmt::format(
      "Machine instructions by {}: getppid {:.0f}, {}not cached +{:.0f}, each further filter "
      "+{:.0f}, {}. They are no measure of time.",
      source_words(*report.counted, report.model), parts.entry, served, parts.uncached,
      parts.per_filter, each);
}

std::string summary(const Report& report) {
  const cost::Totals& totals = report.prediction.totals;
  if (totals.calls == 0) return "No call is counted: nothing to weigh.";
  const auto calls = static_cast<double>(totals.calls);
  std::string words = fmt::format("The cache serves {:.1f} % of {} {}",
                                  percent(static_cast<double>(totals.served), calls), totals.calls,
                                  report.has_workload ? "calls" : "numbers, each counted once");
  if (totals.not_known != 0) {
    words += fmt::format(" (and {:.1f} % more, or not)",
                         percent(static_cast<double>(totals.not_known), calls));
  }
  if (totals.time || totals.machine) {
    const cost::Added& added = totals.time ? *totals.time : *totals.machine;
    words += fmt::format("; filters add {} {} to a call: {} are fixed, {} are instructions",
                         span_words(added.sum()), totals.time ? "ns" : "machine instructions",
                         span_words(added.fixed), span_words(added.instructions));
    words += fmt::format(" ({:.1f} % fixed)", percent(middle(added.fixed), middle(added.sum())));
  } else {
    words += fmt::format("; a call runs {} instructions of filters", span_words(totals.executed));
  }
  return words + ".";
}

}  // namespace callgate::cost
