#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "harness/coverage/missing.hpp"
#include "harness/coverage/writers.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/report/page/page.hpp"
#include "harness/report/page/page_json.hpp"
#include "harness/suite/clean_text.hpp"
#include "harness/suite/explicit_call.hpp"

namespace callgate::report {
namespace {

using coverage::Count;
using coverage::Point;
using coverage::ProgramCoverage;
using nlohmann::ordered_json;

// The words that the scripts know states by: those of coverage.schema.json.
std::string_view state_key(coverage::State state) {
  switch (state) {
    case coverage::State::Covered:
      return "covered";
    case coverage::State::NotVisited:
      return "not_visited";
    case coverage::State::Foreign:
      return "foreign";
    case coverage::State::Unreachable:
      return "unreachable";
    case coverage::State::NotKnown:
      return "not_known";
  }
  return "";
}

std::string last_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// A suite may name a file by another way than the command line.
bool is_named_alike(const ProgramCoverage& program, const std::string& name) {
  return last_name(program.file) == last_name(name) ||
         last_name(program.file) == last_name(filters::file_of(name));
}

std::string size_words(std::size_t instructions) {
  return fmt::format("{} instruction{}", instructions, instructions == 1 ? "" : "s");
}

constexpr std::string_view kAgain =
    "; write it again by `callgate test --coverage json=FILE` of a suite that names this filter";

// Why a report says nothing of a filter.
std::string not_covered_words(const coverage::Report& report, std::span<const Instruction> program,
                              Arch arch, const std::string& name) {
  const std::string shown = suite::one_line(name);
  const std::string_view machine = info(arch).name;
  for (const ProgramCoverage& each : report.programs) {
    if (!is_named_alike(each, name) || each.arch != arch) continue;
    if (each.program.size() != program.size()) {
      return fmt::format("it is of another program: {} has {} there, and {} here{}", shown,
                         size_words(each.program.size()), program.size(), kAgain);
    }
    const auto differ = std::ranges::mismatch(each.program, program).in1 - each.program.begin();
    const auto at = static_cast<std::size_t>(differ);
    return fmt::format(
        "it is of another program: instruction {} of {} is `{}` there, and `{}` here{}", at, shown,
        statements(each.program, arch)[at], statements(program, arch)[at], kAgain);
  }
  std::vector<std::string> there;
  for (const ProgramCoverage& each : report.programs) {
    const bool is_same = std::ranges::equal(each.program, program);
    if (is_same || is_named_alike(each, name)) {
      return fmt::format("it covers {} on {}, and the page is of {}: give --arch {}", shown,
                         info(each.arch).name, machine, info(each.arch).name);
    }
    constexpr std::size_t kMostNamed = 4;
    if (there.size() < kMostNamed) {
      there.push_back(fmt::format("{} ({}, {})", suite::one_line(each.file), info(each.arch).name,
                                  size_words(each.program.size())));
    }
  }
  std::string names = there.empty() ? "no program" : fmt::format("{}", fmt::join(there, ", "));
  if (there.size() < report.programs.size()) {
    names += fmt::format(" and {} more", report.programs.size() - there.size());
  }
  return fmt::format("it says nothing of {} ({}, {}): it covers {}{}", shown, machine,
                     size_words(program.size()), names, kAgain);
}

// Finds the programs of a page in a report, each once.
class Matcher {
 public:
  explicit Matcher(const coverage::Report& report) : report_(report) {
    found_.inputs = report.inputs;
    found_.proofs = report.proofs;
  }

  std::optional<std::size_t> find(std::span<const Instruction> program, Arch arch,
                                  const std::string& name) {
    std::vector<const ProgramCoverage*> same;
    std::vector<const ProgramCoverage*> alike;
    for (const ProgramCoverage& each : report_.programs) {
      if (each.arch != arch || !std::ranges::equal(each.program, program)) continue;
      same.push_back(&each);
      if (is_named_alike(each, name)) alike.push_back(&each);
    }
    if (same.empty()) return std::nullopt;
    const std::vector<const ProgramCoverage*>& chosen = alike.empty() ? same : alike;
    const auto [place, is_new] = places_.try_emplace(chosen, found_.programs.size());
    if (is_new) add(chosen);
    return place->second;
  }

  coverage::Report finish() {
    for (const coverage::RuleCoverage& rule : report_.rules) {
      if (files_.contains(rule.file)) found_.rules.push_back(rule);
    }
    return std::move(found_);
  }

 private:
  // Of several files with one program: what any of them covered.
  void add(const std::vector<const ProgramCoverage*>& same) {
    coverage::Report all;
    for (const ProgramCoverage* each : same) {
      coverage::Report one;
      one.programs = {*each};
      one.programs.front().file = same.front()->file;
      all.merge(one);
      files_.insert(each->file);
    }
    found_.programs.push_back(std::move(all.programs.front()));
  }

  const coverage::Report& report_;
  coverage::Report found_;
  std::map<std::vector<const ProgramCoverage*>, std::size_t> places_;
  std::set<std::string> files_;
};

ordered_json json_of(const Count& count) {
  return {{"covered", count.covered},
          {"not_visited", count.not_visited},
          {"foreign", count.foreign},
          {"unreachable", count.unreachable},
          {"not_known", count.not_known},
          {"all", count.all()},
          {"percent", coverage::percent_words(count)}};
}

// The calls that would come to something: each once, named by its place.
class Calls {
 public:
  ordered_json point(const Point& point, Arch machine) {
    ordered_json out{{"state", state_key(point.state)}, {"inputs", point.inputs}};
    if (point.proved) out["proved"] = true;
    if (!point.why.empty()) out["why"] = point.why;
    if (point.would) out["would"] = place_of(*point.would, machine);
    return out;
  }

  ordered_json finish() { return std::move(calls_); }

 private:
  std::size_t place_of(const SeccompData& call, Arch machine) {
    const std::string text = suite::explicit_call_text(call, machine);
    const auto [place, is_new] = places_.try_emplace({machine, text}, calls_.size());
    if (is_new) {
      ordered_json row = call_json(call);
      row["text"] = text;
      calls_.push_back(std::move(row));
    }
    return place->second;
  }

  ordered_json calls_ = ordered_json::array();
  std::map<std::pair<Arch, std::string>, std::size_t> places_;
};

ordered_json program_json(const ProgramCoverage& program, Calls& calls) {
  ordered_json out{{"file", program.file},
                   {"instructions", json_of(instructions_of(program))},
                   {"branches", json_of(branches_of(program))},
                   {"points", ordered_json::array()},
                   {"ways", ordered_json::array()},
                   {"missing", ordered_json::array()}};
  for (const Point& each : program.instructions) {
    out["points"].push_back(calls.point(each, program.arch));
  }
  for (const auto& [at, branch] : program.branches) {
    out["ways"].push_back({{"at", at},
                           {"taken", calls.point(branch.taken, program.arch)},
                           {"not_taken", calls.point(branch.not_taken, program.arch)}});
  }
  for (const coverage::Missing& each : missing_of(program)) {
    std::string words = fmt::format("instruction {}", each.at);
    if (each.taken)
      words += " " + coverage::way_words(program.program[each.at], each.at, *each.taken);
    ordered_json row = calls.point(*each.point, program.arch);
    row["at"] = each.at;
    row["words"] = std::move(words);
    out["missing"].push_back(std::move(row));
  }
  return out;
}

}  // namespace

std::expected<PageCoverage, std::string> page_coverage(const coverage::Report& report,
                                                       const NamedStack& stack,
                                                       const NamedStack* other) {
  PageCoverage out;
  Matcher matcher(report);
  const auto name_of = [](const NamedStack& named, std::size_t i) {
    return i < named.names.size() ? named.names[i] : std::string();
  };
  const Arch arch = stack.stack->model().arch;
  for (std::size_t i = 0; i < stack.stack->size(); ++i) {
    const std::span<const Instruction> program = stack.stack->program(i);
    const auto found = matcher.find(program, arch, name_of(stack, i));
    if (!found) {
      return std::unexpected(not_covered_words(report, program, arch, name_of(stack, i)));
    }
    out.stack.push_back(*found);
  }
  if (other != nullptr) {
    for (std::size_t i = 0; i < other->stack->size(); ++i) {
      out.other.push_back(matcher.find(other->stack->program(i), arch, name_of(*other, i)));
    }
  }
  out.report = matcher.finish();
  return out;
}

ordered_json coverage_json(const PageCoverage& coverage) {
  const coverage::Report& report = coverage.report;
  Calls calls;
  ordered_json out{{"inputs", report.inputs},
                   {"proofs", report.proofs},
                   {"instructions", json_of(report.instructions())},
                   {"branches", json_of(report.branches())},
                   {"rules", json_of(report.rules_count())},
                   {"programs", ordered_json::array()},
                   {"missing_rules", ordered_json::array()},
                   {"differs", ordered_json::array()},
                   {"stack", coverage.stack},
                   {"other", ordered_json::array()}};
  for (const ProgramCoverage& each : report.programs) {
    out["programs"].push_back(program_json(each, calls));
  }
  for (const coverage::RuleCoverage& rule : report.rules) {
    const std::string words = fmt::format("line {}, {}", rule.line, rule.call);
    if (!rule.differs.empty()) out["differs"].push_back(fmt::format("{}: {}", words, rule.differs));
    if (rule.point.state == coverage::State::Covered) continue;
    ordered_json row = calls.point(rule.point, rule.arch);
    row["file"] = rule.file;
    row["words"] = words;
    out["missing_rules"].push_back(std::move(row));
  }
  for (const std::optional<std::size_t>& each : coverage.other) {
    out["other"].push_back(each ? ordered_json(*each) : ordered_json());
  }
  out["calls"] = calls.finish();
  return out;
}

}  // namespace callgate::report
