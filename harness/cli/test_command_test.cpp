// `callgate init` and `callgate test` as a person meets them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SuiteCommandFixture : public FilterCommandFixture {
 protected:
  void SetUp() override {
    FilterCommandFixture::SetUp();
    passing_ = suite("passing", "expect:\n  - allow: getpid\n  - errno EPERM: [read, open]\n");
    failing_ = suite("failing", "expect:\n  - allow: [getpid, write, read]\n");
  }
  std::string suite(const std::string& name, const std::string& rest) const {
    return file(name + ".yaml", "filter: filter\narch: x86_64\n" + rest);
  }

  std::string passing_;
  std::string failing_;
};

TEST_F(SuiteCommandFixture, exit_codes_say_how_it_went) {
  const Ended well = run({"test", passing_});
  EXPECT_EQ(well.code, 0) << well.err;
  EXPECT_THAT(well.out, HasSubstr("3 passed"));
  const Ended no = run({"test", failing_});
  EXPECT_EQ(no.code, 1);
  EXPECT_THAT(no.out,
              AllOf(HasSubstr("allow: write"), HasSubstr("ERRNO(1)"), HasSubstr("failing.yaml:4")));
  // The place is one that an editor opens.
  EXPECT_THAT(no.out, HasSubstr("   " + failing_ + ":4:"));
  EXPECT_EQ(run({"test", passing_, failing_}).code, 1);
  // What cannot be read.
  const Ended nothing = run({"test", (folder_ / "none.yaml").string()});
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("none.yaml"));
  const Ended wrong = run({"test", suite("wrong", "expect:\n  - allow: [raed]\n")});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("wrong.yaml:4:13: raed: character 1: "));
  EXPECT_EQ(run({"test"}).code, 2);
  EXPECT_EQ(run({"test", file("other.yaml", "filter: none\nexpect: [{allow: read}]\n")}).code, 2);
  const Ended empty = run({"test", suite("empty", "")});
  EXPECT_EQ(empty.code, 2);
  EXPECT_THAT(empty.err, HasSubstr("there are no cases in it"));
}

TEST_F(SuiteCommandFixture, a_suite_that_asks_nothing_is_never_green) {
  const std::string one = suite("one", "");
  const std::string two = suite("two", "recorded: [{calls: []}]\n");
  const Ended empty = run({"test", passing_, one, two});
  EXPECT_EQ(empty.code, 2);
  EXPECT_THAT(empty.err, HasSubstr("one.yaml:1:9: there are no cases in it, nor in "));
  EXPECT_THAT(empty.err, HasSubstr("two.yaml:1:9"));
  EXPECT_EQ(run({"test", "--arch", "x86_64", passing_, one}).code, 2);
  // For machines that the suite does not name.
  const Ended other = run({"test", "--strict", passing_,
                           suite("other", "expect:\n  - allow: getpid\n    arch: aarch64\n")});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("other.yaml:5:11: aarch64 is not among the suite's "
                                   "architectures (x86_64)\n"));
  const std::string abi =
      suite("abi", "expect:\n  - allow: getpid\n  - {deny: '@unknown', arch: [x86_64, x86]}\n");
  const Ended meant = run({"test", abi});
  EXPECT_EQ(meant.code, 2);
  EXPECT_THAT(meant.err, HasSubstr("abi.yaml:5:30: x86 is not among the suite's architectures "
                                   "(x86_64); for its calls on x86_64 write `abi: x86`"));
  const Ended kernel = run({"test", suite("kernel",
                                          "kernel: [5.10, 6.1]\nrecorded:\n"
                                          "  - {kernel: 5.15, calls: {read(): ERRNO(1)}}\n")});
  EXPECT_EQ(kernel.code, 2);
  EXPECT_THAT(kernel.err, HasSubstr("kernel.yaml:5:14: 5.15 is not among the suite's versions of "
                                    "Linux (5.10, 6.1)"));
  // The command's own machines leave out what is for others.
  const Ended chosen = run({"test", "--arch", "x86_64", abi, passing_});
  EXPECT_EQ(chosen.code, 0) << chosen.err;
  EXPECT_EQ(run({"test", "--arch", "riscv64", abi, passing_}).code, 1);
  const std::string both = file("both.yaml",
                                "filter: filter\narch: [x86_64, arm]\nexpect:\n"
                                "  - {allow: getpid, arch: x86_64}\n");
  const Ended left = run({"test", "--arch", "arm", both});
  EXPECT_EQ(left.code, 2);
  EXPECT_THAT(left.err, HasSubstr("no case is left: what is for other machines"));
  EXPECT_EQ(run({"test", "--arch", "arm", both, passing_, "-k", "read"}).code, 0);
  EXPECT_EQ(run({"test", "-k", "getpid", passing_, both}).code, 0);
}

TEST_F(SuiteCommandFixture, templates_that_nothing_uses_are_checked) {
  const auto with = [&](const std::string& expect) {
    return run({"test", suite("t", "templates: {t: {parameters: p, expect: [" + expect +
                                       "]}}\nexpect: [{allow: getpid}]\n")});
  };
  const Ended verb = with("{allwo: [read]}");
  EXPECT_EQ(verb.code, 2);
  EXPECT_THAT(verb.err, AllOf(HasSubstr("t.yaml:3:42: "), HasSubstr("allwo")));
  const Ended call = with("{'errno {p}': ['{p}', reed]}");
  EXPECT_EQ(call.code, 2);
  EXPECT_THAT(call.err, HasSubstr("t.yaml:3:63: reed: character 1: "));
  const Ended well = with("{'errno {p}': ['{p}', read, socketcall]}");
  EXPECT_EQ(well.code, 0) << well.err;
  EXPECT_THAT(well.out, HasSubstr("1 case: 1 passed"));
}

TEST_F(SuiteCommandFixture, an_included_file_may_be_for_more_machines) {
  file("common.yaml",
       "expect:\n  - allow: getpid\n  - {errno EPERM: getpid, arch: [arm]}\n"
       "  - {errno EPERM: read, kernel: 5.10}\n");
  const Ended ended = run({"test", suite("s", "include: common.yaml\n")});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("1 case: 1 passed"));
  EXPECT_THAT(ended.err, AllOf(HasSubstr("common.yaml:3:33: arm is not among the suite's "
                                         "architectures (x86_64): left out\n"),
                               HasSubstr("common.yaml:4:33: 5.10 is not among")));
}

TEST_F(SuiteCommandFixture, what_is_not_there_passes_but_where_it_is_strict) {
  const std::string absent = suite("absent", "expect:\n  - deny: [socketcall, read]\n");
  EXPECT_EQ(run({"test", absent}).code, 0);
  EXPECT_EQ(run({"test", "--strict", absent}).code, 1);
}

TEST_F(SuiteCommandFixture, a_suite_may_come_on_standard_input) {
  const Ended ended =
      run({"test", "-"}, "filter: " + filter_ + "\narch: x86_64\nexpect: [{allow: getpid}]\n");
  EXPECT_EQ(ended.code, 0) << ended.err;
  const Ended wrong = run({"test", "-"}, "filter: x\nfiltre: y\n");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("standard input:2:1: "));
}

TEST_F(SuiteCommandFixture, cases_are_listed_chosen_and_dealt_out) {
  EXPECT_EQ(run({"test", "--list", passing_}).out,
            "allow: getpid [x86_64]\nerrno EPERM: read [x86_64]\nerrno EPERM: open [x86_64]\n");
  EXPECT_EQ(run({"test", "--list", "-k", "errno*", passing_}).out,
            "errno EPERM: read [x86_64]\nerrno EPERM: open [x86_64]\n");
  EXPECT_EQ(run({"test", "--list", "--shard", "2/2", passing_}).out,
            "errno EPERM: read [x86_64]\n");
  EXPECT_EQ(run({"test", "--list", "--arch", "arm,aarch64", "-k", "getpid", passing_}).out,
            "allow: getpid [arm]\nallow: getpid [aarch64]\n");
  EXPECT_EQ(run({"test", "-k", "getpid", failing_}).code, 0);
  EXPECT_EQ(run({"test", "-k", "nothing", failing_}).code, 2);
  for (const char* const each : {"0/2", "3/2", "2", "a/b", "1/", "/2", "1/2/3", "-1/2"}) {
    const Ended wrong = run({"test", "--shard=" + std::string(each), passing_});
    EXPECT_EQ(wrong.code, 2) << each;
    EXPECT_THAT(wrong.err, HasSubstr("1/4")) << each;
  }
  // A part of few cases may have none.
  const std::string junit = (folder_ / "none.xml").string();
  const Ended part = run({"test", "--shard", "4/4", "--report", "junit=" + junit, passing_});
  EXPECT_EQ(part.code, 0) << part.err;
  EXPECT_THAT(part.err, HasSubstr("--shard 4/4: none of the 3 cases is in it"));
  EXPECT_THAT(part.out, HasSubstr("0 cases"));
  EXPECT_THAT(content(junit), HasSubstr("tests=\"0\""));
  EXPECT_EQ(run({"test", "--shard", "2/2", "-k", "open", passing_}).code, 0);
  EXPECT_EQ(run({"test", "--shard", "1/2", "-k", "nothing", passing_}).code, 2);
  const Ended fast = run({"test", "--fail-fast", "-j", "1", failing_});
  EXPECT_EQ(fast.code, 1);
  EXPECT_THAT(fast.out, Not(HasSubstr("allow: read")));
}

TEST_F(SuiteCommandFixture, a_kernel_that_is_not_asked_is_no_secret) {
  const Ended fast = run({"test", "--live", "--fail-fast", "-j", "1", failing_});
  EXPECT_EQ(fast.code, 1);
  EXPECT_THAT(fast.err, HasSubstr("--live: the running kernel was not asked: --fail-fast ended the "
                                  "run before 1 case\n"));
}

TEST_F(SuiteCommandFixture, tests_of_libseccomp_take_what_means_something_there) {
  const std::string tests = file("02-two.tests", "test type: basic\n02-two\n02-two\n");
  const std::string generator = file("02-two.sh", "#!/bin/sh\ntouch started\n");
  std::filesystem::permissions(generator, std::filesystem::perms::owner_all);
  const std::vector<std::string> words{"test", "--scmp", "--generators", folder_.string(), tests};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), words.begin(), words.end());
    return run(more);
  };
  EXPECT_EQ(with({"--list"}).out, "02-two%%001\n02-two%%002\n");
  EXPECT_EQ(with({"--list", "--shard", "2/2"}).out, "02-two%%002\n");
  EXPECT_EQ(with({"--list", "-k", "02*1"}).out, "02-two%%001\n");
  const Ended part = with({"--shard", "3/3"});
  EXPECT_EQ(part.code, 0) << part.err;
  EXPECT_THAT(part.err, HasSubstr("--shard 3/3: none of the 2 cases is in it"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "started"));
  EXPECT_THAT(with({"--shard", "1/2"}).out, HasSubstr("1 case: 1 passed"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "started"));
  const Ended none = with({"-k", "nomatch"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("no case is left"));
  for (const std::vector<std::string>& each :
       std::vector<std::vector<std::string>>{{"--min-coverage", "90"},
                                             {"--coverage", "text"},
                                             {"--live"},
                                             {"--update"},
                                             {"--kernel", "5.10,6.1"}}) {
    const Ended wrong = with(each);
    EXPECT_EQ(wrong.code, 2) << each[0];
    EXPECT_THAT(wrong.err, AllOf(HasSubstr(each[0]), HasSubstr("--scmp"))) << each[0];
  }
  EXPECT_EQ(run({"test", "--generators", ".", passing_}).code, 2);
}

TEST_F(SuiteCommandFixture, reports_are_written_in_several_formats_at_once) {
  const std::string junit = (folder_ / "tests.xml").string();
  const std::string json = (folder_ / "tests.json").string();
  const Ended ended = run({"test", "--format", "tap", "--report", "junit=" + junit, "--report",
                           "json=" + json, failing_});
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("not ok"));
  EXPECT_THAT(content(junit), AllOf(HasSubstr("<testsuite"), HasSubstr("failures=\"2\"")));
  const auto document = nlohmann::json::parse(content(json));
  EXPECT_TRUE(document.is_object());
  for (const char* const each : {"junit", "nothing=x"}) {
    EXPECT_EQ(run({"test", "--report", each, passing_}).code, 2) << each;
  }
  EXPECT_EQ(run({"test", "--format", "nothing", passing_}).code, 2);
  EXPECT_EQ(run({"test", "--report", "junit=/nowhere/at/all.xml", passing_}).code, 2);
}

TEST_F(SuiteCommandFixture, coverage_is_written_and_may_be_too_little) {
  const std::string lcov = (folder_ / "filter.info").string();
  const Ended ended = run({"test", "--coverage", "lcov=" + lcov, passing_});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(content(lcov), AllOf(HasSubstr("SF:"), HasSubstr("end_of_record")));
  const Ended little = run({"test", "--min-coverage", "100", passing_});
  EXPECT_EQ(little.code, 1);
  EXPECT_THAT(little.out, HasSubstr("coverage of instructions: at least 100 %"));
  EXPECT_EQ(run({"test", "--min-coverage", "instructions=10", passing_}).code, 0);
  EXPECT_EQ(run({"test", "--min-coverage", "instructions=10.5%,branches=1%", passing_}).code, 0);
  EXPECT_THAT(run({"test", "--min-coverage", "92.5", passing_}).out, HasSubstr("at least 92.5 %"));
  const std::string all = suite("all", "expect: [{never kill: '*'}]\n");
  EXPECT_EQ(run({"test", "--min-coverage", "instructions=100,branches=100", all}).code, 0);
  for (const char* const each :
       {"101", "lines=1", "", "branches=", "branches=1,", "100.5", "9%%"}) {
    EXPECT_EQ(run({"test", std::string("--min-coverage=") + each, passing_}).code, 2) << each;
  }
  EXPECT_EQ(run({"test", "--coverage", "nothing", passing_}).code, 2);
}

TEST_F(SuiteCommandFixture, recorded_verdicts_are_updated_and_nothing_else) {
  const std::string path = suite(
      "recorded", "recorded: # of today\n  - write(1): ALLOW # so\n    read(): LOG # not so\n");
  EXPECT_EQ(run({"test", path}).code, 1);
  const std::string before = content(path);
  const Ended updated = run({"test", "--update", path});
  EXPECT_EQ(updated.code, 0) << updated.err;
  EXPECT_THAT(updated.out,
              AllOf(HasSubstr("read(): LOG -> ERRNO(1)"), HasSubstr("1 recorded verdict changed")));
  std::string after = before;
  after.replace(after.find("LOG"), 3, "ERRNO(1)");
  EXPECT_EQ(content(path), after);
  EXPECT_THAT(run({"test", "--update", path}).out, HasSubstr("0 recorded verdicts changed"));
  // Machines that do not agree: nothing is written.
  const std::string two =
      file("two.yaml", "filter: filter\narch: [x86_64, arm]\nrecorded: [{write(1): LOG}]\n");
  const std::string untouched = content(two);
  EXPECT_EQ(run({"test", "--update", two}).code, 2);
  EXPECT_EQ(content(two), untouched);
  EXPECT_EQ(run({"test", "--update", "-"},
                "filter: " + filter_ + "\narch: x86_64\nrecorded: [{read(): LOG}]\n")
                .code,
            2);
}

TEST_F(SuiteCommandFixture, a_first_suite_passes_and_is_not_written_over) {
  const std::string path = (folder_ / "first.yaml").string();
  const Ended made = run({"init", "--arch", "x86_64,aarch64", "-o", path, filter_});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(run({"test", path}).code, 0);
  const std::string before = content(path);
  const Ended again = run({"init", "--arch", "x86_64", "-o", path, filter_});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("--force"));
  EXPECT_EQ(content(path), before);
  EXPECT_EQ(run({"init", "--arch", "x86_64", "--force", "-o", path, filter_}).code, 0);
  EXPECT_NE(content(path), before);
  const Ended printed = run({"init", "--arch", "x86_64", filter_});
  EXPECT_THAT(printed.out, HasSubstr("callgate: 1\n"));
  EXPECT_EQ(run({"test", "-"}, printed.out).code, 0);
  // The filter is another one now.
  file("filter", "{0x06, 0, 0, 0x00050001}");
  const Ended changed = run({"test", path});
  EXPECT_EQ(changed.code, 1);
  EXPECT_THAT(changed.out, HasSubstr("allow: getpid"));
  EXPECT_EQ(run({"init", (folder_ / "none").string()}).code, 2);
  EXPECT_EQ(run({"init"}).code, 2);
}

}  // namespace
}  // namespace callgate
