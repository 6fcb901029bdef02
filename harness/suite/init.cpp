#include "harness/suite/init.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "harness/report/explanation.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/suite/failures.hpp"
#include "harness/suite/pattern_writer.hpp"
#include "harness/suite/runner.hpp"
#include "harness/suite/vector_writer.hpp"
#include "vm/syscalls.hpp"

namespace callgate::suite {
namespace {

using verifier::Diagrams;
using verifier::Ending;
using verifier::Field;
using verifier::Space;

constexpr std::size_t kMostPaths = 40;     // of one call, as patterns
constexpr std::size_t kMostRecorded = 12;  // of one call that has more
constexpr std::size_t kWidth = 100;

// A verdict as a verb: "errno EPERM".
std::string verb_for(std::uint32_t value, const KernelModel& model) {
  const std::uint32_t action = action_bits(value, model);
  const std::uint32_t data = value & kDataMask;
  const auto with_data = [&](std::string_view name) {
    return data == 0 ? std::string(name) + " 0" : fmt::format("{} {}", name, data);
  };
  switch (static_cast<Action>(action)) {
    case Action::Allow:
      return "allow";
    case Action::Log:
      return "log";
    case Action::UserNotif:
      return "notify";
    case Action::KillThread:
      return "kill_thread";
    case Action::KillProcess:
      return "kill_process";
    case Action::Trap:
      return with_data("trap");
    case Action::Trace:
      return with_data("trace");
    case Action::Errno: {
      const auto name = report::errno_name(data, model.arch);
      return name ? "errno " + *name : fmt::format("errno {}", data);
    }
  }
  return {};
}

// What one machine's calls get.
struct Found {
  // Of an ABI and a verb: patterns.
  std::map<std::pair<Arch, std::string>, std::vector<std::string>> patterns;
  std::vector<std::pair<std::string, std::string>> recorded;  // call, verdict
  std::vector<std::string> left_out;                          // in words
};

class Finder {
 public:
  explicit Finder(Target& target)
      : target_(target), space_(target.endings().space()), model_(target.model()) {}

  Found find() {
    // The number alone tells most calls; arguments are looked at of those that it does not.
    for (const Arch abi : report::abis_of(model_.arch)) {
      for (const SyscallRow& row : syscalls(abi)) {
        if (syscall_name(abi, row.nr) != row.name) continue;  // another name of the same
        add_call(abi, row);
      }
      add_unknown(abi);
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] Space::Ref behaviour(Arch abi) {
    return space_.fixed(target_.meaning().value, Field::Arch, info(abi).token);
  }

  std::optional<std::string> verb(Space::Ref end) {
    const Ending& ending = target_.endings().at(end);
    if (ending.kind != Ending::Kind::Value) return std::nullopt;
    const auto value = space_.terms().value(ending.value);
    if (!value) return std::nullopt;
    std::string text = verb_for(*value, model_);
    return text.empty() ? std::nullopt : std::optional(std::move(text));
  }

  void add_call(Arch abi, const SyscallRow& row) {
    Diagrams& diagrams = space_.diagrams();
    SeccompData data{};
    data.arch = info(abi).token;
    data.nr = static_cast<std::int32_t>(row.nr);
    const std::string name(row.name);
    if (is_exempt(data, model_)) {
      found_.patterns[{abi, "allow"}].push_back(name);
      return;
    }
    const Space::Ref here = space_.fixed(behaviour(abi), Field::Nr, row.nr);
    if (diagrams.is_end(here)) {
      if (const auto text = verb(here)) {
        found_.patterns[{abi, *text}].push_back(name);
      } else {
        record(abi, name);
      }
      return;
    }
    std::vector<std::pair<std::string, std::string>> made;  // verb, pattern
    std::size_t paths = 0;
    const bool all = verifier::for_each_path(space_, here, [&](const verifier::Path& path) {
      if (++paths > kMostPaths) return false;
      const auto text = verb(path.end);
      const auto patterns = path_patterns(space_, path, name, abi);
      if (!text || !patterns) return false;
      for (const std::string& each : *patterns) made.emplace_back(*text, each);
      return true;
    });
    if (!all) {
      record(abi, name);
      return;
    }
    for (auto& [text, pattern] : made) {
      found_.patterns[{abi, text}].push_back(std::move(pattern));
    }
  }

  // Calls at the edges instead of patterns.
  void record(Arch abi, const std::string& name) {
    const auto pattern = parse_pattern(name, model_.arch, abi, HighHalf::Exact);
    if (!pattern) return;
    found_.left_out.push_back(abi == model_.arch ? name
                                                 : fmt::format("{}:{}", info(abi).name, name));
    std::map<std::uint32_t, std::size_t> seen;
    for (const SeccompData& call : edge_calls(*pattern, target_.constants(), 400)) {
      const auto value = target_.value(call);
      if (!value || ++seen[*value] > kMostRecorded / 3) continue;
      found_.recorded.emplace_back(explicit_call_text(call, model_.arch), result_text(*value));
    }
  }

  // Numbers that no call has, where all of them get the same.
  void add_unknown(Arch abi) {
    const auto pattern = parse_pattern("@unknown", model_.arch, abi, HighHalf::Exact);
    if (!pattern || pattern->numbers.empty()) return;
    SeccompData data{};
    data.arch = pattern->token;
    data.nr = static_cast<std::int32_t>(pattern->numbers.back().first);
    const auto value = target_.value(data);
    if (!value) return;
    const std::string text = verb_for(*value, model_);
    if (text.empty()) return;
    const auto parsed = parse_verb(text, model_.arch);
    if (parsed && target_.ask(*pattern, *parsed).status == Status::Passed) {
      found_.patterns[{abi, text}].emplace_back("@unknown");
    }
  }

  Target& target_;
  Space& space_;
  const KernelModel& model_;
  Found found_;
};

// A list in brackets over as many lines as it needs.
std::string list_text(const std::vector<std::string>& items, std::string_view indent) {
  std::string out = "[";
  std::size_t column = indent.size();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string item = yaml_scalar(items[i]) + (i + 1 == items.size() ? "" : ", ");
    if (column + item.size() > kWidth) {
      while (out.back() == ' ') out.pop_back();
      out += fmt::format("\n{}", indent);
      column = indent.size();
    }
    out += item;
    column += item.size();
  }
  return out + "]\n";
}

using Section = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;

void write_section(std::string& out, const Section& section, std::string_view arch) {
  for (const auto& [key, calls] : section) {
    if (calls.empty()) continue;
    const auto& [abi, verb] = key;
    out += fmt::format("  - {}: {}", verb, list_text(calls, "      "));
    if (!arch.empty()) out += fmt::format("    arch: {}\n", arch);
    if (!abi.empty()) out += fmt::format("    abi: {}\n", abi);
  }
}

}  // namespace

std::string yaml_scalar(const std::string& text) {
  const bool plain = !text.empty() &&
                     std::ranges::all_of(text,
                                         [](char c) {
                                           return (c >= 'a' && c <= 'z') ||
                                                  (c >= 'A' && c <= 'Z') ||
                                                  (c >= '0' && c <= '9') || c == '_';
                                         }) &&
                     !(text[0] >= '0' && text[0] <= '9') && text != "null";
  if (plain) return text;
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::expected<std::string, std::string> first_suite(const InitRequest& request) {
  std::map<Arch, Found> found;
  std::vector<FilterName> names;
  for (const std::string& each : request.filters) names.push_back({each, {}});
  for (const Arch arch : request.arches) {
    KernelModel model;
    model.arch = arch;
    model.version = request.kernel;
    auto loaded = load_stack(names, request.deploy, model);
    if (!loaded) return std::unexpected(std::move(loaded.error().text));
    Target target(std::move(*loaded), {});
    try {
      found[arch] = Finder(target).find();
    } catch (const Diagrams::Full&) {
      return std::unexpected("the filter's meaning is more than can be written down");
    }
  }
  // What all machines have alike stands first, the rest by machine.
  Section common;
  std::map<Arch, Section> own;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> counts;
  const auto each_pattern = [&](auto&& visit) {
    for (const Arch arch : request.arches) {
      for (const auto& [key, calls] : found[arch].patterns) {
        const std::string abi = key.first == arch ? "" : std::string(info(key.first).name);
        for (const std::string& call : calls) visit(arch, abi, key.second, call);
      }
    }
  };
  each_pattern([&](Arch, const std::string& abi, const std::string& verb, const std::string& call) {
    ++counts[{abi, verb, call}];
  });
  each_pattern(
      [&](Arch arch, const std::string& abi, const std::string& verb, const std::string& call) {
        if (counts[{abi, verb, call}] < request.arches.size()) {
          own[arch][{abi, verb}].push_back(call);
        } else if (arch == request.arches.front()) {
          common[{abi, verb}].push_back(call);
        }
      });
  const std::filesystem::path folder = std::filesystem::path(request.suite).parent_path();
  std::string out =
      "# What the filter does now, written by `callgate init`: keep what is meant, change what is "
      "not.\ncallgate: 1\n";
  std::vector<std::string> paths;
  for (const std::string& each : request.filters) {
    const std::filesystem::path path(each);
    paths.push_back(
        folder.empty() || path.is_absolute() ? each : path.lexically_proximate(folder).string());
  }
  out += paths.size() == 1 ? fmt::format("filter: {}\n", yaml_scalar(paths[0]))
                           : fmt::format("filter: {}", list_text(paths, "  "));
  const Deploy& deploy = request.deploy;
  std::string deployed;
  if (!deploy.format.empty()) deployed += fmt::format("  format: {}\n", deploy.format);
  if (!deploy.caps.empty()) deployed += fmt::format("  caps: {}\n", yaml_scalar(deploy.caps));
  if (deploy.runtime != "runc") deployed += fmt::format("  runtime: {}\n", deploy.runtime);
  if (!deploy.systemd.empty()) deployed += fmt::format("  systemd: {}\n", deploy.systemd);
  if (!deploy.with.empty()) {
    std::vector<std::string> with;
    for (const std::string& each : deploy.with) {
      with.push_back(
          folder.empty() ? each : std::filesystem::path(each).lexically_proximate(folder).string());
    }
    deployed += fmt::format("  with: {}", list_text(with, "    "));
  }
  if (deploy.denylist) deployed += "  denylist: true\n";
  if (!deployed.empty()) out += "deploy:\n" + deployed;
  std::vector<std::string> arches;
  for (const Arch arch : request.arches) arches.emplace_back(info(arch).name);
  out += fmt::format("arch: {}", list_text(arches, "  "));
  if (request.has_kernel) out += fmt::format("kernel: {}\n", callgate::to_string(request.kernel));
  out +=
      "# Values are whole registers of 64 bits here, as the filter sees them.\nhigh_half: exact\n";
  out += "\nexpect:\n";
  write_section(out, common, "");
  for (const auto& [arch, section] : own) {
    out += fmt::format("\n  # {}\n", info(arch).name);
    write_section(out, section, info(arch).name);
  }
  bool any = false;
  for (const auto& [arch, each] : found) any = any || !each.recorded.empty();
  if (any)
    out += "\n# What has more conditions than patterns can say: some calls of each.\nrecorded:\n";
  for (const auto& [arch, each] : found) {
    if (each.recorded.empty()) continue;
    out += fmt::format("  - arch: {}\n    calls:\n", info(arch).name);
    for (const auto& [call, verdict] : each.recorded) {
      out += fmt::format("      - {}: {}\n", yaml_scalar(call), verdict);
    }
  }
  // It must hold, every line of it.
  auto suites = read_suites(out, request.suite);
  if (!suites) return std::unexpected("an error in Callgate: " + to_string(suites.error()));
  const RunOptions run;
  auto plan = Plan::make(*suites, run);
  if (!plan) return std::unexpected("an error in Callgate: " + to_string(plan.error()));
  if (const auto loaded = plan->load(); !loaded) return std::unexpected(to_string(loaded.error()));
  for (const CaseResult& each : plan->run(run).cases) {
    if (each.status == Status::Failed || each.status == Status::Error) {
      return std::unexpected(fmt::format("an error in Callgate: {} does not hold", each.name));
    }
  }
  return out;
}

}  // namespace callgate::suite
