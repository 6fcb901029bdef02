#include "harness/report/why.hpp"

#include <fmt/format.h>

#include "harness/report/disassembly.hpp"
#include "harness/report/words.hpp"
#include "vm/opcodes.hpp"

namespace callgate::report {
namespace {

// A comparison with one number that it is not.
bool is_miss(const Instruction& instruction, const reference::Step& step) {
  return instruction.code == static_cast<std::uint16_t>(Opcode::JeqK) && step.a != instruction.k;
}

}  // namespace

bool is_branch(const Instruction& instruction) {
  const OpcodeInfo* row = find_opcode(instruction.code);
  return row != nullptr && row->kind == OpcodeKind::Branch;
}

std::vector<std::string> path_lines(const FilterRun& run, const Program& program, Arch arch) {
  constexpr std::size_t kMany = 4;
  std::vector<std::string> out;
  const auto lines = statements(program, arch);
  for (std::size_t i = 0; i < run.steps.size();) {
    std::size_t end = i;
    std::size_t misses = 0;
    for (; end < run.steps.size(); ++end) {
      const Instruction& here = program[run.steps[end].at];
      const bool jump = here.code == static_cast<std::uint16_t>(Opcode::Ja);
      if (!jump && !is_miss(here, run.steps[end])) break;
      misses += jump ? 0 : 1;
    }
    if (misses >= kMany) {
      out.push_back(fmt::format("{:04} to {:04}  A={:#x} is none of {} numbers", run.steps[i].at,
                                run.steps[end - 1].at, run.steps[i].a, misses));
      i = end;
      continue;
    }
    const reference::Step& step = run.steps[i];
    const std::string branch =
        is_branch(program[step.at]) ? fmt::format("  A={:#x}: to {:04}", step.a, step.next) : "";
    out.push_back(fmt::format("{:04}  {:<48}{}", step.at, lines[step.at], branch));
    ++i;
  }
  return out;
}

std::vector<ProfileWords> profiles_of(std::span<const filters::FilterFile> files,
                                      const std::vector<FilterRun>& runs, const SeccompData& data,
                                      const KernelModel& model) {
  std::vector<ProfileWords> out;
  for (const FilterRun& run : runs) {
    const filters::FilterFile& file = files[run.filter];
    if (!file.policy) continue;
    ProfileWords made{run.filter, front_ends::evaluate(*file.policy, data), {}, {}};
    const front_ends::Decision& decision = made.decision;
    if (!decision.unknown.empty()) {
      made.words = fmt::format("it cannot be told: {}", decision.unknown);
    } else if (decision.rule) {
      const front_ends::Rule& rule = file.policy->rules[*decision.rule];
      made.place = rule.place;
      const std::string call = rule.number ? fmt::format("{}", *rule.number) : rule.syscall;
      made.words =
          fmt::format("{}rule for {}: {}",
                      rule.place.line == 0
                          ? ""
                          : fmt::format("line {}, column {}: ", rule.place.line, rule.place.column),
                      call, verdict_words(decision.value, model));
    } else {
      made.words = fmt::format("no rule fits: {}: {}",
                               decision.foreign ? "what other architectures get" : "the default",
                               verdict_words(decision.value, model));
    }
    if (decision.unknown.empty() && decision.value != run.result.value) {
      made.words += fmt::format("; the program that is made of it says {}",
                                verdict_words(run.result.value, model));
    }
    out.push_back(std::move(made));
  }
  return out;
}

}  // namespace callgate::report
