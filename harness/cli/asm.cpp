#include <fmt/format.h>
#include <unistd.h>

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
front_ends::Assembled assembled(const Options& options, const std::string& shown) {
  front_ends::ReadOptions read;
  read.arch = options.model.model().arch;
  read.order = options.model.file_order();
  if (!options.syntax.empty()) read.format = front_ends::input_format_from_name(options.syntax);
  const auto text = front_ends::read_file(options.path);
  if (!text) throw UserError(fmt::format("{}: {}", shown, text.error().message));
  auto program = front_ends::assemble(*text, read);
  if (program) return std::move(*program);
  const front_ends::ReadError& error = program.error();
  const std::string place =
      error.line ? fmt::format(":{}:{}", *error.line, error.column.value_or(1)) : std::string{};
  throw UserError(fmt::format("{}{}: {}", shown, place, error.message));
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

int assemble(const Options& options) {
  const std::string shown = options.path == "-" ? "standard input" : options.path;
  const bool to_file = !options.out.empty() && options.out != "-";
  if (options.format == "raw" && !to_file && isatty(STDOUT_FILENO) == 1) {
    throw UserError(
        "asm: raw bytes are nothing for a terminal: give -o FILE, or --format hex to see them");
  }
  const KernelModel model = options.model.model();
  const front_ends::Assembled program = assembled(options, shown);
  if (options.check) {
    const auto checked = verifier::check(program.program, model);
    if (!checked) {
      fmt::print(stderr, "{}", refusals(shown, program, model, checked.error().diagnostics));
      fmt::print(stderr, "callgate: nothing is written; --no-check writes it all the same\n");
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
