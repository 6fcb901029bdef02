#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/cli.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/report/words.hpp"
#include "vm/syscalls.hpp"

namespace callgate::cli {
namespace {

using live::Agreement;
using nlohmann::ordered_json;

struct Options {
  std::vector<std::string> filters;
  InputOptions input;
  std::string arch;
  std::vector<std::string> syscalls;
  bool all = false;
  bool quiet = false;
  std::string format = "text";
};

// One call, our answer and the kernel's.
struct Row {
  std::string name;
  Verdict verdict;
  Outcome ours;
  live::Seen seen;
  Agreement agreement = Agreement::NotAsked;
  bool exempt = false;
};

struct Counts {
  std::size_t agree = 0;
  std::size_t differ = 0;
  std::size_t not_asked = 0;

  void add(Agreement agreement) {
    switch (agreement) {
      case Agreement::Agrees:
        ++agree;
        return;
      case Agreement::Differs:
        ++differ;
        return;
      case Agreement::NotAsked:
        ++not_asked;
        return;
    }
  }
};

std::vector<live::Call> calls_of(const Options& options, Arch arch) {
  std::vector<live::Call> calls;
  const auto add = [&](std::int32_t nr) {
    calls.push_back(
        {{.nr = nr, .arch = info(arch).token, .instruction_pointer = 0, .args = {}}, true});
  };
  for (const std::string& each : options.syscalls) add(parse_syscall(each, arch));
  if (options.all) {
    for (const SyscallRow& row : syscalls(arch)) add(static_cast<std::int32_t>(row.nr));
  }
  return calls;
}

Row row_of(const FilterStack& stack, live::Seen seen) {
  Row row;
  row.name = report::call_name(seen.data);
  row.exempt = is_exempt(seen.data, stack.model());
  if (!row.exempt) row.verdict = stack.run(seen.data);
  row.ours = outcome_of(stack, row.verdict, seen.data, live::kOracleSurroundings);
  row.agreement = compare(row.ours, row.verdict.value, seen);
  row.seen = std::move(seen);
  return row;
}

std::string kernel_words(const Row& row) {
  switch (row.agreement) {
    case Agreement::Agrees:
      return coloured("kernel agrees", true);
    case Agreement::Differs:
      return fmt::format("{}: {}", coloured("KERNEL DIFFERS", false), words(row.seen, row.name));
    case Agreement::NotAsked:
      return fmt::format("kernel not asked: {}", why_not_asked(row.verdict.value, row.seen));
  }
  return "";
}

void print_rows(const std::vector<Row>& rows, const FilterStack& stack, bool quiet) {
  std::size_t name_width = 8;
  std::size_t verdict_width = 9;
  std::size_t outcome_width = 20;
  std::vector<const Row*> shown;
  for (const Row& row : rows) {
    if (quiet && row.agreement == Agreement::Agrees) continue;
    shown.push_back(&row);
  }
  const auto verdict = [&](const Row& row) {
    return report::verdict_words(row.verdict.value, stack.model());
  };
  for (const Row* row : shown) {
    name_width = std::max(name_width, row->name.size());
    verdict_width = std::max(verdict_width, verdict(*row).size());
    outcome_width = std::max(outcome_width, report::outcome_words(row->ours, row->name).size());
  }
  for (const Row* row : shown) {
    fmt::print("{} {} {} {}\n", padded(row->name, name_width), padded(verdict(*row), verdict_width),
               padded(report::outcome_words(row->ours, row->name), outcome_width),
               kernel_words(*row));
  }
}

ordered_json json_of(const Row& row, const KernelModel& model) {
  ordered_json out{{"syscall", row.name},
                   {"nr", row.seen.data.nr},
                   {"arch", report::arch_name(row.seen.data)},
                   {"value", fmt::format("0x{:08x}", row.verdict.value)},
                   {"verdict", report::verdict_words(row.verdict.value, model)},
                   {"outcome", report::outcome_words(row.ours, row.name)}};
  switch (row.agreement) {
    case Agreement::Agrees:
      out["kernel"] = "agrees";
      break;
    case Agreement::Differs:
      out["kernel"] = "differs";
      out["kernel_outcome"] = words(row.seen, row.name);
      break;
    case Agreement::NotAsked:
      out["kernel"] = "not-asked";
      out["reason"] = why_not_asked(row.verdict.value, row.seen);
      break;
  }
  return out;
}

int live(const Options& options) {
  if (options.syscalls.empty() && !options.all) {
    throw UserError("live: give SYSCALLs or --all");
  }
  if (host_arch() != Arch::X86_64) {
    throw UserError(
        "live: the running kernel can be asked on x86_64 machines only; `callgate run` "
        "answers without it");
  }
  ModelOptions model_options;
  model_options.arch = options.arch;
  model_options.kernel = "host";
  KernelModel model = model_options.model();
  const Arch abi = model.arch;
  if (abi != Arch::X86_64 && abi != Arch::X86 && abi != Arch::X32) {
    throw UserError(
        fmt::format("live: this machine's kernel makes no calls of {}; x86_64, x86 and "
                    "x32 it does",
                    info(abi).name));
  }
  // Whatever ABI a call has, the kernel is x86_64's.
  model.arch = Arch::X86_64;
  const std::vector<FilterFile> files = read_stack(options.filters, options.input, model_options);
  std::vector<Program> programs;
  for (const FilterFile& file : files) programs.push_back(file.program);
  const auto stack = build_stack(files, model, default_engine());
  live::CallSites sites;
  const std::vector<live::Call> calls = calls_of(options, abi);
  const auto seen = live::outcomes(programs, calls, sites);
  if (!seen) throw UserError(fmt::format("live: {}", seen.error().message));
  if (seen->install_error != 0 || !stack) {
    const bool agrees = seen->install_error != 0 && !stack;
    fmt::print("{}: the kernel {} it: {}\n",
               suite::one_line(files[std::min(seen->installed, files.size() - 1)].path),
               seen->install_error != 0
                   ? fmt::format("refuses ({})",
                                 report::errno_name(seen->install_error).value_or("an error"))
                   : std::string("accepts"),
               agrees ? "kernel agrees" : "KERNEL DIFFERS");
    return kNo;
  }
  std::vector<Row> rows;
  Counts counts;
  for (const live::Seen& each : seen->calls) {
    rows.push_back(row_of(*stack, each));
    counts.add(rows.back().agreement);
  }
  if (options.format == "json") {
    ordered_json document{
        {"callgate", 1},
        {"kernel", to_string(model.version)},
        {"untraced", seen->untraced.empty() ? ordered_json(nullptr) : ordered_json(seen->untraced)},
        {"agree", counts.agree},
        {"differ", counts.differ},
        {"not_asked", counts.not_asked},
        {"calls", ordered_json::array()}};
    for (const Row& row : rows) document["calls"].push_back(json_of(row, model));
    fmt::print("{}\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    print_rows(rows, *stack, options.quiet);
    if (!seen->untraced.empty()) {
      fmt::print(
          "Not traced ({}): ALLOW, LOG, TRACE and USER_NOTIF look alike, and so do TRAP and "
          "the kills.\n",
          seen->untraced);
    }
    fmt::print("{} calls of {} on Linux {}: {} agree, {} differ, {} not asked\n", rows.size(),
               info(abi).name, to_string(model.version), counts.agree, counts.differ,
               counts.not_asked);
  }
  return counts.differ == 0 ? kWell : kNo;
}

}  // namespace

void add_live(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "live", "Load these filters in a child, make calls without executing them, and compare");
  add_filters(command, options->filters);
  command.add_option("SYSCALL", options->syscalls, "Names or numbers")->type_name("");
  command.add_flag("--all", options->all, "Every syscall of the architecture's table");
  command.add_option("--arch", options->arch, "The calls' ABI: x86_64, x86 or x32")
      ->type_name("ARCH");
  command.add_flag("--quiet", options->quiet, "Only what does not agree, and the summary");
  add_format(command, options->format);
  options->input.add_to(command);
  command.footer(
      "\nExample:\n"
      "  callgate live -f filter.bpf --all --arch x86\n"
      "\nThe child is traced, and has a second thread: TRACE stops for the tracer, and KILL_THREAD "
      "leaves the process alive. ALLOW and LOG look alike. Where tracing is denied, less can be "
      "told apart, and the report says so.\n"
      "Exit code 1: the kernel differs, or refuses a filter.");
  command.callback([options, &exit_code] { exit_code = live(*options); });
}

}  // namespace callgate::cli
