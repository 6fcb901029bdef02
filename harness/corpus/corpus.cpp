#include "harness/corpus/corpus.hpp"

#include <algorithm>
#include <set>

#include "harness/corpus/parts.hpp"

namespace callgate::corpus {
namespace {

// Whether all of `text` is what `pattern` stands for.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;  // the last * met, and how far it reaches
  std::size_t reach = 0;
  std::size_t p = 0;
  while (at < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[at]) && pattern[p] != '*') {
      ++p;
      ++at;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      reach = at;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      at = ++reach;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

template <typename Case>
void keep(std::vector<Case>& cases, std::string_view pattern) {
  const bool plain = pattern.find_first_of("*?") == std::string_view::npos;
  std::erase_if(cases, [&](const Case& each) {
    const std::string& id = each.header.id;
    return plain ? !id.contains(pattern) : !matches(pattern, id);
  });
}

template <typename Case>
std::size_t all_runs(const std::vector<Case>& cases) {
  std::size_t runs = 0;
  for (const Case& each : cases) runs += each.runs.size();
  return runs;
}

struct ByBytes {
  bool operator()(const Program& a, const Program& b) const {
    return std::ranges::lexicographical_compare(a, b, {}, fields, fields);
  }
  static std::uint64_t fields(const Instruction& i) {
    return std::uint64_t{i.code} << 48U | std::uint64_t{i.jt} << 40U | std::uint64_t{i.jf} << 32U |
           i.k;
  }
};

}  // namespace

std::string_view to_string(Sigsys sigsys) noexcept {
  switch (sigsys) {
    case Sigsys::Handled:
      return "handled";
    case Sigsys::Blocked:
      return "blocked";
    case Sigsys::Ignored:
      return "ignored";
  }
  return "";
}

Corpus make_corpus() {
  Corpus corpus;
  add_check_cases(corpus);
  add_flow_cases(corpus);
  add_value_cases(corpus);
  add_jump_cases(corpus);
  add_stack_cases(corpus);
  add_outcome_cases(corpus);
  add_limit_cases(corpus);
  expect(corpus);
  add_vectors(corpus);
  find_versions(corpus);
  return corpus;
}

std::vector<KindCount> counts(const Corpus& corpus) {
  return {{"check", corpus.checks.size(), corpus.checks.size()},
          {"codes", corpus.codes.size(), corpus.codes.size() * 65'536},
          {"value", corpus.values.size(), all_runs(corpus.values)},
          {"stack", corpus.stacks.size(), all_runs(corpus.stacks)},
          {"outcome", corpus.outcomes.size(), corpus.outcomes.size()},
          {"limit", corpus.limits.size(), corpus.limits.size()}};
}

std::size_t distinct_programs(const Corpus& corpus) {
  std::set<Program, ByBytes> programs;
  for (const auto& each : corpus.checks) programs.insert(each.program);
  for (const auto& each : corpus.codes) programs.insert(each.program);
  for (const auto& each : corpus.values) programs.insert(each.program);
  for (const auto& each : corpus.outcomes) {
    if (!each.program.empty()) programs.insert(each.program);
  }
  for (const auto& each : corpus.stacks) {
    for (const StackFilter& filter : each.filters) programs.insert(filter.program);
  }
  for (const auto& each : corpus.limits) {
    for (const StackFilter& filter : each.filters) programs.insert(filter.program);
  }
  return programs.size();
}

Corpus filtered(Corpus corpus, std::string_view pattern) {
  keep(corpus.checks, pattern);
  keep(corpus.codes, pattern);
  keep(corpus.values, pattern);
  keep(corpus.stacks, pattern);
  keep(corpus.outcomes, pattern);
  keep(corpus.limits, pattern);
  return corpus;
}

}  // namespace callgate::corpus
