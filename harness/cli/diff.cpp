#include <memory>
#include <utility>

#include "harness/cli/comparing.hpp"

namespace callgate::cli {
namespace {

struct Options {
  ComparingOptions comparing;
  std::string level = "verdict";
  Surroundings around;
  bool threads = false;
};

int diff(const Options& options) {
  auto question = compare::diff_question(options.level).value();
  question.request.options.around = options.around;
  question.request.options.around.only_thread = !options.threads;
  return compare_and_print(options.comparing, std::move(question));
}

}  // namespace

void add_diff(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "diff",
      "Do two filters, or stacks, mean the same for all inputs? Which calls tell them apart?");
  options->comparing.add_to(command);
  command
      .add_option("--level", options->level,
                  "What counts: raw (the 32 bits of single programs), verdict (action and data, as "
                  "the kernel takes them), outcome (what the process sees: no log, errnos above "
                  "4095 as 4095, unknown actions as what they do) [verdict]")
      ->check(CLI::IsMember({"raw", "verdict", "outcome"}))
      ->type_name("LEVEL");
  command.add_flag("--tracer", options->around.tracer,
                   "With --level outcome: a tracer takes PTRACE_EVENT_SECCOMP");
  command.add_flag("--listener", options->around.listener,
                   "With --level outcome: the winning filter has an open listener");
  command.add_flag("--threads", options->threads,
                   "With --level outcome: the process has other threads");
  command.footer(
      "\nExamples:\n"
      "  callgate diff old.json new.json\n"
      "  callgate diff --a base.bpf --a extra.bpf --b merged.bpf --level outcome\n"
      "  callgate diff profile.json profile.json --arch-a x86_64 --arch-b aarch64\n"
      "\nExit codes: 0: equal, which is proved for all inputs; 1: different, each difference with "
      "a "
      "call\nthat was run on both; 2: wrong use, or a filter is refused; 3: undecided, with what "
      "is "
      "left.");
  command.callback([options, &exit_code] { exit_code = diff(*options); });
}

}  // namespace callgate::cli
