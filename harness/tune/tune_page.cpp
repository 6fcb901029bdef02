#include "harness/tune/tune_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "harness/cost/cost_page.hpp"
#include "harness/cost/cost_words.hpp"
#include "harness/filters/filter_files.hpp"
#include "harness/report/html.hpp"
#include "harness/tune/tune_words.hpp"

namespace callgate::tune {
namespace {

using cost::middle;
using report::html_escaped;

constexpr double kLabels = 190;  // width of the names
constexpr double kBars = 560;    // width of the longest bar
constexpr double kRow = 20;
constexpr double kBar = 14;
constexpr std::size_t kCalls = 15;  // that are drawn

constexpr std::string_view kStyle = R"css(
.before { fill: var(--fixed); } .after { fill: var(--served); }
ul { padding-left: 1.2rem; } td.words { white-space: normal; text-align: left; }
)css";

// One bar of two parts, with words behind it.
struct Bar {
  std::string label;
  std::string title;
  double first = 0;
  double second = 0;
  std::string_view first_class = "fixed";
  std::string_view second_class = "body";
  std::string words;
};

std::string drawn(const std::vector<Bar>& bars, std::string_view what) {
  double longest = 0;
  for (const Bar& each : bars) longest = std::max(longest, each.first + each.second);
  const double scale = longest > 0 ? kBars / longest : 0;
  std::string out = fmt::format(
      "<div class=\"chart\"><svg role=\"img\" aria-label=\"{2}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n",
      kLabels + kBars + 260, kRow * static_cast<double>(bars.size()), html_escaped(what));
  double y = 0;
  for (const Bar& each : bars) {
    out += fmt::format(
        "<g><title>{}</title><text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
        html_escaped(each.title), kLabels - 8, y + kBar, html_escaped(each.label));
    double x = kLabels;
    for (const auto& [part, part_class] :
         {std::pair(each.first, each.first_class), std::pair(each.second, each.second_class)}) {
      if (part <= 0) continue;
      out += fmt::format(
          "<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.0f}\"/>",
          part_class, x, y + 3, part * scale, kBar);
      x += part * scale;
    }
    out += fmt::format("<text class=\"soft\" x=\"{:.2f}\" y=\"{:.1f}\">{}</text></g>\n", x + 6,
                       y + kBar, html_escaped(each.words));
    y += kRow;
  }
  return out + "</svg></div>\n";
}

// What is predicted for a call, in the report's unit: fixed, and instructions.
std::pair<double, double> parts(const Report& report, const std::optional<cost::Added>& time,
                                const std::optional<cost::Added>& machine,
                                const cost::Span& executed) {
  switch (report.unit) {
    case Unit::Nanoseconds:
      if (time) return {middle(time->fixed), middle(time->instructions)};
      break;
    case Unit::MachineInstructions:
      if (machine) return {middle(machine->fixed), middle(machine->instructions)};
      break;
    case Unit::Instructions:
      break;
  }
  return {0, middle(executed)};
}

std::string proposals(const Report& report) {
  std::vector<Bar> predicted;
  std::vector<Bar> measured;
  for (const Proposal& each : report.proposals) {
    if (!each.refused.empty()) continue;
    const cost::Totals& totals = each.prediction.totals;
    const auto [fixed, body] = parts(report, totals.time, totals.machine, totals.executed);
    predicted.push_back(
        {each.id, each.title, fixed, body, "fixed", "body", change_words(report, each)});
    if (each.measured) {
      measured.push_back({each.id, each.title, each.measured->fixed.median,
                          std::max(0.0, each.measured->instructions.median), "fixed", "body",
                          measured_words(each)});
    }
  }
  std::string out = fmt::format(
      "<h3>Predicted, {} added to a call</h3>\n<p class=\"key\"><span "
      "style=\"background:var(--fixed)\"></span>fixed<span "
      "style=\"background:var(--body)\"></span>instructions of filters</p>\n{}",
      to_string(report.unit), drawn(predicted, "Predicted cost by proposal"));
  if (!measured.empty()) {
    out +=
        fmt::format("<h3>Measured, ns added to a call</h3>\n<p class=\"soft\">{}</p>\n{}",
                    html_escaped(report.measured_by), drawn(measured, "Measured cost by proposal"));
  }
  return out;
}

std::string calls(const Report& report) {
  if (report.best == 0) return {};
  const Proposal& before = report.proposals.front();
  const Proposal& after = report.proposals[report.best];
  std::map<std::uint32_t, const cost::CallCost*> later;
  for (const cost::CallCost& each : after.prediction.calls) later[each.nr] = &each;
  std::vector<Bar> bars;
  const auto total = static_cast<double>(before.prediction.totals.calls);
  for (const cost::CallCost& each : before.prediction.calls) {
    if (bars.size() == 2 * kCalls || each.count == 0) break;
    const auto* const then = later[each.nr];
    if (then == nullptr) continue;
    const double part = total > 0 ? static_cast<double>(each.count) / total : 0;
    const auto bar = [&](const cost::CallCost& call, std::string label, std::string_view colour) {
      const auto [fixed, body] = parts(report, call.time, call.machine, call.executed);
      return Bar{
          std::move(label),
          call.name,
          part * (fixed + body),
          0,
          colour,
          colour,
          fmt::format("{:.2f}{}", part * (fixed + body), call.cache.is_served() ? ", cached" : "")};
    };
    bars.push_back(bar(each, each.name, "before"));
    bars.push_back(bar(*then, "", "after"));
  }
  return fmt::format(
      "<h3>The dearest calls, before and after</h3>\n<p class=\"key\"><span "
      "style=\"background:var(--fixed)\"></span>as it is<span "
      "style=\"background:var(--served)\"></span>{}; {} of the average call</p>\n{}",
      html_escaped(after.id), to_string(report.unit),
      drawn(bars, "Cost by call, before and after"));
}

std::string table(const Report& report) {
  std::string out =
      "<div class=\"chart\"><table><thead><tr><th>proposal</th><th>filters</th>"
      "<th>instructions</th><th>predicted</th><th>measured ns</th><th>install µs</th>"
      "<th>served by the cache</th><th>proof, or why not</th></tr></thead><tbody>\n";
  for (const Proposal& each : report.proposals) {
    const bool shown = each.refused.empty();
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
        "<td class=\"words\">{}</td></tr>\n",
        html_escaped(each.id), shown ? std::to_string(each.programs.size()) : "-",
        shown ? std::to_string(each.instructions) : "-",
        shown ? html_escaped(change_words(report, each)) : "-",
        each.measured ? html_escaped(measured_words(each)) : "-",
        each.measured ? install_words(each) : "-", shown ? served_words(each) : "-",
        html_escaped(shown ? each.proof : each.refused));
  }
  return out + "</tbody></table></div>\n";
}

std::string section(const Report& report) {
  std::string out =
      fmt::format("<h2>{}</h2>\n<p><strong>{}</strong></p>\n<p class=\"soft\">{}</p>\n",
                  html_escaped(filters::model_words(report.model)), html_escaped(summary(report)),
                  html_escaped(calls_words(report)));
  out += proposals(report) + calls(report);
  out += "<h3>Advice</h3>\n<ul>\n";
  for (const Advice& each : report.advice) {
    out += fmt::format("<li>{}</li>\n", html_escaped(each.words));
  }
  out += "</ul>\n<h3>In figures</h3>\n" + table(report);
  return out;
}

}  // namespace

std::string tune_page(std::span<const Report> reports) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<title>Filters tuned to a workload</title><style>{}{}</style></head><body>\n"
      "<h1>Filters tuned to a workload</h1>\n",
      cost::page_style(), kStyle);
  for (const Report& each : reports) out += section(each);
  return out + "</body></html>\n";
}

}  // namespace callgate::tune
