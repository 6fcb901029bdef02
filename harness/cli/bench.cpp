#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/bench_compare.hpp"
#include "harness/cli/bench_words.hpp"
#include "harness/cli/cli.hpp"
#include "harness/cli/workloads.hpp"
#include "harness/cost/conditions.hpp"
#include "harness/cost/live_cost.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/report/words.hpp"
#include "vm/syscalls.hpp"

namespace callgate::cli {
namespace {

using cli::json_of;
using cost::Estimate;
using nlohmann::ordered_json;

struct Options {
  std::vector<std::string> filters;
  std::vector<std::string> compare;
  InputOptions input;
  std::string workload;
  bool all = false;
  cost::CostOptions how;
  std::string model;
  std::string format = "text";
};

// All that a report is made of.
struct Report {
  cost::Conditions conditions;
  cost::StackCost costs;
  std::size_t filters = 0;
  bool weighted = false;
};

std::vector<cost::Weight> weights_of(const Options& options) {
  std::vector<cost::Weight> out;
  if (!options.workload.empty()) {
    for (const auto& each : read_counts(options.workload, Arch::X86_64)) {
      out.push_back({each.nr, each.count});
    }
  }
  if (options.all) {
    const std::uint32_t end = syscalls(Arch::X86_64).back().nr;
    for (std::uint32_t nr = 0; nr <= end; ++nr) out.push_back({nr, 1});
  }
  return out;
}

std::string name_of(std::uint32_t nr) {
  const auto name = syscall_name(Arch::X86_64, nr);
  return name ? std::string(*name) : fmt::format("{}", nr);
}

void print_fixed(const Report& report) {
  const cost::StackCost& costs = report.costs;
  const cost::CostModel& model = costs.model;
  fmt::print("{:<44} {:>8} {:<7}  adds\n", "ns for each getppid, warm", "median", "spread");
  fmt::print("{:<44} {}\n", "no filter", ns(model.entry));
  fmt::print("{:<44} {}  {}\n", "any filter, number served by the cache", ns(costs.cached_call),
             difference(model.cached));
  fmt::print("{:<44} {}  {}\n", "smallest filter that defeats the cache", ns(costs.uncached_call),
             difference(model.uncached));
  const std::string stack = report.filters == 1
                                ? std::string("this filter")
                                : fmt::format("this stack of {} filters", report.filters);
  if (costs.stack_call) {
    fmt::print("{:<44} {}  {}\n", stack, ns(*costs.stack_call), difference(*costs.stack_adds));
  } else {
    fmt::print("{:<44} not measured: {}\n", stack, costs.stack_call_why);
  }
  fmt::print(
      "each further filter, not cached: {}; an instruction of a run of compares: {:.3f} ns, a jump "
      "that is taken +{:.3f}, arithmetic +{:.3f}\n",
      difference(model.per_filter), model.per_instruction.median, model.per_jump.median,
      model.per_arithmetic.median);
}

std::string cache_words(const cost::CacheAnswer& answer) {
  return std::string(to_string(answer.cached));
}

void print_numbers(const Report& report) {
  if (report.costs.numbers.empty()) return;
  fmt::print("\n{:<24} {:>10}  {:<15} {:>12}  {:<26} this stack adds\n", "call", "count",
             "in the cache", "instructions", "they take");
  bool spared = false;
  std::vector<const cost::NumberCost*> rows;
  for (const cost::NumberCost& each : report.costs.numbers) rows.push_back(&each);
  std::ranges::sort(rows, [](const auto* a, const auto* b) {
    return a->count != b->count ? a->count > b->count : a < b;
  });
  for (const cost::NumberCost* row : rows) {
    std::string body = row->body ? difference(*row->body) : std::string("-");
    if (row->body && row->cache.cached == cost::Cached::Yes) {
      body = fmt::format("({})", body);
      spared = true;
    }
    std::string adds = row->adds ? difference(*row->adds) : std::string("unknown");
    if (!row->why.empty()) adds += fmt::format(" ({})", row->why);
    if (row->why.empty() && !row->cache.why.empty()) adds += fmt::format(" ({})", row->cache.why);
    fmt::print("{:<24} {:>10}  {:<15} {:>12}  {:<26} {}\n", name_of(row->nr), row->count,
               cache_words(row->cache), row->executed, body, adds);
  }
  if (spared) fmt::print("In brackets: what the cache spares.\n");
}

void print_weighted(const Report& report) {
  const cost::WeightedCost& sum = report.costs.weighted;
  if (!report.weighted || sum.calls == 0) return;
  const double share = 100 * static_cast<double>(sum.cached_calls) / static_cast<double>(sum.calls);
  fmt::print(
      "\nOn average this stack adds {} ns to a call: {} is the fixed cost of having filters, {} "
      "their instructions.\n"
      "{:.1f} % of {} calls are served by the cache",
      difference(sum.adds), difference(sum.fixed), difference(sum.instructions), share, sum.calls);
  if (sum.left_out > 0) fmt::print("; {} more are left out", sum.left_out);
  fmt::print(".\n");
}

ordered_json json_of(const cost::NumberCost& row) {
  const std::string_view why = row.why.empty() ? row.cache.why : row.why;
  return {{"syscall", name_of(row.nr)},
          {"nr", row.nr},
          {"count", row.count},
          {"cached", to_string(row.cache.cached)},
          {"asked_by", row.cache.asked_by},
          {"instructions", row.executed},
          {"body_ns", json_of(row.body)},
          {"adds_ns", json_of(row.adds)},
          {"reason", why.empty() ? ordered_json(nullptr) : ordered_json(why)}};
}

ordered_json json_of(const Report& report) {
  const cost::StackCost& costs = report.costs;
  const cost::WeightedCost& sum = costs.weighted;
  ordered_json document{
      {"callgate", 1},
      {"conditions", json_of(report.conditions)},
      {"rounds", costs.rounds},
      {"preemptions", costs.preemptions},
      {"filters", report.filters},
      {"entry_ns", json_of(costs.model.entry)},
      {"cached_ns", json_of(costs.model.cached)},
      {"uncached_ns", json_of(costs.model.uncached)},
      {"per_filter_ns", json_of(costs.model.per_filter)},
      {"per_instruction_ns", json_of(costs.model.per_instruction)},
      {"per_jump_ns", json_of(costs.model.per_jump)},
      {"per_arithmetic_ns", json_of(costs.model.per_arithmetic)},
      {"stack_call_ns", json_of(costs.stack_call)},
      {"stack_adds_ns", json_of(costs.stack_adds)},
      {"reason", costs.stack_call ? ordered_json(nullptr) : ordered_json(costs.stack_call_why)},
      {"calls", ordered_json::array()},
      {"weighted", nullptr}};
  for (const cost::NumberCost& each : costs.numbers) document["calls"].push_back(json_of(each));
  if (report.weighted) {
    document["weighted"] = {{"calls", sum.calls},
                            {"cached_calls", sum.cached_calls},
                            {"left_out", sum.left_out},
                            {"adds_ns", json_of(sum.adds)},
                            {"fixed_ns", json_of(sum.fixed)},
                            {"instructions_ns", json_of(sum.instructions)}};
  }
  return document;
}

void write_model(const std::string& path, const Report& report) {
  const cost::CostModel& model = report.costs.model;
  write_whole(path, dump({{"callgate", 1},
                          {"kernel", report.conditions.kernel},
                          {"cpu", report.conditions.cpu},
                          {"entry_ns", model.entry.median},
                          {"cached_ns", model.cached.median},
                          {"uncached_ns", model.uncached.median},
                          {"per_filter_ns", model.per_filter.median},
                          {"per_instruction_ns", model.per_instruction.median},
                          // On a processor where they cost no more, noise may make it less.
                          {"per_jump_ns", std::max(0.0, model.per_jump.median)},
                          {"per_arithmetic_ns", std::max(0.0, model.per_arithmetic.median)}}));
}

int bench(const Options& options) {
  if (host_arch() != Arch::X86_64) {
    throw UserError("bench: the running kernel can be measured on x86_64 machines only");
  }
  need_core("bench", options.how.cpu);
  if (!options.compare.empty()) {
    return bench_compare({.stacks = options.compare,
                          .input = options.input,
                          .workload = options.workload,
                          .how = {.rounds = options.how.rounds,
                                  .seconds = options.how.seconds,
                                  .cpu = options.how.cpu},
                          .json = options.format == "json"});
  }
  const std::vector<cost::Weight> weights = weights_of(options);
  ModelOptions model_options;
  model_options.kernel = "host";
  const KernelModel model = model_options.model();
  const std::vector<FilterFile> files = read_stack(options.filters, options.input, model_options);
  const auto stack = build_stack(files, model, default_engine());
  if (!stack) return kNo;
  Report report;
  report.filters = files.size();
  report.weighted = !weights.empty();
  auto costs = cost::live_cost(*stack, weights, options.how);
  if (!costs) throw UserError(fmt::format("bench: {}", costs.error().message));
  report.costs = std::move(*costs);
  if (report.costs.install_error != 0) {
    tell("{}: the kernel refuses it: {}", files.at(report.costs.refused).path,
         report::errno_name(report.costs.install_error).value_or("an error"));
    return kNo;
  }
  report.conditions =
      cost::conditions(report.costs.core >= 0 ? std::optional(report.costs.core) : std::nullopt);
  if (!options.model.empty()) write_model(options.model, report);
  if (options.format == "json") {
    fmt::print("{}", dump(json_of(report)));
    return kWell;
  }
  print_conditions(report.conditions, report.costs.core, report.costs.rounds,
                   report.costs.preemptions);
  print_fixed(report);
  print_numbers(report);
  print_weighted(report);
  return kWell;
}

}  // namespace

void add_bench(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "bench", "Measure what these filters add to calls of the running kernel");
  add_filters(command, options->filters);
  CLI::Option* const filter = command.get_option("--filter")->required(false);
  auto* const compare =
      command
          .add_option("--compare", options->compare,
                      "In place of -f: stacks to put side by side, two at least, for the calls of "
                      "--workload. Each is a FILTER, or several with commas between, the oldest "
                      "first")
          ->type_name("STACK")
          ->expected(2, 16)
          ->excludes(filter);
  auto* const workload =
      command
          .add_option(
              "--workload", options->workload,
              "Which calls, and how often: what `callgate workload` reads, a trace or a table; "
              "- is standard input")
          ->type_name("FILE");
  compare->needs(workload);
  command.add_flag("--all", options->all, "Every number of x86_64, each once")
      ->excludes(workload)
      ->excludes(compare);
  command
      .add_option("--rounds", options->how.rounds,
                  "How often to measure; 15 if not given, 8 at least with --compare")
      ->check(CLI::Range(3U, 100'000U))
      ->type_name("N");
  command
      .add_option("--seconds", options->how.seconds,
                  "Begin no round after that long, once there are 3 (8 with --compare); 20 if not "
                  "given")
      ->check(CLI::Range(0.0, 86'400.0))
      ->type_name("S");
  command.add_option("--cpu", options->how.cpu, "The core; the last usable one if not given")
      ->check(CLI::Range(0, 1023))
      ->type_name("N");
  command.add_option("--model", options->model, "Write the coefficients for `callgate cost`")
      ->type_name("FILE")
      ->excludes(compare);
  add_format(command, options->format);
  options->input.add_to(command);
  command.footer(
      "\nExample:\n"
      "  strace -f -c -o calls COMMAND; callgate bench -f filter.bpf --workload calls\n"
      "  callgate bench --compare linear.bpf tree.bpf --workload calls\n"
      "\nFigures are medians of rounds with their median absolute deviation, of calls that are "
      "made "
      "again and again in children pinned to one core: the least that a filter costs. Nothing that "
      "a filter allows is executed, but for a few calls that do nothing: returns become refusals. "
      "Arguments are 0; x86_64's calls only. --compare makes the workload's calls with their "
      "arguments, in a shuffled order, under stacks that take turns; a difference is called one "
      "where the interval of its median, at 99 %, leaves out 0, and else within the noise.\n"
      "Exit code 1: a filter is refused.");
  command.callback([options, &exit_code] {
    if (options->filters.empty() && options->compare.empty()) {
      throw CLI::RequiredError("bench: -f FILTER or --compare A B");
    }
    exit_code = bench(*options);
  });
}

}  // namespace callgate::cli
