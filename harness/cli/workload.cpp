#include "harness/workload/workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "harness/cli/cli.hpp"
#include "harness/cli/workloads.hpp"
#include "harness/report/arguments.hpp"
#include "harness/workload/words.hpp"
#include "vm/syscalls.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;
using workload::KnownCall;
using workload::Workload;

struct Options {
  std::vector<std::string> files;
  std::string arch;
  std::optional<std::uint64_t> scale;
  std::optional<std::string> times;
  std::size_t top = 0;  // 0: all
  std::size_t most = 64;
  std::string output;
  std::string format = "text";
  std::string name;
  std::vector<std::string> notes;
  bool trust_numbers = false;
  bool keep_all = false;
};

// A value of an argument, and how many calls have it.
struct Value {
  std::string words;
  std::string narrow;  // the name that its low half has, where the words are a number
  std::uint64_t count = 0;
};

struct Argument {
  unsigned index = 0;
  std::string name;
  std::vector<Value> values;  // the most frequent first
};

// The entries of one number.
struct Number {
  std::string arch;
  std::string name;
  std::optional<std::int32_t> nr;
  std::uint64_t count = 0;
  std::size_t entries = 0;
  std::vector<Argument> arguments;  // those of which something is known
};

// All that is shown.
struct Shown {
  std::vector<Number> numbers;  // the most frequent first
  std::uint64_t total = 0;
  std::uint64_t with_arguments = 0;
  std::size_t entries = 0;
};

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

// The counts may add up to more than 64 bits can hold.
void add(std::uint64_t& sum, std::uint64_t count) {
  const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - sum;
  sum += std::min(room, count);
}

std::vector<Argument> arguments_of(std::span<const KnownCall> calls, const std::string& name,
                                   workload::ArgumentValues& values) {
  std::vector<Argument> out;
  for (unsigned i = 0; i < 6; ++i) {
    const auto here =
        static_cast<workload::KnownWords>(verifier::low_known(i) | verifier::high_known(i));
    if (std::ranges::none_of(calls,
                             [&](const KnownCall& each) { return (each.known & here) != 0; })) {
      continue;
    }
    std::map<std::string, Value> found;
    for (const KnownCall& each : calls) {
      Value& value = found[values.words(each, i)];
      if (value.count == 0) value.narrow = values.narrow(each, i);
      add(value.count, each.count);
    }
    const auto arch =
        arch_of_call(calls[0].data.arch, static_cast<std::uint32_t>(calls[0].data.nr));
    Argument argument{.index = i, .name = fmt::format("arg{}", i), .values = {}};
    if (arch) argument.name = report::argument_words(name, i, *arch).name;
    for (auto& [words, value] : found) {
      value.words = words;
      argument.values.push_back(value);
    }
    std::ranges::sort(argument.values, [](const Value& a, const Value& b) {
      return a.count != b.count ? a.count > b.count : a.words < b.words;
    });
    out.push_back(std::move(argument));
  }
  return out;
}

Shown shown_of(const Workload& all) {
  Shown out;
  out.total = all.total();
  out.entries = all.calls.size();
  workload::ArgumentValues values;
  const std::span<const KnownCall> calls = all.calls;
  for (std::size_t at = 0; at < calls.size();) {
    std::size_t end = at;
    const KnownCall& first = calls[at];
    const auto head = [](const KnownCall& call) {
      return std::tuple(call.data.arch, call.data.nr, call.known & 3U);
    };
    while (end < calls.size() && head(calls[end]) == head(first)) ++end;
    const auto same = calls.subspan(at, end - at);
    Number number;
    number.arch = workload::section_words(first);
    number.name = workload::name_words(first);
    if ((first.known & verifier::kNumberKnown) != 0) number.nr = first.data.nr;
    number.entries = same.size();
    for (const KnownCall& each : same) {
      add(number.count, each.count);
      if (workload::has_arguments(each.known)) add(out.with_arguments, each.count);
    }
    number.arguments = arguments_of(same, number.name, values);
    out.numbers.push_back(std::move(number));
    at = end;
  }
  std::ranges::sort(out.numbers, [](const Number& a, const Number& b) {
    return a.count != b.count ? a.count > b.count : std::tie(a.arch, a.nr) < std::tie(b.arch, b.nr);
  });
  return out;
}

std::string plural(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void print_text(const Workload& all, const Shown& shown, std::size_t top) {
  constexpr std::size_t kValues = 6;
  if (!all.name.empty()) fmt::print("{}\n", all.name);
  for (const std::string& note : all.notes) fmt::print("# {}\n", note);
  fmt::print("{} of {} in {}; of {:.1f} % arguments are known\n\n", plural(shown.total, "call"),
             plural(shown.numbers.size(), "number"),
             shown.entries == 1 ? "1 entry" : fmt::format("{} entries", shown.entries),
             share(shown.with_arguments, shown.total));
  const bool one_abi = std::ranges::all_of(
      shown.numbers, [&](const Number& each) { return each.arch == shown.numbers[0].arch; });
  if (one_abi && !shown.numbers.empty()) fmt::print("{}\n", shown.numbers[0].arch);
  std::uint64_t left = 0;
  for (std::size_t i = 0; i < shown.numbers.size(); ++i) {
    const Number& number = shown.numbers[i];
    if (top != 0 && i >= top) {
      add(left, number.count);
      continue;
    }
    fmt::print("{:>12} {:>6.2f} %  {}{}\n", number.count, share(number.count, shown.total),
               one_abi ? std::string() : number.arch + ":", number.name);
    for (const Argument& argument : number.arguments) {
      std::string line;
      std::uint64_t rest = 0;
      for (std::size_t at = 0; at < argument.values.size(); ++at) {
        const Value& value = argument.values[at];
        if (at >= kValues) {
          add(rest, value.count);
        } else {
          line += fmt::format("{}{}{} {:.1f} %", at == 0 ? "" : ", ",
                              value.words == "*" ? "not known" : value.words,
                              value.narrow.empty() ? "" : fmt::format(" ({})", value.narrow),
                              share(value.count, number.count));
        }
      }
      if (rest != 0) {
        line += fmt::format(", {} more {:.1f} %", argument.values.size() - kValues,
                            share(rest, number.count));
      }
      fmt::print("{:>24}{}: {}\n", "", argument.name, line);
    }
  }
  if (left != 0) {
    fmt::print("{:>12} {:>6.2f} %  of {} more\n", left, share(left, shown.total),
               plural(shown.numbers.size() - top, "number"));
  }
}

ordered_json json_of(const Number& number, std::uint64_t total) {
  ordered_json out{{"syscall", number.name}};
  out["nr"] = number.nr ? ordered_json(*number.nr) : ordered_json();
  out["arch"] = number.arch;
  out["count"] = number.count;
  out["share"] = share(number.count, total) / 100;
  out["entries"] = number.entries;
  out["arguments"] = ordered_json::array();
  for (const Argument& argument : number.arguments) {
    ordered_json row{{"index", argument.index}, {"name", argument.name}};
    row["values"] = ordered_json::array();
    for (const Value& value : argument.values) {
      const bool known = value.words != "*";
      row["values"].push_back(
          {{"value", known ? ordered_json(value.words) : ordered_json()}, {"count", value.count}});
    }
    out["arguments"].push_back(std::move(row));
  }
  return out;
}

void print_json(const Workload& all, const Shown& shown, const std::vector<KnownCall>& vanished,
                std::size_t top) {
  ordered_json out{{"callgate", 1}, {"name", all.name}, {"notes", all.notes}};
  out["total"] = shown.total;
  out["with_arguments"] = shown.with_arguments;
  out["entries"] = shown.entries;
  out["numbers"] = shown.numbers.size();
  out["calls"] = ordered_json::array();
  for (std::size_t i = 0; i < shown.numbers.size() && (top == 0 || i < top); ++i) {
    out["calls"].push_back(json_of(shown.numbers[i], shown.total));
  }
  out["vanished"] = ordered_json::array();
  workload::ArgumentValues values;
  for (const KnownCall& call : vanished) {
    out["vanished"].push_back({{"call", values.call(call)}, {"count", call.count}});
  }
  fmt::print("{}\n", out.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

// "2.5" as 25 / 10.
std::pair<std::uint64_t, std::uint64_t> factor(const std::string& text) {
  constexpr std::size_t kMostDigits = 18;
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string digits =
      text.substr(0, point) + (point < text.size() ? text.substr(point + 1) : "");
  std::uint64_t times = 0;
  std::uint64_t divisor = 1;
  if (digits.size() <= kMostDigits && digits.find_first_not_of("0123456789") == std::string::npos) {
    for (const char each : digits) times = times * 10 + static_cast<std::uint64_t>(each - '0');
    for (std::size_t i = point + 1; i < text.size(); ++i) divisor *= 10;
  }
  if (times == 0) {
    throw UserError(
        fmt::format("--times {}: write a number above 0 such as 2 or 0.001, of {} digits at most",
                    text, kMostDigits));
  }
  return {times, divisor};
}

// What it was scaled to, and what became too little to be counted: said in the workload, and here.
void say_scaled(Workload& all, const std::string& how, std::uint64_t before,
                const workload::Scaled& scaled) {
  std::uint64_t calls = 0;
  for (const KnownCall& each : scaled.vanished) add(calls, each.count);
  std::string note = fmt::format("scaled {}, from {} calls", how, before);
  if (!scaled.vanished.empty()) {
    const std::string gone = fmt::format(
        "{} of {} calls came to 0 and {} left out",
        scaled.vanished.size() == 1 ? "1 entry" : fmt::format("{} entries", scaled.vanished.size()),
        calls, scaled.vanished.size() == 1 ? "is" : "are");
    note += "; " + gone;
    workload::ArgumentValues values;
    constexpr std::size_t kNamed = 8;
    std::string names;
    for (std::size_t i = 0; i < scaled.vanished.size() && i < kNamed; ++i) {
      names += (i == 0 ? "" : ", ") + values.call(scaled.vanished[i]);
    }
    if (scaled.vanished.size() > kNamed) names += ", ...";
    tell("callgate: {}: {}", gone, names);
  }
  if (scaled.saturated) {
    constexpr std::string_view kCut = "counts above 2^64 - 1 are that";
    note += fmt::format("; {}", kCut);
    tell("callgate: {}", kCut);
  }
  all.notes.push_back(std::move(note));
}

std::vector<KnownCall> scale(Workload& all, const Options& options) {
  if (!options.scale && !options.times) return {};
  const std::uint64_t before = all.total();
  workload::Scaled scaled;
  std::string how;
  if (options.scale) {
    scaled = workload::scale_to(all, *options.scale);
    how = fmt::format("to {}", *options.scale);
  } else {
    const auto [times, divisor] = factor(*options.times);
    scaled = workload::scale_by(all, times, divisor);
    how = fmt::format("by {}", *options.times);
  }
  if (all.calls.empty()) throw UserError(fmt::format("scaled {}, no call is left", how));
  say_scaled(all, how, before, scaled);
  return std::move(scaled.vanished);
}

int workload_of(const Options& options) {
  trace::ReadOptions reading;
  reading.trust_numbers = options.trust_numbers;
  if (!options.arch.empty()) {
    const auto arch = arch_from_name(options.arch);
    if (!arch) {
      throw UserError(fmt::format("--arch {}: not an architecture; see --help", options.arch));
    }
    reading.arch = *arch;
  }
  if (std::ranges::count(options.files, "-") > 1) {
    throw UserError("workload: standard input can be read once only");
  }
  std::vector<Workload> read;
  for (const std::string& path : options.files) {
    read.push_back(read_workload(path, reading,
                                 options.keep_all ? workload::Keep::All : workload::Keep::Tested));
  }
  Workload all = workload::merged(read);
  if (!options.keep_all) all = workload::condensed(all, {.most = options.most});
  if (!options.name.empty()) all.name = options.name;
  all.notes.insert(all.notes.begin(), options.notes.begin(), options.notes.end());
  const std::vector<KnownCall> vanished = scale(all, options);
  if (options.output == "-") {
    fmt::print("{}", workload::written(all));
    return kWell;
  }
  if (!options.output.empty()) write_whole(options.output, workload::written(all));
  const Shown shown = shown_of(all);
  if (options.format == "json") {
    print_json(all, shown, vanished, options.top);
  } else {
    print_text(all, shown, options.top);
  }
  return kWell;
}

}  // namespace

void add_workload(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "workload", "Which calls does a program make, with which arguments, and how often?");
  command
      .add_option(
          "FILE", options->files,
          "Traces of `callgate record`, logs of strace, strace -c, perf trace (-s too) and audit, "
          "frequencies of minijail, lines of `name count`, workloads; - is standard input")
      ->type_name("")
      ->required();
  CLI::Option* scale =
      command
          .add_option("--scale", options->scale,
                      "Scale the counts to this sum; what comes to 0 is said and left out")
          ->check(CLI::Range(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()))
          ->type_name("N");
  command.add_option("--times", options->times, "Multiply the counts by this: 2, 0.001")
      ->type_name("F")
      ->excludes(scale);
  command.add_option("--top", options->top, "Show the most frequent N numbers; all if not given")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 32U))
      ->type_name("N");
  command
      .add_option("--most", options->most,
                  "Keep so many entries of a number with their arguments, the rest as one [64]")
      ->check(CLI::Range(std::size_t{1}, workload::kMostDistinct))
      ->type_name("N");
  command.add_flag("--keep-all", options->keep_all,
                   "Keep all arguments and entries; else those arguments that filters test");
  command
      .add_option("--arch", options->arch,
                  "The ABI of calls where FILE does not tell it; this machine's if not given")
      ->type_name("ARCH");
  command.add_flag("--trust-numbers", options->trust_numbers,
                   "Logs of strace: take what is printed of an argument as the whole register");
  command
      .add_option("-o,--output", options->output,
                  "Write the workload, too; - writes it to standard output, and shows no table")
      ->type_name("FILE");
  command.add_option("--name", options->name, "What the workload is called in OUTPUT")
      ->type_name("NAME");
  command
      .add_option("--note", options->notes, "A line that OUTPUT begins with: versions, commands")
      ->type_name("TEXT");
  add_format(command, options->format);
  command.footer(
      "\nExamples:\n"
      "  callgate record -o web.trace -- nginx -g 'daemon off;'\n"
      "  callgate workload web.trace -o web.workload\n"
      "  callgate workload web.workload strace.log --scale 100000 --top 20\n"
      "  callgate cost -f filter.bpf --workload web.workload\n"
      "\nKept are the arguments that filters test: flags, families, requests, protections "
      "(harness/workload).\nWhat a log does not tell stays unknown: nothing is guessed. Exit code "
      "2 "
      "where something cannot be\nread.");
  command.callback([options, &exit_code] { exit_code = workload_of(*options); });
}

}  // namespace callgate::cli
