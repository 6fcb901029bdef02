#include "harness/testing/filter.hpp"

#include <fmt/format.h>

#include <cstring>
#include <ostream>
#include <utility>

#include "harness/filters/filter_files.hpp"
#include "harness/suite/other_filter.hpp"
#include "harness/suite/reporters.hpp"
#include "harness/suite/runner.hpp"
#include "harness/suite/suite.hpp"
#include "harness/suite/target.hpp"
#include "vm/kernel_model.hpp"

namespace callgate::testing {
namespace {

using suite::CaseResult;
using suite::Status;

KernelModel model_of(const On& on) {
  KernelModel model;
  model.arch = host_arch();
  if (!on.arch.empty()) {
    const auto arch = arch_from_name(on.arch);
    if (!arch) {
      throw CannotLoad(
          fmt::format("{}: no architecture that is known; `callgate run --help` says "
                      "more",
                      on.arch));
    }
    model.arch = *arch;
  }
  if (!on.kernel.empty()) {
    const auto version = parse_version(on.kernel);
    if (!version || *version < kOldestVersion) {
      throw CannotLoad(
          fmt::format("{}: no version of a kernel that has filters; write it as 6.18", on.kernel));
    }
    model.version = *version;
  }
  return model;
}

suite::Deploy deploy_of(const On& on) {
  return {.format = on.format,
          .caps = on.caps,
          .runtime = on.runtime,
          .systemd = on.systemd,
          .with = on.with,
          .denylist = on.denylist};
}

// Stacks filters that are read.
suite::LoadedStack stacked(std::vector<filters::FilterFile> files, const KernelModel& model) {
  auto stack = filters::stack_of(files, model);
  if (!stack) {
    throw CannotLoad(
        filters::refusal_lines(files[stack.error().file].path, model, stack.error().diagnostics));
  }
  return {std::move(files), std::move(*stack), {}};
}

void read_into(std::vector<filters::FilterFile>& files, const std::string& path,
               const front_ends::LoadOptions& options) {
  auto read = filters::read_filters(path, options);
  if (!read) throw CannotLoad(read.error());
  for (filters::FilterFile& each : read->filters) files.push_back(std::move(each));
}

front_ends::LoadOptions options_of(const On& on, const KernelModel& model) {
  auto options = suite::load_options(deploy_of(on), model);
  if (!options) throw CannotLoad(options.error());
  return std::move(*options);
}

}  // namespace

struct Filter::State {
  State(suite::LoadedStack loaded, const Surroundings& around, const std::string& name)
      : target(std::move(loaded), around),
        words(fmt::format("{} on {}", name, filters::model_words(target.model()))) {}

  suite::Target target;
  std::string words;
};

Filter Filter::load(const std::string& path, const On& on) { return load_stack({path}, on); }

Filter Filter::load_stack(const std::vector<std::string>& paths, const On& on) {
  const KernelModel model = model_of(on);
  const front_ends::LoadOptions options = options_of(on, model);
  std::vector<filters::FilterFile> files;
  std::string name;
  for (const std::string& path : paths) {
    read_into(files, path, options);
    name += name.empty() ? path : ", " + path;
  }
  return Filter(std::make_shared<State>(stacked(std::move(files), model), on.around, name));
}

Filter Filter::from_bytes(std::string_view bytes, const On& on) {
  const KernelModel model = model_of(on);
  auto loaded = front_ends::load(bytes, "", options_of(on, model));
  if (!loaded) throw CannotLoad(front_ends::to_string(loaded.error()));
  std::vector<filters::FilterFile> files;
  for (front_ends::LoadedFilter& each : loaded->filters) {
    files.push_back({.path = each.name.empty() ? "the filter" : each.name,
                     .program = std::move(each.program),
                     .flags = each.flags,
                     .policy = std::move(each.policy),
                     .lowering = each.lowering});
  }
  return Filter(std::make_shared<State>(stacked(std::move(files), model), on.around, "a filter"));
}

Filter Filter::from_program(Program program, const On& on) {
  const KernelModel model = model_of(on);
  std::vector<filters::FilterFile> files;
  files.push_back({.path = "the filter", .program = std::move(program)});
  return Filter(std::make_shared<State>(stacked(std::move(files), model), on.around, "a filter"));
}

std::vector<CaseResult> Filter::ask(const std::string& verb,
                                    const std::vector<std::string>& patterns) const {
  suite::Target& target = state_->target;
  suite::Suite asked;
  asked.arches = {target.model().arch};
  asked.kernels = {target.model().version};
  asked.around = target.around();
  suite::Expectation& expectation = asked.expectations.emplace_back();
  expectation.verb = verb;
  for (const std::string& each : patterns) expectation.calls.push_back({each, {}});
  const std::vector<suite::Suite> suites = {std::move(asked)};
  const auto error = [&](std::string note) {
    CaseResult out;
    out.name = verb;
    out.status = Status::Error;
    out.note = std::move(note);
    return std::vector{std::move(out)};
  };
  // Of nothing everything is true.
  if (patterns.empty()) return error("no calls are named");
  const auto plan = suite::Plan::make(suites, {});
  if (!plan) return error(plan.error().message);
  std::vector<CaseResult> out;
  for (const suite::PlannedCase& each : plan->cases()) {
    CaseResult result;
    if (each.absent.empty()) {
      result = suite::run_case(*plan, each, target, 1);
    } else {
      result.name = each.name;
      result.status = Status::Absent;
      result.note = each.absent;
    }
    result.arch = info(target.model().arch).name;
    result.kernel = callgate::to_string(target.model().version);
    out.push_back(std::move(result));
  }
  return out;
}

CaseResult Filter::compared(const Filter& other, const std::string& name, verifier::Level level,
                            bool subset) const {
  suite::Target& target = state_->target;
  CaseResult out;
  out.name = fmt::format("{}: {}", name, other.words());
  out.arch = std::string(info(target.model().arch).name);
  out.kernel = callgate::to_string(target.model().version);
  const FilterStack& theirs = other.state_->target.stack();
  if (theirs.model().arch != target.model().arch ||
      theirs.model().version != target.model().version) {
    out.status = Status::Error;
    out.note = "the filters are for different machines: load both for one";
    return out;
  }
  suite::compare_with(target, theirs, level, subset, out);
  return out;
}

CaseResult Filter::same_as(const Filter& other, verifier::Level level) const {
  return compared(other, "same as", level, false);
}

CaseResult Filter::no_laxer_than(const Filter& other) const {
  return compared(other, "no laxer than", verifier::Level::Strictness, true);
}

std::uint32_t Filter::run(const SeccompData& call) const {
  const auto value = state_->target.value(call);
  if (!value) {
    throw std::domain_error(
        "this kernel leaves open what the filter returns for the call: it "
        "shifts by 32 or more");
  }
  return *value;
}

const std::string& Filter::words() const noexcept { return state_->words; }

void PrintTo(const Filter& filter, std::ostream* out) { *out << filter.words(); }

std::string case_text(const CaseResult& result) {
  // There is no -v to ask for more.
  std::string out = suite::case_lines(result, {.verbose = true});
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace callgate::testing
