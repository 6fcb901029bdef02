#include <fmt/format.h>

#include <memory>

#include "harness/cli/cli.hpp"
#include "harness/cli/traced.hpp"
#include "harness/process/recorder.hpp"

namespace callgate::cli {
namespace {

struct Options {
  TracedOptions traced;
  std::string output = "callgate.trace";
  std::uint64_t limit = 0;
  bool results = false;
};

int record(const Options& options) {
  if (options.traced.command.empty()) throw UserError("record: give a COMMAND after --");
  if (options.output == "-") {
    throw UserError("record: -o -: standard output is the command's; give a file");
  }
  process::RecordLimits limits;
  limits.session = options.traced.limits();
  limits.results = options.results;
  if (options.limit != 0) limits.calls = options.limit;
  const auto recorded = process::record_command(options.traced.command, options.output, limits);
  if (!recorded) throw UserError(recorded.error().message);
  if (!recorded->trouble.empty()) tell("callgate: {}", recorded->trouble);
  tell("callgate: {} calls in {}", recorded->calls, options.output);
  // A trace that could not be written whole is no success, whatever the command's is.
  return recorded->trouble.empty() ? end_like(recorded->end) : kWrongUse;
}

}  // namespace

void add_record(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "record", "Every call that a command makes, as a trace for `callgate replay`");
  options->traced.add_to(command);
  command
      .add_option("-o,--output", options->output,
                  "The trace; a file that is there is written anew [callgate.trace]")
      ->type_name("FILE");
  command.add_flag("--results", options->results, "What calls return, too");
  command
      .add_option("--limit", options->limit,
                  "Let the command go on untraced after so many calls have begun")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 48U))
      ->type_name("N");
  command.footer(
      "\nExamples:\n"
      "  callgate record -o ls.trace -- ls -l\n"
      "  callgate replay --list ls.trace\n"
      "\nThe exit code, or the signal, is the command's; 124 after --timeout; 2 where it cannot be "
      "started, or\nthe trace cannot be written whole.");
  command.callback([options, &exit_code] { exit_code = record(*options); });
}

}  // namespace callgate::cli
