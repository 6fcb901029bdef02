#include "harness/report/explained_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "harness/report/disassembly.hpp"
#include "harness/report/explanation.hpp"
#include "harness/report/why.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/clean_text.hpp"
#include "vm/outcome.hpp"
#include "vm/reference.hpp"

namespace callgate::report {
namespace {

using filters::FilterFile;
using nlohmann::ordered_json;

SameCalls not_told(std::string_view why) {
  SameCalls out;
  out.not_told = why;
  return out;
}

std::string rules_words(const CallGroup& group, const SeccompData& data,
                        const verifier::Space& space) {
  for (const ExplainedRule& rule : group.rules) {
    if (rule.path->holds(space, data)) return "if " + rule.when.text;
  }
  std::string all;
  for (const ExplainedRule& rule : group.rules) {
    all += (all.empty() ? "unless " : ", or ") + rule.when.text;
  }
  return all;
}

SameCalls same_of(const SeccompData& data, verifier::Endings& endings,
                  const verifier::StackMeaning& meaning, const KernelModel& model) {
  const verifier::Space& space = endings.space();
  const Explanation all = explain(endings, meaning, model);
  const verifier::ArchRow* row = verifier::row_of(space, all.table, data);
  const ExplainedAbi& abi = all.abis[static_cast<std::size_t>(row - all.table.rows.data())];
  if (abi.cut) return not_told("numbers behave in more different ways than are analysed");
  const verifier::CallClass* of = verifier::class_of(space, *row, data);
  const std::string name = call_name(data);
  const auto number = static_cast<std::uint32_t>(data.nr);
  const auto has = [&](const CallGroup& group) {
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
  SameCalls out;
  out.condition = rules_words(*group, data, space);
  out.others = others;
  return out;
}

std::string text_of(const ordered_json& document) {
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

ordered_json json_of(const FilterRun& run, const FilterFile& file, Arch arch) {
  const auto lines = statements(file.program, arch);
  ordered_json row{{"filter", run.filter},
                   {"file", file.path},
                   {"value", fmt::format("0x{:08x}", run.result.value)},
                   {"instruction", run.result.last},
                   {"comparisons", ordered_json::array()}};
  for (const reference::Step& step : run.steps) {
    if (!is_branch(file.program[step.at])) continue;
    row["comparisons"].push_back({{"instruction", step.at},
                                  {"text", lines[step.at]},
                                  {"a", step.a},
                                  {"x", step.x},
                                  {"next", step.next}});
  }
  return row;
}

std::string decided_text(const ExplainedCall& answer, std::span<const FilterFile> files,
                         const KernelModel& model) {
  if (answer.decision.exempt) {
    return fmt::format("  no filter is asked: Linux {} lets this call pass every filter\n",
                       to_string(model.version));
  }
  const Verdict& verdict = answer.decision.verdict;
  std::string out = verdict.winner ? fmt::format("  decided by filter {} ({})\n", *verdict.winner,
                                                 suite::one_line(files[*verdict.winner].path))
                                   : "  no filter was stricter than ALLOW\n";
  if (files.size() == 1) return out;
  for (const FilterRun& run : answer.decision.runs) {
    out += fmt::format("    filter {} ({}) returns {}\n", run.filter,
                       suite::one_line(files[run.filter].path),
                       verdict_words(run.result.value, model));
  }
  return out;
}

}  // namespace

ExplainedCall explain_call(const SeccompData& data, std::span<const FilterFile> files,
                           const FilterStack& stack, verifier::Endings& endings,
                           const verifier::StackMeaning& meaning) {
  const KernelModel& model = stack.model();
  ExplainedCall answer{data, decide(stack, data, {}, Steps::Yes)};
  if (answer.decision.fault) return answer;
  answer.same = same_of(data, endings, meaning, model);
  answer.profiles = profiles_of(files, answer.decision.runs, data, model);
  return answer;
}

std::string explained_call_text(const ExplainedCall& answer, std::span<const FilterFile> files,
                                const KernelModel& model) {
  const std::string name = call_name(answer.data);
  if (answer.decision.fault) {
    return fmt::format("{} on {}: unknown, because {}\n", name, arch_name(answer.data),
                       answer.decision.fault_words());
  }
  const SameCalls& same = answer.same;
  std::string out = fmt::format("{} on {}: {}, {}\n", name, arch_name(answer.data),
                                verdict_words(answer.decision.verdict.value, model),
                                outcome_words(answer.decision.outcome, name));
  out += decided_text(answer, files, model);
  if (answer.decision.exempt) return out;
  if (!same.not_told.empty()) {
    out += fmt::format("  which other calls get the same is not told: {}\n", same.not_told);
  } else if (same.condition.empty()) {
    out += fmt::format("  every {} gets this, whatever its arguments\n", name);
  } else {
    out += fmt::format("  every {} gets this {}\n", name, same.condition);
  }
  if (same.others != 0) {
    out += fmt::format("  {} other syscall{} alike\n", same.others,
                       same.others == 1 ? " behaves" : "s behave");
  }
  for (const ProfileWords& each : answer.profiles) {
    out += fmt::format("  {}: {}\n", suite::one_line(files[each.filter].path), each.words);
  }
  for (const FilterRun& run : answer.decision.runs) {
    out += fmt::format("\nthe way through filter {} ({}):\n", run.filter,
                       suite::one_line(files[run.filter].path));
    for (const std::string& line : path_lines(run, files[run.filter].program, model.arch)) {
      out += fmt::format("  {}\n", line);
    }
  }
  return out;
}

std::string explained_call_json(const ExplainedCall& answer, std::span<const FilterFile> files,
                                const KernelModel& model) {
  const Verdict& verdict = answer.decision.verdict;
  const SameCalls& same = answer.same;
  ordered_json document{{"callgate", 1},
                        {"kernel", callgate::to_string(model.version)},
                        {"syscall", call_name(answer.data)},
                        {"nr", answer.data.nr},
                        {"arch", arch_name(answer.data)}};
  if (answer.decision.fault) {
    document["value"] = ordered_json();
    document["verdict"] = "unknown";
    document["reason"] = answer.decision.fault_words();
    return text_of(document);
  }
  document["value"] = fmt::format("0x{:08x}", verdict.value);
  document["verdict"] = verdict_words(verdict.value, model);
  document["winner"] = verdict.winner ? ordered_json(*verdict.winner) : ordered_json();
  document["exempt"] = answer.decision.exempt;
  document["condition"] = same.not_told.empty() ? ordered_json(same.condition) : ordered_json();
  document["condition_not_told"] =
      same.not_told.empty() ? ordered_json() : ordered_json(same.not_told);
  document["profiles"] = ordered_json::array();
  for (const ProfileWords& each : answer.profiles) {
    ordered_json row{{"filter", each.filter}, {"words", each.words}};
    row["line"] = each.place.line == 0 ? ordered_json() : ordered_json(each.place.line);
    row["column"] = each.place.line == 0 ? ordered_json() : ordered_json(each.place.column);
    document["profiles"].push_back(std::move(row));
  }
  document["filters"] = ordered_json::array();
  for (const FilterRun& run : answer.decision.runs) {
    document["filters"].push_back(json_of(run, files[run.filter], model.arch));
  }
  return text_of(document);
}

}  // namespace callgate::report
