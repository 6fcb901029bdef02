// The hand-written vectors as cases: what they expect is what they say, not what our code says.
#include <fmt/format.h>

#include <stdexcept>

#include "harness/corpus/embedded.hpp"
#include "harness/corpus/parts.hpp"
#include "harness/suite/vector.hpp"
#include "vm/arches.hpp"

namespace callgate::corpus {
namespace {

using suite::Vector;
using suite::VectorKind;

std::vector<StackFilter> filters_of(const Vector& vector) {
  std::vector<StackFilter> filters;
  for (const auto& each : vector.programs) {
    filters.push_back({each.instructions, each.times, each.flags});
  }
  return filters;
}

// The story on one line.
std::string reason_of(const Vector& vector) {
  std::string out;
  for (const char c : vector.story) out += c == '\n' ? ' ' : c;
  return out;
}

void add_check(Corpus& corpus, Header header, const Vector& vector) {
  if (vector.programs.size() == 1 && vector.programs.front().times == 1) {
    corpus.checks.push_back({.header = std::move(header),
                             .program = vector.programs.front().instructions,
                             .refused = vector.refused,
                             .diagnostics = vector.diagnostics});
    return;
  }
  LimitCase made{std::move(header), filters_of(vector), 0, vector.refused, {}};
  for (const StackFilter& each : made.filters) made.fits += each.times;
  // Of check vectors the last is looked at; all others are attached.
  if (vector.refused) --made.fits;
  corpus.limits.push_back(std::move(made));
}

// What an outcome vector says, and of what it leaves open what the model says.
Outcome outcome_of_case(const Vector& vector, const suite::VectorCase& one) {
  Outcome outcome = vector.strict
                        ? strict_outcome(one.data, vector.kernel, vector.around.only_thread)
                        : outcome_of(*vector.value, one.data, vector.kernel, vector.around);
  if (!one.outcome) return outcome;
  outcome.kind = one.outcome->kind;
  switch (outcome.kind) {
    case OutcomeKind::Returns:
      outcome.value = one.outcome->number;
      break;
    case OutcomeKind::Sigsys:
    case OutcomeKind::ThreadDies:
    case OutcomeKind::ProcessDies:
      outcome.signal = static_cast<int>(one.outcome->number);
      break;
    case OutcomeKind::TracerDecides:
      outcome.data = static_cast<std::uint16_t>(one.outcome->number);
      break;
    case OutcomeKind::Executes:
    case OutcomeKind::ListenerDecides:
    case OutcomeKind::Unknown:
      break;
  }
  outcome.logged = one.logged.value_or(false);
  outcome.core_dump = one.core.value_or(false);
  outcome.siginfo.signo = one.siginfo.signo.value_or(outcome.siginfo.signo);
  outcome.siginfo.code = one.siginfo.code.value_or(outcome.siginfo.code);
  outcome.siginfo.error = one.siginfo.error.value_or(outcome.siginfo.error);
  outcome.siginfo.call_addr = one.siginfo.call_addr.value_or(outcome.siginfo.call_addr);
  outcome.siginfo.syscall = one.siginfo.syscall.value_or(outcome.siginfo.syscall);
  outcome.siginfo.arch = one.siginfo.arch.value_or(outcome.siginfo.arch);
  return outcome;
}

void add_outcomes(Corpus& corpus, const Header& header, const Vector& vector) {
  std::size_t number = 0;
  for (const auto& one : vector.cases) {
    OutcomeCase made;
    made.header = header;
    if (vector.cases.size() > 1) made.header.id += fmt::format("/{}", number++);
    made.strict = vector.strict;
    made.value = vector.value.value_or(0);
    made.data = one.data;
    made.around = vector.around;
    made.sigsys = vector.around.sigsys_blocked_or_ignored ? Sigsys::Blocked : Sigsys::Handled;
    made.outcome = outcome_of_case(vector, one);
    if (!vector.strict) {
      made.program = {op(Opcode::LdAbs, 0),
                      op(Opcode::JeqK, static_cast<std::uint32_t>(one.data.nr), 0, 1),
                      ret(made.value), ret(kAllowValue)};
    }
    corpus.outcomes.push_back(std::move(made));
  }
}

void add(Corpus& corpus, Header header, const Vector& vector) {
  switch (vector.kind) {
    case VectorKind::Check:
      add_check(corpus, std::move(header), vector);
      return;
    case VectorKind::Run: {
      ValueCase made{std::move(header), vector.programs.front().instructions, {}};
      for (const auto& one : vector.cases) made.runs.push_back({one.data, one.returns});
      corpus.values.push_back(std::move(made));
      return;
    }
    case VectorKind::Stack: {
      StackCase made{std::move(header), filters_of(vector), {}};
      for (const auto& one : vector.cases) {
        made.runs.push_back({one.data, one.verdict.value_or(Verdict{})});
      }
      corpus.stacks.push_back(std::move(made));
      return;
    }
    case VectorKind::Outcome:
      add_outcomes(corpus, header, vector);
      return;
  }
}

}  // namespace

void add_vectors(Corpus& corpus) {
  for (const EmbeddedFile& file : embedded_vectors()) {
    const std::string_view folder = file.name.substr(0, file.name.find('/'));
    for (const VectorKind kind : suite::vector_kinds()) {
      if (suite::folder(kind) != folder) continue;
      const auto vector = suite::parse_vector(file.text, kind);
      if (!vector) {
        throw std::runtime_error(fmt::format("corpus/vectors/{}.vec:{}: {}", file.name,
                                             vector.error().line, vector.error().message));
      }
      add(corpus, {fmt::format("vector/{}", file.name), reason_of(*vector), vector->kernel},
          *vector);
    }
  }
}

}  // namespace callgate::corpus
