#include "harness/random/shrink.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace callgate::random {
namespace {

constexpr int kMaxRounds = 300;
constexpr std::size_t kMostPieces = 256;

std::vector<Program> with_fewer_instructions(const Program& program) {
  std::vector<Program> out;
  // Of long programs not single instructions: there would be thousands of copies of thousands.
  const std::size_t smallest = program.size() / kMostPieces;
  for (std::size_t chunk = program.size() / 2; chunk > smallest; chunk /= 2) {
    for (std::size_t first = 0; first + chunk <= program.size(); first += chunk) {
      out.push_back(without(program, first, chunk));
    }
  }
  return out;
}

std::vector<Program> with_plainer_fields(const Program& program) {
  std::vector<Program> out;
  if (program.size() > kMostPieces) return out;
  for (std::size_t i = 0; i < program.size(); ++i) {
    const Instruction was = program[i];
    const auto add = [&](const Instruction& changed) {
      if (changed == was) return;
      out.push_back(program);
      out.back()[i] = changed;
    };
    add({was.code, 0, 0, was.k});
    add({was.code, 0, was.jf, was.k});
    add({was.code, was.jt, 0, was.k});
    add({was.code, was.jt, was.jf, 0});
    if (was.k > 1) add({was.code, was.jt, was.jf, was.k / 2});
  }
  return out;
}

std::optional<Program> first_that_shows(std::vector<Program> candidates, const Shows& shows) {
  if (candidates.empty()) return std::nullopt;
  const std::vector<bool> answers = shows(candidates);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i]) return std::move(candidates[i]);
  }
  return std::nullopt;
}

}  // namespace

Program shrunk(Program program, const Shows& shows) {
  for (int round = 0; round < kMaxRounds; ++round) {
    auto smaller = first_that_shows(with_fewer_instructions(program), shows);
    if (!smaller) smaller = first_that_shows(with_plainer_fields(program), shows);
    if (!smaller) break;
    program = std::move(*smaller);
  }
  return program;
}

}  // namespace callgate::random
