#include "harness/corpus/corpus.hpp"

#include <fmt/format.h>

#include <memory>

#include "harness/cli/cli.hpp"
#include "harness/corpus/confirm.hpp"
#include "harness/corpus/export.hpp"
#include "harness/live/availability.hpp"

namespace callgate::cli {
namespace {

struct Options {
  std::string folder;
  std::string format = "json";
  std::string filter;
  bool live = false;
};

corpus::Corpus wanted(const Options& options) {
  corpus::Corpus all = corpus::make_corpus();
  if (options.filter.empty()) return all;
  corpus::Corpus some = corpus::filtered(std::move(all), options.filter);
  for (const corpus::KindCount& each : corpus::counts(some)) {
    if (each.cases != 0) return some;
  }
  throw UserError(
      fmt::format("corpus: no id matches '{}'; without * and ? it is looked for anywhere in the id",
                  options.filter));
}

void print_counts(const corpus::Corpus& corpus) {
  std::size_t cases = 0;
  std::size_t expectations = 0;
  for (const corpus::KindCount& each : corpus::counts(corpus)) {
    fmt::print("{:<8} {:>6} cases {:>7} expectations\n", each.kind, each.cases, each.expectations);
    cases += each.cases;
    expectations += each.expectations;
  }
  fmt::print("{:<8} {:>6} cases {:>7} expectations, {} different programs\n", "in all", cases,
             expectations, corpus::distinct_programs(corpus));
}

// The differences, or nothing where the running kernel agrees.
std::vector<std::string> ask_the_kernel(corpus::Corpus& corpus, const KernelModel& host) {
  const live::Availability available = live::availability();
  for (const std::string& why : {available.filters, available.tracing, available.outcomes}) {
    if (!why.empty()) {
      throw UserError(
          fmt::format("corpus: --live: {}; leave --live out, or run this where it may ask", why));
    }
  }
  auto confirmed = corpus::confirm(corpus, host);
  if (!confirmed) throw UserError("corpus: --live: " + confirmed.error().message);
  fmt::print("{}: {} expectations confirmed\n", corpus::running_kernel(host), confirmed->live);
  for (const auto& [why, count] : confirmed->not_asked) {
    fmt::print("  {} not asked: {}\n", count, why);
  }
  return std::move(confirmed->differences);
}

int export_corpus(const Options& options) {
  if (options.format != "json") {
    throw UserError(
        fmt::format("corpus export: there is no format '{}'; use --format json", options.format));
  }
  corpus::Corpus corpus = wanted(options);
  corpus::ExportOrigin origin{CALLGATE_VERSION, {}};
  if (options.live) {
    const KernelModel host = KernelModel::host();
    const auto differences = ask_the_kernel(corpus, host);
    for (const std::string& each : differences) tell("callgate: {}", each);
    if (!differences.empty()) {
      tell("callgate: {} cases differ from the running kernel; nothing is written",
           differences.size());
      return kNo;
    }
    origin.release = corpus::running_kernel(host);
  }
  const auto files = corpus::render(corpus, origin);
  if (const auto written = corpus::write_export(files, options.folder); !written) {
    throw UserError("corpus export: " + written.error());
  }
  print_counts(corpus);
  fmt::print("written to {}; {} says how to read it\n", options.folder, "README.md");
  return kWell;
}

void add_filter(CLI::App& command, Options& options) {
  command
      .add_option("--filter", options.filter,
                  "Only the cases with such an id: * stands for anything, ? for one character; "
                  "without them, the ids that contain it")
      ->type_name("PATTERN");
}

}  // namespace

void add_corpus(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "corpus",
      "The conformance corpus: programs, inputs and what Linux makes of them, for others");
  command.require_subcommand(1);

  CLI::App& list = *command.add_subcommand("list", "How much there is, by kind");
  add_filter(list, *options);
  list.footer(
      "\nExample:\n"
      "  callgate corpus list --filter 'check/shift/*'");
  list.callback([options, &exit_code] {
    print_counts(wanted(*options));
    exit_code = kWell;
  });

  CLI::App& written = *command.add_subcommand("export", "Write it into a folder");
  written.add_option("folder", options->folder, "New, empty, or an earlier export to be replaced")
      ->type_name("DIR")
      ->required();
  written.add_option("--format", options->format, "json; there is no other")->type_name("FORMAT");
  written.add_flag("--live", options->live,
                   "Ask the running kernel for all that it can be asked for, and write which cases "
                   "it confirmed; about a minute");
  add_filter(written, *options);
  written.footer(
      "\nExample:\n"
      "  callgate corpus export --format json --live seccomp-corpus\n"
      "  python3 seccomp-corpus/consume_example.py seccomp-corpus\n"
      "\nExit code 1: the running kernel differs from a case, and nothing was written.");
  written.callback([options, &exit_code] { exit_code = export_corpus(*options); });

  command.footer(
      "\nExamples:\n"
      "  callgate corpus list\n"
      "  callgate corpus export --format json seccomp-corpus");
}

}  // namespace callgate::cli
