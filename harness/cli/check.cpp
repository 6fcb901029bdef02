#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "harness/cli/cli.hpp"
#include "harness/filters/acceptance.hpp"

namespace callgate::cli {
namespace {

using filters::Acceptance;

struct Options {
  ModelOptions model;
  std::vector<std::string> paths;
  InputOptions input;
  std::string format = "text";
};

std::string text(const FilterFile& file, const Acceptance& acceptance, const KernelModel& model) {
  if (acceptance.accepted) {
    return fmt::format("{}: {} by {}: {} instructions, {} of the {} that a task may hold\n",
                       suite::one_line(file.path), coloured("accepted", true), model_words(model),
                       file.program.size(), acceptance.accepted->as_new, kMaxInstructionsPerTask);
  }
  return fmt::format("{}: {} by {}: EINVAL\n{}", suite::one_line(file.path),
                     coloured("refused", false), model_words(model),
                     diagnostic_lines(file.path, acceptance.refusal.diagnostics));
}

int check(const Options& options) {
  const KernelModel model = options.model.model();
  // All files are read before anything is printed: one that cannot be read leaves no half answer.
  const std::vector<FilterFile> files = read_stack(options.paths, options.input, options.model);
  const std::vector<Acceptance> acceptances = filters::acceptances_of(files, model);
  if (options.format == "json") {
    fmt::print("{}", filters::acceptance_json(files, acceptances, model));
  } else {
    for (std::size_t i = 0; i < files.size(); ++i) {
      fmt::print("{}", text(files[i], acceptances[i], model));
    }
  }
  const bool all = std::ranges::all_of(
      acceptances, [](const Acceptance& each) { return each.accepted.has_value(); });
  return all ? kWell : kNo;
}

}  // namespace

void add_check(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "check", "Would the kernel accept these filters? If not, everything that is wrong with them");
  options->model.add_to(command);
  command.add_option("FILTER", options->paths, "Filter files; - is standard input")->required();
  options->input.add_to(command);
  add_format(command, options->format);
  command.footer(
      "\nExample:\n"
      "  callgate check --kernel 5.10 --arch aarch64 filter.bpf\n"
      "\nEach file is checked alone: what several count together, `callgate run` and `live` "
      "look at.\nExit code 1: at least one is refused.");
  command.callback([options, &exit_code] { exit_code = check(*options); });
}

}  // namespace callgate::cli
