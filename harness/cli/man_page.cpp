// Pages of the manual in the macros of man(7), from the words of the tree.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/cli/tree.hpp"

namespace callgate::cli {
namespace {

// Text as roff has it: `\`, `-` (which may be copied) and what would begin a request in a line.
std::string roff(std::string_view text) {
  std::string out;
  bool begins = true;
  for (const char each : text) {
    if (begins && (each == '.' || each == '\'')) out += "\\&";
    if (each == '\\') {
      out += "\\e";
    } else if (each == '-') {
      out += "\\-";
    } else if (each == '\'') {
      out += "\\(aq";
    } else if (each == '`') {
      out += "\\(ga";
    } else if (each == '~') {
      out += "\\(ti";
    } else if (each == '^') {
      out += "\\(ha";
    } else {
      out += each;
    }
    begins = each == '\n';
  }
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

/// What --help says below the options.
struct Footer {
  std::string notes;       // paragraphs, in roff
  std::string examples;    // lines, in roff
  std::string exit;        // what is said of exit codes, as text
  bool all_codes = false;  // `Exit codes`: all are said; else the usual ones count beside
};

// A footer is an `Example:` with lines below it until an empty one, and text; a sentence that
// begins with `Exit code`, or `The exit code`, goes on to the end of its paragraph.
Footer read_footer(std::string_view text) {
  Footer out;
  bool example = false;
  bool exit = false;
  bool shown = false;  // lines with spaces before them, shown as they are
  const auto end_shown = [&] {
    if (shown) out.notes += ".EE\n";
    shown = false;
  };
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with("Example")) {
      end_shown();
      example = true;
      exit = false;
      if (const std::size_t colon = line.find(": "); colon != std::string::npos) {
        out.examples += roff(line.substr(colon + 2)) + "\n";
      }
      continue;
    }
    if (line.empty()) {
      end_shown();
      if (!out.notes.empty() && !example && !out.notes.ends_with(".PP\n")) out.notes += ".PP\n";
      example = exit = false;
      continue;
    }
    if (example) {
      out.examples += roff(line) + "\n";
      continue;
    }
    if (line.starts_with("  ")) {
      if (!shown) out.notes += ".EX\n";
      shown = true;
      out.notes += roff(line) + "\n";
      continue;
    }
    end_shown();
    std::size_t at = exit ? 0 : line.find("Exit code");
    const bool another = at == std::string::npos && line.starts_with("The exit code");
    if (another) at = 0;
    exit = at != std::string::npos;
    if (!exit) {
      out.notes += roff(line) + "\n";
      continue;
    }
    if (at != 0) out.notes += roff(line.substr(0, at)) + "\n";
    out.all_codes = out.all_codes || another || line.find("Exit codes") != std::string::npos;
    out.exit += (out.exit.empty() ? "" : " ") + line.substr(at);
  }
  end_shown();
  while (out.notes.ends_with(".PP\n")) out.notes.resize(out.notes.size() - 4);
  return out;
}

std::string option_entry(const OptionWords& option) {
  std::vector<std::string> names;
  for (const std::string& each : option.names) names.push_back("\\fB" + roff(each) + "\\fR");
  std::string out = ".TP\n";
  if (names.empty()) {
    out += fmt::format("\\fI{}\\fR", roff(option.value));
  } else {
    out += fmt::to_string(fmt::join(names, ", "));
    if (!option.flag) {
      out += fmt::format(" \\fI{}\\fR", roff(option.value.empty() ? "VALUE" : option.value));
    }
  }
  out += option.many ? " ...\n" : "\n";
  out += roff(option.text);
  if (!option.takes.choices.empty()) {
    std::vector<std::string> choices;
    for (const std::string& each : option.takes.choices) choices.push_back(roff(each));
    out += fmt::format(".\nOne of \\fB{}\\fR", fmt::join(choices, "\\fR, \\fB"));
  }
  if (!option.range.empty()) out += fmt::format(".\nFrom a range: {}", roff(option.range));
  if (option.required) out += ".\nRequired";
  return out + ".\n";
}

std::string synopsis(const CommandWords& command) {
  std::string out = fmt::format(".B {}\n", roff(command.name()));
  if (!command.options.empty()) out += "[\\fIOPTION\\fR ...]\n";
  for (const OptionWords& each : command.options) {
    if (!each.required) continue;
    out += fmt::format("\\fB{}\\fR \\fI{}\\fR{}\n", roff(each.names.front()), roff(each.value),
                       each.many ? " ..." : "");
  }
  for (const OptionWords& each : command.positionals) {
    const bool named = !each.names.empty() && each.required;  // said above
    if (named) continue;
    const std::string word = fmt::format("\\fI{}\\fR{}", roff(each.value), each.many ? " ..." : "");
    out += each.required ? word + "\n" : "[" + word + "]\n";
  }
  if (!command.commands.empty()) out += "\\fISUBCOMMAND\\fR\n";
  return out;
}

constexpr std::string_view kUsualCodes =
    ".TP\n.B 0\nAll well.\n"
    ".TP\n.B 1\nAn answer of no: a filter is refused, the kernel disagrees, an answer is unknown.\n"
    ".TP\n.B 2\nWrong use, or input that cannot be read, or output that cannot be written;\n"
    "standard error says why.\n";

}  // namespace

std::string man_page(const CommandWords& command) {
  const Footer footer = read_footer(command.footer);
  std::string upper = command.name("-");
  for (char& each : upper) {
    if (each >= 'a' && each <= 'z') each = static_cast<char>(each - 'a' + 'A');
  }
  // No date: the same tree gives the same page.
  std::string out = fmt::format(".TH \"{}\" \"1\" \"\" \"callgate {}\" \"Callgate\"\n", roff(upper),
                                CALLGATE_VERSION);
  out += fmt::format(".SH NAME\n{} \\- {}\n", roff(command.name("-")), roff(command.text));
  out += fmt::format(".SH SYNOPSIS\n{}", synopsis(command));
  out += fmt::format(".SH DESCRIPTION\n{}\n", roff(command.text));
  if (!footer.notes.empty()) out += ".PP\n" + footer.notes;
  for (const OptionWords& each : command.positionals) {
    if (each.names.empty()) out += option_entry(each);
  }
  for (const OptionWords& first : command.options) {
    // Groups in the order of their first option, as --help has them.
    if (out.find(fmt::format("\n.\\\" {}\n", first.group)) != std::string::npos) continue;
    out += first.group == "Options" ? std::string(".SH OPTIONS\n")
                                    : fmt::format(".SS {}\n", roff(first.group));
    out += fmt::format(".\\\" {}\n", first.group);
    for (const OptionWords& each : command.options) {
      if (each.group == first.group) out += option_entry(each);
    }
  }
  if (!command.commands.empty()) {
    out += ".SH SUBCOMMANDS\n";
    for (const CommandWords& each : command.commands) {
      out += fmt::format(".TP\n.BR {} (1)\n{}\n", roff(each.name("-")), roff(each.text));
    }
  }
  if (!footer.examples.empty()) out += fmt::format(".SH EXAMPLES\n.EX\n{}.EE\n", footer.examples);
  out += ".SH \"EXIT STATUS\"\n";
  if (!footer.all_codes) out += kUsualCodes;
  if (!footer.exit.empty())
    out += fmt::format("{}{}\n", footer.all_codes ? "" : ".PP\n", roff(footer.exit));
  out += ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nWhere it is set and not empty, nothing is coloured.\n";
  if (command.path.empty()) return out;
  std::string parent = "callgate";
  for (std::size_t i = 0; i + 1 < command.path.size(); ++i) parent += "-" + command.path[i];
  return out + fmt::format(".SH \"SEE ALSO\"\n.BR {} (1)\n", roff(parent));
}

}  // namespace callgate::cli
