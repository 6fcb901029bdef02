// `callgate report` as a person meets it; harness/report/page has the tests of the page.

#include <gmock/gmock.h>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Report : public FilterCommandFixture {};

TEST_F(Report, writes_a_page_and_says_nothing) {
  const std::string out = (folder_ / "report.html").string();
  const Ended ended = run({"report", "-f", filter_, "-o", out, "--arch", "x86_64"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(content(out), StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(content(out), HasSubstr("\"cost\":null"));
}

TEST_F(Report, the_page_goes_to_standard_output_too_with_costs_and_another_stack) {
  const Ended ended = run({"report", "-f", filter_, "-o", "-", "--arch", "x86_64", "--cost",
                           "--workload", file("calls", "getpid 3\n"), "--diff", filter_});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, HasSubstr("\"count\":3"));
  EXPECT_THAT(ended.out, Not(HasSubstr("\"other\":null")));
}

TEST_F(Report, a_refused_filter_has_no_page) {
  const std::string out = (folder_ / "report.html").string();
  const Ended ended = run({"report", "-f", file("bad", "1\n32 0 0 0\n"), "-o", out});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("EINVAL"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(Report, shows_what_a_suite_covered) {
  const std::string suite = file("suite.yaml",
                                 "filter: filter\narch: [x86_64]\nrecorded:\n"
                                 "  - getpid(): ALLOW\n");
  const std::string coverage = (folder_ / "coverage.json").string();
  ASSERT_EQ(run({"test", "--coverage", "json=" + coverage, suite}).code, 0);
  const Ended ended =
      run({"report", "-f", filter_, "-o", "-", "--arch", "x86_64", "--coverage", coverage});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("\"coverage\":{\"inputs\":1,\"proofs\":0"));
  EXPECT_THAT(ended.out, HasSubstr("\"percent\":\"42.8 %\""));
}

TEST_F(Report, coverage_of_another_program_or_that_cannot_be_read_makes_no_page) {
  const std::string suite = file("suite.yaml",
                                 "filter: filter\narch: [x86_64]\nrecorded:\n"
                                 "  - getpid(): ALLOW\n");
  const std::string coverage = (folder_ / "coverage.json").string();
  ASSERT_EQ(run({"test", "--coverage", "json=" + coverage, suite}).code, 0);
  const std::string out = (folder_ / "report.html").string();
  const auto refused = [&](const std::string& filter, const std::string& arch,
                           const std::string& by) {
    const Ended ended = run({"report", "-f", filter, "-o", out, "--arch", arch, "--coverage", by});
    EXPECT_EQ(ended.code, 2);
    EXPECT_FALSE(std::filesystem::exists(out));
    return ended.err;
  };
  const std::string other = file("other", "1\n6 0 0 2147418112\n");
  EXPECT_THAT(refused(other, "x86_64", coverage), HasSubstr("coverage.json: it says nothing of"));
  EXPECT_THAT(refused(filter_, "s390x", coverage), HasSubstr("give --arch x86_64"));
  EXPECT_THAT(refused(filter_, "x86_64", file("bad.json", "{\n  \"callgate\": 1,\n  1}")),
              HasSubstr("bad.json: line 3, column 3: "));
  EXPECT_THAT(refused(filter_, "x86_64", file("part.json", "{\"callgate\": 1}")),
              HasSubstr("part.json: line 1, column 1: `inputs` is missing"));
  EXPECT_THAT(refused(filter_, "x86_64", (folder_ / "none.json").string()),
              HasSubstr("No such file"));
}

TEST_F(Report, wrong_use_says_what_to_do) {
  EXPECT_THAT(run({"report", "-f", filter_}).err, HasSubstr("--output is required"));
  const Ended workload = run({"report", "-f", filter_, "-o", "-", "--workload", "none"});
  EXPECT_EQ(workload.code, 2);
  EXPECT_THAT(workload.err, HasSubstr("--cost"));
  const Ended missing = run({"report", "-f", (folder_ / "none").string(), "-o", "-"});
  EXPECT_EQ(missing.code, 2);
  const Ended folder =
      run({"report", "-f", filter_, "-o", (folder_ / "none" / "report.html").string()});
  EXPECT_EQ(folder.code, 2);
  EXPECT_THAT(folder.err, HasSubstr("could not be written"));
}

}  // namespace
}  // namespace callgate
