#include "harness/task/script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "harness/task/live_runner.hpp"
#include "harness/task/play.hpp"

namespace callgate::task {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::expected<Script, ScriptError> parse(std::string_view text) {
  return parse_script(text, Arch::X86_64, [](const std::string& path) {
    return std::expected<Program, std::string>(std::unexpected("no file " + path));
  });
}

// What each step comes to, in words; a script that cannot be read gives its error alone.
std::vector<std::string> played(std::string_view text, const KernelModel& model = {}) {
  const auto script = parse(text);
  if (!script) return {script.error().message};
  const auto results = play(*script, model);
  if (!results) return {results.error().message};
  std::vector<std::string> out;
  for (std::size_t i = 0; i < script->steps.size(); ++i) {
    out.push_back(words(results->results[i], script->steps[i]));
  }
  return out;
}

ScriptError error_of(std::string_view text) {
  const auto script = parse(text);
  if (script) return {};
  return script.error();
}

TEST(Script, is_played_step_by_step) {
  EXPECT_THAT(played("process nnp=no cap=no\n"
                     "seccomp filter program={ret ALLOW}\n"
                     "nnp\n"
                     "seccomp filter flags=LOG|SPEC_ALLOW program={ld [0]; jeq #39, 0, 1; "
                     "ret ERRNO(13); ret ALLOW}\n"
                     "call getpid\n"
                     "call getppid\n"),
              ElementsAre("returns -1, EACCES", "returns 0", "returns 0, filter 1",
                          "returns -1, EACCES", "returns what getppid returns"));
}

TEST(Script, knows_every_way_to_give_a_bad_filter) {
  EXPECT_THAT(played("process cap=yes\n"
                     "seccomp filter header=null\n"
                     "seccomp filter header=unreadable\n"
                     "seccomp filter program=null\n"
                     "seccomp filter program=unreadable\n"
                     "seccomp filter program={}\n"
                     "seccomp filter length=4097 program=null\n"
                     "seccomp filter length=0 program={ret ALLOW}\n"
                     "seccomp filter length=4097 program={ret ALLOW}\n"
                     "prctl filter program={mod #3; ret ALLOW}\n"
                     "prctl mode=0x100000002\n"),
              ElementsAre("returns -1, EFAULT", "returns -1, EFAULT", "returns -1, EINVAL",
                          "returns -1, EFAULT", "returns -1, EINVAL", "returns -1, EINVAL",
                          "returns -1, EINVAL", "returns -1, EINVAL", "returns -1, EINVAL",
                          "returns -1, EINVAL"));
}

TEST(Script, asks_the_filters_about_its_own_calls) {
  EXPECT_THAT(played("nnp\n"
                     "seccomp filter program={ld [0]; jeq #317, 1, 0; jeq #56, 0, 1; "
                     "ret ERRNO(11); ret ALLOW}\n"
                     "fork\n"
                     "seccomp filter header=null\n"
                     "prctl get\n"),
              ElementsAre("returns 0", "returns 0, filter 1", "returns -1, EAGAIN",
                          "returns -1, EAGAIN", "returns 2"));
}

TEST(Script, follows_threads_to_their_end) {
  EXPECT_THAT(played("nnp\n"
                     "thread\n"
                     "as 2: prctl strict\n"
                     "seccomp filter flags=TSYNC program={ret ALLOW}\n"
                     "as 2: call getpid\n"
                     "as 2: call getpid\n"
                     "seccomp filter flags=TSYNC program={ret ALLOW}\n"),
              ElementsAre("returns 0", "task 2", "returns 0",
                          "returns the id of task 2: it cannot come along", "the thread dies",
                          "not made: task 2 has ended", "returns 0, filter 1"));
}

TEST(Script, has_tracers_and_supervisors) {
  EXPECT_THAT(played("nnp\n"
                     "seccomp filter flags=NEW_LISTENER program={ld [0]; jeq #39, 0, 1; "
                     "ret USER_NOTIF; jeq #110, 0, 1; ret TRACE(3); ret ALLOW}\n"
                     "call getpid\n"
                     "supervisor: error=33\n"
                     "call getpid\n"
                     "supervisor: continue value=1\n"
                     "call getpid\n"
                     "close 1\n"
                     "call getpid\n"
                     "call getppid\n"
                     "tracer: skip value=5\n"
                     "call getppid\n"
                     "tracer: number=getpid\n"
                     "call getppid\n"
                     "tracer: number=clone\n"
                     "call getppid\n"),
              ElementsAre("returns 0", "returns a listener, of filter 1", "waits for the listener",
                          "", "returns 33", "",
                          "waits for the listener (the supervisor's answer is refused: EINVAL)", "",
                          "returns -1, ENOSYS", "returns -1, ENOSYS", "", "returns 5", "",
                          "returns -1, ENOSYS", "",
                          "unknown: it executes, and what it changes here is not modelled: use its "
                          "own step"));
}

TEST(Script, that_names_what_is_not_there_is_wrong) {
  EXPECT_THAT(played("as 2: fork\n"), ElementsAre("there is no task 2 here"));
  EXPECT_THAT(played("close 1\n"), ElementsAre("there is no filter 1 here"));
}

TEST(Script, that_cannot_be_read_has_its_line_named) {
  for (const std::string_view line : {"frok",
                                      "as 0: fork",
                                      "as 2 fork",
                                      "as 2:",
                                      "fork 3",
                                      "seccomp",
                                      "seccomp filter",
                                      "seccomp filter flags=TSYNK header=null",
                                      "seccomp filter program={ret ALLOW",
                                      "seccomp filter program={rot 13}",
                                      "seccomp filter program={ret ALLOW}x",
                                      "seccomp filter program=nowhere",
                                      "seccomp filter length=9 program={ret ALLOW}",
                                      "seccomp op=2",
                                      "call nosuchcall",
                                      "call getpid args=1,2,3,4,5,6,7",
                                      "cap maybe",
                                      "tracer: sleep",
                                      "tracer: continue args=1,2,3,4,5,6,7",
                                      "tracer: none args=1",
                                      "supervisor:",
                                      "supervisor: error=99999999999",
                                      "process",
                                      "prctl mode=x",
                                      "close 0",
                                      "sigsys odd",
                                      "seccomp action-avail ODD"}) {
    const ScriptError error = error_of(std::string("nnp\n\n") + std::string(line) + "\n");
    EXPECT_EQ(error.line, 3U) << line;
    EXPECT_NE(error.message, "") << line;
  }
}

TEST(Script, tracer_changes_arguments_and_the_filters_see_them) {
  EXPECT_THAT(played("process nnp=yes\n"
                     "seccomp filter program={ld [0]; jeq #110, 0, 4; ld [24]; jeq #2, 0, 1; "
                     "ret ERRNO(5); ret TRACE; ret ALLOW}\n"
                     "tracer: continue args=1,0x2\n"
                     "call getppid\n"
                     "tracer: number=getppid args=1,3\n"
                     "call getppid args=7\n"
                     "tracer: skip value=4 args=9\n"
                     "call getppid\n"),
              ElementsAre("returns 0, filter 1", "", "returns -1, EIO", "",
                          "returns what getppid returns", "", "returns 4"));
}

TEST(Script, who_answers_is_written_as_it_is_read) {
  for (const std::string_view line :
       {"tracer: none", "tracer: continue", "tracer: number=-1 value=-7", "tracer: number=110",
        "tracer: number=-5 value=0x8000000000000000 args=0x1,0x2,0x0,0x0,0x0,0xffffffffffffffff",
        "tracer: continue args=0x1,0x0,0x0,0x0,0x0,0x0", "supervisor: none",
        "supervisor: value=0 error=-13", "supervisor: value=0x8000000000000000 error=-2147483648",
        "supervisor: continue value=1 error=0",
        "supervisor: addfd flags=0x3 newfd=300 newfd-flags=0x80000 size=24",
        "supervisor: addfd flags=0x0 newfd=0 newfd-flags=0x0 size=23 source=closed id=wrong "
        "continue value=0 error=0"}) {
    const auto script = parse(line);
    ASSERT_TRUE(script.has_value()) << line << ": " << script.error().message;
    EXPECT_THAT(text_of(*script), HasSubstr("\nas 1: " + std::string(line) + "\n"));
  }
}

// What a campaign asks of the kernel is worth no more than what its scripts hold.
TEST(Script, random_scripts_hold_every_answer_of_tracers_and_supervisors) {
  random::Source source(11);
  std::map<std::string, int> seen;
  for (int i = 0; i < 3'000; ++i) {
    const Script script = random_script(source, 30, true, {});
    Player player(script, {});
    for (const Step& step : script.steps) {
      ASSERT_TRUE(can_be_made(step)) << text_of(script);
      const auto result = player.play(step);
      ASSERT_TRUE(result.has_value()) << text_of(script);
      ASSERT_NE(result->kind, StepResult::Kind::Unknown) << text_of(script);
      const std::string end(kind_word(*result));
      const CallResult& call = result->call;
      if (call.tracer_stop) ++seen["traced, " + end];
      if (result->kind == StepResult::Kind::Execs) ++seen["execve"];
      if (call.tracer_stop && call.data.nr < 0) ++seen["skipped"];
      if (call.tracer_stop && call.data.nr != data_of(step, Arch::X86_64).nr) ++seen["changed"];
      if (call.send_error != 0) ++seen["answer refused"];
      if (call.outcome.kind == OutcomeKind::ListenerDecides) ++seen["waits"];
      if (call.added) ++seen["descriptor, errno " + std::to_string(call.added->error)];
      if (call.added && call.added->is_reply) ++seen["descriptor is the answer"];
    }
  }
  for (const std::string_view each :
       {"traced, executes", "traced, returns", "traced, task", "traced, listener",
        "traced, process-dies", "skipped", "changed", "answer refused", "waits",
        "descriptor, errno 0", "descriptor, errno 2", "descriptor, errno 9", "descriptor, errno 22",
        "descriptor is the answer", "execve"}) {
    EXPECT_GT(seen[std::string(each)], 0) << each;
  }
}

TEST(Script, takes_any_bytes) {
  for (const std::string_view text :
       {std::string_view("\0\0", 2), std::string_view("{{{"), std::string_view("}"),
        std::string_view("as"), std::string_view("\r\n\r\n"), std::string_view("=")}) {
    static_cast<void>(parse(text));
  }
  EXPECT_THAT(error_of("seccomp filter program={}}").message, HasSubstr("brace"));
  EXPECT_THAT(error_of(std::string_view("\0", 1)).message, HasSubstr("not a step"));
}

}  // namespace
}  // namespace callgate::task
