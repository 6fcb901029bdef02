#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/cli.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  ModelOptions model;
  std::vector<std::string> paths;
  InputOptions input;
  std::string format = "text";
};

struct Answer {
  FilterFile file;
  std::optional<LimitCost> accepted;
  verifier::Refusal refusal;
};

Answer ask(FilterFile file, const KernelModel& model) {
  Answer answer{std::move(file), std::nullopt, {}};
  auto checked = verifier::check(answer.file.program, model);
  if (checked) {
    answer.accepted = checked->limit_cost();
  } else {
    answer.refusal = std::move(checked.error());
  }
  return answer;
}

std::string text(const Answer& answer, const KernelModel& model) {
  const FilterFile& file = answer.file;
  if (answer.accepted) {
    return fmt::format("{}: {} by {}: {} instructions, {} of the {} that a task may hold\n",
                       file.path, coloured("accepted", true), model_words(model),
                       file.program.size(), answer.accepted->as_new, kMaxInstructionsPerTask);
  }
  return fmt::format("{}: {} by {}: EINVAL\n{}", file.path, coloured("refused", false),
                     model_words(model), diagnostic_lines(file.path, answer.refusal.diagnostics));
}

ordered_json json(const Answer& answer) {
  ordered_json out{{"file", answer.file.path},
                   {"accepted", answer.accepted.has_value()},
                   {"instructions", answer.file.program.size()}};
  out["errno"] = answer.accepted ? ordered_json() : ordered_json("EINVAL");
  out["limit_used"] = answer.accepted ? ordered_json(answer.accepted->as_new) : ordered_json();
  out["diagnostics"] = ordered_json::array();
  for (const Diagnostic& each : answer.refusal.diagnostics) {
    ordered_json row{{"id", info(each.id).name}};
    row["instruction"] = each.instruction ? ordered_json(*each.instruction) : ordered_json();
    row["operands"] = each.operands;
    row["message"] = message(each);
    out["diagnostics"].push_back(std::move(row));
  }
  return out;
}

int check(const Options& options) {
  const KernelModel model = options.model.model();
  // All files are read before anything is printed: one that cannot be read leaves no half answer.
  std::vector<Answer> answers;
  for (FilterFile& file : read_stack(options.paths, options.input, options.model)) {
    answers.push_back(ask(std::move(file), model));
  }
  bool all = true;
  ordered_json document{{"callgate", 1},
                        {"kernel", to_string(model.version)},
                        {"arch", info(model.arch).name},
                        {"limit", kMaxInstructionsPerTask},
                        {"filters", ordered_json::array()}};
  for (const Answer& answer : answers) {
    all = all && answer.accepted.has_value();
    if (options.format == "json") {
      document["filters"].push_back(json(answer));
    } else {
      fmt::print("{}", text(answer, model));
    }
  }
  if (options.format == "json") {
    fmt::print("{}\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace));
  }
  return all ? kWell : kNo;
}

}  // namespace

void add_check(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "check", "Would the kernel accept these filters? If not, everything that is wrong with them");
  options->model.add_to(command);
  command.add_option("FILTER", options->paths, "Filter files; - is standard input")->required();
  options->input.add_to(command);
  command.add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  command.footer(
      "\nExample:\n"
      "  callgate check --kernel 5.10 --arch aarch64 filter.bpf\n"
      "\nEach file is checked alone: what several count together, `callgate run` and `live` "
      "look at.\nExit code 1: at least one is refused.");
  command.callback([options, &exit_code] { exit_code = check(*options); });
}

}  // namespace callgate::cli
