#include "harness/coverage/cases.hpp"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/cli/cli.hpp"
#include "harness/coverage/case_writers.hpp"
#include "vm/engine.hpp"

namespace callgate::cli {
namespace {

struct Options {
  ModelOptions model;
  InputOptions input;
  std::vector<std::string> filters;
  std::vector<std::string> abis;
  std::string per = "branch";
  std::string format = "suite";
  std::size_t most = coverage::CaseOptions{}.most_paths;
  bool neighbours = true;
};

coverage::CaseOptions case_options(const Options& options) {
  coverage::CaseOptions out;
  out.per = options.per == "path"      ? coverage::Per::Path
            : options.per == "verdict" ? coverage::Per::Verdict
                                       : coverage::Per::Branch;
  out.neighbours = options.neighbours;
  out.most_paths = options.most;
  for (const std::string& name : options.abis) {
    const auto abi = arch_from_name(name);
    if (!abi) {
      throw UserError(fmt::format(
          "--abi {}: not an architecture; `callgate cases --help` has an example", name));
    }
    out.abis.push_back(*abi);
  }
  return out;
}

int cases(const Options& options) {
  const coverage::CaseOptions asked = case_options(options);
  const KernelModel model = options.model.model();
  const std::vector<FilterFile> files = read_stack(options.filters, options.input, options.model);
  const auto stack = build_stack(files, model, default_engine());
  if (!stack) return kNo;
  verifier::Space space;
  verifier::Endings endings(space);
  const verifier::StackMeaning meaning = verifier::meaning_of(endings, *stack);
  const coverage::Cases found = coverage::cases_of(*stack, endings, meaning, asked);
  std::vector<std::string> names;
  for (const FilterFile& each : files) names.push_back(each.path);
  const coverage::CasesOf of{found, *stack, names, asked.per};
  fmt::print("{}", options.format == "json"   ? coverage::cases_json(of)
                   : options.format == "text" ? coverage::cases_text(of)
                                              : coverage::cases_suite(of));
  return found.left_out.empty() ? kWell : kNo;
}

}  // namespace

void add_cases(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "cases", "Which calls come to every branch of a filter? Ready to paste into a suite");
  add_filters(command, options->filters, true);
  options->model.add_to(command);
  command.add_option("--per", options->per, "A call for every branch, path or verdict")
      ->check(CLI::IsMember({"branch", "path", "verdict"}))
      ->type_name("WHAT")
      ->capture_default_str();
  command.add_flag("--neighbours,!--no-neighbours", options->neighbours,
                   "Also calls just beside the boundaries of the arguments that are compared; on "
                   "if not given");
  command
      .add_option("--abi", options->abis, "Calls of this ABI alone; give the option once for each")
      ->type_name("ABI");
  command.add_option("--most", options->most, "Paths: no more than so many")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->capture_default_str();
  command.add_option("--format", options->format, "suite, text, json")
      ->check(CLI::IsMember({"suite", "text", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  options->input.add_to(command);
  command.footer(
      "\nExamples:\n"
      "  callgate cases filter.bpf >> suite.yaml\n"
      "  callgate cases profile.json --abi x86_64 --no-neighbours\n"
      "  callgate cases old.bpf new.bpf --per path --format text\n"
      "\nEach call that is printed was run; that together they come to every instruction and every "
      "direction of a conditional jump that any call comes to is checked before they are printed. "
      "What no call comes to is listed as unreachable, which is proved. None of the calls (but for "
      "neighbours) can be left out.\n"
      "\nExit code 1: a filter is refused (its errors are shown), or something is left out, which "
      "is said.");
  command.callback([options, &exit_code] { exit_code = cases(*options); });
}

}  // namespace callgate::cli
