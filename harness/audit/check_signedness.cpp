// Unsigned comparisons of signed arguments.

#include <fmt/format.h>

#include <algorithm>

#include "harness/audit/argument_kinds.hpp"
#include "harness/audit/checks.hpp"
#include "vm/opcodes.hpp"
#include "vm/syscalls.hpp"

namespace callgate::audit {
namespace {

// A `>` or `>=` with a constant that is no negative number.
std::optional<Test> unsigned_test(const Instruction& instruction) {
  const OpcodeInfo* row = find_opcode(instruction.code);
  if (row == nullptr || row->kind != OpcodeKind::Branch || row->operand != Operand::K) return {};
  const Test test = test_of(row->opcode);
  if (test != Test::Greater && test != Test::GreaterOrEqual) return {};
  if (instruction.k >= 0x80000000U || instruction.jt == instruction.jf) return {};
  return test;
}

// The argument that the branch compares, of those that are signed and have 32 bits; its half.
std::optional<unsigned> compared_argument(Subject& subject, std::string_view call, Test test,
                                          std::uint32_t k, Ref reached, Ref taken) {
  verifier::Space& space = subject.space();
  for (unsigned index = 0; index < 6; ++index) {
    if (argument_kind(subject.native(), call, index) != ArgumentKind::Signed32) continue;
    for (const bool high : {false, true}) {
      const Ref holds =
          space.compared(test, subject.half(argument(index), high), space.terms().constant(k));
      if (taken == subject.diagrams().both(reached, holds)) return index;
    }
  }
  return {};
}

// Whether negative values get through by the branch, and lesser ones than its constant do not.
void look(Subject& subject, const SyscallRow& row, unsigned index, Ref taken, Ref not_taken,
          std::size_t filter, std::size_t instruction, Found& out) {
  Diagrams& diagrams = subject.diagrams();
  verifier::Space& space = subject.space();
  const Field field = argument(index);
  const verifier::TermId low = subject.half(field, false);
  const verifier::TermId high = subject.half(field, true);
  const Ref negative =
      diagrams.both(space.compared(Test::AnyBit, low, space.terms().constant(0x80000000U)),
                    space.compared(Test::Equal, high, space.terms().constant(0xffffffffU)));
  const Ref other = diagrams.both(
      diagrams.negated(space.compared(Test::AnyBit, low, space.terms().constant(0x80000000U))),
      space.compared(Test::Equal, high, space.terms().constant(0)));
  const Ref call = subject.is_call(subject.native(), row.nr);
  const auto of_call = [&](Ref a, Ref b, Ref c) {
    return diagrams.both(call, diagrams.both(a, diagrams.both(b, c)));
  };
  const Ref open = of_call(taken, negative, subject.permitted());
  const Ref closed = of_call(not_taken, other, subject.denied());
  if (open == Diagrams::kFalse || closed == Diagrams::kFalse) return;
  const auto slipped = subject.show(open);
  const auto denied = subject.show(closed);
  if (!slipped || !denied) return;
  Finding finding = found(
      FindingId::SignednessSlip,
      fmt::format(
          "argument {} of {} is signed: {} is more than the constant here, and gets through", index,
          row.name, static_cast<std::int32_t>(verifier::value_of(slipped->call, field))),
      std::string(row.name));
  finding.filter = filter;
  finding.instruction = instruction;
  finding.shown = {*slipped, *denied};
  out.push_back(std::move(finding));
}

}  // namespace

void check_signedness(Subject& subject, Found& found) {
  for (std::size_t filter = 0; filter < subject.stack().size(); ++filter) {
    const auto program = subject.stack().program(filter);
    const verifier::ProgramMeaning& meaning = subject.meaning().filters[filter];
    for (std::size_t i = 0; i < program.size(); ++i) {
      const auto test = unsigned_test(program[i]);
      if (!test) continue;
      for (const SyscallRow& row : syscalls(subject.native())) {
        if (syscall_name(subject.native(), row.nr) != row.name) continue;
        const auto here = [&](Ref condition) {
          return subject.of_call(condition, subject.native(), row.nr);
        };
        const Ref reached = here(meaning.reached[i]);
        const Ref taken = here(meaning.taken[i]);
        if (taken == Diagrams::kFalse || taken == reached) continue;
        const auto index =
            compared_argument(subject, row.name, *test, program[i].k, reached, taken);
        const bool known = std::ranges::any_of(found, [&](const Finding& each) {
          return each.id == FindingId::SignednessSlip && each.syscall == row.name;
        });
        if (!index || known) continue;
        look(subject, row, *index, meaning.taken[i], meaning.not_taken[i], filter, i, found);
      }
    }
  }
}

}  // namespace callgate::audit
