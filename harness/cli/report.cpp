#include <fmt/format.h>

#include <memory>

#include "harness/cli/cli.hpp"
#include "harness/cli/workloads.hpp"
#include "harness/cost/prediction.hpp"
#include "harness/coverage/read_json.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/report/page/page.hpp"

namespace callgate::cli {
namespace {

struct Options {
  ModelOptions model;
  InputOptions input;
  std::vector<std::string> filters;
  std::vector<std::string> others;
  std::string out;
  bool cost = false;
  std::string workload;
  std::string coverage;
};

report::NamedStack named(const FilterStack& stack, const std::vector<FilterFile>& files) {
  report::NamedStack out{.stack = &stack, .names = {}};
  for (const FilterFile& file : files) out.names.push_back(file.path);
  return out;
}

cost::Report cost_of(const Options& options, const FilterStack& stack) {
  const KernelModel& model = stack.model();
  std::vector<verifier::KnownCall> calls;
  if (!options.workload.empty()) calls = read_calls(options.workload, model.arch);
  cost::Report report;
  report.model = model;
  report.filters = stack.size();
  report.has_workload = !options.workload.empty();
  if (model.arch == Arch::X86_64) report.time = cost::TimeModel{};
  if (auto counted = cost::counted_kernel(model)) {
    report.counted = *counted;
  } else {
    report.not_counted = counted.error();
  }
  report.prediction = report.has_workload ? cost::predict(stack, calls, report.time, report.counted)
                                          : cost::predict(stack, cost::every_call(model.arch),
                                                          report.time, report.counted);
  return report;
}

report::PageCoverage coverage_of(const std::string& path, const report::PageInput& page) {
  const auto text = front_ends::read_file(path);
  if (!text) throw UserError(fmt::format("{}: {}", path, text.error().message));
  const auto read = coverage::read_coverage(*text);
  if (!read) throw UserError(fmt::format("{}: {}", path, to_string(read.error())));
  auto found = report::page_coverage(*read, page.stack, page.other ? &*page.other : nullptr);
  if (!found) throw UserError(fmt::format("{}: {}", path, found.error()));
  return std::move(*found);
}

int report_of(const Options& options) {
  const KernelModel model = options.model.model();
  const std::vector<FilterFile> files = read_stack(options.filters, options.input, options.model);
  const auto stack = build_stack(files, model, *engines().front());
  if (!stack) return kNo;
  report::PageInput input{.stack = named(*stack, files)};
  const std::vector<FilterFile> others = read_stack(options.others, options.input, options.model);
  std::optional<FilterStack> other;
  if (!others.empty()) {
    other = build_stack(others, model, *engines().front());
    if (!other) return kNo;
    input.other = named(*other, others);
  }
  if (!options.coverage.empty()) input.coverage = coverage_of(options.coverage, input);
  if (options.cost) input.cost = cost_of(options, *stack);
  const std::string text = report::page(input);
  if (options.out != "-") {
    write_whole(options.out, text);
  } else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    throw UserError("report: standard output could not be written");
  }
  if (report::page_engine().empty()) {
    tell("callgate: calls cannot be put to the filters in this page: {}",
         report::page_engine_reason());
  }
  return kWell;
}

}  // namespace

void add_report(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "report", "A page for the browser: what filters decide, and where each call goes");
  add_filters(command, options->filters);
  options->model.add_to(command);
  command.add_option("-o,--output", options->out, "Where the page goes; - is standard output")
      ->type_name("FILE")
      ->required();
  command
      .add_option("--diff", options->others,
                  "A filter to put beside: each call is put to both; give the option once for each "
                  "of its stack")
      ->type_name("OTHER");
  CLI::Option* cost = command.add_flag("--cost", options->cost,
                                       "What each call costs, as `callgate cost` predicts");
  command
      .add_option("--workload", options->workload,
                  "With --cost: calls and counts, as `callgate cost --workload` takes them")
      ->type_name("FILE")
      ->needs(cost);
  command
      .add_option("--coverage", options->coverage,
                  "What a suite covered of the filters, as `callgate test --coverage json=FILE` "
                  "writes it")
      ->type_name("FILE");
  options->input.add_to(command);
  command.footer(
      "\nExamples:\n"
      "  callgate report -f filter.bpf -o report.html\n"
      "  callgate report -f old.json --diff new.json --cost -o report.html\n"
      "  callgate test --coverage json=coverage.json suite.yaml\n"
      "  callgate report -f filter.bpf --coverage coverage.json -o report.html\n"
      "\nThe page is one file that loads nothing: the engine that answers in it is this program's "
      "reference\ninterpreter, compiled for the browser.\nExit code 1: a filter is refused.");
  command.callback([options, &exit_code] { exit_code = report_of(*options); });
}

}  // namespace callgate::cli
