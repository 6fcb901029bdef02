// Scripts of tasks in real processes of the running kernel, and in the model.

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
