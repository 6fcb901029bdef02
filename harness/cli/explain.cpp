#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/cli/cli.hpp"
#include "harness/report/explained_call.hpp"
#include "harness/report/explanation_text.hpp"
#include "vm/engine.hpp"

namespace callgate::cli {
namespace {

struct Options {
  ModelOptions model;
  InputOptions input;
  std::vector<std::string> filters;
  CallOptions call;
  std::string format = "text";
  bool all = false;
};

int explain(const Options& options) {
  if (options.call.given() && options.format == "markdown") {
    throw UserError("explain: --format markdown is for all calls; leave SYSCALL out");
  }
  const KernelModel model = options.model.model();
  const std::vector<FilterFile> files = read_stack(options.filters, options.input, options.model);
  const auto stack = build_stack(files, model, default_engine());
  if (!stack) return kNo;
  verifier::Space space;
  verifier::Endings endings(space);
  const verifier::StackMeaning meaning = verifier::meaning_of(endings, *stack);
  if (options.call.given()) {
    const auto answer =
        report::explain_call(options.call.call(model.arch), files, *stack, endings, meaning);
    fmt::print("{}", options.format == "json" ? report::explained_call_json(answer, files, model)
                                              : report::explained_call_text(answer, files, model));
    return answer.whole() ? kWell : kNo;
  }
  const report::Explanation explanation = report::explain(endings, meaning, model);
  std::vector<std::string> names;
  for (const FilterFile& each : files) names.push_back(each.path);
  const report::Explained explained{explanation, endings, model, names, options.all};
  const std::string text = options.format == "json"       ? report::explanation_json(explained)
                           : options.format == "markdown" ? report::explanation_markdown(explained)
                                                          : report::explanation_text(explained);
  fmt::print("{}", text);
  return explanation.left_out.empty() ? kWell : kNo;
}

}  // namespace

void add_explain(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "explain", "Which calls get what, under which conditions? And why does this one?");
  add_filters(command, options->filters);
  options->model.add_to(command);
  options->call.add_to(command,
                       "Explain this call alone: its name or number; all calls if not given");
  command.add_option("--format", options->format, "text, json; of all calls also markdown")
      ->check(CLI::IsMember({"text", "json", "markdown"}))
      ->type_name("FORMAT");
  command.add_flag("--all", options->all,
                   "Text and markdown: name also the calls that get what most numbers get");
  options->input.add_to(command);
  command.footer(
      "\nExamples:\n"
      "  callgate explain -f filter.bpf\n"
      "  callgate explain -f unit.service --format markdown\n"
      "  callgate explain -f profile.json --runtime crun clone CLONE_NEWUSER\n"
      "\nAll calls: for each ABI that a kernel of --arch has, and for others that the filters tell "
      "apart, which syscalls get which verdict under which condition. It is exact: what is too "
      "much to be analysed or listed is said to be left out.\n"
      "One call: what was compared on its way, which filter decided, under which condition every "
      "such call gets the same, and the rule of the profile.\n"
      "\nExit code 1: a filter is refused (its errors are shown), or something is left out.");
  command.callback([options, &exit_code] { exit_code = explain(*options); });
}

}  // namespace callgate::cli
