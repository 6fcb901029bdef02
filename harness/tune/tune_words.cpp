#include "harness/tune/tune_words.hpp"

#include <fmt/format.h>

#include "harness/filters/filter_files.hpp"

namespace callgate::tune {
namespace {

double percent(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

}  // namespace

std::string change_words(const Report& report, const Proposal& proposal) {
  const double before = report.proposals.front().cost;
  std::string out = fmt::format("{:.1f}", proposal.cost);
  const bool same = fmt::format("{:.1f}", before) == out;
  if (proposal.id != "original" && before > 0 && !same) {
    out += fmt::format(" ({:+.1f} %)", percent(proposal.cost - before, before));
  }
  return out;
}

std::string measured_words(const Proposal& proposal) {
  if (!proposal.measured) return "-";
  const cost::Estimate& adds = proposal.measured->adds;
  std::string out = fmt::format("{:.1f} ± {:.1f}", adds.median, adds.spread);
  if (const auto& difference = proposal.difference) {
    const double change = difference->adds.difference.median;
    out += difference->adds.says == cost::Says::WithinNoise
               ? std::string(" (within the noise)")
               : fmt::format(" ({:+.1f} %)", percent(change, adds.median - change));
  }
  return out;
}

std::string install_words(const Proposal& proposal) {
  if (!proposal.measured || proposal.measured->install.rounds == 0) return "-";
  return fmt::format("{:.0f}", proposal.measured->install.median / 1000);
}

std::string served_words(const Proposal& proposal) {
  const cost::Totals& totals = proposal.prediction.totals;
  return fmt::format(
      "{:.1f} %", percent(static_cast<double>(totals.served), static_cast<double>(totals.calls)));
}

std::string calls_words(const Report& report) {
  std::string out =
      fmt::format("{} calls of {} are weighed", report.calls.total, info(report.model.arch).name);
  if (report.calls.by_name) {
    out +=
        ", taken over by their names from another ABI (arguments as they are: flags may have other "
        "values here)";
  }
  if (report.calls.left_out != 0) {
    out += fmt::format("; {} {} left out, of {}", report.calls.left_out,
                       report.calls.left_out == 1 ? "is" : "are",
                       report.calls.by_name ? "names that this ABI does not have" : "other ABIs");
  }
  return out + ".";
}

std::string summary(const Report& report) {
  const Proposal& original = report.proposals.front();
  if (report.calls.total == 0) return "No call of the workload is of this ABI: nothing to weigh.";
  const Proposal& best = report.proposals[report.best];
  const std::string before = fmt::format("{:.1f}", original.cost);
  const std::string after = fmt::format("{:.1f}", best.cost);
  if (before == after) {
    std::string out = fmt::format(
        "{} {} are added to a call, and nothing that is proved equal adds "
        "less",
        before, to_string(report.unit));
    if (best.instructions < original.instructions) {
      out += fmt::format("; {} is shorter: {} instructions instead of {}", best.id,
                         best.instructions, original.instructions);
    }
    return out + ".";
  }
  return fmt::format(
      "{}: {} {} are added to a call instead of {} ({:+.1f} %), {} instructions instead of {}, and "
      "every call gets what it got.",
      best.title, after, to_string(report.unit), before,
      percent(best.cost - original.cost, original.cost), best.instructions, original.instructions);
}

}  // namespace callgate::tune
