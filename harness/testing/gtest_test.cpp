#include "harness/testing/gtest.hpp"

#include <gtest/gtest-spi.h>

#include <array>
#include <string>
#include <vector>

namespace callgate::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::PrintToString;
using ::testing::StringMatchResultListener;

struct SockFilter {
  std::uint16_t code;
  std::uint8_t jt;
  std::uint8_t jf;
  std::uint32_t k;
};

// Of x86_64: socket(AF_VSOCK, …) gets EPERM, ptrace kills, reboot traps, personality is logged,
// mount asks a tracer, bpf a listener, all else is allowed.
constexpr std::array kFilter = {
    SockFilter{0x20, 0, 0, 4},          SockFilter{0x15, 0, 9, 0xc000003e},
    SockFilter{0x20, 0, 0, 0},          SockFilter{0x15, 8, 0, 101},
    SockFilter{0x15, 8, 0, 169},        SockFilter{0x15, 8, 0, 135},
    SockFilter{0x15, 8, 0, 165},        SockFilter{0x15, 8, 0, 321},
    SockFilter{0x15, 0, 2, 41},         SockFilter{0x20, 0, 0, 16},
    SockFilter{0x15, 6, 0, 40},         SockFilter{0x06, 0, 0, 0x7fff0000},
    SockFilter{0x06, 0, 0, 0x80000000}, SockFilter{0x06, 0, 0, 0x00030007},
    SockFilter{0x06, 0, 0, 0x7ffc0000}, SockFilter{0x06, 0, 0, 0x7ff00000},
    SockFilter{0x06, 0, 0, 0x7fc00000}, SockFilter{0x06, 0, 0, 0x00050001},
};

const On kOn{.arch = "x86_64", .kernel = "6.18"};

Filter filter() { return Filter::from_instructions(kFilter, kOn); }

// What a matcher says of a filter that it does not take.
template <typename Matcher>
std::string said(const Matcher& matcher, const Filter& of) {
  StringMatchResultListener listener;
  const ::testing::Matcher<const Filter&> one = matcher;
  EXPECT_FALSE(one.MatchAndExplain(of, &listener));
  return listener.str();
}

TEST(Matchers, hold_for_every_call_of_every_pattern) {
  EXPECT_THAT(filter(), Allows("read", "openat(*, *, O_RDONLY)", "socket(AF_UNIX, *, *)"));
  EXPECT_THAT(filter(), ReturnsErrno("EPERM", "socket(AF_VSOCK, *, *)"));
  EXPECT_THAT(filter(), ReturnsErrno(1, "socket(AF_VSOCK, *, *)"));
  EXPECT_THAT(filter(), Kills("ptrace"));
  EXPECT_THAT(filter(), KillsProcess("ptrace"));
  EXPECT_THAT(filter(), Traps("reboot"));
  EXPECT_THAT(filter(), Does("trap 7", "reboot"));
  EXPECT_THAT(filter(), Logs("personality"));
  EXPECT_THAT(filter(), Traces("mount"));
  EXPECT_THAT(filter(), Notifies("bpf"));
  EXPECT_THAT(filter(), Denies("ptrace", "socket(AF_VSOCK, *, *)", "reboot", "mount"));
  EXPECT_THAT(filter(), NeverAllows("personality", "ptrace"));
  EXPECT_THAT(filter(), Does("sometimes allow", "socket"));
  EXPECT_THAT(filter(), AllOf(Allows("read"), Not(Allows("ptrace")), Not(KillsThread("ptrace"))));
}

TEST(Matchers, show_a_call_and_the_way_to_its_verdict) {
  const std::string text = said(Allows("read", "socket", "ptrace"), filter());
  EXPECT_THAT(text, HasSubstr("FAILED  allow: socket [x86_64]\n"));
  EXPECT_THAT(text, HasSubstr("FAILED  allow: ptrace [x86_64]\n"));
  EXPECT_THAT(text, Not(HasSubstr("read")));
  EXPECT_THAT(text, HasSubstr("    expected  ALLOW\n    actual    ERRNO(1), EPERM: returns -1"));
  EXPECT_THAT(text, HasSubstr("    way       "));
}

TEST(Matchers, a_failed_expectation_says_all_of_it) {
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(filter(), Kills("read")), "FAILED  kill: read [x86_64]");
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(filter(), Kills("read")), "Expected: kill: read");
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(filter(), Kills("read")), "a filter on Linux 6.18 x86_64");
}

// Asks nothing: says what it was told.
struct Told {
  std::vector<suite::CaseResult> results;
  std::string words = "told";
  [[nodiscard]] std::vector<suite::CaseResult> ask(const Filter& /*filter*/) const {
    return results;
  }
};

FilterMatcher<Told> told(suite::Status status) {
  suite::CaseResult result;
  result.name = "allow: read";
  result.status = status;
  result.note = "why";
  return FilterMatcher<Told>(Told{.results = {result}});
}

// How many failures an expectation makes.
template <typename Matcher>
int failures_of(const Matcher& matcher) {
  ::testing::TestPartResultArray results;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    EXPECT_THAT(filter(), matcher);
  }
  int out = 0;
  for (int i = 0; i < results.size(); ++i) out += results.GetTestPartResult(i).failed() ? 1 : 0;
  return out;
}

TEST(Matchers, what_is_not_proved_fails_with_not_around_it_too) {
  for (const suite::Status status :
       {suite::Status::Unknown, suite::Status::Absent, suite::Status::Error}) {
    EXPECT_GT(failures_of(told(status)), 0);
    EXPECT_GT(failures_of(Not(told(status))), 0);
  }
  EXPECT_EQ(failures_of(told(suite::Status::Passed)), 0);
  EXPECT_EQ(failures_of(Not(told(suite::Status::Failed))), 0);
  EXPECT_GT(failures_of(told(suite::Status::Failed)), 0);
  EXPECT_GT(failures_of(Not(told(suite::Status::Passed))), 0);
}

TEST(Matchers, what_was_tried_is_enough_for_those_who_say_so) {
  EXPECT_EQ(failures_of(told(suite::Status::Unknown).or_tried()), 0);
  EXPECT_GT(failures_of(told(suite::Status::Absent).or_tried()), 0);
  EXPECT_GT(failures_of(told(suite::Status::Failed).or_tried()), 0);
}

TEST(Matchers, a_pattern_or_a_verb_that_is_none_is_said_to_be_so) {
  EXPECT_THAT(case_text(filter().ask("allow", {"no_such_call"})[0]), HasSubstr("no_such_call"));
  EXPECT_THAT(case_text(filter().ask("permit", {"read"})[0]), HasSubstr("permit"));
  EXPECT_THAT(case_text(filter().ask("allow", {})[0]), HasSubstr("no calls are named"));
  EXPECT_GT(failures_of(Not(Allows("no_such_call"))), 0);
  // Another ABI has it: here it can be allowed or not as little.
  EXPECT_GT(failures_of(Not(Allows("socketcall"))), 0);
}

TEST(Matchers, filters_are_compared_with_each_other) {
  auto stricter = program_of(kFilter);
  stricter[11].k = 0x00050001;
  const Filter strict = Filter::from_program(stricter, kOn);
  EXPECT_THAT(filter(), SameVerdicts(filter()));
  EXPECT_THAT(strict, NoLaxerThan(filter()));
  EXPECT_THAT(filter(), Not(NoLaxerThan(strict)));
  EXPECT_THAT(said(SameVerdicts(strict), filter()),
              AllOf(HasSubstr("expected  ERRNO(1), EPERM"), HasSubstr("actual    ALLOW")));
  EXPECT_THAT(said(NoLaxerThan(strict), filter()),
              HasSubstr("expected  nothing laxer than ERRNO(1), EPERM"));
  const Filter elsewhere = Filter::from_instructions(kFilter, {.arch = "aarch64"});
  EXPECT_GT(failures_of(SameVerdicts(elsewhere)), 0);
  EXPECT_GT(failures_of(Not(SameVerdicts(elsewhere))), 0);
}

TEST(Filter, is_read_as_the_command_reads_it) {
  const std::string top = CALLGATE_SOURCE_DIR;
  const Filter profile = Filter::load(top + "/corpus/audit/rule_redundant.json", kOn);
  EXPECT_THAT(profile.words(), HasSubstr("rule_redundant.json on Linux 6.18 x86_64"));
  EXPECT_EQ(PrintToString(profile), profile.words());
  const Filter two = Filter::load_stack(
      {top + "/corpus/audit/rule_redundant.json", top + "/corpus/audit/rule_redundant.json"}, kOn);
  EXPECT_THAT(two, SameVerdicts(profile));
}

TEST(Filter, bytes_are_read_whatever_they_are) {
  const std::string text = "{ 0x06, 0, 0, 0x7fff0000 },";
  EXPECT_EQ(Filter::from_bytes(text, kOn).run({.nr = 1, .arch = 0xc000003e}), 0x7fff0000U);
  const auto raw = std::string("\x06\0\0\0\1\0\5\0", 8);
  EXPECT_THAT(Filter::from_bytes(raw, {.arch = "x86_64", .format = "raw"}),
              ReturnsErrno("EPERM", "read"));
}

std::string why_not(auto load) {
  try {
    static_cast<void>(load());
  } catch (const CannotLoad& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Filter, that_cannot_be_loaded_says_why) {
  EXPECT_THAT(why_not([] { return Filter::load("/no/such/file"); }), HasSubstr("/no/such/file"));
  EXPECT_THAT(why_not([] { return Filter::from_bytes("{ 0x06, 0,"); }), HasSubstr("column"));
  EXPECT_THAT(why_not([] { return Filter::from_program({{0x20, 0, 0, 3}}, kOn); }),
              HasSubstr("refused by Linux 6.18 x86_64: EINVAL"));
  EXPECT_THAT(why_not([] { return Filter::from_program({}, {.arch = "pdp11"}); }),
              HasSubstr("pdp11"));
  EXPECT_THAT(why_not([] { return Filter::from_program({}, {.kernel = "2.6"}); }),
              HasSubstr("2.6"));
  EXPECT_THAT(why_not([] { return Filter::from_bytes("", {.caps = "CAP_NOTHING"}); }),
              HasSubstr("CAP_NOTHING"));
}

}  // namespace
}  // namespace callgate::testing
