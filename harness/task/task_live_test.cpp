// Scripts of tasks in real processes of the running kernel, and in the model.

#include <fmt/format.h>
#include <sys/wait.h>

#include <cerrno>

#include "harness/live/live_test.hpp"
#include "harness/task/live_runner.hpp"

namespace callgate::task {
namespace {

class LiveTask : public live::Live {
 protected:
  Script parsed(std::string_view text) {
    const auto script = parse_script(text, Arch::X86_64, [](const std::string&) {
      return std::expected<Program, std::string>(std::unexpected("no files here"));
    });
    EXPECT_TRUE(script.has_value()) << script.error().message;
    return script.value_or(Script{});
  }

  // The steps that were made, all as the model says.
  std::size_t agrees(const Script& script) {
    const auto run = run_live(script, model_, pace_);
    EXPECT_TRUE(run.has_value()) << run.error().message << '\n' << text_of(script);
    if (!run) return 0;
    EXPECT_FALSE(run->difference.has_value())
        << "step " << run->difference->step + 1 << ": the model: " << run->difference->ours
        << "; the kernel: " << run->difference->kernel << '\n'
        << text_of(script);
    return run->made;
  }

  live::Pace pace_;
};

// With tracers and supervisors.
class LiveAnsweredTask : public LiveTask {
 protected:
  void SetUp() override {
    LiveTask::SetUp();
    if (!IsSkipped() && !available_.tracing.empty()) GTEST_SKIP() << available_.tracing;
  }
};

// Lets the runner's own reads and writes pass.
constexpr std::string_view kDenies = "program={ld [0]; jeq #110, 0, 1; ret ERRNO(7); ret ALLOW}\n";
constexpr std::string_view kKillsThread =
    "program={ld [0]; jeq #110, 0, 1; ret KILL_THREAD; ret ALLOW}\n";

TEST_F(LiveTask, random_scripts_come_to_what_the_model_says) {
  random::Source source(20'250);
  const bool has_cap = has_sys_admin();
  const int scripts = live::kSanitized ? 100 : 300;
  std::size_t steps = 0;
  for (int i = 0; i < scripts; ++i) {
    steps += agrees(random_script(source, 30, has_cap, model_));
    if (HasFailure()) break;
  }
  EXPECT_GT(steps, static_cast<std::size_t>(scripts) * 5);
}

TEST_F(LiveTask, without_privileges_meets_the_errnos_in_order) {
  const std::string denies(kDenies);
  EXPECT_EQ(agrees(parsed("process nnp=no cap=no\n"
                          "seccomp filter flags=64 header=null\n"
                          "seccomp filter header=null\n"
                          "seccomp filter length=0 program=null\n"
                          "seccomp filter program=null\n" +
                          ("seccomp filter " + denies) +
                          "nnp\n"
                          "seccomp filter program=null\n"
                          "seccomp filter program=unreadable\n" +
                          ("seccomp filter " + denies) + "call getppid\n")),
            10U);
}

TEST_F(LiveTask, killed_thread_and_strict_thread_leave_the_process_alive) {
  const std::string kills(kKillsThread);
  EXPECT_EQ(agrees(parsed("process nnp=yes\n"
                          "thread\n"
                          "thread\n"
                          "as 2: seccomp filter " +
                          kills +
                          "as 3: prctl strict\n"
                          "seccomp filter flags=TSYNC " +
                          kills + "seccomp filter flags=TSYNC|TSYNC_ESRCH " + kills +
                          "as 2: call getppid\n"
                          "as 3: call getppid\n"
                          "seccomp filter flags=TSYNC " +
                          kills + "call getppid\n")),
            10U);
}

TEST_F(LiveTask, tsync_carries_no_new_privs_along) {
  const std::string denies(kDenies);
  EXPECT_EQ(agrees(parsed("process nnp=no cap=no\nthread\nnnp\nas 2: nnp get\n"
                          "seccomp filter flags=TSYNC " +
                          denies + "as 2: nnp get\nas 2: call getppid\n")),
            6U);
}

TEST_F(LiveTask, listener_is_inherited_and_makes_the_next_one_busy) {
  const std::string denies(kDenies);
  EXPECT_EQ(
      agrees(parsed("process nnp=yes\n"
                    "seccomp filter flags=NEW_LISTENER " +
                    denies + "seccomp filter flags=NEW_LISTENER " + denies + "fork\n" +
                    "as 2: seccomp filter flags=NEW_LISTENER " + denies + "as 2: call getppid\n")),
      5U);
  EXPECT_EQ(
      agrees(parsed("process nnp=yes descriptors=no\n"
                    "seccomp filter flags=NEW_LISTENER " +
                    denies + "seccomp filter flags=NEW_LISTENER program={mod #3; ret ALLOW}\n")),
      2U);
}

TEST_F(LiveTask, last_threads_death_is_the_processs_even_after_its_leader) {
  const std::string kills(kKillsThread);
  agrees(parsed("process nnp=yes\nthread\nexit\nas 2: seccomp filter " + kills +
                "as 2: call getppid\n"));
  agrees(parsed("process nnp=yes\nthread\nexit\nas 2: prctl strict\nas 2: call getppid\n"));
}

TEST_F(LiveTask, execve_ends_the_other_threads_and_keeps_filters_and_privileges) {
  const std::string denies(kDenies);
  EXPECT_EQ(agrees(parsed("process nnp=yes\n"
                          "exec\ncall getpid\ncall getppid\n"
                          "seccomp filter " +
                          denies +
                          "call getppid\n"
                          "thread\nthread\nfork\nas 4: exec\nas 4: thread\nas 5: call getppid\n"
                          "as 3: exec\nas 3: call getppid\nas 3: call getpid\n"
                          "as 3: seccomp notif-sizes\nas 3: seccomp action-avail ALLOW\n"
                          "as 3: thread\nas 6: seccomp filter flags=TSYNC program={ret ALLOW}\n"
                          "as 3: exec\nas 3: fork\nas 7: exec\nas 7: nnp get\nas 7: exit\n"
                          "as 4: prctl strict\nas 4: exec\n")),
            25U);
  EXPECT_EQ(agrees(parsed("process nnp=yes\nthread\nexit\nas 2: exec\nas 2: call getpid\n")), 4U);
}

TEST_F(LiveTask, execve_closes_listeners) {
  const std::string asks =
      "seccomp filter flags=NEW_LISTENER program={ld [0]; jeq #110, 0, 1; "
      "ret USER_NOTIF; ret ALLOW}\n";
  EXPECT_EQ(agrees(parsed("process nnp=yes\n" + asks + "call getppid\nfork\nexec\n" + asks +
                          "as 2: call getppid\nas 2: exit\ncall getppid\n" + asks)),
            9U);
}

// Of root too: what it gave up does not come back.
TEST_F(LiveTask, execve_gives_no_capability) {
  const std::string denies(kDenies);
  EXPECT_EQ(agrees(parsed("process nnp=no cap=no\nexec\nseccomp filter " + denies)), 2U);
}

TEST_F(LiveTask, execve_that_is_not_let_in_returns_and_what_cannot_go_on_is_said) {
  EXPECT_EQ(
      agrees(parsed("process nnp=yes\n"
                    "seccomp filter program={ld [0]; jeq #59, 0, 1; ret ERRNO(0); ret ALLOW}\n"
                    "exec\ncall getpid\n")),
      3U);
  const auto run = run_live(
      parsed("process nnp=yes\n"
             "seccomp filter program={ld [0]; jeq #9, 0, 1; ret ERRNO(1); ret ALLOW}\nexec\n"),
      model_, pace_);
  ASSERT_TRUE(run.has_value());
  EXPECT_FALSE(run->difference.has_value());
  EXPECT_NE(run->cut.find("mmap"), std::string::npos) << run->cut;
}

// getppid: 110, getpid: 39.
TEST_F(LiveAnsweredTask, tracer_skips_changes_and_continues_a_call_and_is_gone_when_it_is_none) {
  EXPECT_EQ(
      agrees(parsed("process nnp=yes\n"
                    "seccomp filter program={ld [0]; jeq #110, 0, 1; ret TRACE(9); ret ALLOW}\n"
                    "call getppid\n"
                    "tracer: skip value=-7\ncall getppid\n"
                    "tracer: skip\ncall getppid\n"
                    "tracer: number=-5 value=77\ncall getppid\n"
                    "tracer: number=getpid\ncall getppid\n"
                    "tracer: continue\ncall getppid\n"
                    "fork\nas 2: thread\nas 3: call getppid\n"
                    "tracer: skip value=5\nas 2: call getppid\nas 3: call getppid\n"
                    "tracer: none\nas 3: call getppid\n")),
      13U);
}

TEST_F(LiveAnsweredTask, tracer_lets_tasks_be_made_and_filters_be_installed_or_not) {
  const std::string denies(kDenies);
  EXPECT_EQ(agrees(parsed(
                "process nnp=yes\n"
                "seccomp filter program={ld [0]; jeq #56, 2, 0; jeq #317, 1, 0; jeq #157, 0, 1; "
                "ret TRACE; ret ALLOW}\n"
                "thread\n"
                "tracer: continue\nthread\nfork\nas 2: seccomp filter flags=TSYNC " +
                denies + "tracer: skip value=0\nthread\nfork\nas 3: seccomp filter " + denies +
                "tracer: number=getppid\nas 3: fork\nas 2: nnp\n"
                "tracer: none\nas 2: nnp get\nexit\n")),
            12U);
}

TEST_F(LiveAnsweredTask, tracers_other_call_and_arguments_are_checked_again) {
  const std::string filter =
      "seccomp filter program={ld [0]; jeq #39, 0, 1; ret ERRNO(5); jeq #110, 0, 4; ld [16]; "
      "jeq #6, 0, 1; ret KILL_THREAD; ret TRACE; ret ALLOW}\n";
  EXPECT_EQ(agrees(parsed("process nnp=yes\n" + filter +
                          "tracer: number=getpid\ncall getppid\n"
                          "tracer: continue args=5,1,2,3,4,5\ncall getppid\n"
                          "thread\n"
                          "tracer: number=getppid args=6\ncall getppid\n"
                          "as 2: call getppid\n")),
            6U);
  // Where TRACE is not what is said of the other call, the kill is the process's.
  EXPECT_EQ(agrees(parsed("process nnp=yes\n"
                          "seccomp filter program={ld [0]; jeq #39, 0, 1; ret KILL_PROCESS; "
                          "jeq #110, 0, 1; ret TRACE; ret ALLOW}\n"
                          "fork\nas 2: thread\ntracer: number=getpid\nas 3: call getppid\n"
                          "call getpid\n")),
            5U);
  EXPECT_EQ(agrees(parsed("process nnp=yes\n"
                          "seccomp filter program={ld [0]; jeq #39, 0, 1; ret TRAP(3); "
                          "jeq #110, 0, 1; ret TRACE; ret ALLOW}\n"
                          "tracer: number=getpid\ncall getppid\n")),
            2U);
}

TEST_F(LiveAnsweredTask, supervisor_answers_with_a_value_an_error_or_lets_the_call_go_on) {
  const std::string filter =
      "seccomp filter flags=NEW_LISTENER program={ld [0]; jeq #110, 0, 1; ret USER_NOTIF; "
      "ret ALLOW}\n";
  EXPECT_EQ(agrees(parsed("process nnp=yes\n" + filter +
                          "call getppid\n"
                          "supervisor: value=12345\ncall getppid\n"
                          "supervisor: error=-13\ncall getppid\n"
                          "supervisor: value=4 error=6\ncall getppid\n"
                          "supervisor: continue\ncall getppid\n"
                          "supervisor: continue value=1\ncall getppid\n"
                          "supervisor: continue error=-1\ncall getppid\n"
                          "supervisor: continue\nfork\nas 2: thread\nexit\n"
                          "as 3: call getppid\n")),
            12U);
}

TEST_F(LiveAnsweredTask, supervisor_gives_descriptors_and_replies_by_one) {
  const std::string filter =
      "seccomp filter flags=NEW_LISTENER program={ld [0]; jeq #110, 0, 1; ret USER_NOTIF; "
      "ret ALLOW}\n";
  std::string script = "process nnp=yes\n" + filter;
  constexpr std::array<std::string_view, 19> kAnswers = {
      "value=5",
      "flags=SEND",
      "flags=SEND newfd-flags=CLOEXEC",
      "flags=SETFD newfd=300 continue",
      "flags=SETFD|SEND newfd=301 newfd-flags=CLOEXEC",
      "flags=SETFD|SEND newfd=301",
      "flags=SETFD|SEND newfd=1023",
      "flags=SETFD|SEND newfd=1024 value=6",
      "flags=SETFD newfd=0xffffffff error=-9",
      "flags=4 value=7",
      "newfd=1 value=8",
      "newfd-flags=1 value=9",
      "source=closed value=10",
      "id=wrong value=11",
      "size=23 value=12",
      "size=4095 value=13",
      "size=4096 value=14",
      "flags=SEND id=wrong source=closed",
      "",
  };
  for (const std::string_view answer : kAnswers) {
    script += fmt::format("supervisor: addfd {}\ncall getppid\n", answer);
  }
  EXPECT_EQ(agrees(parsed(script)), 1 + kAnswers.size());
}

TEST_F(LiveAnsweredTask, supervisor_is_asked_about_the_call_that_a_tracer_made) {
  EXPECT_EQ(agrees(parsed("process nnp=yes\n"
                          "seccomp filter flags=NEW_LISTENER program={ld [0]; jeq #39, 0, 1; "
                          "ret USER_NOTIF; jeq #110, 0, 1; ret TRACE; ret ALLOW}\n"
                          "tracer: number=getpid\nsupervisor: value=3\ncall getppid\n"
                          "supervisor: none\ncall getppid\n"
                          "supervisor: continue\ncall getppid\n")),
            4U);
}

TEST_F(LiveAnsweredTask, execve_is_asked_about_and_goes_on_or_not) {
  EXPECT_EQ(agrees(parsed("process nnp=yes\n"
                          "seccomp filter flags=NEW_LISTENER program={ld [0]; jeq #59, 0, 1; "
                          "ret USER_NOTIF; ret ALLOW}\n"
                          "supervisor: error=-13\nexec\nsupervisor: continue\nexec\n"
                          "call getpid\nexec\n"
                          "fork\nas 2: seccomp filter program={ld [0]; jeq #59, 0, 1; ret TRACE; "
                          "ret ALLOW}\n")),
            7U);
  EXPECT_EQ(agrees(parsed("process nnp=yes\n"
                          "seccomp filter program={ld [0]; jeq #59, 0, 1; ret TRACE; ret ALLOW}\n"
                          "exec\ntracer: continue\nexec\ncall getpid\nfork\n"
                          "tracer: skip value=-7\nexec\nas 2: exec\n"
                          "tracer: number=getpid\nas 2: exec\n")),
            8U);
}

// What looks like the child's side of clone(2) is an answer like others.
TEST_F(LiveAnsweredTask, clone_that_is_answered_with_0_makes_no_task) {
  EXPECT_EQ(agrees(parsed("process nnp=yes\n"
                          "seccomp filter flags=NEW_LISTENER program={ld [0]; jeq #56, 0, 1; "
                          "ret USER_NOTIF; ret ALLOW}\n"
                          "supervisor: value=0\nfork\nthread\n"
                          "seccomp filter program={ld [0]; jeq #56, 0, 1; ret ERRNO; ret ALLOW}\n"
                          "fork\nthread\ncall getppid\n")),
            7U);
}

// Its filter answers the read that the next step is awaited with, again and again.
TEST_F(LiveAnsweredTask, task_that_does_not_answer_is_said_to_and_nothing_is_left_of_it) {
  for (const std::string_view tracer : {"", "tracer: continue\n"}) {
    for (const std::string_view as : {"", "as 2: "}) {
      const Script script = parsed(fmt::format(
          "process nnp=yes\nfork\nthread\nthread\n{0}"
          "{1}seccomp filter program={{ld [0]; jeq #0, 0, 1; ret ERRNO(4); ret ALLOW}}\n"
          "{1}call getppid\n",
          tracer, as));
      const auto run = run_live(script, model_, pace_, 300);
      ASSERT_FALSE(run.has_value()) << tracer << as << run->cut;
      EXPECT_EQ(run.error().fault, live::LiveFault::Deadline);
      EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1);
      EXPECT_EQ(errno, ECHILD);
    }
  }
}

TEST_F(LiveTask, random_script_is_the_text_that_it_is_shown_as) {
  random::Source source(5);
  for (int i = 0; i < 50; ++i) {
    const Script script = random_script(source, 30, true, model_);
    const Script again = parsed(text_of(script));
    EXPECT_EQ(text_of(again), text_of(script));
  }
}

}  // namespace
}  // namespace callgate::task
