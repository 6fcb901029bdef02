// calls PROFILE CALL...: what becomes of calls under a filter or profile, on x86_64. Exit code 1:
// one is not executed; 2: the profile or a call cannot be read, or the kernel would refuse the
// filter.
#include <algorithm>
#include <callgate/harness/filters/filter_files.hpp>
#include <callgate/harness/report/words.hpp>
#include <callgate/harness/suite/explicit_call.hpp>
#include <callgate/vm/outcome.hpp>
#include <iostream>
#include <string>

namespace {

std::string words(const callgate::Outcome& outcome) {
  const std::string signal = std::to_string(outcome.signal);
  switch (outcome.kind) {
    case callgate::OutcomeKind::Executes:
      return "executes";
    case callgate::OutcomeKind::Returns:
      return "returns " + std::to_string(outcome.value);
    case callgate::OutcomeKind::Sigsys:
      return "signal " + std::to_string(outcome.siginfo.signo) + " is delivered";
    case callgate::OutcomeKind::ThreadDies:
      return "its thread dies by signal " + signal;
    case callgate::OutcomeKind::ProcessDies:
      return "its process dies by signal " + signal;
    case callgate::OutcomeKind::TracerDecides:
      return "a tracer decides";
    case callgate::OutcomeKind::ListenerDecides:
      return "a listener decides";
    case callgate::OutcomeKind::Unknown:
      break;
  }
  return "unknown, because " + std::string(outcome.reason);
}

// 0: it is executed, 1: it is not, 2: it cannot be read.
int decide(const callgate::FilterStack& stack, const std::string& call) {
  const callgate::KernelModel& model = stack.model();
  const auto data = callgate::suite::parse_explicit_call(call, model.arch);
  if (!data) {
    std::cerr << call << ": " << data.error().message << "\n";
    return 2;
  }
  const auto verdict = stack.run(*data);
  // Nobody traces, nobody listens, and the caller is the only thread.
  const auto outcome = outcome_of(stack, verdict, *data, {});
  std::cout << call << ": " << callgate::report::verdict_words(verdict.value, model) << ", "
            << words(outcome) << "\n";
  return outcome.kind == callgate::OutcomeKind::Executes ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: calls PROFILE CALL...\n";
    return 2;
  }
  callgate::front_ends::LoadOptions options;  // the newest kernel, x86_64
  const auto read = callgate::filters::read_filters(argv[1], options);
  if (!read) {
    std::cerr << read.error() << "\n";
    return 2;
  }
  const callgate::KernelModel& model = options.deployment.model;
  const auto stack = callgate::filters::stack_of(read->filters, model);
  if (!stack) {
    const auto& [file, diagnostics] = stack.error();
    std::cerr << callgate::filters::refusal_lines(read->filters[file].path, model, diagnostics);
    return 2;
  }
  int worst = 0;
  for (int index = 2; index < argc; ++index) worst = std::max(worst, decide(*stack, argv[index]));
  return worst;
}
