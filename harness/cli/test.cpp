#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "harness/cli/cli.hpp"
#include "harness/cli/test_run.hpp"
#include "harness/cli/told_choices.hpp"
#include "harness/suite/live_cases.hpp"
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
  report.absent_fails = options.strict;
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

// Puts the cases to the running kernel, and says how far that went.
void ask_running_kernel(const suite::Plan& plan, suite::RunResults& results) {
  if (results.not_run != 0) {
    tell("--live: the running kernel was not asked: --fail-fast ended the run before {} case{}",
         results.not_run, results.not_run == 1 ? "" : "s");
    return;
  }
  const auto asked = suite::ask_kernel(plan, results);
  if (!asked) throw UserError(fmt::format("--live: {}", asked.error()));
  tell("the running kernel was asked {} calls; {} more it cannot be asked here{}{}", asked->asked,
       asked->not_asked,
       asked->elsewhere == 0 ? std::string{}
                             : fmt::format("; {} cases are of other machines", asked->elsewhere),
       asked->untraced.empty()
           ? std::string{}
           : fmt::format("; not traced ({}): allow and log look alike", asked->untraced));
}

template <typename Case>
int list(const std::vector<Case>& cases) {
  for (const Case& each : cases) fmt::print("{}\n", each.name);
  return kWell;
}

int run_suites(const TestOptions& options, bool update) {
  for (const std::string& each : options.reports) {
    if (each.find('=') == std::string::npos) {
      throw UserError(
          fmt::format("--report {}: write it as FORMAT=FILE, such as junit=tests.xml", each));
    }
    static_cast<void>(reporter_of(each.substr(0, each.find('='))));
  }
  static_cast<void>(reporter_of(options.format));
  check_coverage(options);
  check_scmp(options);
  suite::RunOptions run;
  if (!options.shard.empty()) parse_shard(options.shard, run);
  if (options.scmp) {
    const suite::RunResults results = run_scmp(options, run);
    if (options.list) return list(results.cases);
    write_reports(options, results);
    return exit_code_of(results, options.strict);
  }
  std::vector<suite::Suite> suites;
  for (const std::string& path : options.suites) {
    auto read = suite::read_suite_file(path);
    if (!read) throw UserError(suite::to_string(read.error()));
    for (suite::Suite& each : *read) suites.push_back(std::move(each));
  }
  run.jobs = options.jobs == 0 ? std::max(1U, std::thread::hardware_concurrency()) : options.jobs;
  run.coverage =
      !options.coverage.empty() || !options.min_coverage.empty() ||
      std::ranges::any_of(suites, [](const suite::Suite& each) { return each.least.any(); });
  run.filters = options.filters;
  run.fail_fast = options.fail_fast;
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
  if (options.live && run.kernels.empty()) run.kernels = {KernelModel::host().version};
  auto plan = suite::Plan::make(suites, run);
  if (!plan) throw UserError(suite::to_string(plan.error()));
  if (plan->all() == 0) {
    throw UserError(options.filters.empty()
                        ? "no case is left: what is for other machines than those asked for is "
                          "left out"
                        : "no case is left; -k looks for names as the report has them");
  }
  if (plan->cases().empty()) say_empty_shard(run, plan->all());
  if (options.list) return list(plan->cases());
  const auto loaded = plan->load();
  if (!loaded) throw UserError(suite::to_string(loaded.error()));
  for (const std::string& note : plan->notes()) tell("{}", note);
  Progress progress;
  if (options.format == "text" && isatty(STDERR_FILENO) == 1 && !options.quiet) {
    run.progress = [&](const suite::CaseResult& result, std::size_t done, std::size_t all) {
      progress.show(result, done, all);
    };
  }
  suite::RunResults results = plan->run(run);
  progress.end();
  if (update && update_recorded(*plan) != 0) {
    // As it is written now.
    return run_suites(options, false);
  }
  if (options.live) ask_running_kernel(*plan, results);
  finish_coverage(options, *plan, results);
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
      ->type_name("PATTERN");
  command
      ->add_option("--shard", options->shard,
                   "Run only the i-th of n parts, such as 1/4; one without cases passes")
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
      ->delimiter(',');
  command
      ->add_option("--kernel", options->kernels,
                   "Versions of Linux to test on, instead of those that the suites name")
      ->type_name("VERSION")
      ->delimiter(',');
  command->add_flag("--update", options->update,
                    "Write recorded verdicts anew where they are others now, and show the change");
  command->add_flag("--live", options->live,
                    "Put the cases of this machine to the running kernel too; nothing that is "
                    "asked is executed");
  command
      ->add_option("--coverage", options->coverage,
                   "What of the filters the cases cover: text, listing, lcov, cobertura or json, "
                   "with =FILE into a file; may be given several times")
      ->type_name("FORMAT[=FILE]")
      ->group("Coverage");
  command
      ->add_option("--min-coverage", options->min_coverage,
                   "Fail where less is covered: 90, 92.5%, or branches=90,rules=100")
      ->type_name("PERCENT")
      ->group("Coverage");
  command
      ->add_flag("--scmp", options->scmp,
                 "The files are libseccomp's .tests: each generator is run once")
      ->group("libseccomp's format");
  command
      ->add_option("--generators", options->generators,
                   "The folder with the programs that they name; this one if not given")
      ->type_name("DIR")
      ->group("libseccomp's format");
  command->add_flag("--list", options->list, "Print the names of the cases, and run none");
  command->add_option("--format", options->format, "How results are printed [text]")
      ->check(told_choices(names_of(suite::reporters())))
      ->type_name("FORMAT")
      ->group("Results");
  command
      ->add_option("--report", options->reports,
                   "Write the results to a file too, such as junit=tests.xml; may be given several "
                   "times")
      ->type_name("FORMAT=FILE")
      ->group("Results");
  command->add_flag("-v,--verbose", options->verbose, "List cases that passed, too")
      ->group("Results");
  command->add_flag("-q,--quiet", options->quiet, "No progress bar")->group("Results");
  command->footer(
      "Examples:\n"
      "  callgate init default.json -o default_test.yaml\n"
      "  callgate test default_test.yaml\n"
      "  callgate test --report junit=tests.xml -k 'errno*' default_test.yaml\n"
      "  callgate test --scmp --generators build/tests tests/*.tests\n"
      "\nExit codes: 0 every case passed; 1 one failed; 2 a suite or a filter cannot be read,\n"
      "or a suite has no case.\n"
      "What a suite says: harness/suite/README.md");
  command->callback([options, &exit_code] { exit_code = run_suites(*options, options->update); });
}

}  // namespace callgate::cli
