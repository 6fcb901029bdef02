#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "harness/campaign/campaign.hpp"
#include "harness/cli/cli.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/live/availability.hpp"

namespace callgate::cli {
namespace {

using campaign::Property;
using campaign::PropertyInfo;
using campaign::Settings;
using campaign::State;
using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// For each program that is run: two go to the checker, and a stack and a script to so many.
constexpr std::uint64_t kMutantsPerProgram = 2;
constexpr std::uint64_t kProgramsPerEngines = 5;
constexpr std::uint64_t kProgramsPerScript = 25;
constexpr std::uint64_t kProgramsPerStack = 500;
constexpr std::uint64_t kMost = 1'000'000'000'000;

struct Options {
  std::uint64_t programs = 10'000;
  std::optional<std::uint64_t> engines;
  std::optional<std::uint64_t> mutants;
  std::optional<std::uint64_t> stacks;
  std::optional<std::uint64_t> scripts;
  std::uint64_t inputs = 20;
  std::uint64_t seed = 1;
  std::string shard = "1/1";
  unsigned jobs = 1;
  std::string state;
  std::string vectors = "callgate-findings";
  double seconds = 0;
  std::uint64_t stop_at = 100;
  double progress = 30;
  std::string format = "text";
};

volatile std::sig_atomic_t signalled = 0;
void on_signal(int signal) { signalled = signal; }

Settings settings_of(const Options& options) {
  Settings out;
  const auto set = [&](Property property, std::uint64_t amount) {
    out.amounts[static_cast<std::size_t>(property)] = amount;
  };
  set(Property::Engines, options.engines.value_or(options.programs / kProgramsPerEngines));
  set(Property::Values, options.programs);
  set(Property::Mutants, options.mutants.value_or(options.programs * kMutantsPerProgram));
  set(Property::Stacks, options.stacks.value_or(options.programs / kProgramsPerStack));
  set(Property::Scripts, options.scripts.value_or(options.programs / kProgramsPerScript));
  out.inputs = options.inputs;
  out.seed = options.seed;
  const auto shard = campaign::parse_shard(options.shard);
  if (!shard) {
    throw UserError(
        fmt::format("fuzz-live: --shard {}: say I/N, the part and how many there are: 1/4 to 4/4",
                    options.shard));
  }
  out.shard = *shard;
  return out;
}

// The state to go on from: that of the file, where there is one; it must be of this campaign.
State first_state(const Options& options) {
  State fresh;
  fresh.settings = settings_of(options);
  fresh.kernel = campaign::kernel_release();
  if (options.state.empty() || !std::filesystem::exists(options.state)) return fresh;
  const auto text = front_ends::read_file(options.state);
  if (!text) throw UserError(fmt::format("{}: {}", options.state, text.error().message));
  auto read = campaign::parse_state(*text);
  if (!read) {
    throw UserError(fmt::format("{}: no state of a campaign: {}", options.state, read.error()));
  }
  const auto differs = [&](std::string_view what) {
    throw UserError(fmt::format(
        "{}: the campaign there has another {}; say the same, or name another --state file",
        options.state, what));
  };
  for (const PropertyInfo& row : campaign::properties()) {
    if (read->settings.amount(row.property) != fresh.settings.amount(row.property)) {
      differs(fmt::format("number of {}", row.token));
    }
  }
  if (read->settings.inputs != fresh.settings.inputs) differs("number of inputs");
  if (read->settings.seed != fresh.settings.seed) differs("seed");
  if (read->settings.shard != fresh.settings.shard) differs("shard");
  if (read->kernel != fresh.kernel) differs(fmt::format("kernel, {}", read->kernel));
  return std::move(*read);
}

std::string clock_words(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

// What is done of the campaign, and of what there is to see.
std::string progress_line(const State& state, std::size_t units, double rate) {
  const campaign::Tally& tally = state.tally;
  const double share =
      units == 0 ? 1 : static_cast<double>(state.done) / static_cast<double>(units);
  return fmt::format(
      "{:5.1f} %  {} programs  {} evaluations  {:.0f}/s  {} checked  {} disagreements  cells {}/{} "
      " "
      "refusals {}/{}  {} of about {}",
      100 * share, tally.count(Property::Values).made, tally.count(Property::Values).asked, rate,
      tally.count(Property::Mutants).made, tally.disagreements(), tally.coverage.cells_seen(),
      campaign::Coverage::cells_possible(), tally.coverage.refusals_seen(), diagnostics().size(),
      clock_words(state.seconds), clock_words(share > 0 ? state.seconds / share : 0));
}

// Writes the state, the findings and the progress line as units are counted.
class Reporter {
 public:
  Reporter(const Options& options, const State& state)
      : options_(options),
        units_(plan(state.settings).size()),
        written_(0),
        evaluations_(state.tally.count(Property::Values).asked) {}

  void counted(const State& state) {
    write_findings(state);
    const auto now = Clock::now();
    if (!options_.state.empty() && now - saved_ > std::chrono::seconds(5)) {
      save(state);
      saved_ = now;
    }
    if (options_.progress <= 0) return;
    const bool terminal = isatty(STDERR_FILENO) == 1;
    const std::chrono::duration<double> since = now - shown_;
    if (since.count() < (terminal ? std::min(1.0, options_.progress) : options_.progress)) return;
    const std::uint64_t evaluations = state.tally.count(Property::Values).asked;
    const double rate = static_cast<double>(evaluations - evaluations_) / since.count();
    const std::string line = progress_line(state, units_, rate);
    if (terminal) {
      fmt::print(stderr, "\r\033[K{}", line);
    } else {
      fmt::print(stderr, "{}\n", line);
    }
    line_open_ = terminal;
    evaluations_ = evaluations;
    shown_ = now;
  }

  void end(const State& state) {
    if (line_open_) fmt::print(stderr, "\r\033[K");
    write_findings(state);
    if (!options_.state.empty()) save(state);
  }

  [[nodiscard]] std::size_t units() const { return units_; }

 private:
  void save(const State& state) const { write_whole(options_.state, state_text(state)); }

  void write_findings(const State& state) {
    for (; written_ < state.tally.findings.size(); ++written_) {
      const campaign::Finding& each = state.tally.findings[written_];
      const std::filesystem::path folder = std::filesystem::path(options_.vectors) / each.folder;
      std::error_code error;
      std::filesystem::create_directories(folder, error);
      if (error) throw UserError(fmt::format("{}: {}", folder.string(), error.message()));
      const std::string_view suffix = each.folder == "task" ? ".task" : ".vec";
      write_whole((folder / (each.name + std::string(suffix))).string(), each.text);
    }
  }

  const Options& options_;
  std::size_t units_;
  std::size_t written_;
  std::uint64_t evaluations_;
  bool line_open_ = false;
  Clock::time_point saved_ = Clock::now();
  Clock::time_point shown_ = Clock::now();
};

void print_coverage(const campaign::Coverage& coverage) {
  fmt::print("operations x ends: {} of {} seen; refusals: {} of {} seen\n", coverage.cells_seen(),
             campaign::Coverage::cells_possible(), coverage.refusals_seen(), diagnostics().size());
  constexpr std::size_t kMostMissing = 8;
  const auto missing = coverage.missing();
  for (std::size_t i = 0; i < std::min(missing.size(), kMostMissing); ++i) {
    fmt::print("  not seen: {}\n", missing[i]);
  }
  if (missing.size() > kMostMissing) {
    fmt::print("  and {} more (--format json has all)\n", missing.size() - kMostMissing);
  }
}

void print_text(const State& state, std::size_t units, const Options& options) {
  const Settings& settings = state.settings;
  fmt::print("Linux {}, seed {}, shard {}/{}: {} of {} units in {}\n", state.kernel, settings.seed,
             settings.shard.index, settings.shard.count, state.done, units,
             clock_words(state.seconds));
  for (const PropertyInfo& row : campaign::properties()) {
    const campaign::Count& count = state.tally.count(row.property);
    std::string what = fmt::format("{} {}", count.made, row.counted);
    switch (row.property) {
      case Property::Engines:
      case Property::Values:
        what += fmt::format(", {} evaluations", count.asked);
        break;
      case Property::Mutants:
        what += fmt::format(", {} accepted", count.accepted);
        break;
      case Property::Stacks:
        what += fmt::format(", {} calls", count.asked);
        break;
      case Property::Scripts:
        what += fmt::format(", {} steps", count.asked);
        break;
    }
    fmt::print(
        "{}: {}\n", what,
        coloured(fmt::format("{} disagreements", count.disagreements), count.disagreements == 0));
    for (const auto& [why, times] : count.not_asked) fmt::print("  {} not asked: {}\n", times, why);
  }
  const campaign::Coverage& coverage = state.tally.coverage;
  const bool covers = settings.amount(Property::Values) + settings.amount(Property::Mutants) > 0;
  if (covers) print_coverage(coverage);
  for (const campaign::Finding& each : state.tally.findings) {
    fmt::print("{}/{}/{}: {}\n", options.vectors, each.folder, each.name, each.summary);
  }
  if (state.done < units) {
    fmt::print("not at its end{}\n",
               options.state.empty()
                   ? std::string("; with --state FILE it could be gone on with")
                   : fmt::format("; the same command goes on from {}", options.state));
  }
}

void print_json(const State& state, std::size_t units) {
  const Settings& settings = state.settings;
  const campaign::Coverage& coverage = state.tally.coverage;
  ordered_json document{{"callgate", 1},
                        {"kernel", state.kernel},
                        {"seed", settings.seed},
                        {"shard", {settings.shard.index, settings.shard.count}},
                        {"units", units},
                        {"units_done", state.done},
                        {"seconds", state.seconds},
                        {"properties", ordered_json::array()}};
  for (const PropertyInfo& row : campaign::properties()) {
    const campaign::Count& count = state.tally.count(row.property);
    document["properties"].push_back({{"property", row.token},
                                      {"amount", settings.amount(row.property)},
                                      {"made", count.made},
                                      {"accepted", count.accepted},
                                      {"asked", count.asked},
                                      {"disagreements", count.disagreements},
                                      {"not_asked", count.not_asked}});
  }
  ordered_json refusals = ordered_json::object();
  for (const DiagnosticInfo& row : diagnostics()) {
    refusals[std::string(row.name)] = coverage.refusals()[static_cast<std::size_t>(row.id)];
  }
  document["coverage"] = {{"cells_seen", coverage.cells_seen()},
                          {"cells_possible", campaign::Coverage::cells_possible()},
                          {"missing", coverage.missing()},
                          {"refusals", refusals}};
  document["findings"] = ordered_json::array();
  for (const campaign::Finding& each : state.tally.findings) {
    document["findings"].push_back({{"property", info(each.property).token},
                                    {"name", each.name},
                                    {"folder", each.folder},
                                    {"summary", each.summary},
                                    {"text", each.text}});
  }
  fmt::print("{}\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

int fuzz_live(const Options& options) {
  State state = first_state(options);
  const bool asks_kernel =
      std::ranges::any_of(campaign::properties(), [&](const PropertyInfo& row) {
        return row.property != Property::Engines && state.settings.amount(row.property) > 0;
      });
  if (asks_kernel) {
    if (const std::string why = live::availability().filters; !why.empty()) {
      throw UserError("fuzz-live: " + why + "; --programs 0 --engines N does without the kernel");
    }
  }
  Reporter reporter(options, state);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  const auto start = Clock::now();
  // Looked at by whoever counts and by whoever takes a unit: both hold the campaign's lock.
  bool enough = false;
  const auto is_enough = [&](const State& now) {
    return options.stop_at > 0 && now.tally.disagreements() >= options.stop_at;
  };
  const auto run =
      campaign::run(state, options.jobs,
                    {.stop =
                         [&] {
                           const std::chrono::duration<double> gone = Clock::now() - start;
                           const bool late = options.seconds > 0 && gone.count() >= options.seconds;
                           return signalled != 0 || late || enough;
                         },
                     .counted =
                         [&](const State& now) {
                           enough = is_enough(now);
                           reporter.counted(now);
                         }});
  reporter.end(state);
  if (options.format == "json") {
    print_json(state, reporter.units());
  } else {
    print_text(state, reporter.units(), options);
  }
  if (!run) throw UserError("fuzz-live: " + run.error().message);
  if (const int signal = signalled; signal != 0) {
    std::fflush(stdout);
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  return state.tally.disagreements() == 0 ? kWell : kNo;
}

}  // namespace

void add_fuzz_live(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "fuzz-live", "Random programs, stacks and task scripts against the running kernel");
  const CLI::Range amount(std::uint64_t{0}, kMost);
  command.add_option("--programs", options->programs, "Programs to run, of all shards together")
      ->check(amount)
      ->type_name("N");
  command.add_option("--inputs", options->inputs, "Calls for each of those")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  command
      .add_option("--engines", options->engines,
                  "Programs to run on every engine, beside the reference [programs / 5]")
      ->check(amount)
      ->type_name("N");
  command
      .add_option("--mutants", options->mutants,
                  "Programs to have accepted or refused [2 x programs]")
      ->check(amount)
      ->type_name("N");
  command.add_option("--stacks", options->stacks, "Stacks to make calls under [programs / 500]")
      ->check(amount)
      ->type_name("N");
  command.add_option("--scripts", options->scripts, "Task scripts [programs / 25]")
      ->check(amount)
      ->type_name("N");
  command.add_option("--seed", options->seed, "The same seed makes the same campaign")
      ->type_name("S");
  command.add_option("--shard", options->shard, "Only part I of N; all parts make the whole")
      ->type_name("I/N");
  command
      .add_option("--jobs", options->jobs,
                  "Threads; the kernel is asked by one at a time, the others prepare and compare")
      ->check(CLI::Range(1, 64))
      ->type_name("J");
  command.add_option("--state", options->state, "Saved here, and gone on with from here")
      ->type_name("FILE");
  command.add_option("--vectors", options->vectors, "What differs is written below this folder")
      ->type_name("DIR");
  command.add_option("--seconds", options->seconds, "Stop after so long; 0: at the end")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  command.add_option("--stop-at", options->stop_at, "Stop after so many disagreements; 0: go on")
      ->type_name("N");
  command.add_option("--progress", options->progress, "Seconds between lines of progress; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  add_format(command, options->format);
  command.footer(
      "\nExample: a long campaign, which an interrupt does not end for good:\n"
      "  callgate fuzz-live --programs 5000000 --jobs 2 --state campaign.json\n"
      "\nA disagreement is made as small as it can be and written as a vector (corpus/README.md), "
      "a "
      "script of tasks as it is.\n"
      "Exit code 1: something differs; 2: the kernel cannot be asked.");
  command.callback([options, &exit_code] { exit_code = fuzz_live(*options); });
}

}  // namespace callgate::cli
