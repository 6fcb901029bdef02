// Completion for bash, zsh and fish, each written from the words of the tree. What the scripts
// offer is in them: they run nothing of callgate's.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/cli/tree.hpp"

namespace callgate::cli {
namespace {

// All commands of a tree, the root first.
void flatten(const CommandWords& command, std::vector<const CommandWords*>& out) {
  out.push_back(&command);
  for (const CommandWords& each : command.commands) flatten(each, out);
}

std::vector<const CommandWords*> all_commands(const CommandWords& root) {
  std::vector<const CommandWords*> out;
  flatten(root, out);
  return out;
}

// One word of a shell, between single quotes.
std::string shell_word(std::string_view text) {
  std::string out = "'";
  for (const char each : text) {
    if (each == '\'') {
      out += "'\\''";
    } else {
      out += each == '\n' ? ' ' : each;
    }
  }
  return out + "'";
}

// What a value takes, as words of bash's and fish's helper functions.
std::string takes_words(const Takes& takes) {
  std::string out;
  if (takes.files) out += " files";
  if (takes.folders) out += " folders";
  if (takes.arches) out += " arches";
  if (takes.syscalls) out += " syscalls";
  if (takes.commands) out += " commands";
  return out.empty() ? out : out.substr(1);
}

Takes all_positionals(const CommandWords& command) {
  Takes out;
  for (const OptionWords& each : command.positionals) {
    out.files = out.files || each.takes.files;
    out.folders = out.folders || each.takes.folders;
    out.arches = out.arches || each.takes.arches;
    out.syscalls = out.syscalls || each.takes.syscalls;
    out.commands = out.commands || each.takes.commands;
    out.choices.insert(out.choices.end(), each.takes.choices.begin(), each.takes.choices.end());
  }
  return out;
}

std::vector<std::string> names_of_options(const CommandWords& command) {
  std::vector<std::string> out;
  for (const OptionWords& each : command.options) {
    out.insert(out.end(), each.names.begin(), each.names.end());
  }
  return out;
}

std::vector<std::string> names_of_commands(const CommandWords& command) {
  std::vector<std::string> out;
  for (const CommandWords& each : command.commands) out.push_back(each.path.back());
  return out;
}

// The case of one command in bash's function: what there is to choose from after `$prev`.
std::string bash_case(const CommandWords& command) {
  std::string out =
      fmt::format("    {})\n", shell_word(fmt::to_string(fmt::join(command.path, " "))));
  out += fmt::format("      options={}\n",
                     shell_word(fmt::to_string(fmt::join(names_of_options(command), " "))));
  out += "      case \"$prev\" in\n";
  for (const OptionWords& each : command.options) {
    if (each.flag) continue;
    out += fmt::format("        {}) value=1 takes={} choices={} ;;\n", fmt::join(each.names, "|"),
                       shell_word(takes_words(each.takes)),
                       shell_word(fmt::to_string(fmt::join(each.takes.choices, " "))));
  }
  const Takes words = all_positionals(command);
  std::vector<std::string> choices = names_of_commands(command);
  choices.insert(choices.end(), words.choices.begin(), words.choices.end());
  out += fmt::format("        *) takes={} choices={} ;;\n      esac\n      ;;\n",
                     shell_word(takes_words(words)),
                     shell_word(fmt::to_string(fmt::join(choices, " "))));
  return out;
}

constexpr std::string_view kBashBegin =
    R"(# bash completion for callgate, as `callgate completion bash` prints it.

_callgate_arches={arches}
_callgate_syscalls={syscalls}

# _callgate_add COMMAND...: lines that it prints become candidates.
_callgate_add() {{
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <("$@" 2>/dev/null)
}}

_callgate() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" prev='' path='' value='' takes='' choices='' options=''
  local i rest='' each
  COMPREPLY=()
  [ "$COMP_CWORD" -gt 0 ] && prev="${{COMP_WORDS[COMP_CWORD - 1]}}"
  # --option=value comes as three words.
  if [ "$cur" = '=' ]; then
    cur=''
  elif [ "$prev" = '=' ] && [ "$COMP_CWORD" -gt 1 ]; then
    prev="${{COMP_WORDS[COMP_CWORD - 2]}}"
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [ "${{COMP_WORDS[i]}}" = -- ]; then
      rest=1
      prev=''
      break
    fi
    case "$path ${{COMP_WORDS[i]}}" in
{paths}    esac
  done
  case "$path" in
)";

constexpr std::string_view kBashEnd = R"(  esac
  if [ -z "$value" ] && [ -z "$rest" ] && [ "${cur#-}" != "$cur" ]; then
    _callgate_add compgen -W "$options" -- "$cur"
    return 0
  fi
  [ -n "$choices" ] && _callgate_add compgen -W "$choices" -- "$cur"
  for each in $takes; do
    case "$each" in
      files) _callgate_add compgen -f -- "$cur" ;;
      folders) _callgate_add compgen -d -- "$cur" ;;
      arches) _callgate_add compgen -W "$_callgate_arches" -- "$cur" ;;
      syscalls) _callgate_add compgen -W "$_callgate_syscalls" -- "$cur" ;;
      commands) _callgate_add compgen -c -- "$cur" ;;
    esac
    case "$each" in files | folders) compopt -o filenames 2>/dev/null ;; esac
  done
  return 0
}

complete -F _callgate callgate
)";

// Text inside [...] or :...: of a specification of zsh's _arguments.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char each : text) {
    if (each == '[' || each == ']' || each == ':' || each == '\\') out += '\\';
    out += each == '\n' ? ' ' : each;
  }
  return out;
}

// The `:NAME:ACTION` of a value.
std::string zsh_value(const OptionWords& option) {
  std::vector<std::string> ways;
  const Takes& takes = option.takes;
  if (!takes.choices.empty()) ways.push_back(fmt::format("({})", fmt::join(takes.choices, " ")));
  if (takes.files) ways.emplace_back("_files");
  if (takes.folders) ways.emplace_back("_files -/");
  if (takes.arches) ways.emplace_back("_callgate_arches");
  if (takes.syscalls) ways.emplace_back("_callgate_syscalls");
  if (takes.commands) ways.emplace_back("_command_names -e");
  const std::string name = zsh_text(option.value.empty() ? "VALUE" : option.value);
  if (ways.empty()) return fmt::format(":{}: ", name);
  if (ways.size() == 1) return fmt::format(":{}:{}", name, ways.front());
  std::string all = fmt::format(":{}:_alternative", name);
  for (const std::string& each : ways) all += fmt::format(" \"words\\:word\\:{}\"", each);
  return all;
}

std::string zsh_function(const CommandWords& command) {
  std::string out = fmt::format("_{}() {{\n", command.name("_"));
  out += "  local curcontext=\"$curcontext\" state line ret=1\n  typeset -A opt_args\n";
  out += "  _arguments -C -s -S";
  for (const OptionWords& option : command.options) {
    for (const std::string& name : option.names) {
      std::string spec = option.many ? "*" : "";
      if (!option.many && option.names.size() > 1) {
        spec = fmt::format("({})", fmt::join(option.names, " "));
      }
      spec += name;
      if (!option.flag) spec += name.starts_with("--") ? "=" : "+";
      spec += fmt::format("[{}]", zsh_text(option.text));
      if (!option.flag) spec += zsh_value(option);
      out += " \\\n    " + shell_word(spec);
    }
  }
  if (!command.commands.empty()) {
    out += " \\\n    '1:subcommand:->subcommand' \\\n    '*::word:->word' && ret=0\n";
    out += "  case \"$state\" in\n    subcommand)\n      local -a subcommands=(\n";
    for (const CommandWords& each : command.commands) {
      out += fmt::format("        {}\n",
                         shell_word(fmt::format("{}:{}", each.path.back(), zsh_text(each.text))));
    }
    out += "      )\n      _describe -t subcommands subcommand subcommands && ret=0\n      ;;\n";
    out += "    word)\n      case \"$line[1]\" in\n";
    for (const CommandWords& each : command.commands) {
      out += fmt::format("        {}) _{} && ret=0 ;;\n", each.path.back(), each.name("_"));
    }
    out += "      esac\n      ;;\n  esac\n";
  } else {
    OptionWords words;
    words.value = "word";
    for (const OptionWords& each : command.positionals) words.value = each.value;
    words.takes = all_positionals(command);
    if (!command.positionals.empty()) out += " \\\n    " + shell_word("*" + zsh_value(words));
    out += " && ret=0\n";
  }
  return out + "  return ret\n}\n\n";
}

std::string fish_takes(const Takes& takes) {
  std::vector<std::string> ways;
  if (!takes.choices.empty()) ways.push_back(fmt::to_string(fmt::join(takes.choices, " ")));
  if (takes.folders) ways.emplace_back("(__fish_complete_directories)");
  if (takes.arches) ways.emplace_back("$__callgate_arches");
  if (takes.syscalls) ways.emplace_back("$__callgate_syscalls");
  if (takes.commands) ways.emplace_back("(__fish_complete_command)");
  std::string out = takes.files ? " -F" : "";
  if (!ways.empty()) out += fmt::format(" -a \"{}\"", fmt::join(ways, " "));
  return out;
}

// One word of fish, where only \ and ' count between single quotes.
std::string fish_word(std::string_view text) {
  std::string out = "'";
  for (const char each : text) {
    if (each == '\'' || each == '\\') out += '\\';
    out += each == '\n' ? ' ' : each;
  }
  return out + "'";
}

std::string fish_lines(const CommandWords& command) {
  const std::string at =
      fmt::format("complete -c callgate -n \"__callgate_at '{}'\"", fmt::join(command.path, " "));
  std::string out;
  for (const CommandWords& each : command.commands) {
    out += fmt::format("{} -a {} -d {}\n", at, each.path.back(), fish_word(each.text));
  }
  for (const OptionWords& option : command.options) {
    out += at;
    for (const std::string& name : option.names) {
      out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    if (!option.flag) out += (option.takes.files ? " -r" : " -x") + fish_takes(option.takes);
    out += fmt::format(" -d {}\n", fish_word(option.text));
  }
  const std::string words = fish_takes(all_positionals(command));
  if (!words.empty()) out += at + words + "\n";
  return out;
}

constexpr std::string_view kFishBegin =
    R"(# fish completion for callgate, as `callgate completion fish` prints it.

set -g __callgate_arches {arches}
set -g __callgate_syscalls {syscalls}

# Whether the subcommands that were given are these.
function __callgate_at
    set -l path
    for word in (commandline -opc)[2..-1]
        test "$word" = -- && break
        switch "$path $word"
            case {paths}
                set -a path $word
        end
    end
    test "$path" = "$argv[1]"
end

complete -c callgate -f
)";

}  // namespace

std::string bash_completion(const CommandWords& root) {
  std::string paths;
  std::string cases;
  for (const CommandWords* each : all_commands(root)) {
    const std::string path = fmt::to_string(fmt::join(each->path, " "));
    // `path` begins with a space where it is not empty, as it grows by " word".
    if (!path.empty())
      paths +=
          fmt::format("      {}) path={} ;;\n", shell_word(" " + path), shell_word(" " + path));
    CommandWords named = *each;
    if (!named.path.empty()) named.path.front() = " " + named.path.front();
    cases += bash_case(named);
  }
  return fmt::format(
             fmt::runtime(kBashBegin),
             fmt::arg("arches", shell_word(fmt::to_string(fmt::join(all_arches(), " ")))),
             fmt::arg("syscalls", shell_word(fmt::to_string(fmt::join(all_syscalls(), " ")))),
             fmt::arg("paths", paths)) +
         cases + std::string(kBashEnd);
}

std::string zsh_completion(const CommandWords& root) {
  std::string out =
      "#compdef callgate\n# zsh completion for callgate, as `callgate completion zsh` prints "
      "it.\n\n";
  out += fmt::format("_callgate_arches() {{\n  compadd \"$@\" -- {}\n}}\n\n",
                     fmt::join(all_arches(), " "));
  out += fmt::format("_callgate_syscalls() {{\n  compadd \"$@\" -- {}\n}}\n\n",
                     fmt::join(all_syscalls(), " "));
  const std::vector<const CommandWords*> all = all_commands(root);
  for (const CommandWords* each : all) out += zsh_function(*each);
  // Loaded by compinit the file is the function's body; by `source` it only defines it.
  return out +
         "if [ \"$funcstack[1]\" = _callgate ]; then\n  _callgate \"$@\"\nelse\n"
         "  compdef _callgate callgate\nfi\n";
}

std::string fish_completion(const CommandWords& root) {
  std::vector<std::string> paths;
  const std::vector<const CommandWords*> all = all_commands(root);
  for (const CommandWords* each : all) {
    if (each->path.empty()) continue;
    std::string path = fmt::to_string(fmt::join(each->path, " "));
    if (each->path.size() == 1) path = " " + path;
    paths.push_back(fish_word(path));
  }
  std::string out =
      fmt::format(fmt::runtime(kFishBegin), fmt::arg("arches", fmt::join(all_arches(), " ")),
                  fmt::arg("syscalls", fmt::join(all_syscalls(), " ")),
                  fmt::arg("paths", fmt::join(paths, " ")));
  for (const CommandWords* each : all) out += fish_lines(*each);
  return out;
}

}  // namespace callgate::cli
