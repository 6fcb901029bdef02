#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/cli.hpp"
#include "harness/cli/cost_files.hpp"
#include "harness/cli/workloads.hpp"
#include "harness/cost/cost_page.hpp"
#include "harness/cost/cost_words.hpp"
#include "harness/cost/prediction.hpp"
#include "harness/cost/time_model.hpp"
#include "harness/front_ends/program_reader.hpp"

namespace callgate::cli {
namespace {

using cli::json_of;
using cost::Span;
using nlohmann::ordered_json;
using verifier::Cached;

struct Options {
  ModelOptions model;
  std::vector<std::string> filters;
  InputOptions input;
  std::string workload;
  std::string time_model;
  std::string format = "text";
  std::string html;
};

std::string text(const cost::Report& report) {
  std::string out = fmt::format("{}, {} filter{}: {}\n", model_words(report.model), report.filters,
                                report.filters == 1 ? "" : "s", cost::cache_words(report.model));
  if (report.time) {
    const cost::TimeModel& time = *report.time;
    out += fmt::format(
        "ns by {}: call {:.1f}, cached +{:.1f}, not cached +{:.1f}, each further filter +{:.1f}, "
        "instruction +{:.3f}, a jump that is taken +{:.3f} more, arithmetic +{:.3f} more\n",
        time.source, time.entry_ns, time.cached_ns, time.uncached_ns, time.per_filter_ns,
        time.per_instruction_ns, time.per_jump_ns, time.per_arithmetic_ns);
  } else {
    out += fmt::format("No time: it was measured for x86_64 only.\n");
  }
  out += cost::machine_words(report) + "\n\n";
  out += fmt::format("{:>10}  {:<24} {:>10}  {:<8} {:>13} {:>13}", "number", "call", "count",
                     "cached", "instructions", "eBPF");
  if (report.counted) out += fmt::format(" {:>14}", "adds machine");
  if (report.time) out += fmt::format(" {:>14}", "adds ns");
  out += "  why not\n";
  bool parentheses = false;
  bool bounds = false;
  for (const cost::CallCost& call : report.prediction.calls) {
    const bool served = call.cache.is_served();
    std::string classic = cost::count_words(call.path.classic);
    std::string ebpf = call.path.ebpf ? cost::count_words(*call.path.ebpf) : std::string("-");
    if (!call.path.exact) {
      classic += '~';
      bounds = true;
    }
    if (served) {
      classic = fmt::format("({})", classic);
      ebpf = fmt::format("({})", ebpf);
      parentheses = true;
    }
    std::string line = fmt::format("{:>10}  {:<24} {:>10}  {:<8} {:>13} {:>13}",
                                   static_cast<std::int32_t>(call.nr), call.name, call.count,
                                   cost::cached_word(call.cache), classic, ebpf);
    if (call.machine) line += fmt::format(" {:>14}", cost::span_words(call.machine->sum()));
    if (call.time) line += fmt::format(" {:>14}", cost::span_words(call.time->sum()));
    if (!call.why.empty()) line += "  " + call.why;
    out += line + "\n";
  }
  out += "\n";
  if (parentheses) out += "( ): the cache serves the number, these do not run.\n";
  if (bounds) {
    out +=
        "~: depends on more than number and architecture; no call runs less or more, but the "
        "ends may not be reached.\n";
  }
  return out + cost::summary(report) + "\n";
}

ordered_json json_of(const verifier::Count& count) {
  return {{"min", count.least}, {"max", count.most}};
}

ordered_json json_of(const cost::CallCost& call) {
  ordered_json out{{"syscall", call.name},
                   {"nr", static_cast<std::int32_t>(call.nr)},
                   {"count", call.count},
                   {"cached", cost::cached_word(call.cache)}};
  out["reason"] = call.why.empty() ? ordered_json() : ordered_json(call.why);
  const bool blames =
      call.cache.cached == Cached::NotEmulated || call.cache.cached == Cached::NotAllowed;
  out["filter"] = blames ? ordered_json(call.cache.filter) : ordered_json();
  out["instruction"] = blames ? ordered_json(call.cache.instruction) : ordered_json();
  out["classic"] = json_of(call.path.classic);
  out["ebpf"] = call.path.ebpf ? json_of(*call.path.ebpf) : ordered_json();
  out["machine"] = json_of(call.machine);
  out["exact"] = call.path.exact;
  out["executed"] = json_of(call.executed);
  out["ns"] = json_of(call.time);
  return out;
}

std::string json(const cost::Report& report) {
  ordered_json document{{"callgate", 1},
                        {"kernel", callgate::to_string(report.model.version)},
                        {"arch", info(report.model.arch).name},
                        {"filters", report.filters}};
  document["cache"] = ordered_json();
  if (const auto range = verifier::cache_range(report.model)) {
    document["cache"] = {{"surely_below", range->surely},
                         {"at_most_below", range->at_most},
                         {"mark", to_string(range->mark)},
                         {"arch_mark", to_string(range->arch_mark)}};
  }
  document["machine_reason"] = report.counted ? ordered_json() : ordered_json(report.not_counted);
  document["machine_model"] = ordered_json();
  if (const auto& counted = report.counted) {
    const cost::Parts& parts = counted->parts;
    document["machine_model"] = {{"source", cost::source_words(*counted, report.model)},
                                 {"entry", parts.entry},
                                 {"cached", parts.cached},
                                 {"uncached", parts.uncached},
                                 {"per_filter", parts.per_filter},
                                 {"per_instruction", parts.per_instruction},
                                 {"per_jump", parts.per_jump},
                                 {"per_arithmetic", parts.per_arithmetic}};
  }
  document["model"] = ordered_json();
  if (report.time) {
    document["model"] = ordered_json{{"source", report.time->source}};
#define COEFFICIENT(name, ...) document["model"][#name] = report.time->name;
#include "harness/cost/time_model.def"
#undef COEFFICIENT
  }
  document["calls"] = ordered_json::array();
  for (const cost::CallCost& call : report.prediction.calls) {
    document["calls"].push_back(json_of(call));
  }
  const cost::Totals& totals = report.prediction.totals;
  document["totals"] = {{"calls", totals.calls},
                        {"served", totals.served},
                        {"not_known", totals.not_known},
                        {"executed", json_of(totals.executed)},
                        {"machine", json_of(totals.machine)},
                        {"ns", json_of(totals.time)}};
  document["summary"] = cost::summary(report);
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

int cost_of(const Options& options) {
  const KernelModel model = options.model.model();
  std::vector<verifier::KnownCall> calls;
  if (!options.workload.empty()) calls = read_calls(options.workload, model.arch);
  cost::Report report;
  report.model = model;
  report.has_workload = !options.workload.empty();
  if (!options.time_model.empty()) {
    if (model.arch != Arch::X86_64) {
      throw UserError("--model: time is told for x86_64 only");
    }
    report.time = read_time_model(options.time_model);
  } else if (model.arch == Arch::X86_64) {
    report.time = cost::TimeModel{};
  }
  if (auto counted = cost::counted_kernel(model)) {
    report.counted = *counted;
  } else {
    report.not_counted = counted.error();
  }
  const std::vector<FilterFile> files = read_stack(options.filters, options.input, options.model);
  const auto stack = build_stack(files, model, default_engine());
  if (!stack) return kNo;
  report.filters = files.size();  // a unit or a capture is several
  report.prediction =
      report.has_workload
          ? cost::predict(*stack, calls, report.time, report.counted)
          : cost::predict(*stack, cost::every_call(model.arch), report.time, report.counted);
  if (!options.html.empty()) write_whole(options.html, cost::cost_page(report));
  fmt::print("{}", options.format == "json" ? json(report) : text(report));
  return kWell;
}

}  // namespace

void add_cost(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "cost", "Predict what these filters add to each call: cache, instructions, time");
  add_filters(command, options->filters);
  options->model.add_to(command);
  command
      .add_option("--workload", options->workload,
                  "Which calls, and how often: what `callgate workload` reads, a trace or a table; "
                  "- is standard input; every call of the architecture once if not given")
      ->type_name("FILE");
  command
      .add_option("--model", options->time_model,
                  "Times as `callgate bench --model FILE` writes them; x86_64 only")
      ->type_name("FILE");
  add_bars_page(command, options->html);
  add_format(command, options->format);
  options->input.add_to(command);
  command.footer(
      "\nExample:\n"
      "  callgate record -o calls.trace -- COMMAND\n"
      "  callgate cost -f filter.bpf --workload calls.trace\n"
      "\nNothing is executed and no kernel is asked: the cache of constant actions is followed as "
      "the\nkernel does, the paths of the programs are counted. What cannot be told is said to be "
      "unknown.\nExit code 1: a filter is refused.");
  command.callback([options, &exit_code] { exit_code = cost_of(*options); });
}

}  // namespace callgate::cli
