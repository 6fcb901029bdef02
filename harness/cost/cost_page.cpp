#include "harness/cost/cost_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/cost/cost_words.hpp"
#include "harness/report/html.hpp"

namespace callgate::cost {
namespace {

constexpr double kLabels = 190;  // width of the names
constexpr double kBars = 560;    // width of the longest bar
constexpr double kRow = 20;

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --page: #ffffff; --ink: #1d2733; --soft: #5b6875; --line: #d5dbe1;
  --served: #1f8a70; --fixed: #c98a1b; --body: #b5443a; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181d; --ink: #e4e9ee; --soft: #9aa7b4; --line: #333c46;
    --served: #3dbb9a; --fixed: #e0aa45; --body: #e2766c; }
}
body { background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif;
  max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: .3rem; }
.soft { color: var(--soft); }
.chart { overflow-x: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .soft { fill: var(--soft); }
.served { fill: var(--served); } .fixed { fill: var(--fixed); } .body { fill: var(--body); }
.key span { display: inline-block; width: .8em; height: .8em; margin: 0 .35em 0 1em; }
.key span:first-child { margin-left: 0; }
table { border-collapse: collapse; font-size: .87rem; }
th, td { padding: .18rem .7rem .18rem 0; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:nth-child(2), td:nth-child(2), th:last-child, td:last-child { text-align: left; }
)css";

// What a bar is made of: its parts in units of cost times count.
struct Bar {
  double fixed = 0;
  double body = 0;

  [[nodiscard]] double sum() const { return fixed + body; }
};

Bar bar_of(const CallCost& call) {
  const auto count = static_cast<double>(call.count);
  if (const auto& added = call.time ? call.time : call.machine) {
    return {added->fixed.most * count, added->instructions.most * count};
  }
  return {0, call.executed.most * count};
}

std::string figure(const Report& report, double total) {
  double longest = 0;
  for (const CallCost& call : report.prediction.calls) {
    longest = std::max(longest, bar_of(call).sum());
  }
  const double height = kRow * static_cast<double>(report.prediction.calls.size());
  std::string out = fmt::format(
      "<div class=\"chart\"><svg role=\"img\" aria-label=\"Cost by call\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n",
      kLabels + kBars + 220, height);
  double y = 0;
  for (const CallCost& call : report.prediction.calls) {
    const Bar bar = bar_of(call);
    const double scale = longest > 0 ? kBars / longest : 0;
    const double fixed = bar.fixed * scale;
    const double body = bar.body * scale;
    const bool served = call.cache.is_served();
    std::string label = served ? "cached" : "";
    if (call.cache.cached == verifier::Cached::NotKnown) label = "cached or not: unknown";
    const double share = total > 0 ? 100 * bar.sum() / total : 0;
    out += fmt::format("<g><title>{}</title>",
                       report::html_escaped(call.why.empty() ? label : call.why));
    out += fmt::format("<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kLabels - 8,
                       y + 14, report::html_escaped(call.name));
    if (fixed > 0) {
      out += fmt::format(
          "<rect class=\"{}\" x=\"{:.0f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"14\"/>",
          served ? "served" : "fixed", kLabels, y + 3, fixed);
    }
    if (body > 0) {
      out += fmt::format(
          "<rect class=\"body\" x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"14\"/>",
          kLabels + fixed, y + 3, body);
    }
    out += fmt::format("<text class=\"soft\" x=\"{:.2f}\" y=\"{:.1f}\">{:.1f} %{}{}</text></g>\n",
                       kLabels + fixed + body + 6, y + 14, share, label.empty() ? "" : ", ", label);
    y += kRow;
  }
  return out + "</svg></div>\n";
}

std::string key(const Report& report) {
  if (!report.time && !report.counted) {
    return "<p class=\"key\"><span style=\"background:var(--body)\"></span>instructions of "
           "filters, "
           "times count; calls that the cache serves run none</p>\n";
  }
  return fmt::format(
      "<p class=\"key\"><span style=\"background:var(--served)\"></span>served by the cache"
      "<span style=\"background:var(--fixed)\"></span>fixed cost of running filters"
      "<span style=\"background:var(--body)\"></span>their instructions (at most); "
      "{} times count, and the share of all</p>\n",
      report.time ? "nanoseconds" : "machine instructions");
}

std::string table(const Report& report) {
  std::string out =
      "<table><thead><tr><th>number</th><th>call</th><th>count</th><th>cached</th>"
      "<th>instructions</th><th>eBPF</th>";
  if (report.counted) out += "<th>adds machine instructions</th>";
  if (report.time) out += "<th>adds ns</th>";
  out += "<th>why not</th></tr></thead><tbody>\n";
  for (const CallCost& call : report.prediction.calls) {
    const bool served = call.cache.is_served();
    const auto counted = [&](const std::string& words) {
      return served ? fmt::format("({})", words) : words;
    };
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>",
                       static_cast<std::int32_t>(call.nr), report::html_escaped(call.name),
                       call.count, cached_word(call.cache),
                       counted(count_words(call.path.classic) + (call.path.exact ? "" : "~")),
                       call.path.ebpf ? counted(count_words(*call.path.ebpf)) : std::string("-"));
    if (call.machine) out += fmt::format("<td>{}</td>", span_words(call.machine->sum()));
    if (call.time) out += fmt::format("<td>{}</td>", span_words(call.time->sum()));
    out += fmt::format("<td>{}</td></tr>\n", report::html_escaped(call.why));
  }
  return out + "</tbody></table>\n";
}

}  // namespace

std::string_view page_style() noexcept { return kStyle; }

std::string cost_page(const Report& report) {
  double total = 0;
  for (const CallCost& call : report.prediction.calls) total += bar_of(call).sum();
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<title>What the filters cost</title><style>{}</style></head><body>\n"
      "<h1>What the filters cost</h1>\n<p><strong>{}</strong></p>\n",
      kStyle, report::html_escaped(summary(report)));
  out += fmt::format("<p class=\"soft\">Linux {} {}, {} filter{}; {}.",
                     to_string(report.model.version), info(report.model.arch).name, report.filters,
                     report.filters == 1 ? "" : "s", cache_words(report.model));
  if (report.time) {
    out += fmt::format(
        " Time by {}: a call {:.1f} ns, cached +{:.1f}, not cached +{:.1f}, each further filter "
        "+{:.1f}, an instruction +{:.3f}, a jump that is taken +{:.3f} more, arithmetic +{:.3f} "
        "more.",
        report::html_escaped(report.time->source), report.time->entry_ns, report.time->cached_ns,
        report.time->uncached_ns, report.time->per_filter_ns, report.time->per_instruction_ns,
        report.time->per_jump_ns, report.time->per_arithmetic_ns);
  }
  out += "</p>\n" + key(report) + figure(report, total);
  out += fmt::format(
      "<h2>In figures</h2>\n<p class=\"soft\">( ): the cache serves the number, these do not run. "
      "~: depends on more than number and architecture; no call runs less or more, but the ends "
      "may not be reached. {}</p>\n<div class=\"chart\">",
      report::html_escaped(machine_words(report)));
  return out + table(report) + "</div></body></html>\n";
}

}  // namespace callgate::cost
