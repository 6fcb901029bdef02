// Runs cases.

#include "harness/suite/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "harness/suite/explicit_call.hpp"
#include "harness/suite/failures.hpp"
#include "harness/suite/other_filter.hpp"

namespace callgate::suite {
namespace {

constexpr std::size_t kMostFailures = 20;  // that are shown of one case
constexpr std::string_view kLeftOpen =
    "this kernel leaves open what the filter returns: it shifts by 32 or more";

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void run_pattern(const Plan& plan, const PlannedCase& planned, Target& target, CaseResult& out) {
  const Verb& verb = plan.verb(planned.verb);
  Answer answer = target.ask(*planned.pattern, verb);
  out.status = answer.status;
  out.how = std::move(answer.how);
  out.note = std::move(answer.note);
  if (answer.status != Status::Failed) return;
  if (answer.calls.empty()) {
    out.failures.push_back({.call = planned.pattern->text,
                            .expected = verb.words,
                            .actual = "another verdict for each of its calls",
                            .outcome = {},
                            .path = {},
                            .rule = {},
                            .hint = {}});
  }
  for (const SeccompData& call : answer.calls) {
    out.failures.push_back(failure_of(target.files(), target.stack(), call, target.around(),
                                      verb.words, &*planned.pattern));
  }
}

// The same as another filter, or no laxer.
void run_other(const PlannedCase& planned, Target& target, CaseResult& out) {
  const Expectation& wanted = *planned.other;
  compare_with(target, planned.other_stack->stack, wanted.level,
               wanted.kind == Expectation::Kind::NoLaxerThan, out);
}

// A recorded call: what it stands for, and what is wrong with it.
struct ReadCall {
  SeccompData data{};
  std::uint32_t value = 0;
};
std::expected<ReadCall, std::string> read_recorded(const RecordedCall& call, Arch machine,
                                                   bool& absent) {
  auto data = parse_explicit_call(call.call, machine);
  if (!data) {
    const std::size_t end = std::min(call.call.find('('), call.call.size());
    const std::size_t start = call.call.rfind(':', end);
    const std::size_t first = start == std::string::npos ? 0 : start + 1;
    absent = is_call_anywhere(std::string_view(call.call).substr(first, end - first));
    return std::unexpected(fmt::format("{}: {}", call.call, data.error().message));
  }
  const auto value = parse_recorded_verdict(call.verdict, machine);
  if (!value) {
    return std::unexpected(
        fmt::format("{}: no verdict; write ALLOW, ERRNO(1), KILL_PROCESS and so on", call.verdict));
  }
  return ReadCall{*data, *value};
}

void run_recorded(const PlannedCase& planned, const Target& target, CaseResult& out) {
  bool absent = false;
  const auto read = read_recorded(*planned.recorded, target.model().arch, absent);
  if (!read) {
    out.status = absent ? Status::Absent : Status::Error;
    out.note = read.error();
    return;
  }
  out.how = "run";
  const auto value = target.value(read->data);
  if (!value) {
    out.status = Status::Unknown;
    out.note = kLeftOpen;
  } else if (*value != read->value) {
    out.status = Status::Failed;
    out.failures.push_back(failure_of(target.files(), target.stack(), read->data, target.around(),
                                      value_words(read->value, target.model())));
  }
}

// What came of some lines of a table.
struct Lines {
  std::vector<std::size_t> failed;  // the first of them
  std::size_t failures = 0;
  std::size_t absent = 0;
  std::size_t open = 0;
  std::optional<std::pair<std::size_t, std::string>> wrong{};
};

Lines run_lines(const Recorded& table, const Target& target, std::size_t first, std::size_t last) {
  Lines out;
  for (std::size_t i = first; i < last; ++i) {
    bool absent = false;
    const auto read = read_recorded(table.calls[i], target.model().arch, absent);
    if (!read) {
      if (absent) {
        ++out.absent;
      } else if (!out.wrong) {
        out.wrong = std::pair{i, read.error()};
      }
      continue;
    }
    const auto value = target.value(read->data);
    if (!value) {
      ++out.open;
    } else if (*value != read->value) {
      ++out.failures;
      if (out.failed.size() < kMostFailures) out.failed.push_back(i);
    }
  }
  return out;
}

void run_table(const PlannedCase& planned, const Target& target, unsigned jobs, CaseResult& out) {
  const Recorded& table = *planned.table;
  const std::size_t size = table.calls.size();
  const std::size_t parts = size < 1000 ? 1 : std::max(jobs, 1U);
  std::vector<Lines> all(parts);
  std::vector<std::exception_ptr> thrown(parts);
  const auto run_part = [&](std::size_t i) {
    try {
      all[i] = run_lines(table, target, size * i / parts, size * (i + 1) / parts);
    } catch (...) {
      thrown[i] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < parts; ++i) threads.emplace_back(run_part, i);
    run_part(0);
  }
  for (const std::exception_ptr& each : thrown) {
    if (each) std::rethrow_exception(each);
  }
  Lines sum;
  for (Lines& each : all) {
    sum.failures += each.failures;
    sum.absent += each.absent;
    sum.open += each.open;
    for (const std::size_t i : each.failed) sum.failed.push_back(i);
    if (each.wrong && !sum.wrong) sum.wrong = std::move(each.wrong);
  }
  out.how = fmt::format("run, {} calls", size - sum.absent);
  if (sum.absent != 0)
    out.note = fmt::format("{} calls that this machine does not have", sum.absent);
  if (sum.open != 0) {
    out.status = Status::Unknown;
    out.note = fmt::format("{} calls: {}", sum.open, kLeftOpen);
  }
  if (sum.wrong) {
    out.status = Status::Error;
    out.place.line = table.calls[sum.wrong->first].line;
    out.note = fmt::format("line {}: {}", out.place.line, sum.wrong->second);
    return;
  }
  if (sum.failures == 0) return;
  out.status = Status::Failed;
  out.place.line = table.calls[sum.failed.front()].line;
  out.note = fmt::format("{} of {} calls", sum.failures, size);
  for (const std::size_t i : sum.failed) {
    if (out.failures.size() >= kMostFailures) break;
    bool absent = false;
    const auto read = read_recorded(table.calls[i], target.model().arch, absent);
    if (!read) continue;
    out.failures.push_back(failure_of(target.files(), target.stack(), read->data, target.around(),
                                      value_words(read->value, target.model())));
  }
}

// Counts what a case asked as covered.
void cover(const PlannedCase& planned, Target& target) {
  coverage::Collector* const collector = target.collector();
  if (collector == nullptr) return;
  const Arch machine = target.model().arch;
  if (planned.pattern) {
    try {
      collector->add(planned.pattern->condition(target.endings().space()));
    } catch (const verifier::Diagrams::Full&) {
      // What is not counted is said to be not visited: that errs on the careful side.
    }
  } else if (planned.recorded != nullptr) {
    if (const auto data = parse_explicit_call(planned.recorded->call, machine)) {
      collector->add(*data);
    }
  } else if (planned.table != nullptr) {
    std::vector<SeccompData> all;
    for (const RecordedCall& each : planned.table->calls) {
      if (const auto data = parse_explicit_call(each.call, machine)) all.push_back(*data);
    }
    collector->add(all);
  }
}

// What threads share while cases run.
struct Shared {
  std::vector<CaseResult> results;
  std::vector<bool> done;  // under `mutex`
  std::size_t finished = 0;
  std::mutex mutex;
  std::atomic<bool> stop = false;
};

}  // namespace

CaseResult run_case(const Plan& plan, const PlannedCase& planned, Target& target, unsigned jobs) {
  CaseResult out;
  const auto start = std::chrono::steady_clock::now();
  out.name = planned.name;
  out.place = planned.place;
  out.reason = planned.reason;
  if (planned.pattern) {
    run_pattern(plan, planned, target, out);
  } else if (planned.other != nullptr) {
    run_other(planned, target, out);
  } else if (planned.table != nullptr) {
    run_table(planned, target, jobs, out);
  } else if (planned.recorded != nullptr) {
    run_recorded(planned, target, out);
  }
  cover(planned, target);
  out.seconds = seconds_since(start);
  return out;
}

coverage::Report Plan::coverage(std::size_t suite) const {
  coverage::Report out;
  for (const PlannedTarget& each : targets_) {
    if (each.suite == suite && each.target && each.target->collector() != nullptr) {
      out.merge(each.target->collector()->report());
    }
  }
  return out;
}

std::vector<CaseResult> Plan::coverage_cases(const LeastCoverage* instead) const {
  std::vector<CaseResult> out;
  for (std::size_t i = 0; i < suites_->size(); ++i) {
    const Suite& suite = (*suites_)[i];
    const LeastCoverage& least = instead != nullptr ? *instead : suite.least;
    if (!least.instructions && !least.branches && !least.rules) continue;
    const coverage::Report report = coverage(i);
    const auto add = [&](std::string_view what, const std::optional<double>& wanted,
                         const coverage::Count& count) {
      if (!wanted) return;
      CaseResult made;
      made.suite = suite.path;
      made.name = fmt::format("coverage of {}: at least {} %", what, *wanted);
      made.place.file = suite.path;
      made.how = fmt::format("{:.1f} %", count.percent());
      if (count.percent() < *wanted) {
        made.status = Status::Failed;
        made.note = fmt::format(
            "{} of {} are covered; --coverage text lists the others, each with "
            "a call that would",
            count.covered, count.all());
        made.failures.push_back({.call = {},
                                 .expected = fmt::format("{} %", *wanted),
                                 .actual = made.how,
                                 .outcome = {},
                                 .path = {},
                                 .rule = {},
                                 .hint = made.note});
      }
      out.push_back(std::move(made));
    };
    add("instructions", least.instructions, report.instructions());
    add("branches", least.branches, report.branches());
    // A filter that is no profile has no rules.
    if (!report.rules.empty() || instead == nullptr) {
      add("rules", least.rules, report.rules_count());
    }
  }
  return out;
}

RunResults Plan::run(const RunOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  for (PlannedTarget& each : targets_) {
    if (options.coverage && each.target) each.target->start_coverage();
  }
  Shared shared;
  shared.results.resize(cases_.size());
  shared.done.resize(cases_.size(), false);
  // Cases of one target share its diagrams: one thread at a time has a target.
  std::map<std::size_t, std::vector<std::size_t>> by_target;
  for (std::size_t i = 0; i < cases_.size(); ++i) by_target[cases_[i].target].push_back(i);
  std::vector<const std::vector<std::size_t>*> work;
  for (const auto& [target, list] : by_target) work.push_back(&list);
  const unsigned jobs = std::max(options.jobs, 1U);
  std::atomic<std::size_t> next = 0;
  const auto run_list = [&](const std::vector<std::size_t>& list, unsigned jobs_here) {
    for (const std::size_t i : list) {
      if (shared.stop) return;
      const PlannedCase& planned = cases_[i];
      PlannedTarget& at = targets_[planned.target];
      CaseResult result;
      if (!planned.absent.empty()) {
        result.name = planned.name;
        result.place = planned.place;
        result.reason = planned.reason;
        result.status = Status::Absent;
        result.note = planned.absent;
      } else {
        result = run_case(*this, planned, *at.target, jobs_here);
      }
      result.suite = (*suites_)[at.suite].path;
      result.arch = std::string(info(at.model.arch).name);
      result.kernel = callgate::to_string(at.model.version);
      const bool bad = result.status == Status::Failed || result.status == Status::Error;
      const std::scoped_lock lock(shared.mutex);
      ++shared.finished;
      if (options.progress) options.progress(result, shared.finished, cases_.size());
      shared.results[i] = std::move(result);
      shared.done[i] = true;
      if (bad && options.fail_fast) shared.stop = true;
    }
  };
  const std::size_t threads = std::min<std::size_t>(jobs, work.size());
  const unsigned jobs_here = static_cast<unsigned>(jobs / std::max<std::size_t>(threads, 1));
  std::exception_ptr thrown;  // by any thread: memory that there is not; under shared.mutex
  const auto take = [&] {
    try {
      for (std::size_t i = next++; i < work.size(); i = next++) run_list(*work[i], jobs_here);
    } catch (...) {
      const std::scoped_lock lock(shared.mutex);
      thrown = std::current_exception();
      shared.stop = true;
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(take);
    take();
  }
  if (thrown) std::rethrow_exception(thrown);
  RunResults out;
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    if (shared.done[i]) {
      out.cases.push_back(std::move(shared.results[i]));
    } else {
      ++out.not_run;
    }
  }
  out.seconds = seconds_since(start);
  return out;
}

}  // namespace callgate::suite
