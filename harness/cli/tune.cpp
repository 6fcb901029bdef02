#include "harness/tune/tune.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/cli/cli.hpp"
#include "harness/cli/cost_files.hpp"
#include "harness/cli/encodings.hpp"
#include "harness/cli/told_choices.hpp"
#include "harness/cli/workloads.hpp"
#include "harness/cost/cost_words.hpp"
#include "harness/cost/time_model.hpp"
#include "harness/report/syntaxes.hpp"
#include "harness/tune/tune_page.hpp"
#include "harness/tune/tune_words.hpp"

namespace callgate::cli {
namespace {

using cli::json_of;
using nlohmann::ordered_json;
using tune::Proposal;

struct Options {
  ModelOptions model;
  InputOptions input;
  std::vector<std::string> filters;
  std::string workload;
  std::string time_model;
  bool yardsticks = false;
  bool measure = false;
  cost::CompareOptions how;
  std::string take;
  std::string to = "raw";
  std::string out;
  std::string html;
  std::string format = "text";
};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    out.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string row(const tune::Report& report, const Proposal& proposal) {
  return fmt::format("  {:<22} {:>7} {:>12}  {:<18} {:>8}", proposal.id, proposal.programs.size(),
                     proposal.instructions, tune::change_words(report, proposal),
                     tune::served_words(proposal)) +
         (report.measured_by.empty()
              ? std::string()
              : fmt::format("  {:<26} {:>10}", tune::measured_words(proposal),
                            tune::install_words(proposal)));
}

std::string text(const tune::Report& report) {
  std::string out = fmt::format("{}: {}\n{}\n\n", model_words(report.model), tune::summary(report),
                                tune::calls_words(report));
  out += fmt::format("  {:<22} {:>7} {:>12}  {:<18} {:>8}", "proposal", "filters", "instructions",
                     fmt::format("{} a call", to_string(report.unit)), "served");
  if (!report.measured_by.empty()) {
    out += fmt::format("  {:<26} {:>10}", "measured ns a call", "install µs");
  }
  out += "\n";
  for (const Proposal& each : report.proposals) {
    if (each.refused.empty()) out += row(report, each) + "\n";
  }
  if (report.counted && report.unit == tune::Unit::Nanoseconds) {
    out += "  machine instructions a call: ";
    bool first = true;
    for (const Proposal& each : report.proposals) {
      if (!each.refused.empty()) continue;
      out += fmt::format("{}{} {}", first ? "" : ", ", each.id,
                         cost::span_words(each.prediction.totals.machine->sum()));
      first = false;
    }
    out += "\n";
  }
  if (report.time) out += fmt::format("  ns are predicted by {}\n", report.time->source);
  if (!report.measured_by.empty()) {
    out += fmt::format("  measured in {}, all in turns; unknown arguments were 0\n",
                       report.measured_by);
  }
  if (!report.not_measured.empty()) {
    out += fmt::format("  not measured: {}\n", report.not_measured);
  }
  out += "\n";
  for (const Proposal& each : report.proposals) {
    if (each.id == "original") continue;
    if (!each.refused.empty()) {
      out += fmt::format("{}: not {}: {}\n", each.id, each.yardstick ? "compared" : "proposed",
                         each.refused);
    } else if (each.yardstick) {
      out += fmt::format("{}: to compare with: {}\n", each.id, each.title);
    } else {
      out += fmt::format("{}: {}. {}\n  proved equal: {}\n", each.id, each.title, each.advice,
                         each.proof);
    }
  }
  out += "\n";
  for (const tune::Advice& each : report.advice) out += fmt::format("- {}\n", each.words);
  return out;
}

ordered_json json_of(const cost::Estimate& estimate) {
  return {{"median", estimate.median}, {"spread", estimate.spread}, {"rounds", estimate.rounds}};
}

ordered_json measured_json(const Proposal& proposal) {
  if (!proposal.measured || !proposal.measured->has_figures()) return {};
  const cost::ComparedStack& measured = *proposal.measured;
  ordered_json out{{"adds_ns", json_of(measured.adds)},
                   {"fixed_ns", json_of(measured.fixed)},
                   {"instructions_ns", json_of(measured.instructions)},
                   {"cached_share", measured.cached_share},
                   {"install_ns", json_of(measured.install)}};
  out["from_original"] = ordered_json();
  if (const auto& difference = proposal.difference) {
    out["from_original"] = {{"ns", json_of(difference->adds.difference)},
                            {"says", to_string(difference->adds.says)}};
    if (const auto& interval = difference->adds.interval) {
      out["from_original"]["low"] = interval->low;
      out["from_original"]["high"] = interval->high;
      out["from_original"]["confidence"] = interval->confidence;
    }
  }
  return out;
}

ordered_json json_of(const Proposal& proposal) {
  ordered_json out{
      {"id", proposal.id}, {"title", proposal.title}, {"yardstick", proposal.yardstick}};
  out["refused"] = proposal.refused.empty() ? ordered_json() : ordered_json(proposal.refused);
  out["advice"] = proposal.advice;
  out["proof"] = proposal.proof.empty() ? ordered_json() : ordered_json(proposal.proof);
  if (!proposal.refused.empty()) return out;
  const cost::Totals& totals = proposal.prediction.totals;
  out["instructions"] = proposal.instructions;
  out["cost"] = proposal.cost;
  out["served"] = totals.served;
  out["executed"] = json_of(totals.executed);
  out["ns"] = json_of(totals.time);
  out["machine"] = json_of(totals.machine);
  out["measured"] = measured_json(proposal);
  out["text"] = proposal.text.empty() ? ordered_json() : ordered_json(proposal.text);
  out["text_format"] =
      proposal.text_format.empty() ? ordered_json() : ordered_json(proposal.text_format);
  out["programs"] = ordered_json::array();
  for (const Program& program : proposal.programs) {
    ordered_json instructions = ordered_json::array();
    for (const Instruction& i : program) {
      instructions.push_back({{"code", i.code}, {"jt", i.jt}, {"jf", i.jf}, {"k", i.k}});
    }
    out["programs"].push_back(std::move(instructions));
  }
  return out;
}

ordered_json json_of(const tune::Report& report) {
  ordered_json out{{"kernel", callgate::to_string(report.model.version)},
                   {"arch", info(report.model.arch).name},
                   {"unit", to_string(report.unit)},
                   {"filters", report.filters},
                   {"calls", report.calls.total},
                   {"left_out", report.calls.left_out},
                   {"by_name", report.calls.by_name},
                   {"summary", tune::summary(report)},
                   {"best", report.proposals[report.best].id}};
  out["measured"] = report.measured_by.empty() ? ordered_json() : ordered_json(report.measured_by);
  out["not_measured"] =
      report.not_measured.empty() ? ordered_json() : ordered_json(report.not_measured);
  out["proposals"] = ordered_json::array();
  for (const Proposal& each : report.proposals) out["proposals"].push_back(json_of(each));
  out["advice"] = ordered_json::array();
  for (const tune::Advice& each : report.advice) {
    out["advice"].push_back({{"words", each.words}, {"cost", each.cost}});
  }
  return out;
}

// The proposal that -o writes.
const Proposal& taken(const Options& options, const tune::Report& report) {
  if (options.take.empty()) {
    const auto found = std::ranges::find(report.proposals, "rewritten", &Proposal::id);
    return found == report.proposals.end() ? report.proposals.front() : *found;
  }
  const auto found = std::ranges::find(report.proposals, options.take, &Proposal::id);
  if (found == report.proposals.end()) {
    std::string ids;
    for (const Proposal& each : report.proposals) ids += (ids.empty() ? "" : ", ") + each.id;
    throw UserError(fmt::format("--take {}: no such proposal; these are: {}", options.take, ids));
  }
  return *found;
}

// What -o has in it, where several architectures have programs.
void say_whose(const Options& options, const Proposal& proposal, Arch arch) {
  if (split(options.model.arch).size() < 2) return;
  tell("{}: {} for {}, the first of --arch; each architecture has its own", options.out,
       proposal.id, info(arch).name);
}

// False where there is nothing to be written.
bool write_taken(const Options& options, const tune::Report& report) {
  const Proposal& proposal = taken(options, report);
  if (!proposal.refused.empty()) {
    tell("{}: nothing is written, because {} is not proposed: {}", options.out, proposal.id,
         proposal.refused);
    return false;
  }
  if (!proposal.text.empty()) {
    write_whole(options.out, proposal.text);
    say_whose(options, proposal, report.model.arch);
    return true;
  }
  if (proposal.programs.size() != 1) {
    throw UserError(fmt::format("-o {}: {} is {} filters, and one can be written", options.out,
                                proposal.id, proposal.programs.size()));
  }
  const Program& program = proposal.programs.front();
  if (const Encoding* encoding = find_encoding(options.to)) {
    write_whole(options.out, encoding->write(program, info(report.model.arch).byte_order));
    say_whose(options, proposal, report.model.arch);
    return true;
  }
  const report::SourceText source = report::find_syntax(options.to)->write(program, report.model);
  write_whole(options.out, source.text);
  say_whose(options, proposal, report.model.arch);
  return say_unsaid(options.out, options.to, source.unsaid);
}

// The first of --arch.
Arch first_of(const Options& options) {
  ModelOptions first = options.model;
  first.arch = split(options.model.arch).front();
  return first.model().arch;
}

// The same of the first of --arch: no other architecture's program stands for it.
bool write_first(const Options& options, const tune::Report& report) {
  const Arch arch = first_of(options);
  if (report.model.arch == arch) return write_taken(options, report);
  tell(
      "{}: nothing is written, because {}, the first of --arch, is refused; --arch {} alone "
      "writes what is for that",
      options.out, info(arch).name, info(report.model.arch).name);
  return false;
}

// The profile that the only FILTER is, if it is one.
struct OnlyProfile {
  std::string text;
  std::string path;
  std::string format;
  front_ends::Deployment deployment;

  [[nodiscard]] tune::ProfileText words() const { return {text, path, format, deployment}; }
};

std::optional<OnlyProfile> only_profile(const Options& options, const ModelOptions& model) {
  if (options.filters.size() != 1 || options.filters.front() == "-") return std::nullopt;
  const std::string& path = options.filters.front();
  const front_ends::LoadOptions how = load_options(options.input, model);
  const auto read = filters::read_filters(path, how);
  const auto text = front_ends::read_file(path);
  if (!read || !text || front_ends::find_profile_format(read->format) == nullptr) {
    return std::nullopt;
  }
  return OnlyProfile{*text, path, read->format, how.deployment};
}

tune::Options tune_options(const Options& options, Arch arch) {
  tune::Options out;
  out.yardsticks = options.yardsticks;
  out.measure = options.measure;
  out.how = options.how;
  if (!options.time_model.empty()) {
    if (arch != Arch::X86_64) throw UserError("--model: time is told for x86_64 only");
    out.time = read_time_model(options.time_model);
  }
  return out;
}

int tune_of(Options options) {
  if (find_encoding(options.to) == nullptr && report::find_syntax(options.to) == nullptr) {
    throw UserError(fmt::format(
        "--to {}: not a form of a program; `callgate reduce --help` lists them", options.to));
  }
  need_core("tune", options.how.cpu);
  const std::vector<std::string> arches = split(options.model.arch);
  if (arches.size() > 1 && std::ranges::find(options.filters, "-") != options.filters.end()) {
    throw UserError("-f -: standard input can be read once only; give a file, or one --arch");
  }
  // Other architectures have the calls of the same names.
  const workload::Workload calls = read_weights(options.workload, first_of(options));
  std::vector<tune::Report> reports;
  bool refused = false;
  for (const std::string& arch : arches) {
    ModelOptions each = options.model;
    each.arch = arch;
    const KernelModel model = each.model();
    const std::vector<FilterFile> files = read_stack(options.filters, options.input, each);
    const auto stack = build_stack(files, model, default_engine());
    if (!stack) {
      refused = true;
      continue;
    }
    const std::optional<OnlyProfile> only = only_profile(options, each);
    tune::Options how_tuned = tune_options(options, model.arch);
    if (only) how_tuned.profile = only->words();
    reports.push_back(tune::tuned(files, *stack, calls.calls, how_tuned));
  }
  if (reports.empty()) return kNo;
  if (!options.html.empty()) write_whole(options.html, tune::tune_page(reports));
  if (options.format == "json") {
    ordered_json document{{"callgate", 1}, {"reports", ordered_json::array()}};
    for (const tune::Report& each : reports) document["reports"].push_back(json_of(each));
    fmt::print("{}\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    bool first = true;
    for (const tune::Report& each : reports) {
      fmt::print("{}{}", first ? "" : "\n", text(each));
      first = false;
    }
  }
  const bool written = options.out.empty() || write_first(options, reports.front());
  return written && !refused ? kWell : kNo;
}

}  // namespace

void add_tune(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "tune", "Filters that are cheaper for a workload, each proved to mean the same");
  add_filters(command, options->filters);
  command
      .add_option("--workload", options->workload,
                  "Which calls are made, and how often: a trace, a table of `name count`, what "
                  "`callgate workload` writes; - is standard input")
      ->required()
      ->type_name("FILE");
  options->model.add_to(command);
  command.get_option("--arch")->description(
      "x86_64, aarch64 …, or several with commas between: a report for each; this machine's if not "
      "given");
  command
      .add_option("--model", options->time_model,
                  "Times as `callgate bench --model FILE` writes them; x86_64 only")
      ->type_name("FILE");
  command.add_flag("--yardsticks", options->yardsticks,
                   "Price libseccomp's linear and tree forms and a search tree over frequencies "
                   "alone too, to compare with");
  auto* const measure = command.add_flag("--measure", options->measure,
                                         "Measure the proposals on the running kernel, in turns");
  command.add_option("--rounds", options->how.rounds, "With --measure: how often; 15 if not given")
      ->check(CLI::Range(8U, 100'000U))
      ->needs(measure)
      ->type_name("N");
  command
      .add_option("--cpu", options->how.cpu,
                  "With --measure: the core; the last usable one if not given")
      ->check(CLI::Range(0, 1023))
      ->needs(measure)
      ->type_name("N");
  auto* const out = command.add_option("-o,--output", options->out,
                                       "Write a proposal: the rewritten filter, or --take's; of "
                                       "several architectures the first one's");
  out->type_name("FILE");
  command.add_option("--take", options->take, "The proposal that -o writes, by its name")
      ->needs(out)
      ->type_name("ID");
  std::vector<std::string_view> forms = names_of(encodings());
  for (const report::SyntaxRow& row : report::syntaxes()) forms.push_back(row.name);
  command
      .add_option("--to", options->to, "How -o writes a program, raw if not given; as reduce --to")
      ->check(told_choices(forms))
      ->needs(out)
      ->type_name("FORM");
  add_bars_page(command, options->html);
  add_format(command, options->format);
  options->input.add_to(command);
  command.footer(
      "\nExamples:\n"
      "  callgate record -o calls.trace -- COMMAND\n"
      "  callgate tune -f profile.json --workload calls.trace --arch x86_64,aarch64\n"
      "  callgate tune -f a.bpf -f b.bpf --workload calls.trace --measure -o tuned.bpf\n"
      "\nA proposal that is not proved to give every call what it got is not shown, but said to be "
      "refused.\nExit code 1: a filter is refused, or what -o asks for is not proposed.");
  command.callback([options, &exit_code] { exit_code = tune_of(*options); });
}

}  // namespace callgate::cli
