#include "harness/audit/writers.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/report/words.hpp"

namespace callgate::audit {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const Shown& shown, const KernelModel& model) {
  ordered_json args = ordered_json::array();
  for (const std::uint64_t each : shown.call.args) args.push_back(fmt::format("{:#x}", each));
  return {{"syscall", report::call_name(shown.call)},
          {"nr", shown.call.nr},
          {"arch", report::arch_name(shown.call)},
          {"args", std::move(args)},
          {"instruction_pointer", fmt::format("{:#x}", shown.call.instruction_pointer)},
          {"value", fmt::format("{:#010x}", shown.value)},
          {"verdict", report::verdict_words(shown.value, model)}};
}

template <typename Value>
ordered_json or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json json_of(const Finding& finding, const Report& report) {
  const FindingInfo& row = info(finding.id);
  ordered_json out{{"id", row.name},
                   {"severity", to_string(finding.severity)},
                   {"title", row.title},
                   {"message", finding.message},
                   {"remedy", row.remedy}};
  out["syscall"] = finding.syscall.empty() ? ordered_json() : ordered_json(finding.syscall);
  out["filter"] = or_null(finding.filter);
  out["instruction"] = or_null(finding.instruction);
  out["line"] = or_null(finding.line);
  out["calls"] = ordered_json::array();
  for (const Shown& each : finding.shown) out["calls"].push_back(json_of(each, report.model));
  out["suppressed"] = or_null(finding.suppressed);
  return out;
}

std::string counts(const Report& report) {
  std::array<std::size_t, 3> of{};
  std::size_t suppressed = 0;
  for (const Finding& each : report.found) {
    if (each.suppressed) {
      ++suppressed;
    } else {
      ++of[static_cast<std::size_t>(each.severity)];
    }
  }
  const auto plural = [](std::size_t count, std::string_view word) {
    return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
  };
  return fmt::format("{}, {}, {}{}", plural(of[2], "error"), plural(of[1], "warning"),
                     plural(of[0], "note"),
                     suppressed == 0 ? "" : fmt::format(", {} suppressed", suppressed));
}

}  // namespace

std::string shown_words(const Shown& shown, const KernelModel& model) {
  std::string args;
  std::size_t last = 0;
  for (std::size_t i = 0; i < shown.call.args.size(); ++i) {
    if (shown.call.args[i] != 0) last = i + 1;
  }
  for (std::size_t i = 0; i < last; ++i) {
    args += fmt::format("{}{:#x}", i == 0 ? "" : ", ", shown.call.args[i]);
  }
  if (last < shown.call.args.size()) args += last == 0 ? "0, …" : ", 0, …";
  return fmt::format("{}({}) of {}, number {:#x}, gets {}", report::call_name(shown.call), args,
                     report::arch_name(shown.call), static_cast<std::uint32_t>(shown.call.nr),
                     report::verdict_words(shown.value, model));
}

std::string place_words(const Finding& finding, const Report& report) {
  std::string out;
  if (finding.filter) {
    out = fmt::format("filter {} ({})", *finding.filter, report.filters.at(*finding.filter));
  }
  if (finding.instruction) out += fmt::format(", instruction {}", *finding.instruction);
  if (finding.line) out += fmt::format(", line {} of the profile", *finding.line);
  return out;
}

std::string text(const Report& report) {
  std::string out;
  for (const Finding& each : report.found) {
    const FindingInfo& row = info(each.id);
    out += fmt::format("{}: {} [{}]\n", to_string(each.severity), row.title, row.name);
    out += fmt::format("  {}\n", each.message);
    for (const Shown& shown : each.shown) {
      out += fmt::format("  {}\n", shown_words(shown, report.model));
    }
    if (const std::string place = place_words(each, report); !place.empty()) {
      out += fmt::format("  at {}\n", place);
    }
    if (each.suppressed) {
      out += fmt::format("  suppressed: {}\n", *each.suppressed);
    } else {
      out += fmt::format("  remedy: {}\n", row.remedy);
    }
  }
  for (const Incomplete& each : report.incomplete) {
    out += fmt::format("not complete: {}: {}\n", each.checks, each.reason);
  }
  return out + fmt::format("{}; for Linux {} {}\n", counts(report), to_string(report.model.version),
                           info(report.model.arch).name);
}

std::string json(const Report& report) {
  ordered_json document{{"callgate", 1},
                        {"kernel", to_string(report.model.version)},
                        {"arch", info(report.model.arch).name},
                        {"filters", report.filters}};
  document["findings"] = ordered_json::array();
  for (const Finding& each : report.found) document["findings"].push_back(json_of(each, report));
  document["incomplete"] = ordered_json::array();
  for (const Incomplete& each : report.incomplete) {
    document["incomplete"].push_back({{"checks", each.checks}, {"reason", each.reason}});
  }
  document["summary"] = counts(report);
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string list_text() {
  std::string out;
  for (const FindingInfo& row : findings()) {
    out += fmt::format("{} ({})\n  {}\n  remedy: {}\n", row.name, to_string(row.severity),
                       row.title, row.remedy);
  }
  return out;
}

}  // namespace callgate::audit
