#include "harness/cli/explain_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "harness/report/disassembly.hpp"
#include "harness/report/explanation.hpp"
#include "harness/report/why.hpp"
#include "harness/report/words.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;
using report::FilterRun;
using report::ProfileWords;

// Under which condition every such call gets the same.
struct Same {
  std::string condition;   ///< empty: none; "if …", "unless …"
  std::size_t others = 0;  ///< syscalls that behave alike
  std::string not_told;    ///< why there is no condition
};

Same not_told(std::string_view why) {
  Same out;
  out.not_told = why;
  return out;
}

std::string rules_words(const report::CallGroup& group, const SeccompData& data,
                        const verifier::Space& space) {
  for (const report::ExplainedRule& rule : group.rules) {
    if (rule.path->holds(space, data)) return "if " + rule.when.text;
  }
  std::string all;
  for (const report::ExplainedRule& rule : group.rules) {
    all += (all.empty() ? "unless " : ", or ") + rule.when.text;
  }
  return all;
}

Same same_of(const SeccompData& data, verifier::Endings& endings,
             const verifier::StackMeaning& meaning, const KernelModel& model) {
  const verifier::Space& space = endings.space();
  const report::Explanation all = report::explain(endings, meaning, model);
  const verifier::ArchRow* row = verifier::row_of(space, all.table, data);
  const report::ExplainedAbi& abi = all.abis[static_cast<std::size_t>(row - all.table.rows.data())];
  if (abi.cut) return not_told("numbers behave in more different ways than are analysed");
  const verifier::CallClass* of = verifier::class_of(space, *row, data);
  const std::string name = report::call_name(data);
  const auto number = static_cast<std::uint32_t>(data.nr);
  const auto has = [&](const report::CallGroup& group) {
    if (std::ranges::find(group.syscalls, name) != group.syscalls.end()) return true;
    return group.unnamed && std::ranges::any_of(*group.unnamed, [&](const auto& range) {
             return range.first <= number && number <= range.last;
           });
  };
  const auto group = std::ranges::find_if(abi.groups, has);
  if (of == nullptr || group == abi.groups.end()) {
    return not_told("the number is of a set that has too many ranges");
  }
  const bool by_rule = std::ranges::any_of(
      group->rules, [&](const auto& rule) { return rule.path->holds(space, data); });
  if (!by_rule && !group->otherwise) {
    return not_told("it has more conditions than are analysed");
  }
  const std::size_t others = group->syscalls.empty() ? 0 : group->syscalls.size() - 1;
  Same out;
  out.condition = rules_words(*group, data, space);
  out.others = others;
  return out;
}

ordered_json json_of(const FilterRun& run, const FilterFile& file, Arch arch) {
  const auto lines = report::statements(file.program, arch);
  ordered_json row{{"filter", run.filter},
                   {"file", file.path},
                   {"value", fmt::format("0x{:08x}", run.result.value)},
                   {"instruction", run.result.last},
                   {"comparisons", ordered_json::array()}};
  for (const reference::Step& step : run.steps) {
    if (!report::is_branch(file.program[step.at])) continue;
    row["comparisons"].push_back({{"instruction", step.at},
                                  {"text", lines[step.at]},
                                  {"a", step.a},
                                  {"x", step.x},
                                  {"next", step.next}});
  }
  return row;
}

struct Answer {
  SeccompData data;
  Verdict verdict;
  Outcome outcome;
  bool exempt = false;
  Same same;
  std::vector<ProfileWords> profiles;
  std::vector<FilterRun> runs;
};

void print_json(const Answer& answer, std::span<const FilterFile> files, const KernelModel& model) {
  ordered_json document{{"callgate", 1},
                        {"kernel", callgate::to_string(model.version)},
                        {"syscall", report::call_name(answer.data)},
                        {"nr", answer.data.nr},
                        {"arch", report::arch_name(answer.data)},
                        {"value", fmt::format("0x{:08x}", answer.verdict.value)},
                        {"verdict", report::verdict_words(answer.verdict.value, model)}};
  document["winner"] =
      answer.verdict.winner ? ordered_json(*answer.verdict.winner) : ordered_json();
  document["exempt"] = answer.exempt;
  document["condition"] =
      answer.same.not_told.empty() ? ordered_json(answer.same.condition) : ordered_json();
  document["condition_not_told"] =
      answer.same.not_told.empty() ? ordered_json() : ordered_json(answer.same.not_told);
  document["profiles"] = ordered_json::array();
  for (const ProfileWords& each : answer.profiles) {
    ordered_json row{{"filter", each.filter}, {"words", each.words}};
    row["line"] = each.place.line == 0 ? ordered_json() : ordered_json(each.place.line);
    row["column"] = each.place.line == 0 ? ordered_json() : ordered_json(each.place.column);
    document["profiles"].push_back(std::move(row));
  }
  document["filters"] = ordered_json::array();
  for (const FilterRun& run : answer.runs) {
    document["filters"].push_back(json_of(run, files[run.filter], model.arch));
  }
  fmt::print("{}\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

void print_decided(const Answer& answer, std::span<const FilterFile> files,
                   const KernelModel& model) {
  if (answer.exempt) {
    fmt::print("  no filter is asked: Linux {} lets this call pass every filter\n",
               to_string(model.version));
    return;
  }
  if (answer.verdict.winner) {
    fmt::print("  decided by filter {} ({})\n", *answer.verdict.winner,
               files[*answer.verdict.winner].path);
  } else {
    fmt::print("  no filter was stricter than ALLOW\n");
  }
  if (files.size() == 1) return;
  for (const FilterRun& run : answer.runs) {
    fmt::print("    filter {} ({}) returns {}\n", run.filter, files[run.filter].path,
               report::verdict_words(run.result.value, model));
  }
}

void print_text(const Answer& answer, std::span<const FilterFile> files, const KernelModel& model) {
  const std::string name = report::call_name(answer.data);
  fmt::print("{} on {}: {}, {}\n", name, report::arch_name(answer.data),
             report::verdict_words(answer.verdict.value, model),
             report::outcome_words(answer.outcome, name));
  print_decided(answer, files, model);
  if (answer.exempt) return;
  if (!answer.same.not_told.empty()) {
    fmt::print("  which other calls get the same is not told: {}\n", answer.same.not_told);
  } else if (answer.same.condition.empty()) {
    fmt::print("  every {} gets this, whatever its arguments\n", name);
  } else {
    fmt::print("  every {} gets this {}\n", name, answer.same.condition);
  }
  if (answer.same.others != 0) {
    fmt::print("  {} other syscall{} alike\n", answer.same.others,
               answer.same.others == 1 ? " behaves" : "s behave");
  }
  for (const ProfileWords& each : answer.profiles) {
    fmt::print("  {}: {}\n", files[each.filter].path, each.words);
  }
  for (const FilterRun& run : answer.runs) {
    fmt::print("\nthe way through filter {} ({}):\n", run.filter, files[run.filter].path);
    for (const std::string& line : report::path_lines(run, files[run.filter].program, model.arch)) {
      fmt::print("  {}\n", line);
    }
  }
}

}  // namespace

int explain_call(const SeccompData& data, std::span<const FilterFile> files,
                 const FilterStack& stack, verifier::Endings& endings,
                 const verifier::StackMeaning& meaning, const std::string& format) {
  const KernelModel& model = stack.model();
  Answer answer;
  answer.data = data;
  answer.exempt = is_exempt(data, model);
  answer.runs = report::run_filters(stack, data);
  const auto fault = std::ranges::find_if(
      answer.runs, [](const FilterRun& run) { return run.result.fault != reference::Fault::None; });
  if (fault != answer.runs.end()) {
    fmt::print("{} on {}: unknown, because filter {} at instruction {} makes a {}\n",
               report::call_name(data), report::arch_name(data), fault->filter, fault->result.last,
               reference::to_string(fault->result.fault));
    return kNo;
  }
  if (!answer.exempt) answer.verdict = stack.run(data);
  answer.outcome = outcome_of(stack, answer.verdict, data, {});
  answer.same = same_of(data, endings, meaning, model);
  answer.profiles = report::profiles_of(files, answer.runs, data, model);
  if (format == "json")
    print_json(answer, files, model);
  else
    print_text(answer, files, model);
  return answer.same.not_told.empty() ? kWell : kNo;
}

}  // namespace callgate::cli
