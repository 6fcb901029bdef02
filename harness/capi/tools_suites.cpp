// Suites, and what came of them.

#include <ctime>
#include <limits>
#include <mutex>
#include <thread>

#include "harness/capi/tools.hpp"
#include "harness/coverage/writers.hpp"
#include "harness/suite/reporters.hpp"
#include "harness/suite/runner.hpp"

struct callgate_suite {
  std::vector<callgate::suite::Suite> suites;  ///< the plan's, so that they stay where they are
  callgate::suite::RunOptions options;
  std::optional<callgate::suite::Plan> plan;
  /// A run adds to what is known of the filters: one at a time.
  std::mutex running{};
};

struct callgate_results {
  callgate::suite::RunResults results;
  std::optional<callgate::coverage::Report> coverage;
};

namespace callgate::capi {
namespace {

suite::RunOptions run_options(const callgate_suite_options* given) {
  constexpr unsigned kMostJobs = 1024;
  const callgate_suite_options options = options_of(given);
  if (options.jobs > kMostJobs) fail(EINVAL, joined("more than ", kMostJobs, " jobs"));
  suite::RunOptions out;
  out.jobs = options.jobs == 0 ? std::max(1U, std::thread::hardware_concurrency()) : options.jobs;
  out.coverage = options.coverage != 0;
  out.fail_fast = options.fail_fast != 0;
  std::string_view rest = options.names == nullptr ? "" : options.names;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end != 0) out.filters.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

void load(callgate_suite& to, const std::string& path) {
  auto read = suite::read_suite_file(path);
  if (!read) fail(file_error(path), suite::to_string(read.error()));
  to.suites = std::move(*read);
  to.options.coverage =
      to.options.coverage ||
      std::ranges::any_of(to.suites, [](const suite::Suite& each) { return each.least.any(); });
  auto plan = suite::Plan::make(to.suites, to.options);
  if (!plan) fail(EINVAL, suite::to_string(plan.error()));
  if (plan->cases().empty()) {
    fail(EINVAL, joined(path, ": ",
                        to.options.filters.empty()
                            ? "there are no cases in it"
                            : "no case is left; names are looked for as reports have them"));
  }
  if (const auto loaded = plan->load(); !loaded) {
    fail(loaded.error().refused ? EACCES : EINVAL, suite::to_string(loaded.error()));
  }
  to.plan.emplace(std::move(*plan));
}

void run(callgate_suite& suite, callgate_results& to) {
  const std::scoped_lock lock(suite.running);
  suite::Plan& plan = *suite.plan;
  to.results = plan.run(suite.options);
  if (!suite.options.coverage) return;
  for (suite::CaseResult& each : plan.coverage_cases(nullptr)) {
    to.results.cases.push_back(std::move(each));
  }
  to.coverage.emplace();
  for (std::size_t i = 0; i < plan.suites().size(); ++i) to.coverage->merge(plan.coverage(i));
}

std::string written(const callgate_results& results, std::string_view format) {
  constexpr std::string_view kCoverage = "coverage-";
  if (const suite::Reporter* reporter = suite::reporter_from_name(format)) {
    suite::ReportOptions options;
    options.accept_unknown = true;
    return reporter->write(results.results, options);
  }
  const coverage::WriterRow* const writer =
      format.starts_with(kCoverage) ? coverage::find_writer(format.substr(kCoverage.size()))
                                    : nullptr;
  if (writer == nullptr) {
    std::string names;
    for (const suite::Reporter& each : suite::reporters()) names += joined(" ", each.name);
    for (const coverage::WriterRow& each : coverage::writers()) {
      names += joined(" ", kCoverage, each.name);
    }
    fail(EINVAL, joined(format, ": no format of reports; there are", names));
  }
  if (!results.coverage) {
    fail(EINVAL, joined(format, ": coverage was not collected; the suite's options ask for it"));
  }
  coverage::Layout layout;
  layout.timestamp = static_cast<std::int64_t>(std::time(nullptr));
  return writer->write(*results.coverage, layout).text;
}

unsigned number(std::size_t place) {
  return static_cast<unsigned>(std::min<std::size_t>(place, std::numeric_limits<unsigned>::max()));
}

}  // namespace
}  // namespace callgate::capi

namespace capi = callgate::capi;

int callgate_suite_load(const char* path, const callgate_suite_options* options,
                        callgate_suite** out, char** message) {
  return capi::guarded(message, [&] {
    capi::need_out(out);
    capi::need(path, "path");
    auto made = std::make_unique<callgate_suite>();
    made->options = capi::run_options(options);
    // The command would read its standard input.
    capi::load(*made, std::string_view(path) == "-" ? "./-" : path);
    *out = made.release();
  });
}

void callgate_suite_destroy(callgate_suite* suite) { delete suite; }

size_t callgate_suite_count(const callgate_suite* suite) {
  return suite == nullptr ? 0 : suite->plan->cases().size();
}

int callgate_suite_case(const callgate_suite* suite, size_t index, callgate_case* out) {
  return capi::guarded(nullptr, [&] {
    capi::need_struct(out);
    capi::need(suite, "suite");
    if (index >= suite->plan->cases().size()) capi::fail(ERANGE, "there are not so many cases");
    const callgate::suite::PlannedCase& planned = suite->plan->cases()[index];
    callgate_case found{};
    found.name = planned.name.c_str();
    found.file = planned.place.file.c_str();
    found.line = capi::number(planned.place.line);
    found.column = capi::number(planned.place.column);
    capi::write_struct(found, out);
  });
}

int callgate_suite_run(const callgate_suite* suite, callgate_results** out, char** message) {
  return capi::guarded(message, [&] {
    capi::need_out(out);
    capi::need(suite, "suite");
    auto made = std::make_unique<callgate_results>();
    // What a run changes is not seen from outside, and is locked.
    capi::run(const_cast<callgate_suite&>(*suite), *made);
    *out = made.release();
  });
}

void callgate_results_destroy(callgate_results* results) { delete results; }

int callgate_results_counts(const callgate_results* results, callgate_counts* out) {
  return capi::guarded(nullptr, [&] {
    capi::need_struct(out);
    capi::need(results, "results");
    const callgate::suite::Counts counts = results->results.counts();
    callgate_counts found{};
    found.passed = counts.passed;
    found.failed = counts.failed;
    found.absent = counts.absent;
    found.unknown = counts.unknown;
    found.errors = counts.errors;
    found.not_run = results->results.not_run;
    capi::write_struct(found, out);
  });
}

int callgate_results_write(const callgate_results* results, const char* format, char** out,
                           char** message) {
  return capi::guarded(message, [&] {
    capi::need_out(out);
    capi::need(results, "results");
    capi::need(format, "format");
    capi::give(out, capi::written(*results, format));
  });
}
