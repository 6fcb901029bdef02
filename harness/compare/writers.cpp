#include "harness/compare/writers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/compare/words.hpp"
#include "harness/filters/filter_files.hpp"
#include "harness/report/words.hpp"

namespace callgate::compare {
namespace {

using nlohmann::ordered_json;
using verifier::Answer;
using verifier::Level;

constexpr std::size_t kMostNames = 8;

std::string name_list(const Calls& calls, bool all) {
  const std::size_t shown = all ? calls.names.size() : std::min(calls.names.size(), kMostNames);
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : ", ") + calls.names[i];
  std::vector<std::string> more;
  if (calls.names.size() > shown)
    more.push_back(fmt::format("{} more", calls.names.size() - shown));
  if (calls.unnamed > 0) {
    more.push_back(fmt::format("{:.0f} number{} without a name", calls.unnamed,
                               calls.unnamed == 1 ? "" : "s"));
  }
  for (const std::string& each : more) out += (out.empty() ? "" : " and ") + each;
  return out;
}

std::string filter_options(const Side& side) {
  std::string out;
  for (const std::string& each : side.paths) out += fmt::format("-f {} ", each);
  return out;
}

// What to type to see it, or the call where `run` cannot be asked for it.
std::string example(const SeccompData& call, const Side& of) {
  const std::string words = run_words(call, of.model.arch);
  if (words.empty() || of.paths.empty()) return "for example " + call_words(call);
  std::string options = of.arch.empty() || words.starts_with("--arch")
                            ? std::string()
                            : fmt::format("--arch {} ", of.arch);
  if (!of.kernel.empty()) options += fmt::format("--kernel {} ", of.kernel);
  return fmt::format("callgate run {}{}{}", filter_options(of), options, words);
}

std::string counted(const Change& change) {
  std::size_t named = 0;
  double unnamed = 0;
  for (const Calls& each : change.calls) {
    named += each.names.size();
    unnamed += each.unnamed;
  }
  if (named == 0) return fmt::format("{:.0f} numbers without a name", unnamed);
  return fmt::format("{} call{}", named, named == 1 ? "" : "s");
}

std::string change_text(const Change& change, const Compared& of, bool verbose) {
  std::string out = fmt::format("\n{}: from {} to {}: {}\n", counted(change), change.from,
                                change.to, change.which);
  for (const Calls& each : change.calls) {
    const std::string condition = each.always              ? std::string()
                                  : each.condition.empty() ? " for some arguments"
                                                           : " " + each.condition;
    out += fmt::format("  {}{}\n", name_list(each, verbose), condition);
    out += fmt::format("    {}\n", example(of.by_name ? each.call_b : each.call, of.b));
    if (verbose || of.by_name) out += fmt::format("    {}\n", example(each.call, of.a));
  }
  return out;
}

std::string only_text(const std::vector<std::string>& names, const KernelModel& model) {
  if (names.empty()) return {};
  return fmt::format("\nnot compared, since only {} has them: {}\n", info(model.arch).name,
                     fmt::join(names, ", "));
}

std::string answer_word(const Result& result, const AnswerWords& words) {
  switch (result.answer) {
    case Answer::Equal:
      return words.equal;
    case Answer::Different:
      return words.different;
    case Answer::Undecided:
      break;
  }
  return "undecided";
}

ordered_json json_of(const SeccompData& data, const Side& of) {
  ordered_json args = ordered_json::array();
  for (const std::uint64_t each : data.args) args.push_back(fmt::format("{:#x}", each));
  const bool can_be_run = !of.paths.empty() && !run_words(data, of.model.arch).empty();
  return {{"syscall", report::call_name(data)},
          {"nr", data.nr},
          {"arch", report::arch_name(data)},
          {"args", std::move(args)},
          {"ip", fmt::format("{:#x}", data.instruction_pointer)},
          {"run", can_be_run ? ordered_json(example(data, of)) : ordered_json()}};
}

ordered_json json_of(const Change& change, const Side& a, const Side& b) {
  ordered_json out{{"from", change.from}, {"to", change.to}, {"which", change.which}};
  out["calls"] = ordered_json::array();
  for (const Calls& each : change.calls) {
    ordered_json row{{"names", each.names}, {"unnamed", each.unnamed}, {"always", each.always}};
    row["condition"] = each.condition.empty() ? ordered_json() : ordered_json(each.condition);
    row["a"] = {{"value", fmt::format("0x{:08x}", each.a)}, {"call", json_of(each.call, a)}};
    row["b"] = {{"value", fmt::format("0x{:08x}", each.b)}, {"call", json_of(each.call_b, b)}};
    out["calls"].push_back(std::move(row));
  }
  return out;
}

}  // namespace

std::optional<Question> diff_question(std::string_view level) {
  for (const Level each : {Level::Raw, Level::Verdict, Level::Outcome}) {
    if (verifier::to_string(each) != level) continue;
    Question out;
    out.request.options.level = each;
    out.words = {"diff", std::string(level), "equal", "different"};
    return out;
  }
  return std::nullopt;
}

Question subset_question(bool allow_only) {
  Question out;
  out.request.options.level = allow_only ? Level::Executes : Level::Strictness;
  out.request.options.relation = verifier::Relation::Above;
  out.words = {"subset", allow_only ? "allow-only" : "strictness",
               "subset: B allows nothing that A does not", "no subset: B allows what A does not"};
  return out;
}

std::string call_words(const SeccompData& data) {
  return fmt::format("nr {}, arch {}, args {:#x}, ip {:#x}", data.nr, report::arch_name(data),
                     fmt::join(data.args, " "), data.instruction_pointer);
}

std::string comparison_text(const Compared& of, bool verbose) {
  using filters::model_words;
  const Result& result = of.result;
  const std::string kernels =
      of.by_name
          ? fmt::format("{} and {}, call by call", model_words(of.a.model), model_words(of.b.model))
          : model_words(of.a.model);
  std::string out =
      fmt::format("{} ({}, {})\n", answer_word(result, of.words), of.words.level, kernels);
  if (result.answer == Answer::Equal) {
    out += fmt::format("  proved for all inputs: {}\n  tried out on {} inputs\n", result.how,
                       result.tried);
  }
  for (const Change& each : result.changes) out += change_text(each, of, verbose);
  if (!result.complete) out += "\nThere are more; these are the first.\n";
  for (const Open& each : result.open) {
    out += fmt::format("\nnot known: {}{}: {}\n", each.calls,
                       each.condition.empty() ? "" : " " + each.condition, each.why);
  }
  if (of.by_name) {
    out += fmt::format("\n{} calls that both have were compared.\n", result.compared_calls);
    out += only_text(result.only_a, of.a.model);
    out += only_text(result.only_b, of.b.model);
  }
  return out;
}

std::string comparison_json(const Compared& of) {
  const Result& result = of.result;
  ordered_json document{{"callgate", 1},
                        {"command", of.words.command},
                        {"kernel", callgate::to_string(of.a.model.version)},
                        {"arch_a", info(of.a.model.arch).name},
                        {"arch_b", info(of.b.model.arch).name},
                        {"level", of.words.level},
                        {"answer", answer_word(result, of.words)}};
  const bool equal = result.answer == Answer::Equal;
  document["proof"] = equal ? ordered_json(result.how) : ordered_json();
  document["tried"] = result.tried;
  document["complete"] = result.complete;
  document["changes"] = ordered_json::array();
  for (const Change& each : result.changes) {
    document["changes"].push_back(json_of(each, of.a, of.b));
  }
  document["open"] = ordered_json::array();
  for (const Open& each : result.open) {
    document["open"].push_back(
        {{"calls", each.calls}, {"condition", each.condition}, {"why", each.why}});
  }
  document["by_name"] = ordered_json();
  if (of.by_name) {
    document["by_name"] = {
        {"compared", result.compared_calls}, {"only_a", result.only_a}, {"only_b", result.only_b}};
  }
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace callgate::compare
