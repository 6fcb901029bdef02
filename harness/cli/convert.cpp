#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "harness/cli/cli.hpp"
#include "harness/cli/encodings.hpp"
#include "harness/cli/told_choices.hpp"
#include "harness/front_ends/policy_writers.hpp"
#include "harness/report/syntaxes.hpp"
#include "harness/report/words.hpp"

namespace callgate::cli {
namespace {

struct Options {
  ModelOptions model;
  InputOptions input;
  std::string path;
  std::string to = "raw";
  std::string out;
};

std::vector<std::string_view> names_of_targets() {
  std::vector<std::string_view> out = names_of(encodings());
  for (const report::SyntaxRow& each : report::syntaxes()) out.push_back(each.name);
  for (const front_ends::PolicyWriterRow& each : front_ends::policy_writers()) {
    out.push_back(each.name);
  }
  return out;
}

// What one filter becomes, and whether all of its meaning is in it.
struct Converted {
  std::string text;
  std::string_view suffix;
  bool whole = true;
};

// The text is read again as its tool would, and asked the same calls as the policy.
bool means_the_same(const FilterFile& file, const front_ends::PolicyWriterRow& writer,
                    const std::string& text, const KernelModel& model) {
  const auto differing = front_ends::read_again(*file.policy, writer, text, model);
  if (!differing) {
    tell("{}: as {} it is refused: {}", file.path, writer.name, differing.error());
    return false;
  }
  for (const front_ends::Disagreement& each : *differing) {
    tell("{}: {}({}) gets {}; as {} it would get {}", file.path, report::call_name(each.data),
         fmt::join(each.data.args, ", "), report::verdict_words(each.said.value, model),
         writer.name, report::verdict_words(each.value, model));
  }
  return differing->empty();
}

Converted convert_one(const FilterFile& file, const Options& options, const KernelModel& model) {
  if (const Encoding* encoding = find_encoding(options.to)) {
    return {encoding->write(file.program, options.model.file_order()), encoding->suffix};
  }
  if (const report::SyntaxRow* syntax = report::find_syntax(options.to)) {
    report::SourceText source = syntax->write(file.program, model);
    return {std::move(source.text), "txt", say_unsaid(file.path, options.to, source.unsaid)};
  }
  const front_ends::PolicyWriterRow& writer = *front_ends::find_policy_writer(options.to);
  if (!file.policy) {
    throw UserError(
        fmt::format("{}: a program, and a program does not become a profile: --to takes the "
                    "encodings and languages of programs for it",
                    file.path));
  }
  auto written = writer.write(*file.policy);
  if (!written) throw UserError(fmt::format("{}: {}", file.path, written.error()));
  for (const std::string& note : written->notes) {
    tell("{}: not kept: {}", file.path, note);
  }
  const bool same = means_the_same(file, writer, written->text, model);
  return {std::move(written->text), writer.suffix, same && written->notes.empty()};
}

void write_to(const Options& options, const std::vector<Converted>& all) {
  if (options.out.empty() || options.out == "-") {
    const std::string& text = all.front().text;
    if (options.to == "raw" && options.out.empty() && isatty(STDOUT_FILENO) == 1) {
      throw UserError("convert: raw bytes are nothing for a terminal: -o FILE, or --to hex");
    }
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
      throw UserError("convert: standard output could not be written");
    }
    return;
  }
  if (all.size() == 1) return write_whole(options.out, all.front().text);
  std::error_code error;
  std::filesystem::create_directory(options.out, error);
  if (!std::filesystem::is_directory(options.out, error) ||
      !std::filesystem::is_empty(options.out, error)) {
    throw UserError(
        fmt::format("{}: not an empty folder; several filters go into one", options.out));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    write_whole(fmt::format("{}/{:03}.{}", options.out, i, all[i].suffix), all[i].text);
  }
}

int convert(const Options& options) {
  const bool known = find_encoding(options.to) != nullptr ||
                     report::find_syntax(options.to) != nullptr ||
                     front_ends::find_policy_writer(options.to) != nullptr;
  if (!known) {
    throw UserError(fmt::format("--to {}: not a format that is written; these are: {}", options.to,
                                fmt::join(names_of_targets(), " ")));
  }
  const KernelModel model = options.model.model();
  const std::vector<FilterFile> files = read_filters(options.path, options.input, options.model);
  if (files.empty()) throw UserError(fmt::format("{}: no filter comes of it", options.path));
  if (files.size() > 1 && (options.out.empty() || options.out == "-")) {
    std::string names;
    for (const FilterFile& file : files) names += fmt::format("\n  {}", file.path);
    throw UserError(fmt::format("{}: it stands for {} filters; give -o FOLDER for them:{}",
                                options.path, files.size(), names));
  }
  std::vector<Converted> all;
  for (const FilterFile& file : files) all.push_back(convert_one(file, options, model));
  write_to(options, all);
  return std::ranges::all_of(all, &Converted::whole) ? kWell : kNo;
}

}  // namespace

void add_convert(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "convert", "Filters and profiles in another form, and what of them could not be kept");
  command.add_option("FILTER", options->path, "A filter or profile; - is standard input")
      ->required();
  command.add_option("--to", options->to, "The form, raw if not given")
      ->check(told_choices(names_of_targets()))
      ->type_name("FORMAT");
  command
      .add_option("-o,--output", options->out,
                  "Where it goes, standard output if not given; a folder where FILTER stands for "
                  "several filters")
      ->type_name("FILE");
  options->model.add_to(command);
  options->input.add_to(command);
  command.footer(
      "\nExamples:\n"
      "  callgate convert --caps CAP_SYS_ADMIN -o filter.bpf default.json\n"
      "  callgate convert --to bpf_asm filter.bpf\n"
      "  callgate convert --to oci policy.json\n"
      "  callgate convert --to kafel jail.policy\n"
      "\nA profile that is written is read again and asked about the calls that its rules are "
      "about.\nExit code 1: something of the meaning is not kept; standard error says what.");
  command.callback([options, &exit_code] { exit_code = convert(*options); });
}

}  // namespace callgate::cli
