#include "harness/report/explanation_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/report/words.hpp"
#include "harness/suite/clean_text.hpp"
#include "vm/outcome.hpp"
#include "vm/syscalls.hpp"

namespace callgate::report {
namespace {

using verifier::Ending;
using verifier::ValueRange;
using Ref = verifier::Space::Ref;

// Calls that get something only under a condition.
struct Line {
  std::vector<std::string> calls;
  std::string condition;  ///< "if …", "otherwise"
};

// All that gets one verdict.
struct Section {
  Ref end = 0;
  std::vector<std::string> calls;  ///< in any case
  std::vector<ValueRange> numbers;
  bool more_numbers = false;  ///< too many ranges of them
  std::vector<Line> lines;
  bool usual = false;
};

// Under which condition none of a group's rules holds, where that can be said shortly.
std::string otherwise_text(const CallGroup& group) {
  constexpr std::size_t kLong = 160;
  std::string all;
  for (const ExplainedRule& rule : group.rules) {
    all += (all.empty() ? "unless " : ", or ") + rule.when.text;
  }
  return all.empty() || all.size() > kLong ? "otherwise" : all;
}

class Sections {
 public:
  explicit Sections(const ExplainedAbi& abi) {
    for (const CallGroup& group : abi.groups) add(group, abi.groups.size() == 1);
    for (Section& each : sections_) {
      each.usual = abi.usual == each.end;
      std::ranges::sort(each.numbers, {}, &ValueRange::first);
    }
    const auto usual = std::ranges::find(sections_, true, &Section::usual);
    if (usual != sections_.end()) std::rotate(usual, usual + 1, sections_.end());
  }

  [[nodiscard]] const std::vector<Section>& all() const { return sections_; }
  /// Calls that no listed rule holds for may get any of some verdicts.
  [[nodiscard]] const std::vector<std::string>& not_told() const { return not_told_; }

 private:
  Section& of(Ref end) {
    const auto found = std::ranges::find(sections_, end, &Section::end);
    if (found != sections_.end()) return *found;
    Section& made = sections_.emplace_back();
    made.end = end;
    return made;
  }

  void add(const CallGroup& group, bool only) {
    if (group.rules.empty() && group.otherwise) {
      Section& section = of(*group.otherwise);
      std::ranges::copy(group.syscalls, std::back_inserter(section.calls));
      if (!group.unnamed)
        section.more_numbers = true;
      else
        std::ranges::copy(*group.unnamed, std::back_inserter(section.numbers));
      return;
    }
    std::vector<std::string> calls = group.syscalls;
    if (only) calls = {"every call"};
    if (!only && !group.unnamed)
      calls.emplace_back("some numbers that no call has");
    else if (!only && !group.unnamed->empty())
      calls.push_back(numbers_words(*group.unnamed));
    std::vector<Ref> said;
    for (const ExplainedRule& rule : group.rules) {
      if (std::ranges::find(said, rule.end) != said.end()) continue;
      said.push_back(rule.end);
      of(rule.end).lines.push_back({calls, "if " + conditions_of(group, rule.end)});
    }
    if (group.otherwise)
      of(*group.otherwise).lines.push_back({calls, otherwise_text(group)});
    else
      std::ranges::copy(calls, std::back_inserter(not_told_));
  }

  std::vector<Section> sections_;
  std::vector<std::string> not_told_;
};

bool other_numbers(const std::vector<Section>& sections) {
  return std::ranges::any_of(sections, [](const Section& each) {
    return !each.usual && (!each.numbers.empty() || each.more_numbers);
  });
}

// What is said of numbers that no call has; empty where there is nothing to say.
std::string numbers_text(const Section& section, const ExplainedAbi& abi,
                         const std::vector<Section>& all) {
  const bool named = abi.arch && !syscalls(*abi.arch).empty();
  if (section.usual) {
    return fmt::format("all {}numbers{}", other_numbers(all) || !named ? "other " : "",
                       named ? " that no call has" : "");
  }
  if (section.more_numbers) return "many numbers, in more ranges than are listed";
  if (section.numbers.empty()) return "";
  return numbers_words(section.numbers);
}

// The calls of a section that get its verdict in any case.
std::vector<std::string> calls_text(const Section& section, bool every_name) {
  if (!section.usual || every_name || section.calls.size() <= 1) return section.calls;
  return {fmt::format("{} calls (--all lists them)", section.calls.size())};
}

// All calls of the ABI get the same.
bool is_all(const std::vector<Section>& sections, const Sections& from) {
  return sections.size() == 1 && sections.front().lines.empty() && from.not_told().empty();
}

std::string markdown_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string title_of(const Explained& of) {
  return fmt::format("{} filter{} on Linux {} {}", of.files.size(), of.files.size() == 1 ? "" : "s",
                     to_string(of.model.version), info(of.model.arch).name);
}

// Calls that no filter is asked for.
std::vector<std::string> exempt_calls(const KernelModel& model) {
  std::vector<std::string> out;
  for (const Arch abi : abis_of(model.arch)) {
    for (const SyscallRow& row : syscalls(abi)) {
      SeccompData data;
      data.nr = static_cast<std::int32_t>(row.nr);
      data.arch = info(abi).token;
      if (is_exempt(data, model)) {
        out.push_back(fmt::format("{} of {}", row.name, info(abi).name));
      }
    }
  }
  return out;
}

std::string exempt_text(const Explained& of) {
  const auto exempt = exempt_calls(of.model);
  if (exempt.empty()) return "";
  return fmt::format("Whatever filters say, this kernel lets pass: {}.", fmt::join(exempt, ", "));
}

std::string abi_text(const Explained& of, const ExplainedAbi& abi) {
  const Arch arch = abi.arch.value_or(of.model.arch);
  std::string out = fmt::format("\n{}\n", abi.name);
  if (abi.cut) return out + "  not fully analysed: see below\n";
  const Sections sections(abi);
  if (is_all(sections.all(), sections)) {
    const Ref end = sections.all().front().end;
    return out + fmt::format("  every call: {}\n", verdict_heading(of, end, arch));
  }
  for (const Section& each : sections.all()) {
    out += fmt::format("  {}{}\n", verdict_heading(of, each.end, arch),
                       each.usual ? ", for all that is not listed elsewhere" : "");
    const std::vector<std::string> calls = calls_text(each, of.every_name);
    if (!calls.empty()) out += wrapped(calls, "    ");
    for (const Line& line : each.lines) {
      std::vector<std::string> items = line.calls;
      items.back() += " " + line.condition;
      out += wrapped(items, "    ");
    }
    const std::string numbers = numbers_text(each, abi, sections.all());
    if (!numbers.empty()) out += fmt::format("    {}\n", numbers);
  }
  if (!sections.not_told().empty()) {
    out += "  not fully analysed\n";
    out += wrapped(sections.not_told(), "    ");
  }
  return out;
}

std::string abi_markdown(const Explained& of, const ExplainedAbi& abi) {
  const Arch arch = abi.arch.value_or(of.model.arch);
  std::string out = fmt::format("\n## {}\n\n", abi.name);
  if (abi.cut) return out + "Not fully analysed: see below.\n";
  const Sections sections(abi);
  out += "| verdict | calls | condition |\n| --- | --- | --- |\n";
  const auto row = [&](Ref end, const std::string& calls, const std::string& condition) {
    out += fmt::format("| {} | {} | {} |\n", markdown_escaped(verdict_heading(of, end, arch)),
                       markdown_escaped(calls), markdown_escaped(condition));
  };
  if (is_all(sections.all(), sections)) {
    row(sections.all().front().end, "every call", "");
    return out;
  }
  for (const Section& each : sections.all()) {
    std::vector<std::string> calls = calls_text(each, of.every_name);
    const std::string numbers = numbers_text(each, abi, sections.all());
    if (!numbers.empty()) calls.push_back(numbers);
    if (!calls.empty()) row(each.end, fmt::format("{}", fmt::join(calls, ", ")), "");
    for (const Line& line : each.lines) {
      row(each.end, fmt::format("{}", fmt::join(line.calls, ", ")), line.condition);
    }
  }
  if (!sections.not_told().empty()) {
    out += fmt::format("| not fully analysed | {} | otherwise |\n",
                       markdown_escaped(fmt::format("{}", fmt::join(sections.not_told(), ", "))));
  }
  return out;
}

}  // namespace

std::string wrapped(const std::vector<std::string>& items, std::string_view indent,
                    std::size_t width) {
  std::string out;
  std::string line(indent);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string word = items[i] + (i + 1 == items.size() ? "" : ",");
    if (line.size() > indent.size() && line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
  }
  return out + line + "\n";
}

std::string verdict_heading(const Explained& of, Ref end, Arch arch) {
  const Ending& ending = of.endings.at(end);
  std::string out = ending_words(of.endings, ending, of.model);
  const auto value = ending.kind == Ending::Kind::Value
                         ? of.endings.space().terms().value(ending.value)
                         : std::nullopt;
  if (value && action_bits(*value, of.model) == static_cast<std::uint32_t>(Action::Errno)) {
    if (const auto name = errno_name(*value & kDataMask, arch)) out += ", " + *name;
  }
  if (of.files.size() > 1 && ending.filter) {
    out += fmt::format(", by filter {} ({})", *ending.filter,
                       suite::one_line(of.files[*ending.filter]));
  }
  return out;
}

std::string explanation_text(const Explained& of) {
  std::string out = title_of(of) + "\n";
  for (std::size_t i = 0; i < of.files.size(); ++i)
    out += fmt::format("  {}  {}\n", i, suite::one_line(of.files[i]));
  for (const ExplainedAbi& abi : of.explanation.abis) out += abi_text(of, abi);
  if (const std::string exempt = exempt_text(of); !exempt.empty()) out += "\n" + exempt + "\n";
  if (!of.explanation.left_out.empty()) out += "\nnot fully analysed:\n";
  for (const std::string& each : of.explanation.left_out) out += fmt::format("  {}\n", each);
  return out;
}

std::string explanation_markdown(const Explained& of) {
  std::string out = fmt::format("# {}\n\n", title_of(of));
  for (std::size_t i = 0; i < of.files.size(); ++i) {
    out += fmt::format("- filter {}: {}\n", i, suite::one_line(of.files[i]));
  }
  for (const ExplainedAbi& abi : of.explanation.abis) out += abi_markdown(of, abi);
  if (const std::string exempt = exempt_text(of); !exempt.empty()) out += "\n" + exempt + "\n";
  if (!of.explanation.left_out.empty()) out += "\n## Not fully analysed\n\n";
  for (const std::string& each : of.explanation.left_out) out += fmt::format("- {}\n", each);
  return out;
}

}  // namespace callgate::report
