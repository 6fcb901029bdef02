#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "harness/suite/scmp/arch_sets.hpp"
#include "harness/suite/scmp/result_words.hpp"
#include "harness/suite/scmp/runner.hpp"
#include "harness/suite/scmp/tests_file.hpp"
#include "vm/actions.hpp"

namespace callgate::suite::scmp {
namespace {

std::vector<TestsFile> files() {
  std::vector<TestsFile> out;
  const auto paths = find_tests({CALLGATE_SOURCE_DIR "/corpus/suites/scmp"});
  EXPECT_TRUE(paths.has_value()) << to_string(paths.error());
  if (!paths) return out;
  for (const std::string& path : *paths) {
    auto file = read_tests(path);
    EXPECT_TRUE(file.has_value()) << to_string(file.error());
    if (file) out.push_back(std::move(*file));
  }
  return out;
}

TEST(ScmpSuites, all_lines_pass) {
  const RunResults results = run(files(), {.generators = CALLGATE_GENERATORS});
  for (const CaseResult& each : results.cases) {
    std::string why = each.note;
    for (const Failure& failure : each.failures) {
      why += fmt::format("\n  {}: expected {}, got {}", failure.call, failure.expected,
                         failure.actual);
    }
    EXPECT_TRUE(each.status == Status::Passed || each.status == Status::Absent)
        << each.suite << ":" << each.place.line << ": " << each.name << ": " << why;
  }
  EXPECT_GT(results.counts().passed, 1500U);
  // The native lines of the other byte order and width, valgrind, live.
  EXPECT_LT(results.counts().absent, 15U);
}

// What the format can say is said somewhere.
TEST(ScmpSuites, every_form_of_a_column_is_used) {
  std::set<std::string> terms;
  std::set<TestType> types;
  std::set<std::string> words;
  std::set<Arch> named;
  std::size_t lines = 0;
  bool syscall_name = false;
  bool negative = false;
  bool syscall_range = false;
  std::array<bool, 6> argument_ranges{};
  std::array<bool, 6> absent{};
  bool wide = false;
  for (const TestsFile& file : files()) {
    for (const DataLine& line : file.lines) {
      ++lines;
      types.insert(line.type);
      words.insert(line.result.substr(0, line.result.find('(')));
      if (line.type != TestType::BpfSim) continue;
      syscall_name |= !line.syscall.empty();
      negative |= line.first_number < 0;
      syscall_range |= line.first_number != line.last_number;
      for (std::size_t i = 0; i < 6; ++i) {
        const auto& argument = line.arguments[i];
        absent[i] |= !argument.has_value();
        argument_ranges[i] |= argument && argument->first != argument->last;
        wide |= argument && argument->first > 0xffffffffU;
      }
      for (const ArchTerm& term : line.arches) {
        terms.insert(fmt::format("{}{}", static_cast<int>(term.sign),
                                 term.set ? static_cast<int>(*term.set) : -1));
      }
      for (const Arch each : arches_of(line.arches, host_arch())) named.insert(each);
    }
  }
  EXPECT_GE(lines, 300U);
  EXPECT_EQ(types.size(), 5U);
  // A native name, five native groups, + with a name and four groups, - with a name.
  EXPECT_EQ(terms.size(), 1U + 5U + 1U + 4U + 1U);
  EXPECT_EQ(named.size(), arches().size());
  EXPECT_TRUE(syscall_name && negative && syscall_range && wide);
  EXPECT_EQ(std::ranges::count(absent, true), 6);
  EXPECT_GE(std::ranges::count(argument_ranges, true), 5);
  for (const ActionInfo& row : actions()) {
    const auto word = result_word(static_cast<std::uint32_t>(row.action), KernelModel{});
    ASSERT_TRUE(word.has_value());
    EXPECT_TRUE(words.contains(word->substr(0, word->find('(')))) << *word;
  }
}

}  // namespace
}  // namespace callgate::suite::scmp
