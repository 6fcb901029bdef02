#include "harness/suite/update.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "harness/suite/explicit_call.hpp"
#include "harness/suite/vector_writer.hpp"

namespace callgate::suite {

std::expected<std::vector<VerdictChange>, SuiteError> changed_verdicts(const Plan& plan) {
  // What each machine says of a line.
  std::map<std::tuple<std::string, std::uint32_t, std::uint32_t>, VerdictChange> said;
  std::map<std::tuple<std::string, std::uint32_t, std::uint32_t>, std::string> machines;
  const auto add = [&](const std::string& file, const RecordedCall& call,
                       const Target& target) -> std::expected<void, SuiteError> {
    const auto data = parse_explicit_call(call.call, target.model().arch);
    if (!data) return {};  // absent, or reported as an error
    const auto value = target.value(*data);
    const auto before = parse_recorded_verdict(call.verdict, target.model().arch);
    if (!value) return {};
    const std::string after = before == *value ? call.verdict : result_text(*value);
    const auto key = std::tuple{file, call.verdict_line, call.verdict_column};
    const auto [place, is_new] =
        said.try_emplace(key, VerdictChange{file, call.verdict_line, call.verdict_column, call.call,
                                            call.verdict, after});
    const std::string machine = filters::model_words(target.model());
    if (is_new) {
      machines[key] = machine;
    } else if (place->second.after != after) {
      return std::unexpected(suite_error(
          file, call.verdict_line, call.verdict_column,
          fmt::format("{} gets {} on {} and {} on {}: record it for each with arch: or kernel:",
                      call.call, place->second.after, machines[key], after, machine)));
    }
    return {};
  };
  for (const PlannedCase& each : plan.cases()) {
    const PlannedTarget& at = plan.targets()[each.target];
    if (!at.target) continue;
    if (each.recorded != nullptr) {
      if (auto added = add(each.block->file, *each.recorded, *at.target); !added) {
        return std::unexpected(std::move(added.error()));
      }
    } else if (each.table != nullptr) {
      for (const RecordedCall& call : each.table->calls) {
        if (auto added = add(each.table->file, call, *at.target); !added) {
          return std::unexpected(std::move(added.error()));
        }
      }
    }
  }
  std::vector<VerdictChange> out;
  for (auto& [key, change] : said) {
    if (change.before != change.after) out.push_back(std::move(change));
  }
  return out;
}

std::expected<std::string, SuiteError> with_changes(std::string_view text,
                                                    const std::vector<VerdictChange>& changes) {
  std::vector<std::size_t> starts{0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts.push_back(i + 1);
  }
  std::vector<const VerdictChange*> sorted;
  for (const VerdictChange& each : changes) sorted.push_back(&each);
  std::ranges::sort(sorted, [](const VerdictChange* a, const VerdictChange* b) {
    return std::pair{a->line, a->column} < std::pair{b->line, b->column};
  });
  std::string out;
  std::size_t from = 0;
  for (const VerdictChange* each : sorted) {
    const std::size_t start =
        each->line <= starts.size() ? starts[each->line - 1] + each->column - 1 : text.size();
    std::size_t at = std::min(start, text.size());
    if (at < text.size() && (text[at] == '"' || text[at] == '\'')) ++at;
    if (at < from || text.substr(at, each->before.size()) != each->before) {
      return std::unexpected(suite_error(
          each->file, each->line, each->column,
          fmt::format("{} does not stand here as it is: change it by hand", each->before)));
    }
    out += text.substr(from, at - from);
    out += each->after;
    from = at + each->before.size();
  }
  out += text.substr(from);
  return out;
}

}  // namespace callgate::suite
