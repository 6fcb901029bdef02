#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/cli.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/task/play.hpp"
#include "harness/task/script.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;
using task::Step;
using task::StepResult;

struct Options {
  ModelOptions model;
  std::string path;
  std::string format = "text";
};

[[noreturn]] void refuse(const std::string& shown, const task::ScriptError& error) {
  throw UserError(fmt::format("{}: line {}: {}", shown, error.line, error.message));
}

bool is_unknown(const StepResult& result) { return task::kind_word(result) == "unknown"; }

// A step as it is shown: long programs are cut.
std::string shown_step(const Step& step) {
  constexpr std::size_t kWidest = 60;
  if (step.text.size() <= kWidest) return step.text;
  // A character of several bytes is not cut in two.
  std::size_t end = kWidest - 3;
  while (end > 0 && (static_cast<unsigned char>(step.text[end]) & 0xc0U) == 0x80U) --end;
  return step.text.substr(0, end) + "...";
}

void print_text(const task::Script& script, const task::Played& played) {
  std::size_t width = 0;
  for (const Step& step : script.steps) width = std::max(width, shown_step(step).size());
  for (std::size_t i = 0; i < script.steps.size(); ++i) {
    const Step& step = script.steps[i];
    const std::string line =
        fmt::format("{:>4}  task {:<3} {:<{}}  {}", step.line, step.task + 1, shown_step(step),
                    width, task::words(played.results[i], step));
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
  fmt::print("\n");
  const Tasks& tasks = played.tasks;
  for (TaskId id = 0; id < tasks.size(); ++id) {
    const Task& each = tasks.task(id);
    fmt::print("task {}: process {}, {}, mode {}, {} filters, no_new_privs {}\n", id + 1,
               each.process + 1, each.alive ? "alive" : "ended",
               static_cast<int>(tasks.shown_mode(id)), tasks.filter_count(id),
               each.no_new_privs ? 1 : 0);
  }
}

ordered_json json_of(const Step& step, const StepResult& result) {
  ordered_json out{{"line", step.line},
                   {"task", step.task + 1},
                   {"step", step.text},
                   {"result", task::kind_word(result)}};
  out["value"] = nullptr;
  if (result.kind == StepResult::Kind::Replied && result.reply.kind == Reply::Kind::Value) {
    out["value"] = result.reply.value;
  }
  const Outcome& outcome = result.call.outcome;
  const bool met = result.kind == StepResult::Kind::Met;
  if (met && outcome.kind == OutcomeKind::Returns) out["value"] = outcome.value;
  if (met && outcome.signal != 0) out["signal"] = outcome.signal;
  if (met && outcome.kind == OutcomeKind::Sigsys) out["si_errno"] = outcome.siginfo.error;
  if (result.reply.filter) out["filter"] = *result.reply.filter + 1;
  if (result.reply.kind == Reply::Kind::Thread) out["of_task"] = result.reply.task + 1;
  if (result.kind == StepResult::Kind::Created) out["new_task"] = result.created + 1;
  if (const auto& added = result.call.added) {
    out["addfd_errno"] = added->error;
    if (added->descriptor) out["addfd_descriptor"] = *added->descriptor;
  }
  if (result.call.send_error != 0) out["supervisor_errno"] = result.call.send_error;
  if (outcome.logged) out["logged"] = true;
  out["text"] = task::words(result, step);
  return out;
}

void print_json(const task::Script& script, const task::Played& played) {
  const Tasks& tasks = played.tasks;
  ordered_json document{{"callgate", 1},
                        {"kernel", to_string(tasks.model().version)},
                        {"arch", info(tasks.model().arch).name},
                        {"steps", ordered_json::array()},
                        {"tasks", ordered_json::array()}};
  for (std::size_t i = 0; i < script.steps.size(); ++i) {
    document["steps"].push_back(json_of(script.steps[i], played.results[i]));
  }
  for (TaskId id = 0; id < tasks.size(); ++id) {
    const Task& each = tasks.task(id);
    document["tasks"].push_back({{"task", id + 1},
                                 {"process", each.process + 1},
                                 {"alive", each.alive},
                                 {"mode", static_cast<int>(tasks.shown_mode(id))},
                                 {"filters", tasks.filter_count(id)},
                                 {"no_new_privs", each.no_new_privs}});
  }
  fmt::print("{}\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

int run_task(const Options& options) {
  const KernelModel model = options.model.model();
  const std::string shown = options.path == "-" ? "standard input" : options.path;
  const auto text = front_ends::read_file(options.path);
  if (!text) throw UserError(fmt::format("{}: {}", shown, text.error().message));
  const auto read = [&](const std::string& path) -> std::expected<Program, std::string> {
    try {
      return read_filter(path, {}, options.model).program;
    } catch (const UserError& error) {
      return std::unexpected(std::string(error.what()));
    }
  };
  const auto script = task::parse_script(*text, model.arch, read);
  if (!script) refuse(shown, script.error());
  const auto played = task::play(*script, model);
  if (!played) refuse(shown, played.error());
  if (options.format == "json") {
    print_json(*script, *played);
  } else {
    print_text(*script, *played);
  }
  return std::ranges::any_of(played->results, is_unknown) ? kNo : kWell;
}

}  // namespace

void add_task(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "task", "What processes and threads meet that install filters, fork and make calls");
  options->model.add_to(command);
  command.add_option("SCRIPT", options->path, "A script; - is standard input")->required();
  add_format(command, options->format);
  command.footer(
      "\nExample:\n"
      "  callgate task - <<'END'\n"
      "  process nnp=no cap=no\n"
      "  seccomp filter program={ret ERRNO(1)}\n"
      "  nnp\n"
      "  thread\n"
      "  as 2: seccomp filter flags=TSYNC program={ld [0]; jeq #39, 0, 1; ret ERRNO(1); ret "
      "ALLOW}\n"
      "  call getpid\n"
      "  END\n"
      "\nharness/task/README.md has all steps.\n"
      "Exit code 1: what a step comes to is unknown.");
  command.callback([options, &exit_code] { exit_code = run_task(*options); });
}

}  // namespace callgate::cli
