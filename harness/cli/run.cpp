#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/cli/cli.hpp"
#include "harness/engines/choice.hpp"
#include "harness/engines/engines.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/report/decision.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/report/words.hpp"
#include "verifier/check.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"
#include "vm/specialised_stack.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;
using report::Decision;
using report::FilterRun;
using report::Steps;

struct Options {
  ModelOptions model;
  std::vector<std::string> filters;
  InputOptions input;
  std::string engine;  // none: the reference for one call, see run() for a batch
  CallOptions call;
  std::string batch;
  std::string format;
  bool tracer = false;
  bool listener = false;
  bool threads = false;
  bool verbose = false;
};

void print_steps(const FilterRun& run, const FilterFile& file, const KernelModel& model) {
  fmt::print("\nfilter {} ({}):\n", run.filter, suite::one_line(file.path));
  const auto lines = report::statements(file.program, model.arch);
  for (const reference::Step& step : run.steps) {
    const std::uint16_t code = file.program[step.at].code;
    const bool branches = (code & 7U) == 5 && code != 5;
    fmt::print("  {:04}  {:<44} A={:08x} X={:08x}{}\n", step.at, lines[step.at], step.a, step.x,
               branches ? fmt::format("  to {:04}", step.next) : std::string{});
  }
}

ordered_json json_of(const SeccompData& data, const Verdict& verdict, const Outcome& outcome,
                     const FilterStack& stack) {
  ordered_json out{{"syscall", report::call_name(data)},
                   {"nr", data.nr},
                   {"arch", report::arch_name(data)},
                   {"value", fmt::format("0x{:08x}", verdict.value)},
                   {"verdict", report::verdict_words(verdict.value, stack.model())}};
  out["winner"] = verdict.winner ? ordered_json(*verdict.winner) : ordered_json();
  out["outcome"] = {{"kind", to_string(outcome.kind)}};
  if (outcome.kind == OutcomeKind::Returns) out["outcome"]["value"] = outcome.value;
  if (outcome.signal != 0) out["outcome"]["signal"] = outcome.signal;
  if (outcome.signal == outcome.siginfo.signo) out["outcome"]["si_errno"] = outcome.siginfo.error;
  if (outcome.kind == OutcomeKind::TracerDecides) out["outcome"]["message"] = outcome.data;
  if (outcome.kind == OutcomeKind::Unknown) out["outcome"]["reason"] = outcome.reason;
  out["outcome"]["core_dump"] = outcome.core_dump;
  out["outcome"]["logged"] = outcome.logged;
  return out;
}

Surroundings surroundings_of(const Options& options) {
  Surroundings around;
  around.tracer = options.tracer;
  around.listener = options.listener;
  around.only_thread = !options.threads;
  return around;
}

void print_text(const Options& options, const std::vector<FilterFile>& files,
                const FilterStack& stack, const SeccompData& data, const Decision& decision) {
  const std::string name = report::call_name(data);
  const std::vector<FilterRun>& runs = decision.runs;
  fmt::print("{}  {}  {}\n", name, report::verdict_words(decision.verdict.value, stack.model()),
             report::outcome_words(decision.outcome, name));
  const std::size_t executed = decision.executed();
  if (decision.exempt) {
    fmt::print("  no filter is asked: Linux {} lets this call pass every filter\n",
               to_string(stack.model().version));
  } else if (const FilterRun* winner = decision.winner()) {
    const FilterFile& file = files[winner->filter];
    const auto lines = report::statements(file.program, stack.model().arch);
    fmt::print("  decided by filter {} ({}) at instruction {}: {}\n", winner->filter,
               suite::one_line(file.path), winner->result.last, lines[winner->result.last]);
    fmt::print("  {} instructions executed{}\n", executed,
               runs.size() > 1 ? fmt::format(" by {} filters", runs.size()) : std::string{});
  } else {
    fmt::print("  no filter was stricter than ALLOW\n  {} instructions executed{}\n", executed,
               runs.size() > 1 ? fmt::format(" by {} filters", runs.size()) : std::string{});
  }
  if (!options.verbose) return;
  for (const FilterRun& run : runs) print_steps(run, files[run.filter], stack.model());
}

int run_one(const Options& options, const std::vector<FilterFile>& files,
            const FilterStack& stack) {
  const SeccompData data = options.call.call(stack.model().arch);
  const Decision decision = report::decide(stack, data, surroundings_of(options),
                                           options.verbose ? Steps::Yes : Steps::No);
  if (decision.fault) {
    if (options.format == "json") {
      const ordered_json document{{"syscall", report::call_name(data)},
                                  {"nr", data.nr},
                                  {"arch", report::arch_name(data)},
                                  {"value", ordered_json()},
                                  {"verdict", "unknown"},
                                  {"reason", decision.fault_words()},
                                  {"callgate", 1}};
      fmt::print("{}\n", document.dump(2));
    } else {
      fmt::print("{}  unknown, because {}\n", report::call_name(data), decision.fault_words());
    }
    return kNo;
  }
  if (options.format == "json") {
    ordered_json document = json_of(data, decision.verdict, decision.outcome, stack);
    document["filters"] = ordered_json::array();
    for (const FilterRun& run : decision.runs) {
      ordered_json row{{"filter", run.filter},
                       {"file", files[run.filter].path},
                       {"value", fmt::format("0x{:08x}", run.result.value)},
                       {"instruction", run.result.last},
                       {"executed", run.result.executed}};
      for (const reference::Step& step : run.steps) {
        row["steps"].push_back(
            {{"instruction", step.at}, {"next", step.next}, {"a", step.a}, {"x", step.x}});
      }
      document["filters"].push_back(std::move(row));
    }
    document["callgate"] = 1;
    fmt::print("{}\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace));
    return kWell;
  }
  print_text(options, files, stack, data, decision);
  return kWell;
}

// Whether any of the filters can meet what the kernel leaves undefined: only then is each input of
// a batch run by the reference as well.
bool may_be_undefined(const FilterStack& stack) {
  const KernelModel& model = stack.model();
  for (std::size_t i = 0; i < stack.size(); ++i) {
    for (const Instruction& each : stack.program(i)) {
      const bool by_x = each.code == 0x6c || each.code == 0x7c;
      const bool by_k = each.code == 0x64 || each.code == 0x74;
      if (by_x && !shift_count(model, 32).defined) return true;
      if (by_k && each.k >= 32) return true;
    }
  }
  return false;
}

// Writes the results of a batch, a line each.
class BatchWriter {
 public:
  BatchWriter(const Options& options, const FilterStack& stack)
      : stack_(stack),
        order_(options.model.file_order()),
        json_(options.format == "json"),
        undefined_(may_be_undefined(stack)),
        around_(surroundings_of(options)) {
    if (options.engine.empty() && stack.size() > 1) whole_.emplace(stack);
  }

  // Whole records only. False: standard output cannot be written.
  bool add(std::string_view records) {
    for (std::size_t at = 0; at < records.size(); at += kSeccompDataSize) {
      SeccompDataBytes record;
      std::copy_n(records.begin() + static_cast<std::ptrdiff_t>(at), record.size(), record.begin());
      line(from_bytes(record, order_));
    }
    const bool written = std::fwrite(out_.data(), 1, out_.size(), stdout) == out_.size();
    out_.clear();
    return written;
  }

 private:
  void line(const SeccompData& data) {
    if (undefined_ &&
        report::first_fault(report::run_filters(stack_, data, Steps::No)) != nullptr) {
      out_.append(std::string_view(json_ ? "{\"verdict\":\"unknown\"}\n" : "unknown\n"));
      return;
    }
    const Verdict verdict = is_exempt(data, stack_.model()) ? Verdict{}
                            : whole_                        ? whole_->run(data)
                                                            : stack_.run(data);
    if (json_) {
      const Outcome outcome = outcome_of(stack_, verdict, data, around_);
      fmt::format_to(std::back_inserter(out_), "{}\n",
                     json_of(data, verdict, outcome, stack_).dump());
      return;
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<char, 9> line{};
    for (std::size_t i = 0; i < 8; ++i) line[i] = kDigits[verdict.value >> (28U - 4U * i) & 15U];
    line[8] = '\n';
    out_.append(line.data(), line.data() + line.size());
  }

  const FilterStack& stack_;
  std::optional<SpecialisedStack> whole_;
  ByteOrder order_;
  bool json_;
  bool undefined_;
  Surroundings around_;
  fmt::memory_buffer out_;
};

void check_whole_records(const std::string& shown, std::uintmax_t size) {
  const std::uintmax_t left_over = size % kSeccompDataSize;
  if (left_over == 0) return;
  throw UserError(
      fmt::format("{}: byte {}: {} bytes are left over; a record of seccomp_data has {}", shown,
                  size - left_over, left_over, kSeccompDataSize));
}

// A file is read in pieces, once its size has been seen to be right; what has no size (a pipe) is
// read whole before anything is written.
int run_batch(const Options& options, const FilterStack& stack) {
  BatchWriter writer(options, stack);
  std::error_code error;
  const bool has_size =
      options.batch != "-" && std::filesystem::is_regular_file(options.batch, error);
  if (!has_size) {
    const std::string shown = options.batch == "-" ? "standard input" : options.batch;
    const auto bytes = front_ends::read_file(options.batch, front_ends::kNoSizeLimit);
    if (!bytes) throw UserError(fmt::format("{}: {}", shown, bytes.error().message));
    check_whole_records(shown, bytes->size());
    return writer.add(*bytes) ? kWell : kWrongUse;
  }
  check_whole_records(options.batch, std::filesystem::file_size(options.batch, error));
  std::ifstream file(options.batch, std::ios::binary);
  std::string piece(std::size_t{1024} * kSeccompDataSize, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    const auto got = static_cast<std::size_t>(file.gcount());
    if (!writer.add(std::string_view(piece).substr(0, got - got % kSeccompDataSize))) {
      return kWrongUse;
    }
  }
  if (!file.eof()) throw UserError(fmt::format("{}: it could not be read", options.batch));
  return kWell;
}

// What runs one filter over a batch. What has no size may be long.
const Engine& engine_for_batch(const Options& options, const Program& filter,
                               const KernelModel& model) {
  constexpr std::uint64_t kMany = 1'000'000;
  const auto checked = verifier::check(filter, model);
  if (!checked) return *all_engines().front();  // refused by the stack
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(options.batch, error);
  return engine_for(*checked, error ? kMany : size / kSeccompDataSize);
}

int run(const Options& options) {
  const bool batch = !options.batch.empty();
  if (batch == options.call.given()) {
    throw UserError("run: give either a SYSCALL or --batch FILE");
  }
  if (!batch && options.format == "raw") throw UserError("run: --format raw goes with --batch");
  if (batch && options.verbose) throw UserError("run: -v goes with one SYSCALL, not with --batch");
  const auto inputs = std::ranges::count(options.filters, "-") + (options.batch == "-" ? 1 : 0);
  if (inputs > 1) throw UserError("run: standard input can be read once only");
  const Engine* engine =
      options.engine.empty() ? all_engines().front() : find_any_engine(options.engine);
  if (engine == nullptr) {
    throw UserError(
        fmt::format("--engine {}: not an engine; there are: {}", options.engine, engine_names()));
  }
  const KernelModel model = options.model.model();
  InputOptions input = options.input;
  input.verbose = options.verbose;
  const std::vector<FilterFile> files = read_stack(options.filters, input, options.model);
  if (batch && options.engine.empty() && files.size() == 1) {
    engine = &engine_for_batch(options, files.front().program, model);
  }
  const auto stack = build_stack(files, model, *engine);
  if (!stack) return kNo;
  return batch ? run_batch(options, *stack) : run_one(options, files, *stack);
}

}  // namespace

void add_run(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "run", "Which verdict do these filters give to a call, and what does the process see?");
  add_filters(command, options->filters);
  options->model.add_to(command);
  options->call.add_to(command, "Its name or number");
  command.add_flag("-v,--verbose", options->verbose,
                   "Each executed instruction, with A and X after it and the branch taken");
  command
      .add_option("--batch", options->batch,
                  "64-byte seccomp_data records, in the byte order of --arch; one result a line")
      ->type_name("FILE");
  command
      .add_option("--format", options->format,
                  "text or json; with --batch raw (8 hexadecimal digits) or json")
      ->check(CLI::IsMember({"text", "json", "raw"}))
      ->type_name("FORMAT");
  command.add_flag("--tracer", options->tracer, "A tracer takes PTRACE_EVENT_SECCOMP");
  command.add_flag("--listener", options->listener, "The winning filter has an open listener");
  command.add_flag("--threads", options->threads, "The process has other threads");
  command
      .add_option(
          "--engine", options->engine,
          "What runs the filters: " + engine_names() +
              " [reference; with --batch the one that is likely to be done first, and of several "
              "filters the whole stack specialised]")
      ->type_name("ENGINE");
  options->input.add_to(command);
  command.footer(
      "\nExamples:\n"
      "  callgate run -f filter.bpf openat AT_FDCWD 0x7f00 'O_RDWR|O_CREAT'\n"
      "  callgate run -f old.bpf -f new.bpf --arch aarch64 --kernel 5.10 -v 56 -- -100\n"
      "  callgate run -f filter.bpf --batch calls.bin --format raw\n"
      "\nExit code 1: a filter is refused (its errors are shown), or the answer is unknown.");
  command.callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace callgate::cli
