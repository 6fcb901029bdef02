#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "harness/cli/cli.hpp"
#include "harness/front_ends/assembler.hpp"
#include "harness/report/disassembly.hpp"

namespace callgate::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string path;
  std::string syntax;
  std::string format = "raw";
  std::string out;
  bool check = true;
};

// The text's program, or UserError with the place.
front_ends::Assembled assembled(const Options& options, const std::string& shown,
                                std::string_view text) {
  front_ends::ReadOptions read;
  read.arch = options.model.model().arch;
  read.order = options.model.file_order();
  if (!options.syntax.empty()) read.format = front_ends::input_format_from_name(options.syntax);
  auto program = front_ends::assemble(text, read);
  if (program) return std::move(*program);
  const front_ends::ReadError& error = program.error();
  const std::string place =
      error.line ? fmt::format(":{}:{}", *error.line, error.column.value_or(1)) : std::string{};
  const std::string_view advice = place.empty() && options.syntax.empty() && !text.empty()
                                      ? "; --syntax names the language of a text that has none of "
                                        "these signs, and the place of what is wrong in it is said"
                                      : "";
  throw UserError(fmt::format("{}{}: {}{}", shown, place, error.message, advice));
}

std::string written(const Program& program, const std::string& shown, const Options& options) {
  const ByteOrder order = options.model.file_order();
  if (options.format == "hex") return report::hex_text(program, order);
  if (options.format == "c") return report::c_rows(program);
  if (options.format == "c-string") return report::c_string(program, order);
  if (options.format == "decimal") return report::decimal(program);
  if (options.format == "json") return instructions_json(shown, program, options.model.model());
  return report::raw_bytes(program, order);
}

// What a kernel refuses, where it stands in the text.
std::string refusals(const std::string& shown, const front_ends::Assembled& program,
                     const KernelModel& model, const Diagnostics& diagnostics) {
  std::string out = fmt::format("{}: refused by {}\n", shown, model_words(model));
  for (const Diagnostic& each : diagnostics) {
    const std::string place = each.instruction
                                  ? fmt::format(":{}: instruction {}",
                                                program.lines[*each.instruction], *each.instruction)
                                  : std::string{};
    out += fmt::format("{}{}: {} [{}]\n", shown, place, message(each), info(each.id).name);
  }
  return out;
}

// A statement without the comment behind it, which says what is refused, or another name.
std::string_view without_comment(std::string_view statement) {
  statement = statement.substr(0, statement.find("  #"));
  while (!statement.empty() && (statement.back() == ' ' || statement.back() == '\r')) {
    statement.remove_suffix(1);
  }
  return statement;
}

// What stands behind the five columns of a row.
std::string_view behind_columns(std::string_view row) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  for (int column = 0; column < 5; ++column) {
    row.remove_prefix(std::min(row.find_first_not_of(kBlanks), row.size()));
    row.remove_prefix(std::min(row.find_first_of(kBlanks), row.size()));
  }
  row.remove_prefix(std::min(row.find_first_not_of(kBlanks), row.size()));
  return row.starts_with('#') ? std::string_view{} : row;
}

// Of a listing the columns are read: where a statement says something else, somebody has changed
// one and not the other.
std::string contradictions(const std::string& shown, std::string_view text,
                           const front_ends::Assembled& program, Arch arch) {
  const auto statements = report::statements(program.program, arch);
  std::string out;
  std::size_t line = 1;
  for (std::size_t at = 0; at < statements.size(); ++at) {
    for (; line < program.lines[at]; ++line) text.remove_prefix(text.find('\n') + 1);
    const std::string_view said = without_comment(behind_columns(text.substr(0, text.find('\n'))));
    const std::string_view meant = without_comment(statements[at]);
    if (said.empty() || said == meant) continue;
    out += fmt::format("{}:{}: the columns say `{}`, the text behind them `{}`\n", shown, line,
                       meant, said);
  }
  if (out.empty()) return out;
  return out +
         "callgate: nothing is written: the columns are what is read; change them, or take the "
         "text "
         "away, or write in another language (disasm --syntax); --no-check takes the columns\n";
}

int assemble(const Options& options) {
  const std::string shown = options.path == "-" ? "standard input" : suite::one_line(options.path);
  const bool to_file = !options.out.empty() && options.out != "-";
  if (options.format == "raw" && !to_file && isatty(STDOUT_FILENO) == 1) {
    throw UserError(
        "asm: raw bytes are nothing for a terminal: give -o FILE, or --format hex to see them");
  }
  const KernelModel model = options.model.model();
  const auto text = front_ends::read_file(options.path);
  if (!text) throw UserError(fmt::format("{}: {}", shown, text.error().message));
  const front_ends::Assembled program = assembled(options, shown, *text);
  if (options.check) {
    if (program.format == front_ends::InputFormat::Listing) {
      const std::string wrong = contradictions(shown, *text, program, model.arch);
      if (!wrong.empty()) {
        fmt::print(stderr, "{}", wrong);
        return kNo;
      }
    }
    const auto checked = verifier::check(program.program, model);
    if (!checked) {
      fmt::print(stderr, "{}", refusals(shown, program, model, checked.error().diagnostics));
      tell("callgate: nothing is written; --no-check writes it all the same");
      return kNo;
    }
  }
  const std::string bytes = written(program.program, shown, options);
  if (to_file) {
    write_whole(options.out, bytes);
    return kWell;
  }
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() ? kWell : kWrongUse;
}

}  // namespace

void add_asm(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand("asm",
                                           "A filter from an assembler's text: kernel's bpf_asm, "
                                           "seccomp-tools, ceccomp, our listing");
  command.add_option("FILE", options->path, "The text; - is standard input")->required();
  options->model.add_to(command);
  std::vector<std::string> languages;
  for (const auto& row : front_ends::input_formats()) {
    if (front_ends::is_assembly(row.format)) languages.emplace_back(row.name);
  }
  command
      .add_option("--syntax", options->syntax,
                  fmt::format("The language, told by the text if not given: {}",
                              fmt::join(languages, ", ")))
      ->check(CLI::IsMember(languages))
      ->type_name("SYNTAX");
  command
      .add_option("--format", options->format, "raw (the default), hex, c, c-string, decimal, json")
      ->check(CLI::IsMember({"raw", "hex", "c", "c-string", "decimal", "json"}))
      ->type_name("FORMAT");
  command.add_option("-o,--output", options->out, "A file to write, instead of standard output")
      ->type_name("OUT");
  command.add_flag("--check,!--no-check", options->check,
                   "Whether a program that --kernel refuses is not written (the default)");
  command.footer(
      "\nExamples:\n"
      "  callgate asm filter.asm -o filter.bpf\n"
      "  callgate asm --arch aarch64 --format c filter.asm\n"
      "  callgate disasm --syntax bpf_asm filter.bpf | callgate asm --format hex -\n"
      "\nNames of syscalls stand for --arch's numbers. Exit code 1: a kernel refuses the program; "
      "the reasons\nare given by the text's lines.");
  command.callback([options, &exit_code] { exit_code = assemble(*options); });
}

}  // namespace callgate::cli
