#include "harness/coverage/coverage.hpp"

#include <algorithm>
#include <filesystem>
#include <tuple>

namespace callgate::coverage {
namespace {

// What holds of two that look at different calls, or different programs: the first of these.
int rank(State state) noexcept {
  switch (state) {
    case State::Covered:
      return 0;
    case State::NotVisited:
      return 1;
    case State::NotKnown:
      return 2;
    case State::Foreign:
      return 3;
    case State::Unreachable:
      return 4;
  }
  return 5;
}

void merge_program(ProgramCoverage& to, const ProgramCoverage& from) {
  for (std::size_t i = 0; i < to.instructions.size(); ++i) {
    to.instructions[i].merge(from.instructions[i]);
  }
  for (auto& [at, branch] : to.branches) {
    const Branch& other = from.branches.at(at);
    branch.taken.merge(other.taken);
    branch.not_taken.merge(other.not_taken);
  }
  for (const Version& kernel : from.kernels) {
    const auto place = std::ranges::lower_bound(to.kernels, kernel);
    if (place == to.kernels.end() || *place != kernel) to.kernels.insert(place, kernel);
  }
}

auto place_of(const RuleCoverage& rule) {
  return std::tie(rule.file, rule.line, rule.column, rule.call);
}

}  // namespace

std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::Covered:
      return "covered";
    case State::NotVisited:
      return "not visited";
    case State::Foreign:
      return "foreign";
    case State::Unreachable:
      return "unreachable";
    case State::NotKnown:
      return "not known";
  }
  return "";
}

void Point::merge(const Point& other) {
  inputs += other.inputs;
  proved = proved || other.proved;
  if (rank(other.state) < rank(state)) {
    state = other.state;
    would = other.would;
    why = other.why;
  }
}

void Count::add(State state) noexcept {
  switch (state) {
    case State::Covered:
      ++covered;
      break;
    case State::NotVisited:
      ++not_visited;
      break;
    case State::Foreign:
      ++foreign;
      break;
    case State::Unreachable:
      ++unreachable;
      break;
    case State::NotKnown:
      ++not_known;
      break;
  }
}

void Count::add(const Count& other) noexcept {
  covered += other.covered;
  not_visited += other.not_visited;
  foreign += other.foreign;
  unreachable += other.unreachable;
  not_known += other.not_known;
}

double Count::percent() const noexcept {
  if (covered == all()) return 100;
  return 100.0 * static_cast<double>(covered) / static_cast<double>(all());
}

void Report::merge(const Report& other) {
  inputs += other.inputs;
  proofs += other.proofs;
  for (const ProgramCoverage& from : other.programs) {
    const auto same = std::ranges::find_if(programs, [&](const ProgramCoverage& each) {
      return each.file == from.file && each.arch == from.arch && each.program == from.program;
    });
    if (same == programs.end())
      programs.push_back(from);
    else
      merge_program(*same, from);
  }
  for (const RuleCoverage& from : other.rules) {
    const auto place = std::ranges::lower_bound(rules, place_of(from), {}, place_of);
    if (place == rules.end() || place_of(*place) != place_of(from)) {
      rules.insert(place, from);
      continue;
    }
    if (rank(from.point.state) < rank(place->point.state)) place->arch = from.arch;
    place->point.merge(from.point);
    if (place->differs.empty()) place->differs = from.differs;
  }
}

Count instructions_of(const ProgramCoverage& program) {
  Count out;
  for (const Point& point : program.instructions) out.add(point.state);
  return out;
}

Count branches_of(const ProgramCoverage& program) {
  Count out;
  for (const auto& [at, branch] : program.branches) {
    out.add(branch.taken.state);
    out.add(branch.not_taken.state);
  }
  return out;
}

Count Report::instructions() const {
  Count out;
  for (const ProgramCoverage& each : programs) out.add(instructions_of(each));
  return out;
}

Count Report::branches() const {
  Count out;
  for (const ProgramCoverage& each : programs) out.add(branches_of(each));
  return out;
}

Count Report::rules_count() const {
  Count out;
  for (const RuleCoverage& each : rules) out.add(each.point.state);
  return out;
}

}  // namespace callgate::coverage
