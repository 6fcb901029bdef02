#include "harness/report/page/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/compare/comparison.hpp"
#include "harness/cost/cost_words.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/report/html.hpp"
#include "harness/report/page/page_files.hpp"
#include "harness/report/page/page_json.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/clean_text.hpp"
#include "vm/actions.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::report {
namespace {

using nlohmann::ordered_json;

std::string base64(std::span<const unsigned char> bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      word = word << 8U | (i < here ? bytes[at + i] : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= here ? kLetters[word >> (18U - 6U * i) & 63U] : '=';
    }
  }
  return out;
}

// JSON inside <script>: no < is left, so that nothing in it can end the element or begin a comment.
std::string script_json(const ordered_json& document) {
  const std::string text = document.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

ordered_json filters_json(const NamedStack& named) {
  const FilterStack& stack = *named.stack;
  ordered_json out = ordered_json::array();
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const std::span<const Instruction> program = stack.program(i);
    const std::string bytes = raw_bytes(program, ByteOrder::Little);
    std::vector<unsigned char> unsigned_bytes(bytes.begin(), bytes.end());
    ordered_json where = ordered_json::array();
    for (std::size_t at = 0; at < program.size(); ++at) where.push_back(targets(program[at], at));
    out.push_back({{"name", i < named.names.size() ? named.names[i] : std::string()},
                   {"log", stack.flags(i).log},
                   {"listener", stack.flags(i).new_listener},
                   {"counted", stack.checked(i).limit_cost().as_new},
                   {"program", base64(unsigned_bytes)},
                   {"targets", std::move(where)},
                   {"statements", statements(program, stack.model().arch)}});
  }
  return out;
}

ordered_json stack_json(const NamedStack& named) {
  ordered_json out{{"filters", filters_json(named)}, {"limit_used", named.stack->limit_used()}};
  const PageTable table = page_table(*named.stack);
  out["left_out"] = table.left_out;
  out["table"] = ordered_json::array();
  for (const TableRow& row : table.rows) {
    ordered_json numbers = ordered_json::array();
    for (const TableRow::Range& each : row.numbers) {
      numbers.push_back(each.first);
      numbers.push_back(each.last);
    }
    ordered_json entry{{"arch", row.arch},           {"numbers", std::move(numbers)},
                       {"cut", row.numbers_cut},     {"rest", row.rest},
                       {"condition", row.condition}, {"action", row.action}};
    entry["filter"] = row.filter ? ordered_json(*row.filter) : ordered_json();
    out["table"].push_back(std::move(entry));
  }
  return out;
}

// Every ABI with its calls: names once, then for each ABI the place of a name and its number.
void add_syscalls(ordered_json& to) {
  std::map<std::string_view, std::size_t> places;
  to["names"] = ordered_json::array();
  to["arches"] = ordered_json::array();
  for (const ArchInfo& row : arches()) {
    ordered_json calls = ordered_json::array();
    for (const SyscallRow& call : syscalls(row.arch)) {
      const auto [place, is_new] = places.try_emplace(call.name, places.size());
      if (is_new) to["names"].push_back(call.name);
      calls.push_back(place->second);
      calls.push_back(call.nr);
    }
    to["arches"].push_back({{"name", row.name}, {"token", row.token}, {"calls", std::move(calls)}});
  }
}

// What the script puts verdicts and outcomes in: the same tables as words.cpp.
void add_words(ordered_json& to, const KernelModel& model) {
  to["actions"] = ordered_json::array();
  for (const ActionInfo& row : actions()) {
    if (model.version < Version{row.since_major, row.since_minor, 0}) continue;
    to["actions"].push_back({{"value", static_cast<std::uint32_t>(row.action)},
                             {"name", row.name},
                             {"always", row.action == Action::Errno},
                             {"effect", row.effect}});
  }
  to["errnos"] = ordered_json::object();
  for (int number = 1; number <= 4095; ++number) {
    if (const auto name = errno_name(number)) to["errnos"][std::to_string(number)] = *name;
  }
  to["faults"] = ordered_json::array();
  for (int fault = 0; fault <= static_cast<int>(reference::Fault::UndefinedShift); ++fault) {
    to["faults"].push_back(reference::to_string(static_cast<reference::Fault>(fault)));
  }
  to["outcomes"] = ordered_json::array();
  for (int kind = 0; kind <= static_cast<int>(OutcomeKind::Unknown); ++kind) {
    to["outcomes"].push_back(to_string(static_cast<OutcomeKind>(kind)));
  }
}

ordered_json cost_json(const cost::Report& report) {
  ordered_json out{{"summary", cost::summary(report)},
                   {"cache", cost::cache_words(report.model)},
                   {"machine_words", cost::machine_words(report)},
                   {"machine", report.counted.has_value()},
                   {"time", report.time.has_value()},
                   {"calls", ordered_json::array()}};
  for (const cost::CallCost& call : report.prediction.calls) {
    ordered_json row{{"nr", call.nr},
                     {"name", call.name},
                     {"count", call.count},
                     {"cached", cost::cached_word(call.cache)},
                     {"served", call.cache.is_served()},
                     {"classic", cost::count_words(call.path.classic)},
                     {"most", call.executed.most},
                     {"exact", call.path.exact},
                     {"why", call.why}};
    if (call.machine) row["machine"] = cost::span_words(call.machine->sum());
    if (call.time) row["ns"] = cost::span_words(call.time->sum());
    out["calls"].push_back(std::move(row));
  }
  return out;
}

// What `callgate diff` says of the two stacks.
ordered_json differences_json(const FilterStack& a, const FilterStack& b) {
  const compare::Result result = compare::compared(a, b, {});
  ordered_json out{{"changes", ordered_json::array()}, {"open", ordered_json::array()}};
  switch (result.answer) {
    case verifier::Answer::Equal:
      out["words"] = fmt::format("None: the two give the same verdict for every call. Proved: {}.",
                                 result.how);
      break;
    case verifier::Answer::Different:
      out["words"] =
          result.complete
              ? "All calls there can be were compared, and each change below has one that shows it."
              : "There are more differences than are listed.";
      break;
    case verifier::Answer::Undecided:
      out["words"] = "Whether the two differ was not decided within the limits.";
      break;
  }
  if (result.contradiction) {
    out["words"] =
        "An internal error: what was proved and what was run do not agree. Believe none of this.";
    return out;
  }
  for (const compare::Change& change : result.changes) {
    ordered_json calls = ordered_json::array();
    for (const compare::Calls& each : change.calls) {
      calls.push_back({{"names", each.names},
                       {"unnamed", each.unnamed},
                       {"always", each.always},
                       {"condition", each.condition},
                       {"call", call_json(each.call)}});
    }
    out["changes"].push_back({{"from", change.from},
                              {"to", change.to},
                              {"which", change.which},
                              {"calls", std::move(calls)}});
  }
  for (const compare::Open& each : result.open) {
    out["open"].push_back(fmt::format("{} {}: {}", each.calls, each.condition, each.why));
  }
  return out;
}

std::string title_of(const PageInput& input) {
  const std::vector<std::string>& names = input.stack.names;
  std::string out = names.empty() ? "no filter" : names.front();
  if (names.size() > 1) out += fmt::format(" and {} more", names.size() - 1);
  return out;
}

// Replaces each {{name}} of the document, once through: what is put in is not looked at again.
std::string filled(std::string_view document,
                   const std::map<std::string_view, std::string>& values) {
  std::string out;
  while (!document.empty()) {
    const std::size_t start = document.find("{{");
    if (start == std::string_view::npos) break;
    const std::size_t end = document.find("}}", start);
    out += document.substr(0, start);
    out += values.at(document.substr(start + 2, end - start - 2));
    document.remove_prefix(end + 2);
  }
  return out.append(document);
}

}  // namespace

ordered_json call_json(const SeccompData& data) {
  ordered_json args = ordered_json::array();
  for (const std::uint64_t each : data.args) args.push_back(fmt::format("{:#x}", each));
  return {{"syscall", call_name(data)}, {"nr", data.nr},
          {"arch", arch_name(data)},    {"token", data.arch},
          {"args", std::move(args)},    {"ip", fmt::format("{:#x}", data.instruction_pointer)}};
}

std::span<const unsigned char> page_engine() noexcept { return page_files::engine(); }
std::string_view page_engine_reason() noexcept { return page_files::engine_reason(); }

std::string page(const PageInput& input) {
  const KernelModel& model = input.stack.stack->model();
  ordered_json document{
      {"title", title_of(input)},
      {"kernel", to_string(model.version)},
      {"version", {model.version.major, model.version.minor, model.version.patch}},
      {"arch", info(model.arch).name},
      {"jit", model.engine == KernelEngine::Jit},
      {"old_actions", !model.has(Feature::ActionFull)},
      {"stack", stack_json(input.stack)}};
  document["other"] = input.other ? stack_json(*input.other) : ordered_json();
  document["differences"] =
      input.other ? differences_json(*input.stack.stack, *input.other->stack) : ordered_json();
  document["cost"] = input.cost ? cost_json(*input.cost) : ordered_json();
  document["coverage"] = input.coverage ? coverage_json(*input.coverage) : ordered_json();
  document["engine"] = base64(page_engine());
  document["engine_reason"] = page_engine_reason();
  add_syscalls(document);
  add_words(document, model);
  return filled(page_files::document(), {{"title", html_escaped(suite::one_line(title_of(input)))},
                                         {"style", std::string(page_files::style())},
                                         {"data", script_json(document)},
                                         {"script", std::string(page_files::script())}});
}

}  // namespace callgate::report
