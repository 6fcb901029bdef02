#include "harness/trace/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <tuple>

#include "harness/cli/cli.hpp"
#include "harness/cli/told_choices.hpp"
#include "harness/engines/engines.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/report/words.hpp"
#include "harness/trace/trace.hpp"
#include "vm/outcome.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;
using trace::Call;

struct Options {
  ModelOptions model;
  std::vector<std::string> filters;
  InputOptions input;
  std::string trace;
  std::string trace_format;
  std::string format = "text";
  bool list = false;
  bool explain = false;
  bool all = false;
  bool trust_numbers = false;
};

// What becomes of a call, the worst first.
enum class Fate : std::uint8_t { Stopped, Unknown, Logged, Allowed };

// Calls of one name that get one verdict.
struct Group {
  Call first;
  std::uint64_t index = 0;  // of the first, from 1
  std::uint64_t count = 0;
  trace::Judgement judgement;
  Fate fate = Fate::Allowed;
};

using Key = std::tuple<std::uint32_t, std::int64_t, std::string, std::uint32_t, std::string>;

Fate fate_of(const trace::Judgement& judgement, const KernelModel& model) {
  if (!judgement.unknown.empty()) return Fate::Unknown;
  if (!trace::lets_through(judgement.verdict.value, model)) return Fate::Stopped;
  const auto bits = action_bits(judgement.verdict.value, model);
  return bits == static_cast<std::uint32_t>(Action::Log) ? Fate::Logged : Fate::Allowed;
}

bool kills(const Group& group) {
  return group.fate == Fate::Stopped && static_cast<std::int32_t>(group.judgement.verdict.value) <
                                            static_cast<std::int32_t>(Action::Trap);
}

struct Replay {
  const Options& options;
  const std::vector<FilterFile>& files;
  const FilterStack& stack;
  trace::Header header;
  const trace::FormatRow* format = nullptr;
  std::vector<Group> groups;
  std::array<std::uint64_t, 4> totals{};

  [[nodiscard]] std::uint64_t total(Fate fate) const {
    return totals[static_cast<std::size_t>(fate)];
  }
};

std::string arch_words(const Call& call) {
  return (call.known & trace::kArchKnown) != 0 ? report::arch_name(call.data) : "?";
}

std::string verdict_of(const Group& group, const KernelModel& model) {
  return group.fate == Fate::Unknown ? "unknown"
                                     : report::verdict_words(group.judgement.verdict.value, model);
}

// What the process would have seen, or why it cannot be told.
std::string meaning(const Group& group, const FilterStack& stack) {
  if (group.fate == Fate::Unknown) return "because " + group.judgement.unknown;
  const Outcome outcome = outcome_of(stack, group.judgement.verdict, group.first.data, {});
  return report::outcome_words(outcome, trace::call_name(group.first));
}

// The rule of a profile that the deciding filter was made of, where it says the same.
std::string rule_words(const Group& group, const FilterFile& file) {
  if (!file.policy) return {};
  const front_ends::Decision decision =
      front_ends::PolicyEvaluator(*file.policy).evaluate(group.first.data);
  if (!decision.unknown.empty() || decision.value != group.judgement.verdict.value) return {};
  if (!decision.rule) {
    return decision.foreign ? "its answer to other architectures" : "its default action";
  }
  const front_ends::Rule& rule = file.policy->rules[*decision.rule];
  return fmt::format("its rule of {}, line {}, column {}", rule.syscall, rule.place.line,
                     rule.place.column);
}

ordered_json explained(const Group& group, const Replay& replay) {
  ordered_json out;
  if (group.judgement.exempt) return out;
  std::vector<trace::FilterPath> paths;
  static_cast<void>(trace::judge(replay.stack, group.first, &paths));
  for (const trace::FilterPath& path : paths) {
    const bool winner = group.judgement.verdict.winner == path.filter;
    if (group.fate != Fate::Unknown && group.judgement.verdict.winner && !winner) continue;
    const FilterFile& file = replay.files[path.filter];
    const auto lines = report::statements(file.program, replay.stack.model().arch);
    ordered_json row{{"filter", path.filter}, {"file", file.path}};
    const std::string rule = winner ? rule_words(group, file) : std::string{};
    row["rule"] = rule.empty() ? ordered_json() : ordered_json(rule);
    row["path"] = ordered_json::array();
    for (const reference::Step& step : path.steps) {
      row["path"].push_back({{"instruction", step.at}, {"text", lines[step.at]}});
      // From there on it is not known.
      const Instruction& i = file.program[step.at];
      if (i.code == 0x20 &&
          (group.first.known >> trace::word_bit(i.k, byte_order(replay.stack.model().arch)) & 1U) ==
              0) {
        break;
      }
    }
    out.push_back(std::move(row));
  }
  return out;
}

void print_explanation(const Group& group, const Replay& replay) {
  for (const auto& row : explained(group, replay)) {
    fmt::print("      filter {} ({}){}\n", row["filter"].get<std::size_t>(),
               row["file"].get<std::string>(),
               row["rule"].is_null() ? std::string{} : ": " + row["rule"].get<std::string>());
    for (const auto& step : row["path"]) {
      fmt::print("        {:04}  {}\n", step["instruction"].get<std::size_t>(),
                 step["text"].get<std::string>());
    }
  }
}

std::string place_words(const Group& group, const Replay& replay) {
  std::string out = fmt::format("first: call {}", group.index);
  if (group.first.tid != 0) out += fmt::format(", task {}", group.first.tid);
  if (replay.format->has_lines) out += fmt::format(", line {}", group.first.place);
  return out;
}

void print_text(const Replay& replay) {
  fmt::print("{} calls: {} stopped, {} unknown, {} logged, {} allowed\n", replay.header.calls,
             replay.total(Fate::Stopped), replay.total(Fate::Unknown), replay.total(Fate::Logged),
             replay.total(Fate::Allowed));
  for (const Group& group : replay.groups) {
    if (group.fate == Fate::Allowed && !replay.options.all) continue;
    fmt::print("  {:>8}  {:<7} {:<20} {:<14} {}  ({})\n", group.count, arch_words(group.first),
               trace::call_name(group.first), verdict_of(group, replay.stack.model()),
               meaning(group, replay.stack), place_words(group, replay));
    if (replay.options.explain) print_explanation(group, replay);
  }
  if (std::ranges::any_of(replay.groups, kills)) {
    fmt::print(
        "After a call that kills, the trace goes on as it was recorded; the task's later "
        "calls would not have been made.\n");
  }
}

void print_json(const Replay& replay) {
  ordered_json out{{"callgate", 1}};
  out["trace"] = {{"file", replay.options.trace},     {"format", replay.header.format},
                  {"kernel", replay.header.kernel},   {"arch", replay.header.arch},
                  {"command", replay.header.command}, {"calls", replay.header.calls},
                  {"cut", replay.header.cut},         {"notes", replay.header.notes}};
  out["filters"] = ordered_json::array();
  for (const FilterFile& file : replay.files) out["filters"].push_back(file.path);
  out["stopped"] = replay.total(Fate::Stopped);
  out["unknown"] = replay.total(Fate::Unknown);
  out["logged"] = replay.total(Fate::Logged);
  out["allowed"] = replay.total(Fate::Allowed);
  out["calls"] = ordered_json::array();
  for (const Group& group : replay.groups) {
    const Call& first = group.first;
    ordered_json row{{"syscall", trace::call_name(first)}};
    row["nr"] =
        (first.known & trace::kNumberKnown) != 0 ? ordered_json(first.data.nr) : ordered_json();
    row["arch"] = arch_words(first);
    row["verdict"] = verdict_of(group, replay.stack.model());
    const bool known = group.fate != Fate::Unknown;
    row["value"] = known ? ordered_json(fmt::format("0x{:08x}", group.judgement.verdict.value))
                         : ordered_json();
    row["stopped"] = known ? ordered_json(group.fate == Fate::Stopped) : ordered_json();
    row["meaning"] = meaning(group, replay.stack);
    row["count"] = group.count;
    row["first"] = {{"call", group.index}};
    if (first.tid != 0) row["first"]["tid"] = first.tid;
    row["first"][replay.format->has_lines ? "line" : "byte"] = first.place;
    row["filter"] = known && group.judgement.verdict.winner
                        ? ordered_json(*group.judgement.verdict.winner)
                        : ordered_json();
    row["instruction"] =
        known && group.judgement.last ? ordered_json(*group.judgement.last) : ordered_json();
    if (replay.options.explain) row["explanation"] = explained(group, replay);
    out["calls"].push_back(std::move(row));
  }
  fmt::print("{}\n", out.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

std::string argument_words(const Call& call, std::size_t i) {
  if ((call.known & trace::low_known(i)) == 0) return "?";
  const bool whole = (call.known & trace::high_known(i)) != 0;
  return fmt::format("{}0x{:x}", whole ? "" : "?:", call.data.args[i]);
}

void list_call(const Call& call, std::uint64_t index) {
  std::string arguments;
  for (std::size_t i = 0; i < 6; ++i) {
    arguments += (i == 0 ? "" : ", ") + argument_words(call, i);
  }
  fmt::print("{} [{}] {} {}({}) ip={}{}\n", index, call.tid, arch_words(call),
             trace::call_name(call), arguments,
             (call.known & trace::kPointerKnown) == trace::kPointerKnown
                 ? fmt::format("0x{:x}", call.data.instruction_pointer)
                 : "?",
             call.count == 1 ? std::string{} : fmt::format(" x {}", call.count));
}

trace::Header read_trace(const Options& options, const std::string& bytes,
                         const trace::Sink& sink) {
  trace::ReadOptions reading;
  reading.arch = options.model.model().arch;
  reading.trust_numbers = options.trust_numbers;
  auto header = trace::read(bytes, options.trace_format, reading, sink);
  const std::string shown = options.trace == "-" ? "standard input" : options.trace;
  if (!header) {
    throw UserError(fmt::format("{}: {}", shown, front_ends::to_string(header.error())));
  }
  for (const std::string& each : header->notes) tell("{}: {}", shown, each);
  return std::move(*header);
}

int list(const Options& options, const std::string& bytes) {
  std::uint64_t index = 0;
  trace::Sink sink;
  sink.call = [&](const Call& call) { list_call(call, ++index); };
  sink.returned = [](const trace::Returned& each) {
    fmt::print("  [{}] = {}\n", each.tid, each.value);
  };
  static_cast<void>(read_trace(options, bytes, sink));
  return kWell;
}

int replay(Options options) {
  if (options.list == !options.filters.empty()) {
    throw UserError("replay: give either -f FILTER or --list");
  }
  if (!options.trace_format.empty() && trace::find_format(options.trace_format) == nullptr) {
    throw UserError(
        fmt::format("--trace-format {}: not a format; see --help", options.trace_format));
  }
  if (options.trace == "-" && std::ranges::count(options.filters, "-") != 0) {
    throw UserError("replay: standard input can be read once only");
  }
  const auto bytes = front_ends::read_file(options.trace, front_ends::kNoSizeLimit);
  if (!bytes) throw UserError(fmt::format("{}: {}", options.trace, bytes.error().message));
  if (options.list) return list(options, *bytes);

  const std::vector<FilterFile> files = read_stack(options.filters, options.input, options.model);
  const KernelModel model = options.model.model();
  const auto stack = build_stack(files, model, *all_engines().front());
  if (!stack) return kWrongUse;

  Replay replay{options, files, *stack, {}, {}, {}, {}};
  std::map<Key, Group> groups;
  std::uint64_t index = 0;
  trace::Sink sink;
  sink.call = [&](const Call& call) {
    ++index;
    const trace::Judgement judgement = trace::judge(*stack, call);
    Group& group = groups[Key{call.data.arch, call.data.nr, call.name, judgement.verdict.value,
                              judgement.unknown}];
    if (group.count == 0) {
      group.first = call;
      group.index = index;
      group.judgement = judgement;
      group.fate = fate_of(judgement, model);
    }
    group.count += call.count;
    replay.totals[static_cast<std::size_t>(group.fate)] += call.count;
  };
  replay.header = read_trace(options, *bytes, sink);
  replay.format = trace::find_format(replay.header.format);
  for (auto& [key, group] : groups) replay.groups.push_back(std::move(group));
  std::ranges::sort(replay.groups, [](const Group& a, const Group& b) {
    return std::tuple(a.fate, b.count, a.index) < std::tuple(b.fate, a.count, b.index);
  });
  if (options.format == "json") {
    print_json(replay);
  } else {
    print_text(replay);
  }
  return replay.total(Fate::Stopped) + replay.total(Fate::Unknown) == 0 ? kWell : kNo;
}

}  // namespace

void add_replay(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command =
      *root.add_subcommand("replay", "What would these filters have done to the calls of a trace?");
  std::string names;
  for (const trace::FormatRow& row : trace::formats()) {
    names += fmt::format(" {} ({})", row.name, row.looks_like);
  }
  command.add_option("TRACE", options->trace, "The trace or log; - is standard input")
      ->type_name("")
      ->required();
  add_filters(command, options->filters);
  command.get_option("--filter")->required(false);
  command.add_flag("--list", options->list, "Print the trace's calls, a line each");
  command.add_flag("--explain", options->explain,
                   "The rule and the instructions that decided, of the first call of each row");
  command.add_flag("--all", options->all, "Rows of what is allowed, too");
  command
      .add_option("--trace-format", options->trace_format,
                  "How TRACE is written, told by its content if not given:" + names)
      ->check(told_choices(names_of(trace::formats())))
      ->type_name("FORMAT");
  command.add_flag("--trust-numbers", options->trust_numbers,
                   "Logs of strace: take what is printed of an argument as the whole register");
  add_format(command, options->format);
  options->model.add_to(command);
  options->input.add_to(command);
  command.footer(
      "\nExamples:\n"
      "  callgate replay -f profile.json --explain ls.trace\n"
      "  strace -f -o ls.log ls; callgate replay -f profile.json ls.log\n"
      "  callgate replay --list ls.trace\n"
      "\nExit code 1: a call would have been stopped, or it cannot be told of one; 2 where "
      "something cannot be\nread or a filter is refused.");
  command.callback([options, &exit_code] { exit_code = replay(*options); });
}

}  // namespace callgate::cli
