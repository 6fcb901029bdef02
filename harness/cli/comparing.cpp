#include "harness/cli/comparing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/compare/words.hpp"
#include "harness/report/words.hpp"
#include "verifier/check.hpp"
#include "vm/engine.hpp"

namespace callgate::cli {
namespace {

using compare::Calls;
using compare::Change;
using nlohmann::ordered_json;
using verifier::Answer;

constexpr std::size_t kMostNames = 8;

// One side: its files, and the stack of them.
struct Subject {
  std::vector<std::string> paths;
  ModelOptions options;
  KernelModel model;
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

std::string name_list(const Calls& calls, bool all) {
  const std::size_t shown = all ? calls.names.size() : std::min(calls.names.size(), kMostNames);
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : ", ") + calls.names[i];
  std::vector<std::string> more;
  if (calls.names.size() > shown)
    more.push_back(fmt::format("{} more", calls.names.size() - shown));
  if (calls.unnamed > 0) {
    more.push_back(fmt::format("{:.0f} number{} without a name", calls.unnamed,
                               calls.unnamed == 1 ? "" : "s"));
  }
  for (const std::string& each : more) out += (out.empty() ? "" : " and ") + each;
  return out;
}

std::string filters_of(const Subject& subject) {
  std::string out;
  for (const std::string& each : subject.paths) out += fmt::format("-f {} ", each);
  return out;
}

std::string call_words(const SeccompData& data) {
  return fmt::format("nr {}, arch {}, args {:#x}, ip {:#x}", data.nr, report::arch_name(data),
                     fmt::join(data.args, " "), data.instruction_pointer);
}

// What to type to see it, or the call where `run` cannot be asked for it.
std::string example(const SeccompData& call, const Subject& of) {
  const std::string words = compare::run_words(call, of.model.arch);
  if (words.empty()) return "for example " + call_words(call);
  std::string options = of.options.arch.empty() || words.starts_with("--arch")
                            ? std::string()
                            : fmt::format("--arch {} ", of.options.arch);
  if (!of.options.kernel.empty()) options += fmt::format("--kernel {} ", of.options.kernel);
  return fmt::format("callgate run {}{}{}", filters_of(of), options, words);
}

std::string counted(const Change& change) {
  std::size_t named = 0;
  double unnamed = 0;
  for (const Calls& each : change.calls) {
    named += each.names.size();
    unnamed += each.unnamed;
  }
  if (named == 0) return fmt::format("{:.0f} numbers without a name", unnamed);
  return fmt::format("{} call{}", named, named == 1 ? "" : "s");
}

void print_change(const Change& change, const Subject& a, const Subject& b, bool by_name,
                  bool verbose) {
  fmt::print("\n{}: from {} to {}: {}\n", counted(change), change.from, change.to, change.which);
  for (const Calls& each : change.calls) {
    const std::string condition = each.always              ? std::string()
                                  : each.condition.empty() ? " for some arguments"
                                                           : " " + each.condition;
    fmt::print("  {}{}\n", name_list(each, verbose), condition);
    fmt::print("    {}\n", example(by_name ? each.call_b : each.call, b));
    if (verbose || by_name) fmt::print("    {}\n", example(each.call, a));
  }
}

void print_only(const std::vector<std::string>& names, const KernelModel& model) {
  if (names.empty()) return;
  fmt::print("\nnot compared, since only {} has them: {}\n", info(model.arch).name,
             fmt::join(names, ", "));
}

std::string answer_word(const compare::Result& result, const ComparingWords& words) {
  switch (result.answer) {
    case Answer::Equal:
      return words.equal;
    case Answer::Different:
      return words.different;
    case Answer::Undecided:
      break;
  }
  return "undecided";
}

void print_text(const compare::Result& result, const ComparingWords& words, const Subject& a,
                const Subject& b, bool by_name, bool verbose) {
  const std::string kernels =
      by_name ? fmt::format("{} and {}, call by call", model_words(a.model), model_words(b.model))
              : model_words(a.model);
  fmt::print("{} ({}, {})\n", answer_word(result, words), words.level, kernels);
  if (result.answer == Answer::Equal) {
    fmt::print("  proved for all inputs: {}\n  tried out on {} inputs\n", result.how, result.tried);
  }
  for (const Change& each : result.changes) print_change(each, a, b, by_name, verbose);
  if (!result.complete) fmt::print("\nThere are more; these are the first.\n");
  for (const compare::Open& each : result.open) {
    fmt::print("\nnot known: {}{}: {}\n", each.calls,
               each.condition.empty() ? "" : " " + each.condition, each.why);
  }
  if (by_name) {
    fmt::print("\n{} calls that both have were compared.\n", result.compared_calls);
    print_only(result.only_a, a.model);
    print_only(result.only_b, b.model);
  }
}

ordered_json json_of(const SeccompData& data, const Subject& of) {
  ordered_json args = ordered_json::array();
  for (const std::uint64_t each : data.args) args.push_back(fmt::format("{:#x}", each));
  const bool can_be_run = !compare::run_words(data, of.model.arch).empty();
  return {{"syscall", report::call_name(data)},
          {"nr", data.nr},
          {"arch", report::arch_name(data)},
          {"args", std::move(args)},
          {"ip", fmt::format("{:#x}", data.instruction_pointer)},
          {"run", can_be_run ? ordered_json(example(data, of)) : ordered_json()}};
}

ordered_json json_of(const Change& change, const Subject& a, const Subject& b) {
  ordered_json out{{"from", change.from}, {"to", change.to}, {"which", change.which}};
  out["calls"] = ordered_json::array();
  for (const Calls& each : change.calls) {
    ordered_json row{{"names", each.names}, {"unnamed", each.unnamed}, {"always", each.always}};
    row["condition"] = each.condition.empty() ? ordered_json() : ordered_json(each.condition);
    row["a"] = {{"value", fmt::format("0x{:08x}", each.a)}, {"call", json_of(each.call, a)}};
    row["b"] = {{"value", fmt::format("0x{:08x}", each.b)}, {"call", json_of(each.call_b, b)}};
    out["calls"].push_back(std::move(row));
  }
  return out;
}

void print_json(const compare::Result& result, const ComparingWords& words, const Subject& a,
                const Subject& b, bool by_name) {
  ordered_json document{{"callgate", 1},
                        {"command", words.command},
                        {"kernel", callgate::to_string(a.model.version)},
                        {"arch_a", info(a.model.arch).name},
                        {"arch_b", info(b.model.arch).name},
                        {"level", words.level},
                        {"answer", answer_word(result, words)}};
  const bool equal = result.answer == Answer::Equal;
  document["proof"] = equal ? ordered_json(result.how) : ordered_json();
  document["tried"] = result.tried;
  document["complete"] = result.complete;
  document["changes"] = ordered_json::array();
  for (const Change& each : result.changes) document["changes"].push_back(json_of(each, a, b));
  document["open"] = ordered_json::array();
  for (const compare::Open& each : result.open) {
    document["open"].push_back(
        {{"calls", each.calls}, {"condition", each.condition}, {"why", each.why}});
  }
  document["by_name"] = ordered_json();
  if (by_name) {
    document["by_name"] = {
        {"compared", result.compared_calls}, {"only_a", result.only_a}, {"only_b", result.only_b}};
  }
  fmt::print("{}\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

}  // namespace

void ComparingOptions::add_to(CLI::App& command) {
  command.add_option("FILTER", both, "A and B, in any format that is read; - is standard input")
      ->type_name("")
      ->expected(0, 2);
  const auto stack = [&](const char* name, std::vector<std::string>& to, const char* what) {
    command.add_option(name, to, what)->type_name("FILTER")->allow_extra_args(false);
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

int compare_and_print(const ComparingOptions& options, compare::Request request,
                      const ComparingWords& words) {
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
    fmt::print(stderr,
               "callgate: internal error: what was proved does not agree with running both for "
               "{}; please report it\n",
               call_words(*result.contradiction));
    return kWrongUse;
  }
  if (options.format == "json") {
    print_json(result, words, a, b, request.by_name);
  } else {
    print_text(result, words, a, b, request.by_name, options.input.verbose);
  }
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
