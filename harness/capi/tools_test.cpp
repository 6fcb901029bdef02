// The functions of callgate_tools.h, each as it should go; documents are those of the command.
#include "harness/capi/tools_test.hpp"

#include <gmock/gmock.h>

#include <cerrno>
#include <cstdint>
#include <nlohmann/json.hpp>

extern "C" int callgate_tools_from_c(const char* filter);

namespace callgate {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::uint32_t kAllow = 0x7fff0000U;

class CTools : public ToolsFixture {};

TEST_F(CTools, are_usable_from_c) { EXPECT_EQ(callgate_tools_from_c(filter_.c_str()), 0); }

TEST_F(CTools, say_their_version_as_the_command_does) {
  EXPECT_THAT(run({"--version"}).out, HasSubstr(callgate_version()));
}

TEST_F(CTools, know_names_and_numbers_of_every_abi) {
  EXPECT_EQ(callgate_syscall_number(nullptr, "read"), 0);
  EXPECT_EQ(callgate_syscall_number("aarch64", "read"), 63);
  EXPECT_EQ(callgate_syscall_number("i386", "socketcall"), 102);
  EXPECT_EQ(callgate_syscall_number("x32", "read"), 0x40000000);
  EXPECT_EQ(callgate_syscall_number("aarch64", "open"), -1);
  EXPECT_EQ(callgate_syscall_number("vax", "read"), -1);
  EXPECT_STREQ(callgate_syscall_name(nullptr, 39), "getpid");
  EXPECT_STREQ(callgate_syscall_name("aarch64", 63), "read");
  EXPECT_EQ(callgate_syscall_name(nullptr, 100'000), nullptr);
  EXPECT_EQ(callgate_syscall_name("vax", 1), nullptr);
}

TEST_F(CTools, read_and_write_calls) {
  const callgate_data data = call("openat(AT_FDCWD, 0x10, (O_RDWR|O_CREAT), ip=0x401000)");
  EXPECT_EQ(data.nr, 257);
  EXPECT_EQ(data.arch, 0xc000003eU);
  EXPECT_EQ(data.instruction_pointer, 0x401000U);
  EXPECT_EQ(data.args[2], 0102U);
  EXPECT_EQ(call("i386:socketcall(1)").arch, 0x40000003U);
  char* text = nullptr;
  ASSERT_EQ(callgate_call_write(&data, nullptr, &text), 0);
  const std::string written = taken(text);
  EXPECT_THAT(written, StartsWith("openat(AT_FDCWD, "));
  const callgate_data again = call(written.c_str());
  EXPECT_EQ(again.args[0], data.args[0]);
  EXPECT_EQ(again.args[2], data.args[2]);
  ASSERT_EQ(callgate_call_write(&data, "aarch64", &text), 0);
  EXPECT_THAT(taken(text), StartsWith("x86_64:openat("));
}

TEST_F(CTools, read_files_of_any_form) {
  const auto raw = loaded(filter_);
  EXPECT_STREQ(callgate_filters_format(raw.get()), "c-rows");
  EXPECT_STREQ(callgate_filters_notes(raw.get()), "");
  EXPECT_EQ(callgate_filters_count(raw.get()), 1U);
  EXPECT_EQ(callgate_filters_name(raw.get(), 0), filter_);
  std::size_t length = 0;
  const callgate_instruction* program = callgate_filters_program(raw.get(), 0, &length);
  ASSERT_EQ(length, 7U);
  EXPECT_EQ(program[1].code, 0x15);
  EXPECT_EQ(program[1].jt, 3);
  EXPECT_EQ(program[1].k, 39U);
  EXPECT_EQ(callgate_filters_name(raw.get(), 1), nullptr);
  EXPECT_EQ(callgate_filters_program(raw.get(), 1, &length), nullptr);
  EXPECT_EQ(length, 0U);
  EXPECT_STREQ(callgate_filters_format(loaded(path("profile.json")).get()), "oci");
  auto unit = options<callgate_load_options>();
  unit.systemd = "252";
  const auto service =
      loaded(file("a.service", "[Service]\nSystemCallFilter=read nosuchcall\n"), &unit);
  EXPECT_STREQ(callgate_filters_format(service.get()), "systemd");
  EXPECT_GT(callgate_filters_count(service.get()), 1U);
  EXPECT_THAT(callgate_filters_name(service.get(), 0), HasSubstr("a.service ("));
  EXPECT_THAT(callgate_filters_notes(service.get()), HasSubstr("nosuchcall"));
  EXPECT_THAT(callgate_filters_notes(service.get()), EndsWith("\n"));
}

TEST_F(CTools, read_bytes_and_tell_some_formats_by_the_name) {
  const std::string policy = "read: 1\n";
  callgate_filters* filters = nullptr;
  ASSERT_EQ(
      callgate_filters_read(policy.data(), policy.size(), "a.policy", nullptr, &filters, nullptr),
      0);
  const FiltersHandle handle(filters, &callgate_filters_destroy);
  EXPECT_THAT(callgate_filters_format(filters), StartsWith("minijail"));
  EXPECT_STREQ(callgate_filters_name(filters, 0), "a.policy");
  EXPECT_STREQ(callgate_filters_name(read_of("{6,0,0,0}").get(), 0), "the bytes");
}

TEST_F(CTools, read_profiles_as_they_are_deployed) {
  auto how = options<callgate_load_options>();
  how.arch = "aarch64";
  how.kernel = "5.10";
  how.caps = "all";
  how.runtime = "crun";
  how.input_format = "oci";
  const auto other = loaded(path("profile.json"), &how);
  std::size_t length = 0;
  const callgate_instruction* program = callgate_filters_program(other.get(), 0, &length);
  ASSERT_GT(length, 1U);
  EXPECT_EQ(program[1].k, 0xc00000b7U) << "it asks for aarch64";
}

TEST_F(CTools, put_filters_on_top_of_others_and_keep_what_they_gave) {
  const auto stack = loaded(filter_);
  const char* name = callgate_filters_name(stack.get(), 0);
  const char* notes = callgate_filters_notes(stack.get());
  std::size_t length = 0;
  const callgate_instruction* program = callgate_filters_program(stack.get(), 0, &length);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(callgate_filters_append(stack.get(), stack.get()), 0);
  }
  ASSERT_EQ(callgate_filters_append(stack.get(), loaded(path("profile.json")).get()), 0);
  EXPECT_EQ(callgate_filters_count(stack.get()), 9U);
  EXPECT_EQ(name, callgate_filters_name(stack.get(), 0));
  EXPECT_EQ(name, filter_);
  EXPECT_STREQ(notes, "");
  EXPECT_EQ(program, callgate_filters_program(stack.get(), 0, &length));
  EXPECT_STREQ(callgate_filters_format(stack.get()), "c-rows");
  EXPECT_EQ(callgate_filters_name(stack.get(), 8), path("profile.json"));
}

TEST_F(CTools, check_as_the_command_does) {
  const std::string refused = file("refused", "{0x20, 0, 0, 1}, {0x94, 0, 0, 1}");
  const auto both = loaded(filter_);
  int accepted = 7;
  const Given well = given(callgate_check, both.get(), nullptr, &accepted);
  EXPECT_EQ(well.text, run({"check", "--format", "json", filter_}).out);
  EXPECT_EQ(accepted, 1);
  ASSERT_EQ(callgate_filters_append(both.get(), loaded(refused).get()), 0);
  auto how = options<callgate_options>();
  how.kernel = "4.4";
  how.arch = "aarch64";
  const Given bad = given(callgate_check, both.get(), &how, &accepted);
  EXPECT_EQ(bad.error, 0);
  EXPECT_EQ(accepted, 0);
  EXPECT_EQ(bad.text, run({"check", "--format", "json", "--kernel", "4.4", "--arch", "aarch64",
                           filter_, refused})
                          .out);
  callgate_stack* stack = nullptr;
  char* message = nullptr;
  EXPECT_EQ(callgate_stack_of(both.get(), nullptr, &stack, &message), EACCES);
  EXPECT_EQ(stack, nullptr);
  EXPECT_THAT(taken(message), HasSubstr("refused: instruction 0: "));
}

TEST_F(CTools, decide_calls_with_all_that_the_process_sees) {
  const auto stack = stack_of(loaded(filter_));
  const callgate_verdict pid = decided(stack, call("getpid"));
  EXPECT_EQ(pid.known, 1);
  EXPECT_EQ(pid.value, kAllow);
  EXPECT_EQ(pid.winner, SIZE_MAX);
  EXPECT_EQ(pid.instruction, SIZE_MAX);
  EXPECT_EQ(pid.executed, 3U);
  EXPECT_EQ(pid.outcome, CALLGATE_EXECUTES);
  const callgate_verdict denied = decided(stack, call("read"));
  EXPECT_EQ(denied.value, 0x00050001U);
  EXPECT_EQ(denied.winner, 0U);
  EXPECT_EQ(denied.instruction, 6U);
  EXPECT_EQ(denied.outcome, CALLGATE_RETURNS);
  EXPECT_EQ(denied.returns, -1);
  EXPECT_EQ(denied.logged, 0);
  EXPECT_EQ(denied.reason, nullptr);
  char* words = nullptr;
  ASSERT_EQ(callgate_value_words(stack.get(), denied.value, &words), 0);
  EXPECT_EQ(taken(words), "ERRNO(1)");
}

TEST_F(CTools, decide_by_who_is_there) {
  const auto of = [](std::uint32_t value, const callgate_surroundings& around) {
    const auto stack = stack_of(read_of("{6,0,0," + std::to_string(value) + "}"));
    return decided(stack, call("getpid"), &around);
  };
  auto around = options<callgate_surroundings>();
  EXPECT_EQ(of(0x7ff00007, around).outcome, CALLGATE_RETURNS) << "TRACE without a tracer";
  EXPECT_EQ(of(0x7ff00007, around).returns, -38);
  EXPECT_EQ(of(0x7fc00000, around).outcome, CALLGATE_RETURNS) << "USER_NOTIF without a listener";
  EXPECT_EQ(of(0x00030005, around).outcome, CALLGATE_SIGSYS);
  EXPECT_EQ(of(0x00030005, around).signal, 31);
  EXPECT_EQ(of(0, around).outcome, CALLGATE_PROCESS_DIES) << "the last thread";
  EXPECT_EQ(of(0, around).core_dump, 1);
  EXPECT_EQ(of(0, around).logged, 1);
  around.tracer = 1;
  around.listener = 1;
  around.threads = 1;
  around.sigsys_blocked = 1;
  EXPECT_EQ(of(0x7ff00007, around).outcome, CALLGATE_TRACER);
  EXPECT_EQ(of(0x7ff00007, around).data, 7U);
  EXPECT_EQ(of(0x7fc00000, around).outcome, CALLGATE_LISTENER);
  EXPECT_EQ(of(0x00030005, around).outcome, CALLGATE_PROCESS_DIES) << "TRAP with SIGSYS blocked";
  EXPECT_EQ(of(0, around).outcome, CALLGATE_THREAD_DIES);
  EXPECT_EQ(of(0x80000000, around).outcome, CALLGATE_PROCESS_DIES);
}

TEST_F(CTools, say_what_no_filter_is_asked_for_and_what_is_undefined) {
  const auto exempt = decided(stack_of(read_of("{6,0,0,0}")), call("uretprobe"));
  EXPECT_EQ(exempt.exempt, 1);
  EXPECT_EQ(exempt.value, kAllow);
  EXPECT_EQ(exempt.outcome, CALLGATE_EXECUTES);
  EXPECT_EQ(exempt.executed, 0U);
  // A shift by 40, which kernels before 4.5 accept.
  const auto shifts = read_of("{0x64,0,0,40},{0x16,0,0,0}");
  auto how = options<callgate_options>();
  how.kernel = "4.4";
  const auto verdict = decided(stack_of(shifts, &how), call("getpid"));
  EXPECT_EQ(verdict.known, 0);
  EXPECT_EQ(verdict.value, 0U);
  EXPECT_EQ(verdict.outcome, CALLGATE_UNKNOWN);
  EXPECT_EQ(verdict.winner, 0U);
  EXPECT_EQ(verdict.instruction, 0U);
  ASSERT_NE(verdict.reason, nullptr);
  EXPECT_THAT(verdict.reason, HasSubstr("shift"));
  const callgate_data data = call("getpid");
  const Given why = given(callgate_explain_call, shifts.get(), &how, &data, "json");
  EXPECT_EQ(json::parse(why.text)["verdict"], "unknown");
  EXPECT_THAT(json::parse(why.text)["reason"], HasSubstr("instruction 0"));
}

TEST_F(CTools, explain_as_the_command_does) {
  const auto filters = loaded(path("profile.json"));
  ASSERT_EQ(callgate_filters_append(filters.get(), loaded(filter_).get()), 0);
  auto how = options<callgate_options>();
  how.kernel = "5.10";
  const std::vector<std::string> base = {"explain",  "-f",  path("profile.json"), "-f", filter_,
                                         "--kernel", "5.10"};
  for (const char* format : {"text", "json", "markdown"}) {
    int whole = 7;
    auto words = base;
    words.insert(words.end(), {"--format", format});
    const Given ours = given(callgate_explain, filters.get(), &how, format, &whole);
    EXPECT_EQ(ours.text, run(words).out) << format;
    EXPECT_EQ(whole, 1);
  }
  const callgate_data data = call("socket(AF_VSOCK, SOCK_STREAM)");
  for (const char* format : {"text", "json"}) {
    auto words = base;
    words.insert(words.end(), {"--format", format, "socket", "AF_VSOCK", "SOCK_STREAM"});
    const Given ours = given(callgate_explain_call, filters.get(), &how, &data, format);
    EXPECT_EQ(ours.text, run(words).out) << format;
  }
}

TEST_F(CTools, compare_as_the_command_does) {
  const auto a = loaded(path("profile.json"));
  const auto b = loaded(path("profile_fixed.json"));
  auto how = options<callgate_options>();
  how.kernel = "5.10";
  how.arch = "x86_64";
  const auto command = [&](const char* name, std::vector<std::string> more) {
    more.insert(more.begin(), {name, path("profile.json"), path("profile_fixed.json"), "--format",
                               "json", "--kernel", "5.10", "--arch", "x86_64"});
    return run(more).out;
  };
  callgate_answer answer = CALLGATE_UNDECIDED;
  auto diff = options<callgate_diff_options>();
  for (const char* level : {"raw", "verdict", "outcome"}) {
    diff.level = level;
    const Given ours = given(callgate_diff, a.get(), b.get(), &how, &diff, &answer);
    EXPECT_EQ(answer, CALLGATE_DIFFERENT);
    EXPECT_EQ(ours.text, command("diff", {"--level", level}));
  }
  diff.subset = 1;
  EXPECT_EQ(given(callgate_diff, a.get(), b.get(), &how, &diff, &answer).text,
            command("subset", {}));
  EXPECT_EQ(answer, CALLGATE_EQUAL);
  diff.allow_only = 1;
  EXPECT_EQ(given(callgate_diff, a.get(), b.get(), &how, &diff, &answer).text,
            command("subset", {"--allow-only"}));
  EXPECT_EQ(given(callgate_diff, b.get(), a.get(), &how, &diff, &answer).error, 0);
  EXPECT_EQ(answer, CALLGATE_DIFFERENT);
}

TEST_F(CTools, show_no_command_for_bytes_without_a_name) {
  const auto a = read_of("{6,0,0,0}");
  const auto b = loaded(filter_);
  const Given ours = given(callgate_diff, a.get(), b.get(), nullptr, nullptr, nullptr);
  const json first = json::parse(ours.text)["changes"][0]["calls"][0];
  EXPECT_EQ(first["a"]["call"]["run"], nullptr);
  EXPECT_THAT(first["b"]["call"]["run"], StartsWith("callgate run -f " + filter_));
}

TEST_F(CTools, run_suites) {
  const auto suite = suite_of(path("profile_test.yaml"));
  ASSERT_EQ(callgate_suite_count(suite.get()), 10U);
  auto first = options<callgate_case>();
  ASSERT_EQ(callgate_suite_case(suite.get(), 0, &first), 0);
  EXPECT_STREQ(first.name, "allow: read [x86_64]");
  EXPECT_EQ(first.file, path("profile_test.yaml"));
  EXPECT_EQ(first.line, 4U);
  EXPECT_EQ(first.column, 13U);
  EXPECT_EQ(callgate_suite_case(suite.get(), 10, &first), ERANGE);
  const auto results = results_of(suite);
  auto counts = options<callgate_counts>();
  ASSERT_EQ(callgate_results_counts(results.get(), &counts), 0);
  EXPECT_EQ(counts.passed, 8U);
  EXPECT_EQ(counts.failed, 2U);
  EXPECT_EQ(counts.absent + counts.unknown + counts.errors + counts.not_run, 0U);
  for (const char* format : {"text", "tap", "tap13", "junit", "json", "github"}) {
    const Given report = given(callgate_results_write, results.get(), format);
    EXPECT_EQ(report.error, 0) << format;
    if (std::string(format).starts_with("tap") || format == std::string("github")) {
      const Ended command = run({"test", "--format", format, "-q", path("profile_test.yaml")});
      EXPECT_EQ(without_seconds(report.text), without_seconds(command.out)) << format;
    }
  }
  const json document = json::parse(given(callgate_results_write, results.get(), "json").text);
  EXPECT_EQ(document["cases"].size(), 10U);
  EXPECT_EQ(document["cases"][0]["name"], "allow: read [x86_64]");
}

TEST_F(CTools, run_the_cases_that_are_named_and_collect_what_they_cover) {
  auto how = options<callgate_suite_options>();
  how.names = "allow: read*\n\nptrace\n";
  how.coverage = 1;
  how.jobs = 2;
  const auto suite = suite_of(path("profile_test.yaml"), &how);
  EXPECT_EQ(callgate_suite_count(suite.get()), 2U);
  static_cast<void>(results_of(suite));
  const auto results = results_of(suite);  // a run of its own: nothing counts twice
  for (const char* format : {"text", "listing", "lcov", "json"}) {
    const Given report =
        given(callgate_results_write, results.get(), (std::string("coverage-") + format).c_str());
    const Ended command =
        run({"test", "--format", "tap", "-k", "allow: read*", "-k", "ptrace", "--coverage",
             std::string(format) + "=" + path("coverage"), path("profile_test.yaml")});
    EXPECT_EQ(command.code, 0);
    EXPECT_EQ(report.error, 0);
    if (format != std::string("lcov")) {  // there the path of what is beside it is written
      EXPECT_EQ(report.text, content(folder_ / "coverage")) << format;
    }
  }
}

TEST_F(CTools, tell_of_the_least_coverage_that_a_suite_asks_for) {
  const auto suite = suite_of(file("a.yaml",
                                   "filter: filter\narch: x86_64\nmin_coverage: 100\n"
                                   "expect:\n  - allow: [getpid]\n"));
  const auto results = results_of(suite);
  const json document = json::parse(given(callgate_results_write, results.get(), "json").text);
  EXPECT_GT(document["cases"].size(), callgate_suite_count(suite.get()));
}

TEST_F(CTools, keep_results_when_the_suite_is_gone) {
  auto suite = suite_of(path("profile_fixed_test.yaml"));
  const auto results = results_of(suite);
  suite.reset();
  EXPECT_THAT(given(callgate_results_write, results.get(), "text").text, HasSubstr("0 failed"));
}

}  // namespace
}  // namespace callgate
