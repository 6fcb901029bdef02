#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/cli/cli.hpp"
#include "harness/cli/named_stacks.hpp"
#include "harness/cli/workloads.hpp"
#include "harness/lab/costs.hpp"
#include "harness/lab/session.hpp"
#include "harness/suite/vector.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string kernels = "default";
  lab::Amount amount;
  std::string keep;
  std::string vectors;
  std::string format = "text";
  bool costs = false;
  std::optional<std::uint32_t> stacks;  ///< random ones: 17, or none where filters are given
  std::vector<std::string> filters;     ///< a stack each
  InputOptions input;
  std::string workload;
};

// The programs of the corpus's check and run vectors, with their inputs.
std::vector<lab::Case> cases_of(const std::string& folder) {
  std::vector<lab::Case> out;
  if (folder.empty()) return out;
  for (const auto kind : {suite::VectorKind::Check, suite::VectorKind::Run}) {
    std::vector<std::filesystem::path> paths;
    std::error_code error;
    const auto below = std::filesystem::path(folder) / suite::folder(kind);
    for (const auto& each : std::filesystem::directory_iterator(below, error)) {
      if (each.path().extension() == ".vec") paths.push_back(each.path());
    }
    if (error) throw UserError(fmt::format("lab: {}: {}", below.string(), error.message()));
    std::ranges::sort(paths);
    for (const auto& path : paths) {
      const auto vector = suite::parse_vector(lab::slurp(path), kind);
      if (!vector) throw UserError(fmt::format("lab: {} cannot be read", path.string()));
      if (vector->programs.empty()) continue;
      lab::Case one{vector->programs.back().instructions, {}};
      for (const auto& each : vector->cases) one.inputs.push_back(each.data);
      out.push_back(std::move(one));
    }
  }
  return out;
}

ordered_json json_of(const lab::Report& report) {
  ordered_json probes = ordered_json::array();
  for (const lab::Seen& each : report.seen) {
    probes.push_back({{"probe", each.probe},
                      {"value", each.value},
                      {"expected", each.expected ? ordered_json(*each.expected) : ordered_json()}});
  }
  return {{"name", report.name},
          {"result", lab::to_string(report.ending)},
          {"reason", report.reason.empty() ? ordered_json() : ordered_json(report.reason)},
          {"release", report.release},
          {"jit", report.jit},
          {"values", report.values},
          {"shifts", report.shifts},
          {"acceptances", report.acceptances},
          {"differences", report.differences},
          {"not_asked", report.not_asked},
          {"first", report.first},
          {"probes", std::move(probes)},
          {"seconds", report.seconds}};
}

// The beginning of a boot's line, or all of it; whether there is more to say.
template <typename BootReport>
bool begin_line(const BootReport& report) {
  const std::string word =
      coloured(std::string(lab::to_string(report.ending)), report.ending == lab::Ending::Passed);
  if (report.release.empty()) {
    fmt::print("{}: {}: {}\n", report.name, word, report.reason);
    return false;
  }
  fmt::print("{}: {}{}{} ({}, JIT {}): ", report.name, word, report.reason.empty() ? "" : ": ",
             report.reason, report.release, report.jit);
  return true;
}

void print(const lab::Report& report) {
  if (!begin_line(report)) return;
  fmt::print(
      "{} values, {} of them shifts, {} acceptances, {} probes, {} differences, {} not asked, "
      "{:.1f} s\n",
      report.values, report.shifts, report.acceptances, report.seen.size(), report.differences,
      report.not_asked, report.seconds);
  for (const std::string& each : report.first) fmt::print("  {}\n", each);
}

ordered_json json_of(const lab::WorkloadCosts& costs) {
  ordered_json out{{"calls", costs.calls},
                   {"unknown_arguments", costs.unknown_arguments},
                   {"left_out", ordered_json::array()},
                   {"stacks", ordered_json::array()}};
  for (const auto& each : costs.left_out) {
    out["left_out"].push_back({{"reason", each.why}, {"calls", each.calls}});
  }
  for (const lab::WorkloadCost& each : costs.stacks) {
    const bool known = each.why.empty();
    const auto figure = [&](double value) { return known ? ordered_json(value) : ordered_json(); };
    out["stacks"].push_back(
        {{"stack", each.name},
         {"reason", known ? ordered_json() : ordered_json(each.why)},
         {"filters", each.filters},
         {"length", each.length},
         {"executed", figure(each.executed)},
         {"cached_share", figure(each.cached_share)},
         {"counted", figure(each.counted)},
         {"fixed", figure(each.fixed)},
         {"instructions", figure(each.instructions)},
         {"predicted", each.predicted ? ordered_json(*each.predicted) : ordered_json()}});
  }
  return out;
}

ordered_json json_of(const lab::CostReport& report) {
  ordered_json stacks = ordered_json::array();
  for (const lab::CountedStack& each : report.stacks) {
    stacks.push_back({{"stack", each.name},
                      {"calls", each.calls},
                      {"served", each.served},
                      {"predicted", each.predicted},
                      {"counted", each.counted},
                      {"holds", each.holds}});
  }
  const cost::Parts& parts = report.parts;
  return {
      {"name", report.name},
      {"result", lab::to_string(report.ending)},
      {"reason", report.reason.empty() ? ordered_json() : ordered_json(report.reason)},
      {"release", report.release},
      {"jit", report.jit},
      {"instructions",
       {{"entry", parts.entry},
        {"cached", parts.cached},
        {"uncached", parts.uncached},
        {"per_filter", parts.per_filter},
        {"per_instruction", parts.per_instruction},
        {"per_jump", parts.per_jump},
        {"per_arithmetic", parts.per_arithmetic}}},
      {"agreements", report.agreements},
      {"differences", report.differences},
      {"unknown", report.unknown},
      {"unknown_served", report.seen_served},
      {"not_told", report.not_told},
      {"served_below", report.served_below ? ordered_json(*report.served_below) : ordered_json()},
      {"first", report.first},
      {"stacks", std::move(stacks)},
      {"workload", report.workload ? json_of(*report.workload) : ordered_json()},
      {"seconds", report.seconds}};
}

void print(const lab::WorkloadCosts& costs) {
  fmt::print("  {:<36} {:>8} {:>7} {:>9} {:>9} {:>9} {:>13} {:>10}\n",
             "added to the workload's average call", "length", "served", "executed", "counted",
             "fixed", "instructions", "predicted");
  for (const lab::WorkloadCost& each : costs.stacks) {
    if (!each.why.empty()) {
      fmt::print("  {:<36} not counted: {}\n", each.name, each.why);
      continue;
    }
    fmt::print("  {:<36} {:>8} {:>6.1f}% {:>9.1f} {:>9.1f} {:>9.1f} {:>13.1f} {:>10}\n", each.name,
               each.length, 100 * each.cached_share, each.executed, each.counted, each.fixed,
               each.instructions,
               each.predicted ? fmt::format("{:.1f}", *each.predicted) : "unknown");
  }
  fmt::print("  {} calls", costs.calls);
  if (costs.unknown_arguments > 0) {
    fmt::print("; unknown arguments (of {} calls) were 0", costs.unknown_arguments);
  }
  fmt::print("\n");
  for (const auto& each : costs.left_out) {
    fmt::print("  {} more are left out: {}\n", each.calls, each.why);
  }
}

void print(const lab::CostReport& report) {
  if (!begin_line(report)) return;
  fmt::print(
      "served by the cache or not: {} as predicted, {} not, {} not predicted ({} of them served), "
      "{} "
      "not told; {:.1f} s\n",
      report.agreements, report.differences, report.unknown, report.seen_served, report.not_told,
      report.seconds);
  const cost::Parts& parts = report.parts;
  if (parts.entry == 0) return;  // it came to no counts
  fmt::print(
      "  machine instructions: getppid {:.1f}; served +{:.1f}, not served +{:.1f}, each further "
      "filter +{:.1f}, a compare +{:.2f}, a jump that is taken {:+.2f} more, arithmetic {:+.2f} "
      "more\n",
      parts.entry, parts.cached, parts.uncached, parts.per_filter, parts.per_instruction,
      parts.per_jump, parts.per_arithmetic);
  if (report.served_below) {
    fmt::print("  where all is allowed, numbers below {} are served\n", *report.served_below);
  }
  fmt::print("  {:<36} {:>6} {:>7} {:>10} {:>10} {:>7}\n", "added to a call that is allowed",
             "calls", "served", "predicted", "counted", "holds");
  for (const lab::CountedStack& each : report.stacks) {
    if (each.calls == 0) continue;
    fmt::print("  {:<36} {:>6} {:>7} {:>10.1f} {:>10.1f} {:>7}\n", each.name, each.calls,
               each.served, each.predicted, each.counted, each.holds);
  }
  if (report.workload) print(*report.workload);
  for (const std::string& each : report.first) fmt::print("  {}\n", each);
}

// What a kernel's report is written as, and how the boot ended.
struct Written {
  lab::Ending ending;
  ordered_json json;
  std::uint64_t values = 0;
  std::uint64_t acceptances = 0;
};

// The stacks, read for the kernel's ABI and version, and the workload as that ABI has it.
std::optional<lab::GivenCosts> given_costs(const lab::LabKernel& kernel, const Options& options) {
  if (options.filters.empty() || !lab::can_count(kernel)) return std::nullopt;
  ModelOptions model_options;
  model_options.arch = info(kernel.calls).name;
  if (parse_version(kernel.version)) model_options.kernel = kernel.version;
  const KernelModel model = model_options.model();
  lab::GivenCosts out;
  out.workload = lab::calls_of_abi(read_calls(options.workload, Arch::X86_64), kernel.calls);
  for (const std::string& each : options.filters) {
    const NamedStack named = read_named_stack(each, options.input, model_options);
    const auto stack = build_stack(named.files, model, default_engine());
    if (!stack) throw UserError(fmt::format("lab: {}: a filter is refused", each));
    lab::CostStack& made = out.stacks.emplace_back();
    made.name = each;
    for (const FilterFile& file : named.files) made.filters.push_back(file.program);
    const auto allows = [&](const verifier::KnownCall& call) {
      return (stack->run(call.data).value & kActionMask) ==
             static_cast<std::uint32_t>(Action::Allow);
    };
    if (std::ranges::none_of(out.workload.calls, allows)) {
      tell("{}: it allows no call of the workload: is it for another architecture than {}?", each,
           model_options.arch);
    }
  }
  return out;
}

Written examine(const lab::LabKernel& kernel, const Options& options,
                const std::vector<lab::Case>& cases, const lab::WorkFolder& work) {
  const auto written = [&](const auto& report) {
    if (lab::interrupted()) throw UserError("lab: interrupted");
    if (options.format == "text") {
      print(report);
      std::fflush(stdout);
    }
    return Written{report.ending, json_of(report)};
  };
  if (options.costs) {
    const auto given = given_costs(kernel, options);
    return written(lab::count_costs(kernel, options.stacks.value_or(given ? 0 : 17),
                                    options.amount.seed, options.amount.patience, work, given));
  }
  const lab::Report report = lab::examine(kernel, options.amount, cases, work);
  Written out = written(report);
  out.values = report.values;
  out.acceptances = report.acceptances;
  return out;
}

int run_lab(const Options& options) {
  const auto kernels = lab::parse_kernels(options.kernels);
  if (!kernels) {
    throw UserError(
        fmt::format("lab: no kernel is named '{}'; default, all, or some of those "
                    "that --help lists",
                    kernels.error()));
  }
  const auto cases = cases_of(options.vectors);
  const lab::WorkFolder work(options.keep);
  ordered_json rows = ordered_json::array();
  std::array<std::size_t, 3> counts{};
  std::uint64_t values = 0;
  std::uint64_t acceptances = 0;
  const auto count = [&](lab::Ending ending) {
    return counts.at(static_cast<std::size_t>(ending));
  };
  for (const lab::LabKernel& each : *kernels) {
    Written written = examine(each, options, cases, work);
    ++counts.at(static_cast<std::size_t>(written.ending));
    values += written.values;
    acceptances += written.acceptances;
    rows.push_back(std::move(written.json));
  }
  const std::size_t passed = count(lab::Ending::Passed);
  const std::size_t failed = count(lab::Ending::Failed);
  const std::size_t skipped = count(lab::Ending::Skipped);
  if (options.format == "json") {
    const ordered_json document{{"callgate", 1},
                                {"passed", passed},
                                {"failed", failed},
                                {"skipped", skipped},
                                {"values", values},
                                {"acceptances", acceptances},
                                {"kernels", std::move(rows)}};
    fmt::print("{}\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    fmt::print("{} passed, {} failed, {} skipped", passed, failed, skipped);
    if (!options.costs) fmt::print("; {} values, {} acceptances", values, acceptances);
    fmt::print("\n");
  }
  if (failed != 0) return kNo;
  return passed != 0 ? kWell : kWrongUse;
}

}  // namespace

void add_lab(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "lab", "Boot kernels of other architectures and versions under QEMU, and compare");
  command.add_option("--kernels", options->kernels, "default, all, or names with commas between")
      ->type_name("LIST");
  command.add_option("--programs", options->amount.programs, "Random programs for each kernel")
      ->type_name("N");
  command.add_option("--seed", options->amount.seed, "Of the random programs")->type_name("S");
  command.add_option("--vectors", options->vectors, "corpus/vectors: its programs are asked too")
      ->type_name("DIR");
  command
      .add_option_function<std::int64_t>(
          "--patience",
          [options](std::int64_t seconds) {
            options->amount.patience = std::chrono::seconds(seconds);
          },
          "Seconds that a boot may take (300); one that takes longer has failed")
      ->check(CLI::Range(1, 86400))
      ->type_name("S");
  auto* const costs = command.add_flag(
      "--costs", options->costs,
      "Count what filters cost in machine instructions, and which numbers the kernel "
      "serves from its cache, in place of verdicts; x86_64 and aarch64 calls");
  command
      .add_option("--stacks", options->stacks,
                  "Random stacks for --costs, beside some others; 17, or with -f 0, if not given")
      ->check(CLI::Range(0, 1000))
      ->type_name("N");
  auto* const workload =
      command
          .add_option("--workload", options->workload,
                      "The calls that stacks of -f are counted for, of x86_64: kernels of "
                      "another ABI get its calls of the same names")
          ->type_name("FILE");
  command
      .add_option(
          "-f,--filter", options->filters,
          "For --costs: a stack to count, of the kernels' architecture; a FILTER, or several "
          "with commas between, the oldest first; once for each stack")
      ->type_name("FILTER")
      ->needs(costs)
      ->needs(workload);
  options->input.add_to(command);
  command.add_option("--keep", options->keep, "Kernels, agents and consoles stay in this folder")
      ->type_name("DIR");
  add_format(command, options->format);
  std::string names;
  for (const lab::LabKernel& each : lab::lab_kernels()) names += fmt::format(" {}", each.name);
  command.footer(fmt::format(
      "\nExample:\n"
      "  callgate lab --kernels s390x-6.1,arm64-6.1-arm --programs 1000\n"
      "  callgate lab --kernels arm64-6.1 --costs\n"
      "  callgate lab --kernels arm64-6.1 --costs -f linear.bpf -f tree.bpf --workload calls\n"
      "\nKernels:{}\n"
      "A kernel passed, failed (it differs, panics, takes too long or its answers are cut) or was "
      "skipped (it, QEMU or a compiler is not to be had). Exit code 1: one failed; 2: all were "
      "skipped, or interrupted. Kernels come from the Debian archive that this machine's apt uses.",
      names));
  command.callback([options, &exit_code] { exit_code = run_lab(*options); });
}

}  // namespace callgate::cli
