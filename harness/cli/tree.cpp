#include "harness/cli/tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>

#include "harness/cli/build_facts.hpp"
#include "harness/cli/cli.hpp"
#include "vm/arches.hpp"
#include "vm/syscalls.hpp"

namespace callgate::cli {
namespace {

constexpr std::string_view kDescription =
    "What Linux does with seccomp filters, in userspace: which call gets which verdict, and why.\n";

constexpr std::string_view kFooter =
    "\nExamples:\n"
    "  callgate check filter.bpf\n"
    "  callgate run -f filter.bpf openat AT_FDCWD 0 O_RDONLY\n"
    "  callgate live -f filter.bpf --all\n"
    "\nExit codes: 0 all well; 1 an answer of no (refused, mismatch); 2 wrong use or unreadable "
    "input.\n"
    "`callgate SUBCOMMAND --help` says more of each.";

struct Subcommand {
  std::string_view name;  // as a C++ name: - is _
  void (*add)(CLI::App& root, int& exit_code);
};

constexpr auto kSubcommands = std::to_array<Subcommand>({
#define SUBCOMMAND(name) {#name, add_##name},
#include "harness/cli/subcommands.def"
#undef SUBCOMMAND
});

bool is_named(const Subcommand& row, std::string_view word) {
  return std::ranges::equal(row.name, word,
                            [](char a, char b) { return (a == '_' ? '-' : a) == b; });
}

// Words of capital letters, of a value's name such as `FORMAT[=FILE]`.
Takes takes_of(std::string_view value) {
  constexpr auto kFiles = std::to_array<std::string_view>(
      {"FILE", "FILTER", "SUITE", "TRACE", "SCRIPT", "OUT", "OTHER", "STACK"});
  Takes out;
  const auto is_letter = [](char each) { return each >= 'A' && each <= 'Z'; };
  for (std::size_t i = 0; i < value.size();) {
    std::size_t end = i;
    while (end < value.size() && is_letter(value[end])) ++end;
    const std::string_view word = value.substr(i, end - i);
    out.files = out.files || std::ranges::find(kFiles, word) != kFiles.end();
    out.folders = out.folders || word == "DIR";
    out.arches = out.arches || word == "ARCH" || word == "ABI";
    out.syscalls = out.syscalls || word == "SYSCALL";
    out.commands = out.commands || word == "COMMAND";
    i = end + 1;
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> out;
  for (;;) {
    const std::size_t end = text.find(at);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

// CLI11 has names, choices and ranges of a value as one text: `FORMAT:{text,json}`, `N:UINT in [1 -
// 9]`.
void read_value(OptionWords& out, std::string_view type, const std::string& positional) {
  const std::size_t colon = type.find(':');
  const std::string_view rest =
      colon == std::string_view::npos ? std::string_view() : type.substr(colon + 1);
  const std::string_view name = type.substr(0, colon);
  const bool named = !name.empty() && name != "TEXT";
  out.value = named || positional.empty() ? std::string(name) : positional;
  out.takes = takes_of(out.value);
  if (rest.starts_with('{') && rest.ends_with('}')) {
    out.takes.choices = split(rest.substr(1, rest.size() - 2), ',');
  } else if (const std::size_t range = rest.find('['); range != std::string_view::npos) {
    out.range = rest.substr(range);
  }
}

OptionWords words_of(const CLI::Option& option) {
  OptionWords out;
  for (const std::string& each : option.get_snames()) out.names.push_back("-" + each);
  for (const std::string& each : option.get_lnames()) out.names.push_back("--" + each);
  out.text = option.get_description();
  out.group = option.get_group();
  out.flag = option.get_items_expected_max() == 0;
  out.required = option.get_required();
  out.many = option.get_expected_max() > 1 ||
             option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  if (!out.flag) {
    read_value(out, option.get_type_name(), option.get_positional() ? option.get_name(true) : "");
  }
  return out;
}

// Stands before a word that CLI11 would take apart.
constexpr char kAsItIs = '\x1f';

// Takes kAsItIs away again; options take one word at a time.
void take_words_as_they_are(CLI::App& app) {
  const CLI::Validator unmarked(
      [](std::string& word) {
        if (word.starts_with(kAsItIs)) word.erase(0, 1);
        return std::string();
      },
      "");
  for (CLI::Option* each : app.get_options({})) {
    if (!each->get_positional()) each->allow_extra_args(false);
    if (each->get_items_expected_max() > 0) each->transform(unmarked);
  }
  for (CLI::App* each : app.get_subcommands({})) take_words_as_they_are(*each);
}

}  // namespace

std::string CommandWords::name(std::string_view between) const {
  std::string out = "callgate";
  for (const std::string& each : path) out += fmt::format("{}{}", between, each);
  return out;
}

std::unique_ptr<CLI::App> command_tree(int& exit_code, std::string_view only) {
  auto app = std::make_unique<CLI::App>(std::string(kDescription), "callgate");
  app->footer(std::string(kFooter));
  app->set_version_flag("--version", version_text,
                        "Print the version and what was built in, and exit");
  app->require_subcommand(1);
  app->get_formatter()->column_width(36);
  const auto* const found = std::ranges::find_if(
      kSubcommands, [only](const Subcommand& row) { return is_named(row, only); });
  for (const Subcommand& row : kSubcommands) {
    if (found == kSubcommands.end() || &row == found) row.add(*app, exit_code);
  }
  take_words_as_they_are(*app);
  return app;
}

std::vector<std::string> words_for_parse(std::span<char* const> words) {
  std::vector<std::string> out;
  for (const std::string_view each : std::views::reverse(words)) {
    const bool marked = each.starts_with(kAsItIs) || (each.starts_with('[') && each.ends_with(']'));
    out.push_back(marked ? kAsItIs + std::string(each) : std::string(each));
  }
  return out;
}

std::string words_of_error(std::string text) {
  std::erase(text, kAsItIs);
  return text;
}

CommandWords words_of(const CLI::App& app) {
  CommandWords out;
  for (const CLI::App* each = &app; each->get_parent() != nullptr; each = each->get_parent()) {
    out.path.insert(out.path.begin(), each->get_name());
  }
  out.text = app.get_description();
  while (out.text.ends_with('\n')) out.text.pop_back();
  out.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options({})) {
    if (option->get_group().empty()) continue;  // hidden
    OptionWords words = words_of(*option);
    if (option->get_positional()) out.positionals.push_back(words);
    if (!words.names.empty()) out.options.push_back(std::move(words));
  }
  for (const CLI::App* each : app.get_subcommands({})) {
    if (!each->get_group().empty()) out.commands.push_back(words_of(*each));
  }
  return out;
}

std::vector<std::string> all_syscalls() {
  std::vector<std::string> out;
  for (const ArchInfo& arch : arches()) {
    for (const SyscallRow& row : syscalls(arch.arch)) out.emplace_back(row.name);
  }
  std::ranges::sort(out);
  const auto rest = std::ranges::unique(out);
  out.erase(rest.begin(), rest.end());
  return out;
}

std::vector<std::string> all_arches() {
  std::vector<std::string> out;
  for (const ArchInfo& row : arches()) out.emplace_back(row.name);
  return out;
}

}  // namespace callgate::cli
