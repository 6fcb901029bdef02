#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "harness/cli/cli.hpp"
#include "harness/cli/test_run.hpp"
#include "harness/suite/reporters.hpp"
#include "harness/suite/runner.hpp"
#include "harness/suite/scanner.hpp"

namespace callgate::cli {
namespace {

// "2/4"
void parse_shard(const std::string& text, suite::RunOptions& to) {
  const std::size_t slash = text.find('/');
  const auto part = suite::number_of(std::string_view(text).substr(0, slash));
  const auto parts = slash == std::string::npos
                         ? std::nullopt
                         : suite::number_of(std::string_view(text).substr(slash + 1));
  if (!part || !parts || *part == 0 || *part > *parts) {
    throw UserError(fmt::format("--shard {}: write it as 1/4: the first of four parts", text));
  }
  to.shard = *part;
  to.shards = *parts;
}

// How far it is, on a terminal: a line that is written over.
class Progress {
 public:
  void show(const suite::CaseResult& result, std::size_t done, std::size_t all) {
    const bool bad =
        result.status == suite::Status::Failed || result.status == suite::Status::Error;
    failed_ += bad ? 1 : 0;
    const auto now = std::chrono::steady_clock::now();
    if (done != all && now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    constexpr std::size_t kWidth = 30;
    const std::size_t filled = kWidth * done / std::max<std::size_t>(all, 1);
    fmt::print(stderr, "\r[{:<{}}] {} of {} cases{}", std::string(filled, '#'), kWidth, done, all,
               failed_ == 0 ? std::string{} : fmt::format(", {} failed", failed_));
    std::fflush(stderr);
    shown_ = true;
  }
  void end() {
    if (shown_) fmt::print(stderr, "\r\033[K");
    shown_ = false;
  }

 private:
  std::chrono::steady_clock::time_point last_{};
  std::size_t failed_ = 0;
  bool shown_ = false;
};

const suite::Reporter& reporter_of(const std::string& name) {
  if (const suite::Reporter* found = suite::reporter_from_name(name)) return *found;
  std::string names;
  for (const suite::Reporter& each : suite::reporters()) names += fmt::format(" {}", each.name);
  throw UserError(fmt::format("{}: no format of reports; there are{}", name, names));
}

// "junit=report.xml"
void write_reports(const TestOptions& options, const suite::RunResults& results) {
  suite::ReportOptions report;
  report.accept_unknown = !options.strict;
  for (const std::string& each : options.reports) {
    const std::size_t equals = each.find('=');
    write_whole(each.substr(equals + 1),
                reporter_of(each.substr(0, equals)).write(results, report));
  }
  report.verbose = options.verbose;
  report.colour = options.format == "text" && colours_wanted();
  fmt::print("{}", reporter_of(options.format).write(results, report));
}

int exit_code_of(const suite::RunResults& results, bool strict) {
  const suite::Counts counts = results.counts();
  if (counts.failed + counts.errors + results.not_run != 0) return kNo;
  if (strict && counts.unknown + counts.absent != 0) return kNo;
  return kWell;
}

int run(const TestOptions& options) {
  for (const std::string& each : options.reports) {
    if (each.find('=') == std::string::npos) {
      throw UserError(
          fmt::format("--report {}: write it as FORMAT=FILE, such as junit=tests.xml", each));
    }
    static_cast<void>(reporter_of(each.substr(0, each.find('='))));
  }
  static_cast<void>(reporter_of(options.format));
  std::vector<suite::Suite> suites;
  for (const std::string& path : options.suites) {
    auto read = suite::read_suite_file(path);
    if (!read) throw UserError(suite::to_string(read.error()));
    for (suite::Suite& each : *read) suites.push_back(std::move(each));
  }
  suite::RunOptions run;
  run.jobs = options.jobs == 0 ? std::max(1U, std::thread::hardware_concurrency()) : options.jobs;
  run.filters = options.filters;
  run.fail_fast = options.fail_fast;
  if (!options.shard.empty()) parse_shard(options.shard, run);
  for (const std::string& name : options.arches) {
    ModelOptions model;
    model.arch = name;
    run.arches.push_back(model.model().arch);
  }
  for (const std::string& name : options.kernels) {
    ModelOptions model;
    model.kernel = name;
    run.kernels.push_back(model.model().version);
  }
  auto plan = suite::Plan::make(suites, run);
  if (!plan) throw UserError(suite::to_string(plan.error()));
  if (plan->cases().empty()) {
    throw UserError(options.filters.empty() && options.shard.empty()
                        ? "there are no cases in it"
                        : "no case is left; -k looks for names as the report has them");
  }
  if (options.list) {
    for (const suite::PlannedCase& each : plan->cases()) fmt::print("{}\n", each.name);
    return kWell;
  }
  const auto loaded = plan->load();
  if (!loaded) throw UserError(suite::to_string(loaded.error()));
  for (const std::string& note : plan->notes()) fmt::print(stderr, "{}\n", note);
  Progress progress;
  if (options.format == "text" && isatty(STDERR_FILENO) == 1 && !options.quiet) {
    run.progress = [&](const suite::CaseResult& result, std::size_t done, std::size_t all) {
      progress.show(result, done, all);
    };
  }
  suite::RunResults results = plan->run(run);
  progress.end();
  write_reports(options, results);
  return exit_code_of(results, options.strict);
}

}  // namespace

void add_test(CLI::App& root, int& exit_code) {
  CLI::App* const command = root.add_subcommand(
      "test", "Test filters and profiles by suites: files of what is expected of them");
  auto options = std::make_shared<TestOptions>();
  command->add_option("suites", options->suites, "Suites; - is standard input")
      ->type_name("SUITE")
      ->required();
  command
      ->add_option("-k,--filter", options->filters,
                   "Run only cases with such names: * and ? as in a shell, or a part of the name; "
                   "may be given several times")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  command->add_option("--shard", options->shard, "Run only the i-th of n parts, such as 1/4")
      ->type_name("I/N");
  command->add_flag("--fail-fast", options->fail_fast, "Begin no case after one that failed");
  command
      ->add_flag("--strict", options->strict,
                 "Cases that are not proved, or that a machine does not have, are failures")
      ->group("Results");
  command
      ->add_option("-j,--jobs", options->jobs,
                   "Threads; as many as this machine has processors if "
                   "not given")
      ->type_name("N")
      ->check(CLI::Range(1U, 1024U));
  command
      ->add_option("--arch", options->arches,
                   "Machines to test on, instead of those that the suites name")
      ->type_name("ARCH")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--kernel", options->kernels,
                   "Versions of Linux to test on, instead of those that the suites name")
      ->type_name("VERSION")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("--list", options->list, "Print the names of the cases, and run none");
  std::string formats;
  for (const suite::Reporter& each : suite::reporters()) formats += fmt::format(" {}", each.name);
  command->add_option("--format", options->format, "How results are printed:" + formats + " [text]")
      ->type_name("FORMAT")
      ->group("Results");
  command
      ->add_option("--report", options->reports,
                   "Write the results to a file too, such as junit=tests.xml; may be given several "
                   "times")
      ->type_name("FORMAT=FILE")
      ->allow_extra_args(false)
      ->group("Results");
  command->add_flag("-v,--verbose", options->verbose, "List cases that passed, too")
      ->group("Results");
  command->add_flag("-q,--quiet", options->quiet, "No progress bar")->group("Results");
  command->footer(
      "Examples:\n"
      "  callgate init default.json -o default_test.yaml\n"
      "  callgate test default_test.yaml\n"
      "  callgate test --report junit=tests.xml -k 'errno*' default_test.yaml\n"
      "\nExit codes: 0 every case passed; 1 one failed; 2 a suite or a filter cannot be read.\n"
      "What a suite says: harness/suite/README.md");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace callgate::cli
