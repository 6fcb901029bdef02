#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cli/cli.hpp"
#include "harness/cli/scmp_sim.hpp"

namespace {

using callgate::cli::UserError;

constexpr std::string_view kDescription =
    "What Linux does with seccomp filters, in userspace: which call gets which verdict, and why.\n";

constexpr std::string_view kFooter =
    "\nExamples:\n"
    "  callgate check filter.bpf\n"
    "  callgate run -f filter.bpf openat AT_FDCWD 0 O_RDONLY\n"
    "  callgate live -f filter.bpf --all\n"
    "\nExit codes: 0 all well; 1 an answer of no (refused, mismatch); 2 wrong use or unreadable "
    "input.\n"
    "`callgate SUBCOMMAND --help` says more of each.";

// Called by the name of libseccomp's simulator, it is one; with `emu`, seccomp-tools and ceccomp
// need nothing more than their name.
bool is_called(std::string_view path, std::string_view name) {
  return path.substr(path.rfind('/') + 1) == name;
}

int run(int argc, char** argv) {
  if (argc > 0 && is_called(argv[0], "scmp_bpf_sim")) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    return callgate::cli::scmp_sim(argv[0], words);
  }
  CLI::App app{std::string(kDescription), "callgate"};
  app.footer(std::string(kFooter));
  app.set_version_flag("--version", std::string("callgate " CALLGATE_VERSION));
  app.require_subcommand(1);
  app.get_formatter()->column_width(36);
  int exit_code = callgate::cli::kWell;
#define SUBCOMMAND(name) callgate::cli::add_##name(app, exit_code);
#include "harness/cli/subcommands.def"
#undef SUBCOMMAND
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "callgate: {}\nRun `callgate --help` for what there is.\n", error.what());
    return callgate::cli::kWrongUse;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = callgate::cli::kWrongUse;
  try {
    exit_code = run(argc, argv);
  } catch (const UserError& error) {
    fmt::print(stderr, "callgate: {}\n", error.what());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "callgate: out of memory\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "callgate: {}\n", error.what());
  }
  // What was printed may not have arrived (a full disk, say): that is no success.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    fmt::print(stderr, "callgate: standard output could not be written\n");
    return callgate::cli::kWrongUse;
  }
  return exit_code;
}
