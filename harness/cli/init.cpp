#include "harness/suite/init.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "harness/cli/cli.hpp"

namespace callgate::cli {
namespace {

struct Options {
  InputOptions input;
  std::vector<std::string> filters;
  std::vector<std::string> arches;
  std::string kernel;
  std::string output;
  bool force = false;
};

int run(const Options& options) {
  suite::InitRequest request;
  request.filters = options.filters;
  request.deploy.format = options.input.format;
  request.deploy.caps = options.input.caps;
  request.deploy.runtime = options.input.runtime;
  request.deploy.systemd = options.input.systemd;
  request.deploy.with = options.input.with;
  request.deploy.denylist = options.input.denylist;
  ModelOptions model;
  model.kernel = options.kernel;
  request.kernel = model.model().version;
  request.has_kernel = !options.kernel.empty();
  for (const std::string& name : options.arches) {
    model.arch = name;
    request.arches.push_back(model.model().arch);
  }
  if (request.arches.empty()) request.arches.push_back(model.model().arch);
  request.suite = options.output;
  if (!options.output.empty() && !options.force && std::filesystem::exists(options.output)) {
    throw UserError(fmt::format(
        "{}: it is there already; --force writes over it, `callgate test --update` changes what is "
        "recorded in it",
        options.output));
  }
  const auto text = suite::first_suite(request);
  if (!text) throw UserError(text.error());
  if (options.output.empty()) {
    fmt::print("{}", *text);
    return kWell;
  }
  write_whole(options.output, *text);
  fmt::print("{}: written, and every case of it passes; run it with `callgate test {}`\n",
             options.output, options.output);
  return kWell;
}

}  // namespace

void add_init(CLI::App& root, int& exit_code) {
  CLI::App* const command = root.add_subcommand(
      "init", "Write a first suite: what a filter or profile does now, ready for `callgate test`");
  auto options = std::make_shared<Options>();
  command
      ->add_option("filters", options->filters,
                   "Filters or profiles in any format that is read, oldest first: one stack")
      ->type_name("FILTER")
      ->required();
  command
      ->add_option("-o,--output", options->output, "The suite's file; standard output if not given")
      ->type_name("FILE");
  command->add_flag("--force", options->force, "Write over a file that is there");
  command
      ->add_option("--arch", options->arches,
                   "Machines that the filter is for, such as x86_64,aarch64; this one if not given")
      ->type_name("ARCH")
      ->delimiter(',');
  command
      ->add_option("--kernel", options->kernel,
                   "Linux version, such as 5.10; the newest, and not named in the suite, if not "
                   "given")
      ->type_name("VERSION");
  options->input.add_to(*command);
  command->footer(
      "Example:\n"
      "  callgate init --arch x86_64,aarch64 -o default_test.yaml default.json\n"
      "  callgate test default_test.yaml\n"
      "\nExit codes: 0 written; 2 wrong use, or a filter that cannot be read.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace callgate::cli
