#include "harness/cli/bench_compare.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/cli/bench_words.hpp"
#include "harness/cli/named_stacks.hpp"
#include "harness/cli/workloads.hpp"
#include "harness/cost/conditions.hpp"
#include "harness/report/words.hpp"

namespace callgate::cli {
namespace {

using cli::json_of;
using cost::ComparedStack;
using cost::ComparisonOfCosts;
using cost::Estimate;
using cost::StackDifference;
using nlohmann::ordered_json;

// "A", "B", ...
std::string letter(std::size_t which) { return {static_cast<char>('A' + which)}; }

std::string refusal_words(const NamedStack& stack, const ComparedStack& row) {
  return fmt::format("{}: the kernel refuses it: {}", stack.files.at(row.refused).path,
                     report::errno_name(row.install_error).value_or("an error"));
}

std::string_view told_by(const ComparisonOfCosts& result) {
  switch (result.cache_told_by) {
    case cost::CacheToldBy::Model:
      return "model";
    case cost::CacheToldBy::Timing:
      return "timing";
  }
  return "";
}

// How much less, of what the dearer adds, in per cent; nothing where that is nothing.
std::string share(double difference, double dearer) {
  if (!(dearer > 0)) return {};
  return fmt::format(" (-{:.3g} %)", 100 * std::abs(difference) / dearer);
}

// Of a difference, to where it says something.
std::string nanoseconds(double value) {
  return fmt::format("{:.{}f}", value, std::abs(value) < 1 ? 2 : 1);
}

std::string sentence(const ComparisonOfCosts& result, const StackDifference& pair) {
  const double less = std::abs(pair.adds.difference.median);
  switch (pair.adds.says) {
    case cost::Says::FirstCheaper:
      return fmt::format("{} is cheaper than {} by {} ns a call{}, above the noise", letter(pair.a),
                         letter(pair.b), nanoseconds(less),
                         share(less, result.stacks[pair.b].adds.median));
    case cost::Says::SecondCheaper:
      return fmt::format("{} is cheaper than {} by {} ns a call{}, above the noise", letter(pair.b),
                         letter(pair.a), nanoseconds(less),
                         share(less, result.stacks[pair.a].adds.median));
    case cost::Says::WithinNoise:
      break;
  }
  return fmt::format("{} and {}: within the noise: no difference shown", letter(pair.a),
                     letter(pair.b));
}

void print_stacks(const ComparisonOfCosts& result, const std::vector<NamedStack>& stacks) {
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    const ComparedStack& row = result.stacks[i];
    fmt::print("{}: {}: {} filter{} of {} instructions\n", letter(i), stacks[i].name, row.filters,
               row.filters == 1 ? "" : "s", row.length);
  }
  fmt::print("\n{:<3} {:<16} {:<16} {:<16} {:>6} {:>10}  {}\n", "", " adds, ns a call", " fixed",
             " instructions", "cached", "executed", " installing, us");
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    const ComparedStack& row = result.stacks[i];
    if (!row.has_figures()) {
      fmt::print("{:<3} not measured: {}\n", letter(i),
                 row.install_error != 0 ? refusal_words(stacks[i], row) : std::string(row.why));
      continue;
    }
    const Estimate micro{row.install.median / 1000, row.install.spread / 1000, row.install.rounds};
    fmt::print("{:<3} {} {} {} {:>5.1f}% {:>10.1f}  {}\n", letter(i), ns(row.adds), ns(row.fixed),
               ns(row.instructions), 100 * row.cached_share, row.executed,
               micro.rounds == 0 ? std::string("not timed") : ns(micro));
  }
}

void print_notes(const ComparisonOfCosts& result) {
  fmt::print("\n{} calls; ", result.calls);
  fmt::print("which of them the cache serves is told by {}",
             result.cache_told_by == cost::CacheToldBy::Model
                 ? "the model of this kernel's cache"
                 : "timing, since this process has filters already");
  if (result.unknown_arguments > 0) {
    fmt::print("; unknown arguments (of {} calls) were 0", result.unknown_arguments);
  }
  fmt::print(".\n");
  for (const cost::CallsLeftOut& each : result.left_out) {
    fmt::print("{} more calls are left out: {}.\n", each.calls, each.why);
  }
  for (std::size_t i = 0; i < result.stacks.size(); ++i) {
    const ComparedStack& row = result.stacks[i];
    if (row.reads_pointer) {
      fmt::print("{} looks at the instruction pointer, which was that of the measuring code.\n",
                 letter(i));
    }
    if (!row.installs_as_given && row.has_figures()) {
      fmt::print(
          "{}'s older filters do not let newer ones be installed: they were given some "
          "instructions more for that.\n",
          letter(i));
    }
  }
}

void print_differences(const ComparisonOfCosts& result) {
  fmt::print("\n");
  for (const StackDifference& each : result.differences) {
    fmt::print("{} - {}: {:+.1f} ±{:.1f} ns a call", letter(each.b), letter(each.a),
               each.adds.difference.median, each.adds.difference.spread);
    if (each.adds.interval) {
      fmt::print(", between {:+.1f} and {:+.1f} ({:.1f} % sure)", each.adds.interval->low,
                 each.adds.interval->high, 100 * each.adds.interval->confidence);
    }
    fmt::print(".\n{}.\n", sentence(result, each));
  }
}

ordered_json json_of(const NamedStack& stack, const ComparedStack& row, std::size_t which) {
  ordered_json paths = ordered_json::array();
  for (const FilterFile& each : stack.files) paths.push_back(each.path);
  const auto figure = [&](const Estimate& of) {
    return of.rounds == 0 ? ordered_json(nullptr) : json_of(of);
  };
  ordered_json reason = nullptr;
  if (row.install_error != 0) reason = refusal_words(stack, row);
  if (!row.why.empty()) reason = row.why;
  return {{"stack", letter(which)},
          {"name", stack.name},
          {"filters", std::move(paths)},
          {"length", row.length},
          {"executed", row.executed},
          {"cached_share", row.cached_share},
          {"adds_ns", figure(row.adds)},
          {"fixed_ns", figure(row.fixed)},
          {"instructions_ns", figure(row.instructions)},
          {"install_ns", figure(row.install)},
          {"installs_as_given", row.installs_as_given},
          {"reads_pointer", row.reads_pointer},
          {"left_out", row.left_out},
          {"reason", std::move(reason)}};
}

ordered_json json_of(const ComparisonOfCosts& result, const StackDifference& pair) {
  const auto& interval = pair.adds.interval;
  return {{"a", letter(pair.a)},
          {"b", letter(pair.b)},
          {"difference_ns", json_of(pair.adds.difference)},
          {"low_ns", interval ? ordered_json(interval->low) : ordered_json(nullptr)},
          {"high_ns", interval ? ordered_json(interval->high) : ordered_json(nullptr)},
          {"confidence", interval ? ordered_json(interval->confidence) : ordered_json(nullptr)},
          {"says", to_string(pair.adds.says)},
          {"sentence", sentence(result, pair)}};
}

ordered_json json_of(const ComparisonOfCosts& result, const std::vector<NamedStack>& stacks) {
  ordered_json document{
      {"callgate", 1},
      {"conditions",
       json_of(cost::conditions(result.core >= 0 ? std::optional(result.core) : std::nullopt))},
      {"rounds", result.rounds},
      {"preemptions", result.preemptions},
      {"calls", result.calls},
      {"unknown_arguments", result.unknown_arguments},
      {"left_out", ordered_json::array()},
      {"cache_told_by", told_by(result)},
      {"entry_ns", json_of(result.entry)},
      {"cached_ns", json_of(result.cached)},
      {"stacks", ordered_json::array()},
      {"differences", ordered_json::array()}};
  for (const cost::CallsLeftOut& each : result.left_out) {
    document["left_out"].push_back({{"reason", each.why}, {"calls", each.calls}});
  }
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    document["stacks"].push_back(json_of(stacks[i], result.stacks[i], i));
  }
  for (const StackDifference& each : result.differences) {
    document["differences"].push_back(json_of(result, each));
  }
  return document;
}

}  // namespace

int bench_compare(const BenchComparing& options) {
  ModelOptions model_options;
  model_options.kernel = "host";
  const KernelModel model = model_options.model();
  const auto workload = read_calls(options.workload, Arch::X86_64);
  std::vector<NamedStack> named;
  std::vector<FilterStack> built;
  for (const std::string& each : options.stacks) {
    named.push_back(read_named_stack(each, options.input, model_options));
    auto stack = build_stack(named.back().files, model, default_engine());
    if (!stack) return kNo;
    built.push_back(std::move(*stack));
  }
  std::vector<const FilterStack*> stacks;
  for (const FilterStack& each : built) stacks.push_back(&each);
  const auto result = cost::live_compare(stacks, workload, options.how);
  if (!result) throw UserError(fmt::format("bench: {}", result.error().message));
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (result->stacks[i].install_error == 0) continue;
    tell("{}", refusal_words(named[i], result->stacks[i]));
    return kNo;
  }
  if (options.json) {
    fmt::print("{}", dump(json_of(*result, named)));
    return kWell;
  }
  print_conditions(cost::conditions(result->core >= 0 ? std::optional(result->core) : std::nullopt),
                   result->core, result->rounds, result->preemptions);
  print_stacks(*result, named);
  print_notes(*result);
  print_differences(*result);
  return kWell;
}

}  // namespace callgate::cli
