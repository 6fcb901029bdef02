#include <fmt/format.h>

#include <memory>

#include "harness/audit/checks.hpp"
#include "harness/audit/suppressions.hpp"
#include "harness/audit/writers.hpp"
#include "harness/cli/cli.hpp"
#include "harness/front_ends/program_reader.hpp"

namespace callgate::cli {
namespace {

struct Options {
  ModelOptions model;
  std::vector<std::string> filters;
  InputOptions input;
  std::string config;
  std::string fail_on = "warning";
  std::string format = "text";
  bool tracer = false;
  bool listener = false;
  bool list = false;
};

std::vector<audit::Suppression> suppressions_of(const std::string& path) {
  if (path.empty()) return {};
  const auto text = front_ends::read_file(path);
  if (!text) throw UserError(fmt::format("{}: {}", path, text.error().message));
  auto read = audit::read_suppressions(*text);
  if (!read) {
    throw UserError(fmt::format("{}: {}", path, front_ends::to_string(read.error())));
  }
  return std::move(*read);
}

int audit_of(const Options& options) {
  if (options.list) {
    fmt::print("{}", audit::list_text());
    return kWell;
  }
  if (options.filters.empty()) throw UserError("audit: a filter is needed: -f FILTER");
  const KernelModel model = options.model.model();
  const auto suppressions = suppressions_of(options.config);
  const std::vector<FilterFile> files = read_stack(options.filters, options.input, options.model);
  // What is shown is what the reference says.
  const auto stack = build_stack(files, model, *engines().front());
  if (!stack) return kNo;
  std::vector<audit::Layer> layers;
  for (const FilterFile& file : files) layers.push_back({file.path, file.policy});
  audit::Report report = audit::audit(*stack, std::move(layers),
                                      {.tracer = options.tracer, .listener = options.listener});
  audit::suppress(report, suppressions);
  if (options.format == "json") {
    fmt::print("{}", audit::json(report));
  } else if (options.format == "sarif") {
    fmt::print("{}", audit::sarif(report, CALLGATE_VERSION));
  } else {
    fmt::print("{}", audit::text(report));
  }
  if (options.fail_on == "never") return kWell;
  return report.fails(*audit::severity_from_name(options.fail_on)) ? kNo : kWell;
}

}  // namespace

void add_audit(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "audit", "What is wrong with these filters: each finding with a call that shows it");
  command
      .add_option("-f,--filter", options->filters,
                  "A filter, or a profile that some are made of, in any format that is read; give "
                  "the option once for each of the stack, the oldest first; - is standard input")
      ->type_name("FILTER");
  options->model.add_to(command);
  command
      .add_option("--config", options->config,
                  "Findings that are accepted: JSON, {\"suppress\": [{\"id\": …, \"reason\": …, "
                  "\"syscall\": …}]}; they are shown, and do not count")
      ->type_name("FILE");
  command
      .add_option("--fail-on", options->fail_on,
                  "The least severity for exit code 1: error, warning (if not given), note, never")
      ->check(CLI::IsMember({"error", "warning", "note", "never"}))
      ->type_name("SEVERITY");
  command.add_flag("--tracer", options->tracer, "There is a tracer that handles TRACE");
  command.add_flag("--listener", options->listener,
                   "There is a listener for USER_NOTIF, whatever the filters' flags say");
  command.add_option("--format", options->format, "text, json or sarif (2.1.0)")
      ->check(CLI::IsMember({"text", "json", "sarif"}))
      ->type_name("FORMAT");
  command.add_flag("--list", options->list, "Only list what can be found, and what to do about it");
  options->input.add_to(command);
  command.footer(
      "\nExample:\n"
      "  callgate audit -f policy.json --format sarif > callgate.sarif\n"
      "\nThe filters are followed on all ways, and each call that is shown was run: nothing is "
      "guessed. What\ncould not be followed is said to be not complete.\nExit code 1: something of "
      "the severity of --fail-on was found, or a filter is refused.");
  command.callback([options, &exit_code] { exit_code = audit_of(*options); });
}

}  // namespace callgate::cli
