#include "verifier/reduce.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/cli.hpp"
#include "harness/cli/encodings.hpp"
#include "harness/cli/told_choices.hpp"
#include "harness/report/syntaxes.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  ModelOptions model;
  InputOptions input;
  std::string path;
  std::string to = "callgate";
  std::string out;
  std::string format = "text";
};

std::vector<std::string_view> names_of_targets() {
  std::vector<std::string_view> out = names_of(encodings());
  for (const report::SyntaxRow& each : report::syntaxes()) out.push_back(each.name);
  return out;
}

// The program in the form that was asked for; false where that has no words for all of it.
bool write_program(const Options& options, const Program& program, const KernelModel& model) {
  std::string text;
  bool whole = true;
  if (const Encoding* encoding = find_encoding(options.to)) {
    text = encoding->write(program, options.model.file_order());
  } else {
    report::SourceText source = report::find_syntax(options.to)->write(program, model);
    text = std::move(source.text);
    whole = say_unsaid(options.path, options.to, source.unsaid);
  }
  if (!options.out.empty() && options.out != "-") {
    write_whole(options.out, text);
  } else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    throw UserError("reduce: standard output could not be written");
  }
  return whole;
}

void say(const Options& options, const verifier::Reduced& reduced, std::size_t before) {
  const std::size_t after = reduced.program.instructions().size();
  if (!reduced.analysed) {
    tell(
        "{}: {} instructions, left as they are: the program could not be followed on every "
        "way within the limits of the analysis",
        options.path, before);
    return;
  }
  tell("{}: {} instructions, {} now{}", options.path, before, after,
       after < before ? "; the same for every call: proved after each step" : "");
  for (const verifier::ReductionStep& step : reduced.steps) {
    tell("  {} -> {}: {}", step.before, step.after, to_string(step.reduction));
  }
  if (reduced.refused > 0) {
    tell("  {} shorter {} not taken: that it means the same could not be proved", reduced.refused,
         reduced.refused == 1 ? "program was" : "programs were");
  }
}

std::string json(const Options& options, const verifier::Reduced& reduced, std::size_t before,
                 const KernelModel& model) {
  const std::span<const Instruction> now = reduced.program.instructions();
  ordered_json document{{"callgate", 1},
                        {"file", options.path},
                        {"arch", info(model.arch).name},
                        {"analysed", reduced.analysed},
                        {"before", before},
                        {"after", now.size()},
                        {"steps", ordered_json::array()},
                        {"refused", reduced.refused},
                        {"instructions", ordered_json::array()}};
  for (const verifier::ReductionStep& step : reduced.steps) {
    document["steps"].push_back(
        {{"what", to_string(step.reduction)}, {"before", step.before}, {"after", step.after}});
  }
  for (const Instruction& i : now) {
    document["instructions"].push_back({{"code", i.code}, {"jt", i.jt}, {"jf", i.jf}, {"k", i.k}});
  }
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

int reduce(const Options& options) {
  if (find_encoding(options.to) == nullptr && report::find_syntax(options.to) == nullptr) {
    throw UserError(fmt::format("--to {}: not a form of a program; these are: {}", options.to,
                                fmt::join(names_of_targets(), " ")));
  }
  const KernelModel model = options.model.model();
  const FilterFile file = read_filter(options.path, options.input, options.model);
  const auto checked = verifier::check(file.program, model);
  if (!checked) {
    fmt::print(stderr, "{}", refusal_lines(file.path, model, checked.error().diagnostics));
    return kNo;
  }
  const verifier::Reduced reduced = verifier::reduced(*checked);
  const std::span<const Instruction> now = reduced.program.instructions();
  if (options.format == "json") {
    const std::string text = json(options, reduced, file.program.size(), model);
    if (!options.out.empty() && options.out != "-") {
      write_whole(options.out, text);
    } else {
      fmt::print("{}", text);
    }
    return reduced.analysed ? kWell : kNo;
  }
  const bool whole = write_program(options, Program(now.begin(), now.end()), model);
  say(options, reduced, file.program.size());
  return whole && reduced.analysed ? kWell : kNo;
}

}  // namespace

void add_reduce(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command =
      *root.add_subcommand("reduce", "A shorter program that is proved to mean the same");
  command.add_option("FILTER", options->path, "A filter or profile; - is standard input")
      ->required();
  command.add_option("--to", options->to, "How the program is written, callgate if not given")
      ->check(told_choices(names_of_targets()))
      ->type_name("FORM");
  command.add_option("-o,--output", options->out, "Where it goes, standard output if not given")
      ->type_name("FILE");
  command.add_option("--format", options->format, "text: the program; json: it and the steps")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  options->model.add_to(command);
  options->input.add_to(command);
  command.footer(
      "\nExamples:\n"
      "  callgate reduce filter.bpf\n"
      "  callgate reduce --to raw -o short.bpf --arch aarch64 profile.json\n"
      "\nWhat was done goes to standard error. Shorter is not always faster: `callgate cost` "
      "says.\nExit code 1: the filter is refused, or could not be analysed.");
  command.callback([options, &exit_code] { exit_code = reduce(*options); });
}

}  // namespace callgate::cli
