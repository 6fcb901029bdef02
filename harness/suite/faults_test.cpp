// Profiles with a seeded mistake each (corpus/suites/faults): which of them the suites of their
// authors catch, and what points at the others.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/audit/checks.hpp"
#include "harness/coverage/cases.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/suite/runner.hpp"
#include "harness/suite/vector_writer.hpp"
#include "harness/testing/folder_test.hpp"

namespace callgate::suite {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const fs::path kFolder = fs::path(CALLGATE_SOURCE_DIR) / "corpus" / "suites" / "faults";

// A line of expected.txt: NAME | caught | CASES, NAME | missed | WHERE | WHAT.
struct Fault {
  std::string name;
  bool caught = false;
  std::string where;  // of missed: coverage, cases or audit
  std::string what;
};

// How GoogleTest shows one.
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> out;
  for (std::size_t start = 0; start <= line.size();) {
    const std::size_t end = std::min(line.find(" | ", start), line.size());
    out.push_back(line.substr(start, end - start));
    start = end + 3;
  }
  return out;
}

std::vector<Fault> faults() {
  std::vector<Fault> out;
  std::ifstream in(kFolder / "expected.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::vector<std::string> columns = columns_of(line);
    Fault made{.name = columns[0], .caught = false, .where = {}, .what = columns.back()};
    made.caught = columns.size() == 3 && columns[1] == "caught";
    if (columns.size() == 4 && columns[1] == "missed") made.where = columns[2];
    out.push_back(std::move(made));
  }
  return out;
}

std::vector<Fault> missed() {
  std::vector<Fault> out = faults();
  std::erase_if(out, [](const Fault& each) { return each.caught; });
  return out;
}

// A suite that was run.
struct Ran {
  std::vector<Suite> suites;
  std::optional<Plan> plan{};
  std::vector<std::string> failed;  // names of cases
  std::vector<std::string> passed;
  std::vector<std::string> hints;  // of the failures

  [[nodiscard]] Target& target() const { return *plan->targets().front().target; }
};

// The author's suite, of the profile or of its correct twin. Filters that have none stay.
void run(const std::string& name, bool twin, Ran& out) {
  auto read = read_suite_file((kFolder / (name + ".yaml")).string());
  ASSERT_TRUE(read) << to_string(read.error());
  out.suites = std::move(*read);
  std::size_t twins = 0;
  for (FilterName& filter : out.suites.at(0).filters) {
    const fs::path path(filter.path);
    const fs::path good =
        path.parent_path() / (path.stem().string() + ".good" + path.extension().string());
    if (!fs::exists(good)) continue;
    ++twins;
    if (twin) filter.path = good.string();
  }
  ASSERT_EQ(twins, 1U) << name << " has no twin, or two";
  RunOptions options;
  options.coverage = true;
  auto plan = Plan::make(out.suites, options);
  ASSERT_TRUE(plan) << to_string(plan.error());
  out.plan.emplace(std::move(*plan));
  const auto loaded = out.plan->load();
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  for (const CaseResult& each : out.plan->run(options).cases) {
    (each.status == Status::Passed ? out.passed : out.failed).push_back(each.name);
    for (const Failure& failure : each.failures) out.hints.push_back(failure.hint);
  }
}

// "errno EPERM: ptrace [x86_64] and 2 more"
std::string words_of(const std::vector<std::string>& failed) {
  if (failed.empty()) return "nothing";
  return failed.size() == 1 ? failed[0]
                            : fmt::format("{} and {} more", failed[0], failed.size() - 1);
}

// "line 6: bpf, not visited", "instruction 1 to 0007, not visited": what coverage points at, and
// the call with which it does.
std::map<std::string, std::optional<SeccompData>> gaps_of(const coverage::Report& report) {
  std::map<std::string, std::optional<SeccompData>> out;
  const auto add = [&](const std::string& words, const coverage::Point& point) {
    if (point.state == coverage::State::Covered) return;
    out[fmt::format("{}, {}", words, coverage::to_string(point.state))] = point.would;
  };
  for (const coverage::RuleCoverage& rule : report.rules) {
    add(fmt::format("line {}: {}", rule.line, rule.call), rule.point);
  }
  for (const coverage::ProgramCoverage& program : report.programs) {
    for (const auto& [at, branch] : program.branches) {
      const Instruction& jump = program.program[at];
      add(fmt::format("instruction {} to {:04}", at, at + 1 + jump.jt), branch.taken);
      add(fmt::format("instruction {} to {:04}", at, at + 1 + jump.jf), branch.not_taken);
    }
  }
  return out;
}

// "write(0x3): ALLOW": the calls that `callgate cases` lists.
std::map<std::string, SeccompData> calls_of(Target& target) {
  std::map<std::string, SeccompData> out;
  const coverage::Cases found =
      coverage::cases_of(target.stack(), target.endings(), target.meaning(), {});
  for (const coverage::Case& each : found.cases) {
    if (!each.verdict) continue;
    out[fmt::format("{}: {}", explicit_call_text(each.data, target.model().arch),
                    result_text(each.verdict->value))] = each.data;
  }
  return out;
}

// Sentences of `callgate audit`, with their ids before them.
std::vector<std::string> findings_of(const Target& target) {
  std::vector<audit::Layer> layers;
  for (const filters::FilterFile& file : target.files()) layers.push_back({file.path, file.policy});
  std::vector<std::string> out;
  for (const audit::Finding& each : audit::audit(target.stack(), std::move(layers)).found) {
    out.push_back(fmt::format("{}: {}", audit::info(each.id).name, each.message));
  }
  return out;
}

// Whether a finding of an id speaks of a call.
bool finds(const std::vector<std::string>& findings, const std::string& id,
           const std::string& call) {
  return std::ranges::any_of(findings, [&](const std::string& each) {
    return each.starts_with(id + ":") && each.find(call) != std::string::npos;
  });
}

class SeededFault : public ::testing::TestWithParam<Fault> {};

TEST_P(SeededFault, is_caught_or_missed_as_the_table_says) {
  Ran ran;
  run(GetParam().name, false, ran);
  if (HasFatalFailure()) return;
  EXPECT_EQ(words_of(ran.failed), GetParam().caught ? GetParam().what : "nothing");
}

TEST_P(SeededFault, is_not_in_the_twin_of_which_the_suite_holds) {
  Ran ran;
  run(GetParam().name, true, ran);
  if (HasFatalFailure()) return;
  EXPECT_THAT(ran.failed, IsEmpty());
  EXPECT_FALSE(ran.passed.empty());
}

class MissedFault : public SeededFault {};

TEST_P(MissedFault, is_pointed_at) {
  const Fault& fault = GetParam();
  Ran ran;
  Ran twin;
  run(fault.name, false, ran);
  run(fault.name, true, twin);
  if (HasFatalFailure()) return;
  if (fault.where == "audit") {
    const std::string id = fault.what.substr(0, fault.what.find(':'));
    const std::string call = fault.what.substr(id.size() + 2);
    const std::vector<std::string> findings = findings_of(ran.target());
    EXPECT_TRUE(finds(findings, id, call)) << ::testing::PrintToString(findings);
    EXPECT_FALSE(finds(findings_of(twin.target()), id, call));
    return;
  }
  std::optional<SeccompData> shown;
  if (fault.where == "coverage") {
    const auto gaps = gaps_of(ran.plan->coverage(0));
    ASSERT_TRUE(gaps.contains(fault.what)) << ::testing::PrintToString(gaps);
    shown = gaps.at(fault.what);
    if (!shown) {
      EXPECT_THAT(fault.what, HasSubstr("unreachable"));
      EXPECT_FALSE(gaps_of(twin.plan->coverage(0)).contains(fault.what));
      return;
    }
  } else {
    ASSERT_EQ(fault.where, "cases");
    const auto calls = calls_of(ran.target());
    ASSERT_TRUE(calls.contains(fault.what)) << ::testing::PrintToString(calls);
    shown = calls.at(fault.what);
  }
  // It is about the mistake: without it the call gets something else.
  EXPECT_NE(ran.target().value(*shown), twin.target().value(*shown));
}

std::string test_name(const ::testing::TestParamInfo<Fault>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(corpus, SeededFault, ::testing::ValuesIn(faults()), test_name);
INSTANTIATE_TEST_SUITE_P(corpus, MissedFault, ::testing::ValuesIn(missed()), test_name);

TEST(Hint, says_that_a_filter_wants_a_negative_int_with_its_sign) {
  Ran ran;
  run("at_fdcwd_qword", false, ran);
  EXPECT_THAT(ran.hints, ElementsAre(HasSubstr("with its sign above 32 bits")));
}

TEST(Hint, says_that_runc_answers_for_young_calls) {
  Ran ran;
  run("capability_misspelt", false, ran);
  // ptrace is denied by the profile's default, process_vm_readv is above all that it names.
  EXPECT_THAT(ran.hints, ElementsAre("", HasSubstr("runc answers ENOSYS")));
}

TEST(FaultTable, has_each_suite_of_the_folder_once) {
  std::vector<std::string> listed;
  for (const Fault& each : faults()) {
    listed.push_back(each.name);
    EXPECT_TRUE(each.caught || !each.where.empty()) << each.name << ": a line that is not read";
  }
  std::vector<std::string> there;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") there.push_back(entry.path().stem().string());
  }
  EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(there));
  EXPECT_GE(listed.size(), 40U);
}

TEST(FaultTable, is_what_the_readme_shows) {
  const std::string readme = content(kFolder / "README.md");
  std::size_t caught = 0;
  const std::vector<Fault> all = faults();
  for (const Fault& each : all) {
    caught += each.caught ? 1 : 0;
    const std::size_t row = readme.find(fmt::format("| `{}` |", each.name));
    ASSERT_NE(row, std::string::npos) << each.name;
    const std::string line = readme.substr(row, readme.find('\n', row) - row);
    EXPECT_THAT(line,
                HasSubstr(each.caught ? fmt::format("| `{}` |", each.what)
                                      : fmt::format("missed; {}: `{}` |", each.where, each.what)));
  }
  EXPECT_THAT(readme, HasSubstr(fmt::format("{} of {} are caught", caught, all.size())));
}

}  // namespace
}  // namespace callgate::suite
