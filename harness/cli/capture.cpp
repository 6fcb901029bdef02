#include "harness/process/capture.hpp"

#include <fmt/format.h>

#include <memory>

#include "harness/cli/cli.hpp"
#include "harness/cli/traced.hpp"

namespace callgate::cli {
namespace {

using process::Capture;
using process::Install;

struct Options {
  TracedOptions traced;
  int tid = 0;
  std::size_t limit = 0;
  std::string folder;
  std::string json;
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& each : words) out += (out.empty() ? "" : "|") + each;
  return out.empty() ? "-" : out;
}

std::string place_words(const Install& install) {
  if (install.backtrace.empty()) return "-";
  // The call itself is in the C library mostly: who called that says more.
  const process::CodePlace& place = install.backtrace[install.backtrace.size() > 1 ? 1 : 0];
  if (place.file.empty()) return fmt::format("0x{:x}", place.address);
  const std::size_t slash = place.file.rfind('/') + 1;  // 0 where there is none
  return fmt::format("{}+0x{:x}", place.file.substr(slash), place.offset);
}

// To standard error: what the command prints stays alone.
void print_table(const Capture& capture) {
  if (capture.installs.empty()) return;
  tell("{:<9} {:<8} {:<16} {:<10} {:<8} {:>6}  {:<20} {:<18} {}", "file", "tid", "comm", "how",
       "arch", "length", "flags", "result", "called from");
  for (std::size_t i = 0; i < capture.installs.size(); ++i) {
    const Install& each = capture.installs[i];
    const bool attached = each.how == Install::How::GetFilter;
    std::string_view how = each.how == Install::How::Prctl ? "prctl" : "seccomp";
    if (attached) how = "attached";
    tell("{:<9} {:<8} {:<16} {:<10} {:<8} {:>6}  {:<20} {:<18} {}",
         each.program ? process::file_name(i) : "-", each.tid, each.comm, how,
         each.arch ? info(*each.arch).name : "-",
         each.program  ? std::to_string(each.program->size())
         : each.strict ? "strict"
                       : "?",
         joined(process::flag_names(each.flags)) + (attached ? " ?" : ""),
         process::result_words(each), place_words(each));
  }
}

void write(const Capture& capture, const Options& options) {
  if (!options.folder.empty()) {
    if (const std::string why = process::write_capture(capture, options.folder); !why.empty()) {
      throw UserError(why);
    }
    if (capture.default_task) {
      tell("written to {}; as a stack it is that of task {}", options.folder,
           *capture.default_task);
    }
  }
  if (options.json.empty()) return;
  const std::string text = process::manifest_text(capture);
  if (options.json == "-") {
    fmt::print("{}", text);
  } else {
    write_whole(options.json, text);
  }
}

void warn(const Capture& capture) {
  if (capture.inherited != 0) {
    tell(
        "callgate: {} filters were there before the command began; they hold for it too, "
        "and are not in the capture",
        capture.inherited);
  }
  for (const process::CapturedTask& task : capture.tasks) {
    if (!task.counted) continue;
    tell("callgate: task {} had {} filters in the end, and {} were seen", task.tid, *task.counted,
         task.filters.size());
  }
}

int capture(const Options& options) {
  const bool running = options.tid != 0;
  if (running == !options.traced.command.empty()) {
    throw UserError("capture: give either -p TID or a COMMAND after --");
  }
  if (running) {
    const auto caught = process::capture_thread(options.tid);
    if (!caught) throw UserError(caught.error().message);
    if (caught->installs.empty()) {
      tell("thread {} {}", options.tid,
           caught->tasks.front().strict ? "is in strict mode, which is no filter"
                                        : "has no filters");
      return kNo;
    }
    print_table(*caught);
    write(*caught, options);
    return kWell;
  }
  process::CaptureLimits limits;
  limits.session = options.traced.limits();
  if (options.limit != 0) limits.installs = options.limit;
  const auto caught = process::capture_command(options.traced.command, limits);
  if (!caught) throw UserError(caught.error().message);
  print_table(caught->capture);
  if (caught->capture.installs.empty()) tell("no filter was installed");
  warn(caught->capture);
  write(caught->capture, options);
  return end_like(caught->end);
}

}  // namespace

void add_capture(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "capture", "The filters of a thread, or those that a command installs, as files");
  command
      .add_option("-p,--pid", options->tid, "A thread that runs already (a process's first thread)")
      ->check(CLI::Range(1, 4194304))
      ->type_name("TID");
  options->traced.add_to(command);
  command.add_option("-o,--output", options->folder, "A folder to make, with manifest.json")
      ->type_name("DIR");
  command.add_option("--json", options->json, "The manifest alone, to a file or -")
      ->type_name("FILE");
  command
      .add_option("--limit", options->limit,
                  "Let the command go on untraced after so many installations have returned")
      ->check(CLI::Range(1, 100000))
      ->type_name("N");
  command.footer(
      "\nExamples:\n"
      "  callgate capture -o filters -- firejail --noprofile --seccomp true\n"
      "  callgate capture -p 1234 -o filters\n"
      "\nWhat was caught is shown on standard error. The exit code, or the signal, is the "
      "command's; 124 after\n--timeout. With -p: 1 where the thread has no filters.");
  command.callback([options, &exit_code] { exit_code = capture(*options); });
}

}  // namespace callgate::cli
