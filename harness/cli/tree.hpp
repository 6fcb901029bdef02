#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The command's subcommands and options, as they are parsed (CLI11), and as what is written from
/// them: pages of the manual and completions of shells.
namespace callgate::cli {

/// The command with all its subcommands; with `only` that one alone, where there is such a one: it
/// is sooner there. Callbacks set `exit_code`, which must live as long.
[[nodiscard]] std::unique_ptr<CLI::App> command_tree(int& exit_code, std::string_view only = {});

/// What CLI::App::parse(vector) is given for these words, the last first: CLI11 takes a word
/// `[a,b]` apart where an option takes several, and what a person writes is what a subcommand gets.
[[nodiscard]] std::vector<std::string> words_for_parse(std::span<char* const> words);

/// What CLI11 says of such words.
[[nodiscard]] std::string words_of_error(std::string text);

/// What the value of an option, or a word, stands for: told by the names of the value, so that
/// an option with type_name FILE takes files wherever it is.
struct Takes {
  bool files = false;     ///< FILE, FILTER, SUITE, TRACE, SCRIPT, OUT, OTHER, STACK
  bool folders = false;   ///< DIR
  bool arches = false;    ///< ARCH, ABI
  bool syscalls = false;  ///< SYSCALL
  bool commands = false;  ///< COMMAND: a program of the system
  std::vector<std::string> choices;

  [[nodiscard]] bool nothing() const {
    return !files && !folders && !arches && !syscalls && !commands && choices.empty();
  }
};

/// An option, or (without names) a positional word.
struct OptionWords {
  std::vector<std::string> names;  ///< with their dashes, in the order of --help
  std::string value;               ///< what the value is called; empty: a flag, or not named
  std::string range;               ///< such as `[1 - 1024]`; empty: none is told
  std::string text;
  std::string group;  ///< the title above it in --help
  bool flag = false;
  bool required = false;
  bool many = false;  ///< it may be given several times
  Takes takes;
};

/// A command: the root, or a subcommand of any depth.
struct CommandWords {
  std::vector<std::string> path;  ///< without `callgate`: `corpus`, `export`
  std::string text;
  std::string footer;
  std::vector<OptionWords> options;
  std::vector<OptionWords> positionals;
  std::vector<CommandWords> commands;

  /// `callgate corpus export`, with something else than spaces on request.
  [[nodiscard]] std::string name(std::string_view between = " ") const;
};

/// The words of a tree, in the order of --help.
[[nodiscard]] CommandWords words_of(const CLI::App& app);

/// The names of all ABIs' calls, sorted, each once.
[[nodiscard]] std::vector<std::string> all_syscalls();

/// The names of all architectures, in the table's order.
[[nodiscard]] std::vector<std::string> all_arches();

/// A completion script; `shell` is bash, zsh or fish.
[[nodiscard]] std::string bash_completion(const CommandWords& root);
[[nodiscard]] std::string zsh_completion(const CommandWords& root);
[[nodiscard]] std::string fish_completion(const CommandWords& root);

/// A page of the manual, section 1, in the macros of man(7).
[[nodiscard]] std::string man_page(const CommandWords& command);

}  // namespace callgate::cli
