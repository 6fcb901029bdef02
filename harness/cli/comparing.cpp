#include "harness/cli/comparing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "verifier/check.hpp"
#include "vm/engine.hpp"

namespace callgate::cli {
namespace {

using verifier::Answer;

// One side: its files, and the stack of them.
struct Subject {
  std::vector<std::string> paths;
  ModelOptions options;
  KernelModel model;

  [[nodiscard]] compare::Side side() const { return {paths, options.arch, options.kernel, model}; }
};

Subject subject(const ComparingOptions& options, bool first) {
  const auto& listed = first ? options.a : options.b;
  const auto& arch = first ? options.arch_a : options.arch_b;
  Subject out;
  out.paths = listed;
  if (listed.empty()) out.paths = {options.both.at(first ? 0 : options.both.size() - 1)};
  out.options = options.model;
  if (!arch.empty()) out.options.arch = arch;
  out.model = out.options.model();
  return out;
}

// A and B, or --a and --b, or one of each.
void check_use(const ComparingOptions& options) {
  const std::size_t listed = (options.a.empty() ? 0U : 1U) + (options.b.empty() ? 0U : 1U);
  if (options.both.size() + listed != 2) {
    throw UserError("give two filters, A and B, or stacks by --a FILTER and --b FILTER");
  }
  if (std::ranges::count(options.a, "-") + std::ranges::count(options.b, "-") +
          std::ranges::count(options.both, "-") >
      1) {
    throw UserError("standard input can be read once only");
  }
}

std::optional<FilterStack> stack_of(const Subject& subject, const InputOptions& input) {
  const auto files = read_stack(subject.paths, input, subject.options);
  return build_stack(files, subject.model, default_engine());
}

}  // namespace

void ComparingOptions::add_to(CLI::App& command) {
  command.add_option("FILTER", both, "A and B, in any format that is read; - is standard input")
      ->type_name("")
      ->expected(0, 2);
  const auto stack = [&](const char* name, std::vector<std::string>& to, const char* what) {
    command.add_option(name, to, what)->type_name("FILTER");
  };
  stack("--a", a, "In place of A: a filter of its stack; once for each, the oldest first");
  stack("--b", b, "In place of B: the same");
  model.add_to(command);
  command.add_option("--arch-a", arch_a, "A's architecture, where the two are not of the same")
      ->type_name("ARCH");
  command
      .add_option("--arch-b", arch_b,
                  "B's; calls of the same name are compared then, each of its own architecture")
      ->type_name("ARCH");
  command
      .add_option("--inputs", inputs,
                  "How many inputs are tried out on both where they are found to be equal [20000]")
      ->type_name("N");
  command
      .add_option("--solver-seconds", seconds,
                  "How long Z3 may think about what decision diagrams leave open [10]")
      ->type_name("N");
  command.add_option("--format", format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  input.add_to(command);
}

int compare_and_print(const ComparingOptions& options, compare::Question question) {
  compare::Request& request = question.request;
  check_use(options);
  const Subject a = subject(options, true);
  const Subject b = subject(options, false);
  const auto stack_a = stack_of(a, options.input);
  const auto stack_b = stack_of(b, options.input);
  if (!stack_a || !stack_b) return kWrongUse;
  if (request.options.level == verifier::Level::Raw &&
      (stack_a->size() != 1 || stack_b->size() != 1)) {
    throw UserError("--level raw compares two programs; of a stack there is a verdict alone");
  }
  request.by_name = a.model.arch != b.model.arch;
  request.inputs = options.inputs;
  request.solving = std::chrono::seconds(options.seconds);
  const compare::Result result = compare::compared(*stack_a, *stack_b, request);
  if (result.contradiction) {
    tell(
        "callgate: internal error: what was proved does not agree with running both for "
        "{}; please report it",
        compare::call_words(*result.contradiction));
    return kWrongUse;
  }
  const compare::Side side_a = a.side();
  const compare::Side side_b = b.side();
  const compare::Compared compared{result, question.words, side_a, side_b, request.by_name};
  fmt::print("{}", options.format == "json"
                       ? compare::comparison_json(compared)
                       : compare::comparison_text(compared, options.input.verbose));
  switch (result.answer) {
    case Answer::Equal:
      return kWell;
    case Answer::Different:
      return kNo;
    case Answer::Undecided:
      break;
  }
  return kUndecided;
}

}  // namespace callgate::cli
