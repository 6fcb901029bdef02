// Instructions that change nothing.

#include <fmt/format.h>

#include <algorithm>

#include "harness/audit/checks.hpp"
#include "vm/opcodes.hpp"

namespace callgate::audit {
namespace {

using verifier::ProgramMeaning;

bool is_branch(const Instruction& instruction) {
  const OpcodeInfo* row = find_opcode(instruction.code);
  return row != nullptr && row->kind == OpcodeKind::Branch;
}

Finding at(FindingId id, std::size_t filter, std::size_t instruction, std::string message) {
  Finding finding = found(id, std::move(message));
  finding.filter = filter;
  finding.instruction = instruction;
  return finding;
}

// Runs of instructions that nothing comes to, each once.
void unreachable(std::size_t filter, const ProgramMeaning& meaning, Found& out) {
  const std::vector<Ref>& reached = meaning.reached;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (reached[i] != Diagrams::kFalse) continue;
    std::size_t last = i;
    while (last + 1 < reached.size() && reached[last + 1] == Diagrams::kFalse) ++last;
    out.push_back(at(FindingId::Unreachable, filter, i,
                     last == i ? fmt::format("no call comes to instruction {}", i)
                               : fmt::format("no call comes to instructions {} to {}", i, last)));
    i = last;
  }
}

// Whether a branch compares that word: it is taken where the comparison holds.
bool compares(Subject& subject, const ProgramMeaning& meaning, std::size_t branch, Ref holds) {
  return meaning.taken[branch] == subject.diagrams().both(meaning.reached[branch], holds);
}

// An earlier branch with the same comparison of the same word, which every call that comes here has
// passed with the same answer.
std::optional<std::size_t> same_test(Subject& subject, std::size_t filter, std::size_t branch) {
  const auto program = subject.stack().program(filter);
  const ProgramMeaning& meaning = subject.meaning().filters[filter];
  Diagrams& diagrams = subject.diagrams();
  const Instruction& here = program[branch];
  const OpcodeInfo& row = *find_opcode(here.code);
  if (row.operand != Operand::K) return {};
  const bool never = meaning.taken[branch] == Diagrams::kFalse;
  for (std::size_t i = 0; i < branch; ++i) {
    if (program[i].code != here.code || program[i].k != here.k) continue;
    const std::vector<Ref>& side = never ? meaning.not_taken : meaning.taken;
    if (diagrams.without(meaning.reached[branch], side[i]) != Diagrams::kFalse) continue;
    for (std::size_t field = 0; field < verifier::kFields; ++field) {
      for (const bool high : {false, true}) {
        const auto of = static_cast<Field>(field);
        if (high && verifier::width(of) == 32) continue;
        const Ref holds = subject.space().compared(test_of(row.opcode), subject.half(of, high),
                                                   subject.space().terms().constant(here.k));
        if (compares(subject, meaning, i, holds) && compares(subject, meaning, branch, holds)) {
          return i;
        }
      }
    }
  }
  return {};
}

// Of one filter: such tests stand in crowds where a program generates filters, and are told
// together.
struct Crowd {
  std::vector<std::size_t> instructions;
  std::string first;  ///< what the first of them does

  void add(std::size_t instruction, std::string words) {
    if (instructions.empty()) first = std::move(words);
    instructions.push_back(instruction);
  }
};

void tell(Subject& subject, FindingId id, std::size_t filter, const Crowd& crowd, Found& out) {
  if (crowd.instructions.empty()) return;
  constexpr std::size_t kListed = 8;
  const std::size_t first = crowd.instructions.front();
  std::string message = crowd.first;
  if (const std::size_t more = crowd.instructions.size() - 1; more > 0) {
    const std::size_t listed = std::min(more, kListed);
    message += fmt::format(
        "; likewise {} more: {}{}", more,
        fmt::join(crowd.instructions.begin() + 1,
                  crowd.instructions.begin() + 1 + static_cast<std::ptrdiff_t>(listed), ", "),
        more > listed ? ", …" : "");
  }
  Finding finding = at(id, filter, first, std::move(message));
  if (auto shown = subject.show(subject.meaning().filters[filter].reached[first])) {
    finding.shown.push_back(*shown);
  }
  out.push_back(std::move(finding));
}

void decided(Subject& subject, std::size_t filter, Found& out) {
  const auto program = subject.stack().program(filter);
  const ProgramMeaning& meaning = subject.meaning().filters[filter];
  Crowd without_effect;
  Crowd alone;
  Crowd duplicates;
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (!is_branch(program[i]) || meaning.reached[i] == Diagrams::kFalse) continue;
    const bool never = meaning.taken[i] == Diagrams::kFalse;
    const bool always = meaning.not_taken[i] == Diagrams::kFalse;
    if (program[i].jt == program[i].jf) {
      without_effect.add(i, fmt::format("both sides of the test at instruction {} go to {}", i,
                                        i + 1 + program[i].jt));
    } else if (never || always) {
      std::string answer =
          fmt::format("the test at instruction {} {}", i, never ? "never holds" : "always holds");
      if (const auto before = same_test(subject, filter, i)) {
        duplicates.add(i, fmt::format("{}: instruction {} has asked the same", answer, *before));
      } else {
        alone.add(i, std::move(answer));
      }
    }
  }
  tell(subject, FindingId::BranchDecided, filter, alone, out);
  tell(subject, FindingId::DuplicateTest, filter, duplicates, out);
  tell(subject, FindingId::TestWithoutEffect, filter, without_effect, out);
}

void filters_without_effect(Subject& subject, Found& out) {
  if (subject.stack().size() < 2 || subject.meaning().not_followed != Diagrams::kFalse) return;
  const auto ends = subject.diagrams().ends(subject.meaning().verdict);
  for (std::size_t filter = 0; filter < subject.stack().size(); ++filter) {
    const bool decides = std::ranges::any_of(ends, [&](Ref end) {
      return subject.endings().at(end).filter == filter ||
             subject.endings().at(end).kind == verifier::Ending::Kind::Undefined;
    });
    if (decides) continue;
    Finding finding =
        found(FindingId::FilterWithoutEffect,
              fmt::format("filter {} ({}) decides no call", filter, subject.layers()[filter].name));
    finding.filter = filter;
    out.push_back(std::move(finding));
  }
}

}  // namespace

void check_flow(Subject& subject, Found& found) {
  for (std::size_t filter = 0; filter < subject.stack().size(); ++filter) {
    const ProgramMeaning& meaning = subject.meaning().filters[filter];
    // What was not followed may well be reached.
    if (meaning.not_followed != Diagrams::kFalse) continue;
    unreachable(filter, meaning, found);
    decided(subject, filter, found);
  }
  filters_without_effect(subject, found);
}

}  // namespace callgate::audit
