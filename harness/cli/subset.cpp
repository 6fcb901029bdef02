#include <memory>

#include "harness/cli/comparing.hpp"

namespace callgate::cli {
namespace {

struct Options {
  ComparingOptions comparing;
  bool allow_only = false;
};

int subset(const Options& options) {
  return compare_and_print(options.comparing, compare::subset_question(options.allow_only));
}

}  // namespace

void add_subset(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command =
      *root.add_subcommand("subset", "Does B allow nothing that A does not, for all inputs?");
  options->comparing.add_to(command);
  command.add_flag("--allow-only", options->allow_only,
                   "B executes nothing unasked (ALLOW, LOG) that A does not execute unasked");
  command.footer(
      "\nB allows nothing more where its action is at least as strict as A's, in the kernel's "
      "order: "
      "\nKILL_PROCESS, KILL_THREAD, TRAP, ERRNO, USER_NOTIF, TRACE, LOG, ALLOW; data do not count, "
      "and an\naction that the kernel does not know counts as the death that it means.\n"
      "\nExample:\n"
      "  callgate subset docker-default.json ours.json\n"
      "\nExit codes: 0: it is, which is proved; 1: it is not, with calls; 2: wrong use, or a "
      "filter "
      "is\nrefused; 3: undecided.");
  command.callback([options, &exit_code] { exit_code = subset(*options); });
}

}  // namespace callgate::cli
