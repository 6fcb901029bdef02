#include <fmt/format.h>

#include <memory>

#include "harness/cli/cli.hpp"
#include "harness/cli/tree.hpp"

namespace callgate::cli {
namespace {

struct Options {
  std::string shell;
  std::string out;
};

std::string script(const std::string& shell, const CommandWords& root) {
  if (shell == "bash") return bash_completion(root);
  return shell == "zsh" ? zsh_completion(root) : fish_completion(root);
}

int completion(const Options& options) {
  int ignored = kWell;
  const std::unique_ptr<CLI::App> tree = command_tree(ignored);
  const std::string text = script(options.shell, words_of(*tree));
  if (options.out.empty()) {
    fmt::print("{}", text);
  } else {
    write_whole(options.out, text);
  }
  return kWell;
}

}  // namespace

void add_completion(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "completion", "A script for a shell that completes subcommands, options and their values");
  command.add_option("SHELL", options->shell, "bash, zsh or fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("")
      ->required();
  command.add_option("-o,--output", options->out, "Where it goes, standard output if not given")
      ->type_name("FILE");
  command.footer(
      "\nExamples:\n"
      "  . <(callgate completion bash)\n"
      "  callgate completion zsh > ~/.zfunc/_callgate\n"
      "  callgate completion fish > ~/.config/fish/completions/callgate.fish\n"
      "\nInstalled with callgate the scripts are where each shell looks for them.");
  command.callback([options, &exit_code] { exit_code = completion(*options); });
}

}  // namespace callgate::cli
