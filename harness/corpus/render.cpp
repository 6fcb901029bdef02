// The corpus as JSON: one file a kind, one case a line.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/corpus/embedded.hpp"
#include "harness/corpus/export.hpp"
#include "vm/arches.hpp"

namespace callgate::corpus {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const Header& header) {
  ordered_json kernel{
      {"arch", info(header.kernel.arch).name},
      {"from", to_string(header.versions.from)},
      {"before",
       header.versions.before ? ordered_json(to_string(*header.versions.before)) : ordered_json()}};
  if (header.kernel.engine == KernelEngine::Interpreter) kernel["engine"] = "interpreter";
  if (header.kernel.blinds_constants) kernel["blinds_constants"] = true;
  return {{"id", header.id}, {"reason", header.reason}, {"kernel", std::move(kernel)}};
}

void put(ordered_json& json, const Confirmation& confirmed) {
  json["confirmed"] = confirmed.live ? "live" : "rule";
  if (!confirmed.not_asked.empty()) json["not_asked"] = confirmed.not_asked;
}

// Runs of equal instructions are one, with how many there are as its fifth number.
ordered_json json_of(const Program& program) {
  constexpr std::ptrdiff_t kWorthIt = 3;
  ordered_json out = ordered_json::array();
  for (auto at = program.begin(); at != program.end();) {
    const auto end = std::find_if(at, program.end(), [&](const auto& i) { return i != *at; });
    const std::ptrdiff_t equal = end - at;
    ordered_json one = {at->code, at->jt, at->jf, at->k};
    if (equal >= kWorthIt) {
      one.push_back(equal);
      out.push_back(std::move(one));
    } else {
      for (std::ptrdiff_t i = 0; i < equal; ++i) out.push_back(one);
    }
    at = end;
  }
  return out;
}

ordered_json json_of(const std::vector<StackFilter>& filters) {
  ordered_json out = ordered_json::array();
  for (const StackFilter& each : filters) {
    out.push_back({{"program", json_of(each.program)},
                   {"times", each.times},
                   {"log_flag", each.flags.log},
                   {"listener", each.flags.new_listener}});
  }
  return out;
}

int errno_of(const std::optional<InstallError>& refused) {
  return refused ? static_cast<int>(*refused) : 0;
}

std::string hex64(std::uint64_t value) { return fmt::format("0x{:016x}", value); }

// The inputs of a file, each once.
class Inputs {
 public:
  std::size_t index(const SeccompData& data, Arch arch) {
    const ByteOrder order = info(arch).byte_order;
    std::string bytes;
    for (const std::uint8_t byte : to_bytes(data, order)) bytes += fmt::format("{:02x}", byte);
    const auto [found, made] = places_.try_emplace({bytes, order}, list_.size());
    if (made) {
      ordered_json args = ordered_json::array();
      for (const std::uint64_t each : data.args) args.push_back(hex64(each));
      list_.push_back({{"bytes", bytes},
                       {"order", order == ByteOrder::Little ? "little" : "big"},
                       {"nr", data.nr},
                       {"arch", data.arch},
                       {"instruction_pointer", hex64(data.instruction_pointer)},
                       {"args", std::move(args)}});
    }
    return found->second;
  }
  [[nodiscard]] const std::vector<ordered_json>& list() const { return list_; }

 private:
  std::map<std::pair<std::string, ByteOrder>, std::size_t> places_;
  std::vector<ordered_json> list_;
};

std::string lines(const std::vector<ordered_json>& list) {
  std::string out = "[";
  for (std::size_t i = 0; i < list.size(); ++i) out += (i == 0 ? "\n" : ",\n") + list[i].dump();
  return out + "\n]";
}

ExportFile file_of(std::string_view kind, const std::vector<ordered_json>& inputs,
                   const std::vector<ordered_json>& cases) {
  std::string text = fmt::format("{{\"schema\":\"{}\",\"kind\":\"{}\"", kSchema, kind);
  if (!inputs.empty()) text += ",\"inputs\":" + lines(inputs);
  text += ",\"cases\":" + lines(cases) + "}\n";
  return {fmt::format("{}.json", kind), std::move(text)};
}

ExportFile check_file(const Corpus& corpus) {
  std::vector<ordered_json> cases;
  for (const CheckCase& each : corpus.checks) {
    ordered_json one = json_of(each.header);
    one["program"] = json_of(each.program);
    one["errno"] = errno_of(each.refused);
    one["why"] = ordered_json::array();
    for (const Diagnostic& diagnostic : each.diagnostics) {
      one["why"].push_back(info(diagnostic.id).name);
    }
    one["neighbour"] = each.neighbour.empty() ? ordered_json() : ordered_json(each.neighbour);
    put(one, each.confirmed);
    cases.push_back(std::move(one));
  }
  return file_of("check", {}, cases);
}

ExportFile codes_file(const Corpus& corpus) {
  std::vector<ordered_json> cases;
  for (const CodesCase& each : corpus.codes) {
    ordered_json one = json_of(each.header);
    one["program"] = ordered_json::array();  // never shortened: `at` counts its instructions
    for (const Instruction& i : each.program) one["program"].push_back({i.code, i.jt, i.jf, i.k});
    one["at"] = each.at;
    one["accepted"] = each.accepted;
    one["errno_of_others"] = static_cast<int>(InstallError::Invalid);
    put(one, each.confirmed);
    cases.push_back(std::move(one));
  }
  return file_of("codes", {}, cases);
}

ExportFile value_file(const Corpus& corpus) {
  Inputs inputs;
  std::vector<ordered_json> cases;
  for (const ValueCase& each : corpus.values) {
    ordered_json one = json_of(each.header);
    one["program"] = json_of(each.program);
    one["runs"] = ordered_json::array();
    for (const ValueRun& run : each.runs) {
      ordered_json here{{"input", inputs.index(run.data, each.header.kernel.arch)},
                        {"value", run.value ? ordered_json(*run.value) : ordered_json()}};
      put(here, run.confirmed);
      one["runs"].push_back(std::move(here));
    }
    cases.push_back(std::move(one));
  }
  return file_of("value", inputs.list(), cases);
}

ExportFile stack_file(const Corpus& corpus) {
  Inputs inputs;
  std::vector<ordered_json> cases;
  for (const StackCase& each : corpus.stacks) {
    ordered_json one = json_of(each.header);
    one["filters"] = json_of(each.filters);
    one["runs"] = ordered_json::array();
    for (const StackRun& run : each.runs) {
      ordered_json here{
          {"input", inputs.index(run.data, each.header.kernel.arch)},
          {"value", run.verdict.value},
          {"winner", run.verdict.winner ? ordered_json(*run.verdict.winner) : ordered_json()}};
      put(here, run.confirmed);
      one["runs"].push_back(std::move(here));
    }
    cases.push_back(std::move(one));
  }
  return file_of("stack", inputs.list(), cases);
}

// A field that one kind of outcome has and the others have not.
template <typename T>
ordered_json where(bool there, const T& value) {
  return there ? ordered_json(value) : ordered_json();
}

ordered_json json_of(const Outcome& outcome) {
  const OutcomeKind kind = outcome.kind;
  const bool dies = kind == OutcomeKind::ProcessDies || kind == OutcomeKind::ThreadDies;
  ordered_json siginfo;
  if (kind == OutcomeKind::Sigsys) {
    const SigsysInfo& seen = outcome.siginfo;
    siginfo = {{"signo", seen.signo},     {"code", seen.code},
               {"errno", seen.error},     {"call_addr", hex64(seen.call_addr)},
               {"syscall", seen.syscall}, {"arch", seen.arch}};
  }
  return {{"kind", to_string(kind)},
          {"value", where(kind == OutcomeKind::Returns, outcome.value)},
          {"signal", where(dies || kind == OutcomeKind::Sigsys, outcome.signal)},
          {"message", where(kind == OutcomeKind::TracerDecides, outcome.data)},
          {"siginfo", std::move(siginfo)},
          {"reason", where(kind == OutcomeKind::Unknown, outcome.reason)},
          {"core_dump", outcome.core_dump},
          {"logged", outcome.logged}};
}

ExportFile outcome_file(const Corpus& corpus) {
  Inputs inputs;
  std::vector<ordered_json> cases;
  for (const OutcomeCase& each : corpus.outcomes) {
    ordered_json one = json_of(each.header);
    one["mode"] = each.strict ? "strict" : "filter";
    one["program"] = each.strict ? ordered_json() : json_of(each.program);
    one["value"] = where(!each.strict, each.value);
    one["input"] = inputs.index(each.data, each.header.kernel.arch);
    one["surroundings"] = {{"tracer", each.around.tracer},
                           {"listener", each.around.listener},
                           {"threads", each.around.only_thread ? 1 : 2},
                           {"sigsys", to_string(each.sigsys)},
                           {"log_flag", each.around.log_flag}};
    one["outcome"] = json_of(each.outcome);
    put(one, each.confirmed);
    cases.push_back(std::move(one));
  }
  return file_of("outcome", inputs.list(), cases);
}

ExportFile limit_file(const Corpus& corpus) {
  std::vector<ordered_json> cases;
  for (const LimitCase& each : corpus.limits) {
    ordered_json one = json_of(each.header);
    one["filters"] = json_of(each.filters);
    one["attached"] = each.fits;
    one["errno"] = errno_of(each.refused);
    put(one, each.confirmed);
    cases.push_back(std::move(one));
  }
  return file_of("limit", {}, cases);
}

ExportFile index_file(const Corpus& corpus, const ExportOrigin& origin) {
  ordered_json files = ordered_json::object();
  for (const KindCount& each : counts(corpus)) {
    files[fmt::format("{}.json", each.kind)] = {{"cases", each.cases},
                                                {"expectations", each.expectations}};
  }
  const ordered_json document{{"schema", kSchema},
                              {"kind", "index"},
                              {"callgate", origin.version},
                              {"live", where(!origin.release.empty(), origin.release)},
                              {"programs", distinct_programs(corpus)},
                              {"files", std::move(files)}};
  return {"corpus.json", document.dump(2) + "\n"};
}

}  // namespace

std::vector<ExportFile> render(const Corpus& corpus, const ExportOrigin& origin) {
  std::vector<ExportFile> files = {
      index_file(corpus, origin), check_file(corpus),   codes_file(corpus), value_file(corpus),
      stack_file(corpus),         outcome_file(corpus), limit_file(corpus)};
  for (const EmbeddedFile& each : embedded_export_files()) {
    files.push_back({std::string(each.name), std::string(each.text)});
  }
  return files;
}

}  // namespace callgate::corpus
