#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "harness/cli/cli.hpp"
#include "harness/cli/scmp_sim.hpp"
#include "harness/cli/tree.hpp"
#include "harness/suite/clean_text.hpp"

namespace {

using callgate::cli::UserError;

// Called by the name of libseccomp's simulator, it is one; with `emu`, seccomp-tools and ceccomp
// need nothing more than their name.
bool is_called(std::string_view path, std::string_view name) {
  return path.substr(path.rfind('/') + 1) == name;
}

// Where standard error is closed or full there is nobody left to tell.
void say(const std::string& text) noexcept {
  static_cast<void>(
      std::fputs(("callgate: " + callgate::suite::one_line(text) + "\n").c_str(), stderr));
}

// A file that is opened must never become standard output or error because those were closed. What
// is put in their place is of the wrong direction: using it is an error, not a silence.
void hold_standard_files() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    static_cast<void>(open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY));
  }
}

// A pipe whose reader has gone is an error of writing (EPIPE), not a death. It is a handler, not
// SIG_IGN, since programs that are started here must not inherit it.
void outlive_closed_pipes() {
  struct sigaction action{};
  if (sigaction(SIGPIPE, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return;
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  static_cast<void>(sigaction(SIGPIPE, &action, nullptr));
}

int run(int argc, char** argv) {
  if (argc > 0 && is_called(argv[0], "scmp_bpf_sim")) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    return callgate::cli::scmp_sim(argv[0], words);
  }
  int exit_code = callgate::cli::kWell;
  const std::unique_ptr<CLI::App> app =
      callgate::cli::command_tree(exit_code, argc > 1 ? argv[1] : "");
  try {
    app->parse(callgate::cli::words_for_parse({argv + (argc > 0 ? 1 : 0), argv + argc}));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app->exit(error);
    fmt::print(stderr, "callgate: {}\nRun `callgate --help` for what there is.\n",
               callgate::suite::one_line(callgate::cli::words_of_error(error.what())));
    return callgate::cli::kWrongUse;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_files();
  outlive_closed_pipes();
  int exit_code = callgate::cli::kWrongUse;
  std::string error;
  try {
    exit_code = run(argc, argv);
  } catch (const UserError& thrown) {
    error = thrown.what();
  } catch (const std::bad_alloc&) {
    error = "out of memory";
  } catch (const std::exception& thrown) {
    error = thrown.what();
  }
  // What was printed may not have arrived (a full disk, a pipe that was closed): that is no
  // success.
  const bool failed_before = std::ferror(stdout) != 0;
  if (std::fflush(stdout) != 0 || failed_before) {
    const int reason = errno;
    say(failed_before ? "standard output could not be written"
                      : fmt::format("standard output could not be written: {}",
                                    std::generic_category().message(reason)));
    return callgate::cli::kWrongUse;
  }
  if (!error.empty()) say(error);
  return exit_code;
}
