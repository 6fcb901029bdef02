#include "harness/coverage/case_writers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/coverage/writers.hpp"
#include "harness/filters/filter_files.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/clean_text.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/suite/vector_writer.hpp"

namespace callgate::coverage {
namespace {

using nlohmann::ordered_json;

std::string_view way_name(Target::Way way) {
  switch (way) {
    case Target::Way::Executed:
      return "executed";
    case Target::Way::Taken:
      return "taken";
    case Target::Way::NotTaken:
      return "not taken";
  }
  return "";
}

// "3 to 0005": jumps alone, since they lead to all other instructions.
std::string jump_words(const Target& target, const FilterStack& stack) {
  const Instruction& jump = stack.program(target.filter)[target.instruction];
  return fmt::format("{} {}", target.instruction,
                     way_words(jump, target.instruction, target.way == Target::Way::Taken));
}

// What a case is for, part by part: "instruction 3 taken", "returns at 14".
std::vector<std::string> purpose(const Case& each, const CasesOf& of) {
  std::vector<std::string> out;
  for (std::size_t filter = 0; filter < of.stack.size(); ++filter) {
    const std::string of_stack =
        of.stack.size() > 1 ? fmt::format("filter {}: ", filter) : std::string();
    std::string before = of_stack + "instruction ";
    for (const Target& target : each.covers) {
      if (target.filter != filter || target.way == Target::Way::Executed) continue;
      out.push_back(before + jump_words(target, of.stack));
      before.clear();
    }
    const std::size_t end = each.ends_at[filter];
    const Target ending{filter, end, Target::Way::Executed};
    if (of.per != Per::Branch || std::ranges::find(each.covers, ending) != each.covers.end()) {
      out.push_back(fmt::format("{}ends at {}", before.empty() ? std::string() : of_stack, end));
    }
  }
  return out;
}

// Parts as lines of a comment, none much longer than can be read.
std::string comment(const std::vector<std::string>& parts, std::string_view before) {
  constexpr std::size_t kLength = 100;
  std::string out;
  std::string line;
  for (const std::string& part : parts) {
    if (!line.empty() && line.size() + part.size() + 2 > kLength) {
      out += fmt::format("{}{},\n", before, line);
      line.clear();
    }
    line += (line.empty() ? "" : ", ") + part;
  }
  if (!line.empty()) out += fmt::format("{}{}\n", before, line);
  return out;
}

std::vector<std::string> unreachable_words(const CasesOf& of) {
  std::vector<std::string> out;
  const auto is_dead = [&](std::size_t filter, std::size_t at) {
    return std::ranges::find(of.cases.unreachable, Target{filter, at, Target::Way::Executed}) !=
           of.cases.unreachable.end();
  };
  for (const Target& each : of.cases.unreachable) {
    const bool executed = each.way == Target::Way::Executed;
    if (!executed && is_dead(each.filter, each.instruction)) continue;
    out.push_back(
        fmt::format("{}instruction {}",
                    of.stack.size() > 1 ? fmt::format("filter {}, ", each.filter) : std::string(),
                    executed ? fmt::format("{}", each.instruction) : jump_words(each, of.stack)));
  }
  return out;
}

std::string what_for(const CasesOf& of) {
  switch (of.per) {
    case Per::Branch:
      return "every instruction, and every conditional jump both ways";
    case Per::Path:
      return "every way through the filters";
    case Per::Verdict:
      return "every verdict";
  }
  return "";
}

std::string head(const CasesOf& of) {
  std::vector<std::string> files;
  for (const std::string& each : of.files) files.push_back(suite::one_line(each));
  std::string out = fmt::format("# {}, {}: calls for {}.\n", fmt::join(files, ", "),
                                filters::model_words(of.stack.model()), what_for(of));
  const std::vector<std::string> dead = unreachable_words(of);
  if (!dead.empty()) {
    out += "# Unreachable, proved:\n" + comment(dead, "#   ");
  }
  for (const std::string& each : of.cases.left_out) out += fmt::format("# Left out: {}\n", each);
  return out;
}

// A plain scalar of YAML, or one in quotes.
std::string yaml_key(const std::string& text) {
  const bool plain = !text.contains(": ") && !text.contains(" #") && !text.contains('"') &&
                     !text.contains('\'') && !text.contains('\\') &&
                     !std::string_view("!&*?|>%@`{}[],#:").contains(text.front());
  return plain ? text : fmt::format("'{}'", text);
}

std::string verdict_text(const Case& each) {
  return each.verdict ? suite::result_text(each.verdict->value) : "unknown";
}

}  // namespace

std::string cases_suite(const CasesOf& of) {
  std::string out = head(of);
  out += "recorded:\n";
  bool neighbours = false;
  for (const Case& each : of.cases.cases) {
    const std::string call = suite::explicit_call_text(each.data, of.stack.model().arch);
    if (!each.relative.empty()) {
      out += fmt::format("  # {}\n", suite::one_line(each.relative));
    } else if (!each.neighbour_of) {
      neighbours = false;
      out += comment(purpose(each, of), "  # ");
    } else if (!neighbours) {
      neighbours = true;
      out += "  # beside it\n";
    }
    if (each.verdict) {
      out += fmt::format("  - {}: {}\n", yaml_key(call), verdict_text(each));
    } else {
      out += fmt::format("  # {}: this kernel leaves open what happens\n", call);
    }
  }
  if (of.cases.cases.empty()) out += "  []\n";
  return out;
}

std::string cases_text(const CasesOf& of) {
  std::string out = head(of);
  for (const Case& each : of.cases.cases) {
    out += fmt::format("{}{:<48} {:<14}", each.neighbour_of ? "  " : "",
                       suite::explicit_call_text(each.data, of.stack.model().arch),
                       verdict_text(each));
    if (!each.relative.empty()) {
      out += " " + each.relative;
    } else if (!each.neighbour_of) {
      out += fmt::format(" {}", fmt::join(purpose(each, of), ", "));
    }
    while (out.ends_with(' ')) out.pop_back();
    out += "\n";
  }
  return out;
}

std::string cases_json(const CasesOf& of) {
  const auto target = [](const Target& each) {
    return ordered_json{
        {"filter", each.filter}, {"instruction", each.instruction}, {"way", way_name(each.way)}};
  };
  const KernelModel& model = of.stack.model();
  ordered_json document{{"callgate", 1},
                        {"arch", info(model.arch).name},
                        {"kernel", to_string(model.version)},
                        {"filters", of.files},
                        {"per", to_string(of.per)},
                        {"targets", of.cases.targets},
                        {"cases", ordered_json::array()},
                        {"unreachable", ordered_json::array()},
                        {"left_out", of.cases.left_out}};
  for (const Case& each : of.cases.cases) {
    ordered_json row{{"call", suite::explicit_call_text(each.data, model.arch)},
                     {"syscall", report::call_name(each.data)},
                     {"nr", each.data.nr},
                     {"arch", fmt::format("{:#010x}", each.data.arch)},
                     {"args", ordered_json::array()},
                     {"ip", fmt::format("{:#x}", each.data.instruction_pointer)}};
    for (const std::uint64_t value : each.data.args) {
      row["args"].push_back(fmt::format("{:#x}", value));
    }
    row["value"] =
        each.verdict ? ordered_json(fmt::format("{:#010x}", each.verdict->value)) : ordered_json();
    row["verdict"] = each.verdict ? ordered_json(verdict_text(each)) : ordered_json();
    row["ends_at"] = each.ends_at;
    row["covers"] = ordered_json::array();
    for (const Target& covered : each.covers) row["covers"].push_back(target(covered));
    row["relative"] = each.relative.empty() ? ordered_json() : ordered_json(each.relative);
    row["neighbour_of"] = each.neighbour_of ? ordered_json(*each.neighbour_of) : ordered_json();
    document["cases"].push_back(std::move(row));
  }
  for (const Target& each : of.cases.unreachable) {
    document["unreachable"].push_back(target(each));
  }
  return document.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace callgate::coverage
