#include "harness/report/explanation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "harness/report/arguments.hpp"
#include "vm/outcome.hpp"
#include "vm/syscalls.hpp"

namespace callgate::report {
namespace {

using verifier::CallClass;
using verifier::Diagrams;
using verifier::Ending;
using verifier::Endings;
using verifier::Field;
using verifier::Space;
using verifier::ValueRange;
using Ref = Space::Ref;

// Calls of an ABI's table that are of a class, by number; of several names of one number the first.
std::vector<SyscallRow> calls_of(const Space& space, const CallClass& of, Arch arch) {
  std::vector<SyscallRow> out;
  for (const SyscallRow& row : syscalls(arch)) {
    SeccompData data;
    data.nr = static_cast<std::int32_t>(row.nr);
    if (!space.holds(of.numbers, data)) continue;
    if (out.empty() || out.back().nr != row.nr) out.push_back(row);
  }
  return out;
}

std::optional<std::vector<ValueRange>> without(const std::optional<std::vector<ValueRange>>& all,
                                               const std::vector<SyscallRow>& calls) {
  if (!all) return std::nullopt;
  std::vector<ValueRange> out;
  auto call = calls.begin();
  for (const ValueRange& range : *all) {
    std::uint64_t next = range.first;
    for (; call != calls.end() && call->nr <= range.last; ++call) {
      if (call->nr > next) out.push_back({next, call->nr - 1});
      next = std::uint64_t{call->nr} + 1;
    }
    if (next <= range.last) out.push_back({next, range.last});
  }
  return out;
}

std::uint64_t size_of(const std::vector<ValueRange>& ranges) {
  std::uint64_t size = 0;
  for (const ValueRange& each : ranges) size += each.last - each.first + 1;
  return size;
}

class Explainer {
 public:
  explicit Explainer(Space& space) : space_(space) {}

  ExplainedAbi abi(const verifier::ArchRow& row) {
    ExplainedAbi out;
    out.arch = row.arch;
    out.name = name_of(row);
    out.cut = row.cut;
    std::uint64_t most = 0;
    for (const CallClass& each : row.classes) {
      const std::size_t before = out.groups.size();
      add_groups(each, row.arch, out.groups);
      for (std::size_t i = before; i < out.groups.size(); ++i) {
        const CallGroup& group = out.groups[i];
        const std::uint64_t size = group.unnamed ? size_of(*group.unnamed) : 0;
        if (size <= most) continue;
        most = size;
        out.usual = group.rules.empty() ? group.otherwise : std::nullopt;
      }
    }
    return out;
  }

 private:
  // Whose words differ: a class's conditions name the arguments of a call. Of many calls each would
  // have words of its own, so that arguments have numbers then.
  void add_groups(const CallClass& of, std::optional<Arch> arch, std::vector<CallGroup>& groups) {
    const auto calls = arch ? calls_of(space_, of, *arch) : std::vector<SyscallRow>{};
    const auto unnamed = without(of.ranges, calls);
    std::map<std::vector<std::string>, std::size_t> by_words;
    constexpr std::size_t kMany = 8;
    const auto place = [&](std::string_view call) -> CallGroup& {
      if (of.rules.empty() || calls.size() > kMany) call = {};
      CallGroup made = group(of, {arch.value_or(Arch::X86_64), call});
      std::vector<std::string> words;
      for (const ExplainedRule& rule : made.rules) words.push_back(rule.when.text);
      const auto [at, fresh] = by_words.try_emplace(std::move(words), groups.size());
      if (fresh) groups.push_back(std::move(made));
      return groups[at->second];
    };
    for (const SyscallRow& call : calls) place(call.name).syscalls.emplace_back(call.name);
    if (!unnamed || !unnamed->empty()) place("").unnamed = unnamed;
  }

  CallGroup group(const CallClass& of, const CallView& view) {
    CallGroup out;
    out.unnamed.emplace();
    out.named_for = view.call;
    out.otherwise = of.otherwise;
    out.ends = of.ends;
    for (const verifier::Path& rule : of.rules) {
      out.rules.push_back({condition_words(space_, rule, view), &rule, rule.end});
    }
    return out;
  }

  std::string name_of(const verifier::ArchRow& row) {
    if (row.arch) return std::string(info(*row.arch).name);
    if (row.every_other) return "every other architecture";
    return field_words(space_, Field::Arch, row.tokens, {}).text;
  }

  Space& space_;
};

void say_left_out(const Endings& endings, Explanation& out) {
  for (const ExplainedAbi& abi : out.abis) {
    if (abi.cut) {
      out.left_out.push_back(
          fmt::format("{}: numbers behave in more different ways than are listed", abi.name));
    }
    for (const CallGroup& group : abi.groups) {
      if (group.otherwise) continue;
      const std::string which = !group.syscalls.empty() ? group.syscalls.front()
                                : group.unnamed         ? numbers_words(*group.unnamed)
                                                        : "some numbers";
      const std::string more =
          group.syscalls.size() > 1 ? fmt::format(" and {} more", group.syscalls.size() - 1) : "";
      out.left_out.push_back(
          fmt::format("{}: {}{}: more conditions than are listed: calls that none "
                      "of those listed holds for may get any of {} verdicts",
                      abi.name, which, more, group.ends.size()));
    }
  }
  std::set<std::string> reasons;
  for (const ExplainedAbi& abi : out.abis) {
    for (const CallGroup& group : abi.groups) {
      for (const Ref end : group.ends) {
        const Ending& ending = endings.at(end);
        if (ending.kind != Ending::Kind::NotFollowed) continue;
        reasons.insert(fmt::format("{}: from instruction {} on: {}", abi.name, ending.instruction,
                                   ending.reason));
      }
      const bool whole = std::ranges::all_of(
          group.rules, [](const ExplainedRule& rule) { return rule.when.whole; });
      if (!whole) {
        reasons.insert(fmt::format(
            "{}: values of arguments that there are too many of have no words of their own",
            abi.name));
      }
    }
  }
  out.left_out.insert(out.left_out.end(), reasons.begin(), reasons.end());
}

}  // namespace

std::vector<Arch> abis_of(Arch machine) {
  switch (machine) {
    case Arch::X86_64:
    case Arch::X32:
      return {Arch::X86_64, Arch::X32, Arch::X86};
    case Arch::AArch64:
      return {Arch::AArch64, Arch::Arm};
    case Arch::Mips64:
    case Arch::Mips64n32:
      return {Arch::Mips64, Arch::Mips64n32, Arch::Mips};
    case Arch::Mipsel64:
    case Arch::Mipsel64n32:
      return {Arch::Mipsel64, Arch::Mipsel64n32, Arch::Mipsel};
    case Arch::Parisc64:
      return {Arch::Parisc64, Arch::Parisc};
    case Arch::Ppc64:
      return {Arch::Ppc64, Arch::Ppc};
    case Arch::S390x:
      return {Arch::S390x, Arch::S390};
    case Arch::X86:
    case Arch::Arm:
    case Arch::LoongArch64:
    case Arch::M68k:
    case Arch::Mips:
    case Arch::Mipsel:
    case Arch::Parisc:
    case Arch::Ppc:
    case Arch::Ppc64le:
    case Arch::Riscv64:
    case Arch::S390:
    case Arch::Sheb:
    case Arch::Sh:
      return {machine};
  }
  return {machine};
}

Explanation explain(Endings& endings, const verifier::StackMeaning& meaning,
                    const KernelModel& model, const verifier::TableLimits& limits) {
  Explanation out;
  const std::vector<Arch> shown = abis_of(model.arch);
  out.table = verifier::decision_table(endings, meaning.verdict, shown, limits);
  Explainer explainer(endings.space());
  for (const verifier::ArchRow& row : out.table.rows) out.abis.push_back(explainer.abi(row));
  say_left_out(endings, out);
  return out;
}

std::string conditions_of(const CallGroup& group, Ref end) {
  std::string out;
  for (const ExplainedRule& rule : group.rules) {
    if (rule.end != end) continue;
    if (!out.empty()) out += ", or ";
    out += rule.when.text;
  }
  return out;
}

std::string numbers_words(const std::vector<ValueRange>& ranges) {
  std::string out = size_of(ranges) == 1 ? "number " : "numbers ";
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (i != 0) out += i + 1 == ranges.size() ? " and " : ", ";
    const ValueRange& each = ranges[i];
    out += number_words(each.first);
    if (each.last != each.first) out += fmt::format(" to {}", number_words(each.last));
  }
  return out;
}

}  // namespace callgate::report
