#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "harness/cli/cli.hpp"
#include "harness/cli/tree.hpp"

namespace callgate::cli {
namespace {

struct Options {
  std::vector<std::string> path;
  std::string folder;
};

void write_pages(const CommandWords& command, const std::string& folder) {
  write_whole(fmt::format("{}/{}.1", folder, command.name("-")), man_page(command));
  for (const CommandWords& each : command.commands) write_pages(each, folder);
}

int man(const Options& options) {
  int ignored = kWell;
  const std::unique_ptr<CLI::App> tree = command_tree(ignored);
  const CommandWords root = words_of(*tree);
  const CommandWords* command = &root;
  for (const std::string& word : options.path) {
    const auto found = std::ranges::find(command->commands, word,
                                         [](const CommandWords& each) { return each.path.back(); });
    if (found == command->commands.end()) {
      throw UserError(fmt::format("{}: {} has no such subcommand; see `{} --help`", word,
                                  command->name(), command->name()));
    }
    command = &*found;
  }
  if (options.folder.empty()) {
    fmt::print("{}", man_page(*command));
  } else {
    write_pages(*command, options.folder);
  }
  return kWell;
}

}  // namespace

void add_man(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand("man", "A page of the manual, made from --help");
  command.add_option("SUBCOMMAND", options->path, "Of what; of callgate itself if not given")
      ->type_name("");
  command
      .add_option("-o,--output", options->folder,
                  "Write the page, and those of the subcommands below it, into this folder, which "
                  "is there")
      ->type_name("DIR");
  command.footer(
      "\nExamples:\n"
      "  callgate man explain | man -l -\n"
      "  callgate man -o share/man/man1\n"
      "\nInstalled with callgate the pages are read with `man callgate` and `man "
      "callgate-explain`.");
  command.callback([options, &exit_code] { exit_code = man(*options); });
}

}  // namespace callgate::cli
