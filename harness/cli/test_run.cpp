// What `callgate test` does beside running suites.

#include "harness/cli/test_run.hpp"

#include <fmt/format.h>

#include <ctime>
#include <map>

#include "harness/cli/cli.hpp"
#include "harness/coverage/writers.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/suite/scmp/runner.hpp"
#include "harness/suite/update.hpp"

namespace callgate::cli {
namespace {

// "90", "92.5%", "branches=90,rules=100"
suite::LeastCoverage least_of(const std::string& text) {
  suite::LeastCoverage out;
  const auto wrong = [&] {
    return UserError(fmt::format(
        "--min-coverage {}: write a percentage, or branches=90,rules=100 and the like", text));
  };
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const std::string part = text.substr(start, end - start);
    const std::size_t equals = part.find('=');
    const std::string what = equals == std::string::npos ? "" : part.substr(0, equals);
    const auto value = suite::parse_per_cent(
        std::string_view(part).substr(equals == std::string::npos ? 0 : equals + 1));
    if (!value) throw wrong();
    if (what.empty())
      out = {*value, *value, *value};
    else if (what == "instructions")
      out.instructions = *value;
    else if (what == "branches")
      out.branches = *value;
    else if (what == "rules")
      out.rules = *value;
    else
      throw wrong();
    start = end + 1;
  }
  return out;
}

const coverage::WriterRow& writer_of(const std::string& text) {
  const std::string name = text.substr(0, text.find('='));
  if (const coverage::WriterRow* found = coverage::find_writer(name)) return *found;
  std::string names;
  for (const coverage::WriterRow& each : coverage::writers())
    names += fmt::format(" {}", each.name);
  throw UserError(fmt::format("--coverage {}: there are{}", text, names));
}

}  // namespace

void check_scmp(const TestOptions& options) {
  if (!options.scmp) {
    if (!options.generators.empty()) {
      throw UserError("--generators goes with --scmp: suites name filters, not programs");
    }
    return;
  }
  const auto refuse = [](bool given, std::string_view option, std::string_view why) {
    if (given) throw UserError(fmt::format("{} does not go with --scmp: {}", option, why));
  };
  refuse(!options.coverage.empty(), "--coverage",
         "no coverage is collected of generators' filters; write their calls as `recorded:` in a "
         "suite");
  refuse(!options.min_coverage.empty(), "--min-coverage",
         "no coverage is collected of generators' filters; write their calls as `recorded:` in a "
         "suite");
  refuse(options.live, "--live", "libseccomp's `regression -T live` asks the running kernel");
  refuse(options.update, "--update", "what a line of .tests expects is its author's");
  if (options.kernels.size() > 1 || options.arches.size() > 1) {
    throw UserError("--scmp takes one --kernel and one --arch at most");
  }
}

void say_empty_shard(const suite::RunOptions& run, std::size_t all) {
  tell("--shard {}/{}: none of the {} case{} is in it", run.shard, run.shards, all,
       all == 1 ? "" : "s");
}

suite::RunResults run_scmp(const TestOptions& options, const suite::RunOptions& parts) {
  const auto paths = suite::scmp::find_tests(options.suites);
  if (!paths) throw UserError(suite::scmp::to_string(paths.error()));
  std::vector<suite::scmp::TestsFile> files;
  for (const std::string& path : *paths) {
    auto read = suite::scmp::read_tests(path);
    if (!read) throw UserError(suite::scmp::to_string(read.error()));
    files.push_back(std::move(*read));
  }
  suite::scmp::Options run;
  if (!options.generators.empty()) run.generators = options.generators;
  run.only = options.filters;
  run.fail_fast = options.fail_fast;
  ModelOptions model;
  if (!options.kernels.empty()) model.kernel = options.kernels.front();
  if (!options.arches.empty()) model.arch = options.arches.front();
  run.kernel = model.model().version;
  run.native = model.model().arch;
  run.names = true;
  const std::size_t all = suite::scmp::run(files, run).cases.size();
  if (all == 0) {
    throw UserError(options.filters.empty()
                        ? "there are no cases in it"
                        : "no case is left; -k looks for names as the report has them");
  }
  run.shard = parts.shard;
  run.shards = parts.shards;
  run.names = options.list;
  suite::RunResults results = suite::scmp::run(files, run);
  if (results.cases.empty()) say_empty_shard(parts, all);
  return results;
}

std::size_t update_recorded(const suite::Plan& plan) {
  const auto changes = suite::changed_verdicts(plan);
  if (!changes) throw UserError(suite::to_string(changes.error()));
  std::map<std::string, std::vector<suite::VerdictChange>> by_file;
  for (const suite::VerdictChange& each : *changes) by_file[each.file].push_back(each);
  // Nothing is written before all can be.
  std::map<std::string, std::string> texts;
  for (const auto& [file, list] : by_file) {
    if (file.empty() || file == "-") throw UserError("--update: standard input cannot be written");
    const auto bytes = front_ends::read_file(file, front_ends::kNoSizeLimit);
    if (!bytes) throw UserError(fmt::format("{}: {}", file, bytes.error().message));
    auto text = suite::with_changes(*bytes, list);
    if (!text) throw UserError(suite::to_string(text.error()));
    texts[file] = std::move(*text);
  }
  for (const auto& [file, text] : texts) write_whole(file, text);
  for (const suite::VerdictChange& each : *changes) {
    fmt::print("{}:{}: {}: {} -> {}\n", each.file, each.line, each.call, each.before, each.after);
  }
  fmt::print("{} recorded verdict{} changed\n", changes->size(), changes->size() == 1 ? "" : "s");
  return changes->size();
}

void check_coverage(const TestOptions& options) {
  if (!options.min_coverage.empty()) static_cast<void>(least_of(options.min_coverage));
  for (const std::string& each : options.coverage) static_cast<void>(writer_of(each));
}

void finish_coverage(const TestOptions& options, const suite::Plan& plan,
                     suite::RunResults& results) {
  std::optional<suite::LeastCoverage> least;
  if (!options.min_coverage.empty()) least = least_of(options.min_coverage);
  for (suite::CaseResult& each : plan.coverage_cases(least ? &*least : nullptr)) {
    results.cases.push_back(std::move(each));
  }
  if (options.coverage.empty()) return;
  coverage::Report all;
  for (std::size_t i = 0; i < plan.suites().size(); ++i) all.merge(plan.coverage(i));
  for (const std::string& each : options.coverage) {
    const coverage::WriterRow& writer = writer_of(each);
    const std::size_t equals = each.find('=');
    coverage::Layout layout;
    layout.timestamp = static_cast<std::int64_t>(std::time(nullptr));
    if (equals != std::string::npos) layout.path = each.substr(equals + 1);
    const coverage::Document document = writer.write(all, layout);
    if (layout.path.empty()) {
      fmt::print("{}", document.text);
      continue;
    }
    for (const coverage::Beside& beside : document.beside) write_whole(beside.path, beside.text);
    write_whole(layout.path, document.text);
  }
}

}  // namespace callgate::cli
