// `callgate cases` as a person meets it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

using CasesCommand = FilterCommandFixture;

TEST_F(CasesCommand, writes_a_section_of_a_suite) {
  const Ended said = run({"cases", "-f", filter_, "--arch", "x86_64", "--no-neighbours"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("\nrecorded:\n"));
  EXPECT_THAT(said.out, HasSubstr("  - getpid(): ALLOW\n"));
  EXPECT_THAT(said.out, HasSubstr("  - write(0x1): ALLOW\n"));
  EXPECT_THAT(said.out, HasSubstr("  - write(): ERRNO(1)\n"));
  EXPECT_THAT(said.out, HasSubstr("  # instruction "));
}

TEST_F(CasesCommand, has_neighbours_unless_told_otherwise) {
  const Ended said = run({"cases", "-f", filter_, "--arch", "x86_64"});
  EXPECT_THAT(said.out, HasSubstr("  # beside it\n"));
  EXPECT_THAT(said.out, HasSubstr("  - write(0x2): ERRNO(1)\n"));
  // The filter does not look at the upper half.
  EXPECT_THAT(said.out, HasSubstr("  - write(0xdeadbeef00000001): ALLOW\n"));
}

// Each call of every form is what `callgate run` says of it.
TEST_F(CasesCommand, says_what_running_says) {
  const Ended said = run({"cases", "-f", filter_, "--arch", "x86_64", "--format", "json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const json document = json::parse(said.out);
  ASSERT_GT(document["cases"].size(), 5U);
  for (const json& each : document["cases"]) {
    std::vector<std::string> words{
        "run",    "-f",       filter_, "--arch",
        "x86_64", "--format", "json",  std::to_string(each["nr"].get<int>())};
    for (const json& value : each["args"]) words.push_back(value);
    const Ended ran = run(words);
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(json::parse(ran.out)["value"], each["value"]) << each;
  }
  EXPECT_TRUE(document["left_out"].empty());
}

TEST_F(CasesCommand, writes_what_a_suite_can_hold) {
  for (const char* per : {"branch", "path", "verdict"}) {
    const Ended said = run({"cases", "-f", filter_, "--arch", "x86_64", "--per", per});
    ASSERT_EQ(said.code, 0) << said.err;
    const std::string suite =
        file("suite.yaml", "callgate: 1\nfilter: " + filter_ + "\narch: x86_64\n" + said.out);
    const Ended tested = run({"test", suite});
    EXPECT_EQ(tested.code, 0) << tested.out << tested.err << said.out;
    std::string other = said.out;
    const std::size_t allowed = other.find("): ALLOW");
    ASSERT_NE(allowed, std::string::npos);
    other.replace(allowed, 8, "): LOG");
    const std::string wrong =
        file("wrong.yaml", "callgate: 1\nfilter: " + filter_ + "\narch: x86_64\n" + other);
    EXPECT_EQ(run({"test", wrong}).code, 1);
  }
}

TEST_F(CasesCommand, covers_all_that_can_be_covered) {
  const Ended said = run({"cases", "-f", filter_, "--arch", "x86_64", "--no-neighbours"});
  const std::string head = "callgate: 1\nfilter: " + filter_ + "\narch: x86_64\n";
  const Ended all = run({"test", "--min-coverage", "100", file("all.yaml", head + said.out)});
  EXPECT_EQ(all.code, 0) << all.out << all.err;
  // Each of them is needed.
  const std::size_t line = said.out.find("  - write(0x1)");
  ASSERT_NE(line, std::string::npos);
  const std::string fewer =
      said.out.substr(0, line) + said.out.substr(said.out.find('\n', line) + 1);
  EXPECT_EQ(run({"test", "--min-coverage", "100", file("fewer.yaml", head + fewer)}).code, 1);
}

TEST_F(CasesCommand, restricts_calls_to_abis) {
  const Ended said =
      run({"cases", "-f", filter_, "--arch", "x86_64", "--abi", "x86", "--format", "text"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("\nx86:"));
  EXPECT_THAT(said.out, Not(HasSubstr("\ngetpid")));
  const Ended wrong = run({"cases", "-f", filter_, "--abi", "vax"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--abi vax: not an architecture"));
}

TEST_F(CasesCommand, says_that_there_are_more_paths) {
  const Ended said = run({"cases", "-f", filter_, "--arch", "x86_64", "--per", "path", "--most",
                          "2", "--no-neighbours"});
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.out, HasSubstr("# Left out: there are more than 2 paths"));
}

TEST_F(CasesCommand, gives_the_errors_of_a_filter_that_is_refused) {
  const Ended said = run({"cases", "-f", file("bad", "{0x06, 0, 0, 0}, {0x05, 0, 0, 0}")});
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.err, HasSubstr("EINVAL"));
}

}  // namespace
}  // namespace callgate
