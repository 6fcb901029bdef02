#include "harness/suite/reporters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "harness/suite/clean_text.hpp"
#include "harness/suite/hostile_results.hpp"

namespace callgate::suite {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded next = first_character(text);
    if (!next.valid) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

std::string written(std::string_view name, const RunResults& results, ReportOptions options = {}) {
  return reporter_from_name(name)->write(results, options);
}

RunResults usual_results() {
  RunResults out = hostile_results();
  out.cases.resize(5);
  out.not_run = 0;
  return out;
}

TEST(CleanText, knows_what_is_no_utf8) {
  for (const std::string_view text :
       {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xff", "\xe2\x82("}) {
    EXPECT_FALSE(first_character(text).valid) << one_line(text);
    EXPECT_EQ(first_character(text).length, 1U);
  }
  EXPECT_EQ(first_character("\xf0\x9f\x98\x80").point, 0x1f600U);
  EXPECT_EQ(first_character("\xe2\x82\xac").point, 0x20acU);
  EXPECT_EQ(first_character("\xc3\xa4").point, 0xe4U);
}

TEST(CleanText, a_line_does_nothing_to_a_terminal) {
  EXPECT_EQ(one_line("a\n\x1b[31m\t\x7f\xc2\x85"), "a\\n\\x1b[31m\\t\\x7f\\x85");
  EXPECT_EQ(one_line("\xe2\x80\xae\xff\xc3\xa4"), "\\u202e\\xff\xc3\xa4");
}

TEST(CleanText, numbers_are_grouped_by_thousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(12034), "12,034");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(Reporters, are_found_by_name) {
  EXPECT_EQ(reporters().size(), 6U);
  for (const Reporter& each : reporters()) EXPECT_EQ(reporter_from_name(each.name), &each);
  EXPECT_EQ(reporter_from_name("xml"), nullptr);
}

TEST(Reporters, write_text_whatever_names_hold) {
  for (const Reporter& each : reporters()) {
    const std::string text = each.write(hostile_results(), {});
    EXPECT_TRUE(is_utf8(text)) << each.name;
    EXPECT_EQ(text.find('\0'), std::string::npos) << each.name;
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << each.name;
    EXPECT_EQ(text.find('\r'), std::string::npos) << each.name;
    EXPECT_THAT(text, EndsWith("\n")) << each.name;
  }
}

TEST(TextReporter, shows_what_did_not_pass_and_counts_all) {
  EXPECT_EQ(written("text", usual_results()),
            "suites/default_test.yaml\n"
            "FAILED  errno EPERM: socket(AF_VSOCK, *, *) [x86_64]   suites/default_test.yaml:12:7\n"
            "  because guests may not talk to the host\n"
            "  for Linux 6.18 x86_64\n"
            "  socket(AF_VSOCK)\n"
            "    expected  ERRNO(1), EPERM\n"
            "    actual    ALLOW: executes\n"
            "    rule      rule for socket: ALLOW (default.json:40:3)\n"
            "    hint      the upper half of the argument is not compared\n"
            "  socket(0x100000028)\n"
            "    expected  ERRNO(1)\n"
            "    actual    ALLOW\n"
            "UNKNOWN deny: mul [x86_64]   suites/default_test.yaml:5:7\n"
            "  for Linux 6.18 x86_64\n"
            "  not proved: a product of two arguments is compared (tried 48 calls)\n"
            "absent  allow: open [aarch64] and 1 more   suites/default_test.yaml:5:7: aarch64 has "
            "no such call\n"
            "\n"
            "5 cases: 1 passed, 1 failed, 1 unknown (not proved), 2 absent, 0 errors in 0.42 s\n");
}

TEST(TextReporter, of_a_run_that_is_well_is_one_line) {
  RunResults results = usual_results();
  results.cases.resize(1);
  EXPECT_EQ(written("text", results),
            "1 case: 1 passed, 0 failed, 0 unknown, 0 absent, 0 errors in 0.42 s\n");
  EXPECT_THAT(written("text", results, {.verbose = true}),
              HasSubstr("passed  allow: read [x86_64]   suites/default_test.yaml:5:7\n"));
}

TEST(TextReporter, says_how_many_were_not_run) {
  RunResults results = usual_results();
  results.not_run = 1200;
  EXPECT_THAT(written("text", results), HasSubstr(", 0 errors, 1,200 not run in 0.42 s\n"));
}

TEST(TextReporter, shows_the_way_where_no_rule_says_more_or_when_told_so) {
  EXPECT_THAT(written("text", usual_results(), {.verbose = true}),
              HasSubstr("    way       0: ld [0]\n              1: jeq #0x29, 2, 3\n"));
  Failure failure;
  for (int i = 0; i < 100; ++i) failure.path.push_back("step " + std::to_string(i));
  const std::string cut = failure_lines(failure, "", false);
  EXPECT_THAT(cut, HasSubstr("  way       step 0\n"));
  EXPECT_THAT(cut,
              HasSubstr("step 3\n            … 88 more; -v shows them\n            step 92\n"));
  EXPECT_THAT(cut, EndsWith("step 99\n"));
  EXPECT_EQ(lines_of(cut).size(), 13U);
  EXPECT_EQ(lines_of(failure_lines(failure, "", true)).size(), 100U);
}

TEST(TextReporter, says_the_place_of_a_rule_once) {
  const std::string lines = failure_lines(
      {.rule = "line 4, column 2: rule for read", .rule_place = CasePlace{"a.json", 4, 2}}, "");
  EXPECT_THAT(lines, HasSubstr("rule      rule for read (a.json:4:2)\n"));
}

TEST(TextReporter, is_coloured_only_when_told_so) {
  EXPECT_THAT(written("text", usual_results(), {.colour = true}), HasSubstr("\x1b[31mFAILED "));
  EXPECT_THAT(written("text", usual_results()), Not(HasSubstr("\x1b")));
}

TEST(TapReporter, an_unknown_is_not_ok) {
  RunResults results = usual_results();
  EXPECT_THAT(written("tap", results),
              HasSubstr("not ok 3 - default_test.yaml: deny: mul [x86_64]\n  ---\n"));
  EXPECT_THAT(written("tap", results, {.accept_unknown = true}),
              HasSubstr("not ok 3 - default_test.yaml: deny: mul [x86_64] # TODO not proved: a "
                        "product of two arguments is compared (tried 48 calls)\n"));
}

TEST(TapReporter, what_a_machine_does_not_have_is_skipped_or_fails) {
  EXPECT_THAT(written("tap", usual_results()),
              HasSubstr("\nok 4 - default_test.yaml: allow: open [aarch64] # SKIP aarch64 has no "
                        "such call\n"));
  EXPECT_THAT(written("tap", usual_results(), {.absent_fails = true}),
              HasSubstr("\nnot ok 4 - default_test.yaml: allow: open [aarch64]\n"));
}

TEST(TapReporter, case_by_case_is_the_same_as_whole) {
  const RunResults results = hostile_results();
  std::string text = tap_begin(14);
  for (std::size_t i = 0; i < results.cases.size(); ++i) {
    text += tap_case(results.cases[i], i + 1, {});
  }
  EXPECT_EQ(text + tap_end(results), written("tap", results));
}

TEST(TapReporter, names_do_not_make_lines_of_their_own) {
  const RunResults results = hostile_results();
  const std::string text = written("tap", results);
  std::size_t points = 0;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with("ok ") || line.starts_with("not ok ")) ++points;
    EXPECT_FALSE(line.starts_with("Bail out!")) << line;
  }
  EXPECT_EQ(points, results.cases.size());
}

TEST(GithubReporter, puts_failures_first_and_folds_what_is_absent) {
  const auto lines = lines_of(written("github", usual_results()));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_THAT(lines[0], StartsWith("::error file=suites/default_test.yaml,line=12,col=7,"
                                   "title=failed%3A errno EPERM%3A socket(AF_VSOCK%2C *%2C *) "
                                   "[x86_64]::because guests may not talk to the host%0Asocket("));
  EXPECT_THAT(lines[1], StartsWith("::warning file=suites/default_test.yaml,line=5,col=7,"));
  EXPECT_EQ(lines[2],
            "::notice file=suites/default_test.yaml,line=5,col=7,title=absent%3A allow%3A open "
            "[aarch64] and 1 more::aarch64 has no such call");
  EXPECT_THAT(lines[3], StartsWith("5 cases: "));
}

TEST(GithubReporter, a_name_is_no_command) {
  const std::string text = written("github", hostile_results());
  for (const std::string& line : lines_of(text)) {
    const bool command = line.starts_with("::error ") || line.starts_with("::warning ") ||
                         line.starts_with("::notice ");
    EXPECT_TRUE(command || line.find("cases: ") != std::string::npos) << line;
    if (!command) continue;
    // The properties end at the first :: after them.
    const std::string properties = line.substr(2, line.find("::", 2) - 2);
    EXPECT_THAT(properties, HasSubstr("title="));
    EXPECT_EQ(properties.find(':'), std::string::npos) << properties;
  }
}

TEST(JunitReporter, what_is_not_proved_is_a_failure_where_it_is_not_accepted) {
  EXPECT_THAT(written("junit", usual_results()),
              HasSubstr("<failure type=\"unknown\" message=\"not proved: a product"));
  EXPECT_THAT(written("junit", usual_results(), {.accept_unknown = true}),
              HasSubstr("<skipped type=\"unknown\" message=\"not proved: a product"));
}

TEST(JunitReporter, counts_are_those_of_its_elements) {
  const auto times = [](const std::string& text, std::string_view part) {
    std::size_t out = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
      ++out;
    }
    return out;
  };
  const std::string lenient = written("junit", usual_results(), {.accept_unknown = true});
  EXPECT_THAT(lenient, HasSubstr("tests=\"5\" failures=\"1\" errors=\"0\" skipped=\"3\""));
  EXPECT_EQ(times(lenient, "<skipped "), 3U);
  const std::string strict = written("junit", usual_results(), {.absent_fails = true});
  EXPECT_THAT(strict, HasSubstr("tests=\"5\" failures=\"4\" errors=\"0\" skipped=\"0\""));
  EXPECT_EQ(times(strict, "<skipped "), 0U);
  EXPECT_EQ(times(strict, "type=\"absent\""), 2U);
}

TEST(JunitReporter, no_name_ends_an_element_or_an_attribute) {
  const std::string text = written("junit", hostile_results());
  EXPECT_THAT(text, HasSubstr("a&quot;b'c&lt;d&gt;&amp;e]]&gt;f&#10;g&#13;h\xef\xbf\xbdi"));
  EXPECT_THAT(text, Not(HasSubstr("]]>")));
  EXPECT_THAT(text, Not(HasSubstr("\xef\xbf\xbf")));
}

}  // namespace
}  // namespace callgate::suite
