#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/cli.hpp"
#include "harness/engines/machine_listing.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/report/syntaxes.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  ModelOptions model;
  std::string path;
  InputOptions input;
  std::string syntax = "callgate";
  std::string format = "text";
  std::string engine;
};

std::string dumped(const ordered_json& document) {
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string hexadecimal(const std::vector<std::uint8_t>& bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

std::string machine_text(const std::vector<MachineLine>& lines,
                         const std::vector<std::string>& statements) {
  std::string out;
  bool in_table = false;
  for (const MachineLine& line : lines) {
    for (const std::size_t at : line.instructions) {
      out += fmt::format("# {:04}  {}\n", at, statements[at]);
    }
    if (line.returns_0) out += "# returns 0: division by 0, undefined shift\n";
    if (line.in_table && !in_table) out += "# tables\n";
    in_table = line.in_table;
    out += fmt::format("{:06x}  {:<20}  {}\n", line.address, hexadecimal(line.bytes), line.text);
  }
  return out;
}

std::string machine_json(const FilterFile& file, const KernelModel& model,
                         const std::vector<MachineLine>& lines,
                         const std::vector<std::string>& statements) {
  ordered_json document{{"callgate", 1},
                        {"file", file.path},
                        {"arch", info(model.arch).name},
                        {"engine", "jit"},
                        {"code", ordered_json::array()}};
  for (const MachineLine& line : lines) {
    ordered_json from = ordered_json::array();
    for (const std::size_t at : line.instructions) {
      from.push_back({{"index", at}, {"text", statements[at]}});
    }
    document["code"].push_back({{"address", line.address},
                                {"bytes", hexadecimal(line.bytes)},
                                {"text", line.text},
                                {"table", line.in_table},
                                {"instructions", std::move(from)}});
  }
  return dumped(document);
}

// The machine code that an engine makes; whoever refuses the filter is told on standard error.
std::optional<std::string> machine_code(const Options& options, const FilterFile& file,
                                        const KernelModel& model) {
  const auto checked = verifier::check(file.program, model);
  if (!checked) {
    fmt::print(stderr, "{}", refusal_lines(file.path, model, checked.error().diagnostics));
    return std::nullopt;
  }
  const auto lines = machine_listing(*checked);
  if (!lines) throw UserError(fmt::format("disasm: --engine jit: {}", lines.error()));
  const auto statements = report::statements(file.program, model.arch);
  return options.format == "json" ? machine_json(file, model, *lines, statements)
                                  : machine_text(*lines, statements);
}

int disasm(const Options& options) {
  if (options.syntax != "callgate" && options.format != "text") {
    throw UserError("disasm: --syntax goes with --format text");
  }
  if (!options.engine.empty() &&
      (options.syntax != "callgate" || (options.format != "text" && options.format != "json"))) {
    throw UserError("disasm: --engine goes with --format text or json, and with no --syntax");
  }
  const KernelModel model = options.model.model();
  const FilterFile file = read_filter(options.path, options.input, options.model);
  const ByteOrder order = options.model.file_order();
  std::string out;
  bool whole = true;
  if (!options.engine.empty()) {
    auto code = machine_code(options, file, model);
    if (!code) return kNo;
    out = std::move(*code);
  } else if (options.format == "json") {
    out = instructions_json(file.path, file.program, model);
  } else if (options.format == "raw") {
    out = report::raw_bytes(file.program, order);
  } else if (options.format == "hex") {
    out = report::hex_text(file.program, order);
  } else if (options.format == "c") {
    out = report::c_rows(file.program);
  } else if (options.format == "c-string") {
    out = report::c_string(file.program, order);
  } else if (options.format == "decimal") {
    out = report::decimal(file.program);
  } else {
    report::SourceText source = report::find_syntax(options.syntax)->write(file.program, model);
    out = std::move(source.text);
    whole = say_unsaid(file.path, options.syntax, source.unsaid);
  }
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size()) return kWrongUse;
  return whole ? kWell : kNo;
}

}  // namespace

std::string instructions_json(const std::string& path, const Program& program,
                              const KernelModel& model) {
  const auto lines = report::statements(program, model.arch);
  const report::Refusals refused = report::refusals(program, model);
  ordered_json document{{"callgate", 1},
                        {"file", path},
                        {"arch", info(model.arch).name},
                        {"refused", refused.of_program},
                        {"instructions", ordered_json::array()}};
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Instruction& i = program[at];
    document["instructions"].push_back({{"index", at},
                                        {"code", i.code},
                                        {"jt", i.jt},
                                        {"jf", i.jf},
                                        {"k", i.k},
                                        {"text", lines[at]},
                                        {"targets", report::targets(i, at)},
                                        {"refused", refused.of_instruction[at]}});
  }
  return dumped(document);
}

void add_disasm(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command =
      *root.add_subcommand("disasm", "What a filter says, or the same filter in another form");
  command.add_option("FILTER", options->path, "A filter file; - is standard input")->required();
  options->model.add_to(command);
  std::vector<std::string> names;
  std::vector<std::string> languages;
  for (const report::SyntaxRow& row : report::syntaxes()) {
    names.emplace_back(row.name);
    languages.push_back(fmt::format("{}: {}", row.name, row.looks_like));
  }
  command
      .add_option("--syntax", options->syntax,
                  fmt::format("What `callgate asm` reads: {}", fmt::join(languages, "; ")))
      ->check(CLI::IsMember(names))
      ->type_name("SYNTAX");
  command
      .add_option("--format", options->format,
                  "text, json; or the instructions as raw, hex, c, c-string, decimal")
      ->check(CLI::IsMember({"text", "json", "raw", "hex", "c", "c-string", "decimal"}))
      ->type_name("FORMAT");
  command
      .add_option("--engine", options->engine,
                  "jit: the machine code that this engine makes for --arch x86_64 or aarch64")
      ->check(CLI::IsMember({"jit"}))
      ->type_name("ENGINE");
  options->input.add_to(command);
  command.footer(
      "\nExamples:\n"
      "  callgate disasm filter.bpf\n"
      "  callgate disasm --syntax seccomp-tools filter.bpf\n"
      "  callgate disasm --engine jit --arch aarch64 filter.bpf\n"
      "  strace -v -e seccomp,prctl COMMAND 2>&1 | grep MODE_FILTER | callgate disasm --format raw "
      "-"
      "\n\nRefused filters are shown too, with the reasons beside the instructions.\nExit code 1: "
      "--syntax has no words for an instruction; standard error says for which.");
  command.callback([options, &exit_code] { exit_code = disasm(*options); });
}

}  // namespace callgate::cli
