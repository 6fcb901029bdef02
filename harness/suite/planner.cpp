// Makes cases of suites.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "harness/report/explanation.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/suite/reporters.hpp"
#include "harness/suite/runner.hpp"

namespace callgate::suite {
namespace {

// Each has a pattern of its own: a few hundred bytes.
constexpr std::size_t kMostCases = 2'000'000;

struct Wrong {
  SuiteError error;
};

[[noreturn]] void fail(const CasePlace& place, std::string message) {
  throw Wrong{suite_error(place.file, place.line, place.column, std::move(message))};
}

std::string names_of(const std::vector<Arch>& arches) {
  std::string out;
  for (const Arch each : arches)
    out += fmt::format("{}{}", out.empty() ? "" : ", ", info(each).name);
  return out;
}

bool serves(Arch machine, Arch abi) {
  const std::vector<Arch> served = report::abis_of(machine);
  return std::ranges::find(served, abi) != served.end();
}

// Why no kernel of a machine takes calls of an ABI; empty: it does.
std::string foreign(Arch abi, Arch machine) {
  if (serves(machine, abi)) return {};
  return fmt::format("no kernel of {} takes calls of {}; it takes those of {}", info(machine).name,
                     info(abi).name, names_of(report::abis_of(machine)));
}

}  // namespace

class Planner {
 public:
  Planner(Plan& plan, const RunOptions& options) : plan_(plan), options_(options) {}

  void make() {
    for (std::size_t i = 0; i < plan_.suites().size(); ++i) {
      const Suite& suite = plan_.suites()[i];
      const auto& arches = options_.arches.empty() ? suite.arches : options_.arches;
      const auto& kernels = options_.kernels.empty() ? suite.kernels : options_.kernels;
      several_kernels_ = kernels.size() > 1;
      names_.clear();
      for (const Expectation& each : suite.unused) check_unused(suite, each);
      for (const Expectation& each : suite.expectations) check_scope(suite, each.scope);
      for (const Recorded& each : suite.recorded) check_scope(suite, each.scope);
      for (const Arch arch : arches) {
        for (const Version version : kernels) {
          KernelModel model;
          model.arch = arch;
          model.version = version;
          plan_.targets_.push_back({i, model, nullptr});
          add_cases(suite, plan_.targets_.size() - 1);
        }
      }
      const bool chosen = !options_.arches.empty() || !options_.kernels.empty();
      const bool nothing = suite.expectations.empty() && suite.recorded.empty();
      if (nothing || (names_.empty() && !chosen)) empty_.push_back(&suite);
    }
    if (!empty_.empty()) fail_empty();
    plan_.all_ = plan_.cases_.size();
    keep_shard();
  }

 private:
  [[nodiscard]] const KernelModel& model(std::size_t target) const {
    return plan_.targets_[target].model;
  }

  // Suites that are green because nothing is asked of them would be taken for ones that passed.
  [[noreturn]] void fail_empty() const {
    const auto place = [](const Suite& suite) {
      return suite.filters.empty() ? CasePlace{.file = suite.path} : suite.filters.front().place;
    };
    std::string message = "there are no cases in it";
    for (std::size_t i = 1; i < empty_.size(); ++i) {
      message += fmt::format("{}{}", i == 1 ? ", nor in " : ", ", place_text(place(*empty_[i])));
    }
    fail(place(*empty_.front()), std::move(message));
  }

  // A template is read wrong today, not when somebody uses it.
  void check_unused(const Suite& suite, const Expectation& each) const {
    if (each.kind != Expectation::Kind::Calls) return;
    const Arch machine =
        each.scope.arches.empty() ? suite.arches.front() : each.scope.arches.front();
    if (!each.verb.empty()) {
      if (const auto verb = parse_verb(each.verb, machine); !verb) fail(each.place, verb.error());
    }
    for (const CallText& call : each.calls) {
      const auto pattern =
          parse_pattern(call.text, machine, each.abis.empty() ? machine : each.abis.front(),
                        each.high.value_or(HighHalf::Exact));
      if (!pattern) fail_malformed(call, pattern.error());
    }
  }

  // Nothing where the pattern is only absent.
  static void fail_malformed(const CallText& call, const PatternError& wrong) {
    if (wrong.kind == PatternError::Kind::Absent) return;
    fail(call.place, fmt::format("{}: character {}: {}", call.text, wrong.error.offset + 1,
                                 wrong.error.message));
  }

  // What names a machine that the suite does not would never be asked. Where the options name
  // machines, they say what is left out; a file that several suites include may be for more
  // machines than one of them.
  void check_scope(const Suite& suite, const Scope& scope) {
    if (options_.arches.empty()) {
      for (const Arch each : scope.arches) {
        if (std::ranges::find(suite.arches, each) != suite.arches.end()) continue;
        const auto machine = std::ranges::find_if(
            suite.arches, [&](Arch candidate) { return serves(candidate, each); });
        const std::string hint = machine == suite.arches.end()
                                     ? ""
                                     : fmt::format("; for its calls on {} write `abi: {}`",
                                                   info(*machine).name, info(each).name);
        pass_over(suite, scope.arches_at,
                  fmt::format("{} is not among the suite's architectures ({}){}", info(each).name,
                              names_of(suite.arches), hint));
      }
    }
    if (options_.kernels.empty()) {
      for (const Version each : scope.kernels) {
        if (std::ranges::find(suite.kernels, each) != suite.kernels.end()) continue;
        std::string names;
        for (const Version version : suite.kernels) {
          names += fmt::format("{}{}", names.empty() ? "" : ", ", callgate::to_string(version));
        }
        pass_over(suite, scope.kernels_at,
                  fmt::format("{} is not among the suite's versions of Linux ({})",
                              callgate::to_string(each), names));
      }
    }
  }

  void pass_over(const Suite& suite, const CasePlace& place, const std::string& why) {
    if (place.file == suite.path) fail(place, why);
    add_note(fmt::format("{}: {}: left out", place_text(place), why));
  }

  void add_note(std::string note) {
    if (std::ranges::find(plan_.notes_, note) == plan_.notes_.end()) {
      plan_.notes_.push_back(std::move(note));
    }
  }

  void add_cases(const Suite& suite, std::size_t target) {
    for (const Expectation& each : suite.expectations) {
      if (!each.scope.has(model(target))) continue;
      if (each.kind == Expectation::Kind::Calls) {
        add_calls(suite, each, target);
      } else {
        // Several files are one stack.
        const FilterName& name = each.others.front();
        PlannedCase made;
        made.name = fmt::format("{}: {}", each.verb, name.path);
        made.place = name.place;
        made.reason = each.reason;
        made.other = &each;
        keep(std::move(made), target);
      }
    }
    for (const Recorded& each : suite.recorded) {
      if (!each.scope.has(model(target))) continue;
      if (each.table) {
        PlannedCase made;
        made.name = fmt::format("recorded: {}", each.file);
        made.place.file = each.file;
        made.reason = each.reason;
        made.table = &each;
        keep(std::move(made), target);
        continue;
      }
      for (const RecordedCall& call : each.calls) {
        PlannedCase made;
        made.name = fmt::format("{}: {}", call.call, call.verdict);
        made.place = {each.file, call.line, call.column};
        made.reason = each.reason;
        made.recorded = &call;
        made.block = &each;
        keep(std::move(made), target);
      }
    }
  }

  // The verb of an expectation on a machine, each once.
  std::size_t verb_of(const Expectation& of, Arch machine) {
    const auto key = std::pair{of.verb, machine};
    if (const auto found = verbs_.find(key); found != verbs_.end()) return found->second;
    auto verb = parse_verb(of.verb, machine);
    if (!verb) fail(of.place, verb.error());
    plan_.verbs_.push_back(std::move(*verb));
    return verbs_[key] = plan_.verbs_.size() - 1;
  }

  void add_calls(const Suite& suite, const Expectation& each, std::size_t target) {
    const Arch machine = model(target).arch;
    const std::size_t verb = verb_of(each, machine);
    const HighHalf high = each.high    ? *each.high
                          : suite.high ? *suite.high
                                       : plan_.verbs_[verb].high;
    const std::vector<Arch> own{machine};
    for (const Arch abi : each.abis.empty() ? own : each.abis) {
      for (const CallText& call : each.calls) {
        PlannedCase made;
        made.name = abi == machine ? fmt::format("{}: {}", each.verb, call.text)
                                   : fmt::format("{}: {}:{}", each.verb, info(abi).name, call.text);
        made.place = call.place;
        made.reason = each.reason;
        made.verb = verb;
        auto pattern = parse_pattern(call.text, machine, abi, high);
        if (pattern) {
          made.absent = foreign(pattern->abi, machine);
          if (made.absent.empty()) made.pattern = std::move(*pattern);
        } else {
          fail_malformed(call, pattern.error());
          made.absent = pattern.error().error.message;
        }
        keep(std::move(made), target);
      }
    }
  }

  void keep(PlannedCase made, std::size_t target) {
    made.target = target;
    const KernelModel& here = model(target);
    made.name += several_kernels_ ? fmt::format(" [{} {}]", info(here.arch).name,
                                                callgate::to_string(here.version))
                                  : fmt::format(" [{}]", info(here.arch).name);
    // Reports tell cases apart by their names.
    const std::size_t before = names_[made.name]++;
    if (before != 0) made.name += fmt::format(" ({})", before + 1);
    if (!options_.filters.empty() &&
        std::ranges::none_of(options_.filters, [&](const std::string& pattern) {
          return name_matches(made.name, pattern);
        })) {
      return;
    }
    if (plan_.cases_.size() >= kMostCases) {
      fail(made.place, "more than 2,000,000 cases; run it in parts, by --arch, --kernel or -k");
    }
    plan_.cases_.push_back(std::move(made));
  }

  void keep_shard() {
    if (options_.shards <= 1) return;
    std::vector<PlannedCase> kept;
    for (std::size_t i = options_.shard - 1; i < plan_.cases_.size(); i += options_.shards) {
      kept.push_back(std::move(plan_.cases_[i]));
    }
    plan_.cases_ = std::move(kept);
  }

  Plan& plan_;
  const RunOptions& options_;
  bool several_kernels_ = false;
  std::map<std::pair<std::string, Arch>, std::size_t> verbs_;
  std::map<std::string, std::size_t> names_;  // of the suite, before any is chosen
  std::vector<const Suite*> empty_;
};

std::expected<Plan, SuiteError> Plan::make(const std::vector<Suite>& suites,
                                           const RunOptions& options) {
  Plan plan(suites);
  try {
    Planner(plan, options).make();
  } catch (Wrong& wrong) {
    return std::unexpected(std::move(wrong.error));
  }
  return plan;
}

std::expected<void, SuiteError> Plan::load() {
  std::set<std::size_t> needed;
  for (const PlannedCase& each : cases_) {
    if (each.absent.empty()) needed.insert(each.target);
  }
  const auto load_of = [](const std::vector<FilterName>& names, const Deploy& deploy,
                          const KernelModel& model) -> std::expected<LoadedStack, SuiteError> {
    auto loaded = load_stack(names, deploy, model);
    if (loaded) return std::move(*loaded);
    const CasePlace& place = names.front().place;
    SuiteError error =
        suite_error(place.file, place.line, place.column,
                    fmt::format("on {}: {}", filters::model_words(model), loaded.error().text));
    error.refused = loaded.error().refused;
    return std::unexpected(std::move(error));
  };
  for (const std::size_t i : needed) {
    PlannedTarget& each = targets_[i];
    if (each.target) continue;
    const Suite& suite = (*suites_)[each.suite];
    auto loaded = load_of(suite.filters, suite.deploy, each.model);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    for (const std::string& note : loaded->notes) {
      if (std::ranges::find(notes_, note) == notes_.end()) notes_.push_back(note);
    }
    each.target = std::make_unique<Target>(std::move(*loaded), suite.around);
  }
  for (PlannedCase& each : cases_) {
    if (each.other == nullptr || each.other_stack) continue;
    const PlannedTarget& at = targets_[each.target];
    auto loaded = load_of(each.other->others, (*suites_)[at.suite].deploy, at.model);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    each.other_stack = std::make_unique<LoadedStack>(std::move(*loaded));
  }
  return {};
}

bool name_matches(std::string_view name, std::string_view pattern) noexcept {
  if (pattern.find_first_of("*?") == std::string_view::npos) {
    return name.find(pattern) != std::string_view::npos;
  }
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t from = 0;
  while (at < name.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      from = at;
    } else if (in < pattern.size() && (pattern[in] == '?' || pattern[in] == name[at])) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++from;
    } else {
      return false;
    }
  }
  while (in < pattern.size() && pattern[in] == '*') ++in;
  return in == pattern.size();
}

}  // namespace callgate::suite
