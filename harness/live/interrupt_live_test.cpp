// Campaigns and children that are killed: nothing is left behind, and nobody waits for ever.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "harness/live/acceptor.hpp"
#include "harness/live/live_test.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/live/timing.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/random/generator.hpp"
#include "harness/task/live_runner.hpp"
#include "harness/testing/folder_test.hpp"

namespace callgate::live {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::int32_t kGetppid = 110;

std::vector<Program> programs(std::uint64_t seed, std::size_t count) {
  random::Source source(seed);
  std::vector<Program> out(count);
  for (Program& each : out) {
    each = random::valid_program(source, {.longest = 12, .shifts_by_x = true});
  }
  return out;
}

std::vector<ValueJob> jobs(std::uint64_t seed, std::size_t count) {
  std::vector<ValueJob> out;
  for (Program& each : programs(seed, count)) {
    out.push_back({std::move(each), {{{.nr = kGetppid, .arch = kX86_64}, true}}});
  }
  return out;
}

// Calls that a filter refuses, for so many windows.
TimedWork refused_calls(unsigned windows) {
  return {.filters = {{{0x06, 0, 0, 0x00050001}}},
          .groups = {{{{kGetppid, {}}}, 1000}},
          .windows = windows,
          .must_return = -1,
          .cpu = -1};
}

// All that a campaign does, over and over.
[[noreturn]] void campaign(std::uint64_t seed, bool with_listeners) {
  const KernelModel model = KernelModel::host();
  const std::vector<Call> calls(3, Call{{.nr = kGetppid, .arch = kX86_64}, true});
  Pace pace;
  for (random::Source source(seed);; ++seed) {
    CallSites sites;
    static_cast<void>(values(jobs(seed, 20), sites));
    static_cast<void>(accepted(programs(seed, 20)));
    static_cast<void>(time_calls(refused_calls(10)));
    for (const bool traced : {true, false}) {
      OutcomeOptions how{.traced = traced};
      if (with_listeners) how.listener = 1;
      static_cast<void>(
          outcomes(std::vector<Program>{{{0x06, 0, 0, kAllow}}, {{0x06, 0, 0, 0x7fc00000}}}, calls,
                   sites, how));
    }
    static_cast<void>(
        task::run_live(task::random_script(source, 12, task::has_sys_admin(), model), model, pace));
  }
}

// Orphans become children of this process while it lives. Those that are left in the end, which is
// a failure, are killed: they would keep this test's output open for ever.
class Orphanage {
 public:
  Orphanage() { prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~Orphanage() {
    std::ifstream list("/proc/thread-self/children");
    for (pid_t pid = 0; list >> pid;) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, __WALL);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
  }
  Orphanage(const Orphanage&) = delete;
  Orphanage& operator=(const Orphanage&) = delete;

  // Whether all children end by themselves.
  static bool empties() {
    const auto start = Clock::now();
    for (;;) {
      const pid_t reaped = waitpid(-1, nullptr, WNOHANG | __WALL);
      if (reaped < 0 && errno == ECHILD) return true;
      if (reaped > 0) continue;
      if (Clock::now() - start > milliseconds(20'000)) return false;
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
};

// What /proc says of the children that are there.
std::string children() {
  std::string out;
  std::ifstream list("/proc/thread-self/children");
  for (pid_t pid = 0; list >> pid;) {
    const std::string folder = "/proc/" + std::to_string(pid);
    for (const auto* name : {"/status", "/wchan", "/syscall", "/stack"}) {
      std::ifstream file(folder + name);
      out += std::string(std::istreambuf_iterator<char>(file), {}) + '\n';
    }
  }
  return out;
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> out;
  std::error_code error;
  for (const auto& each : fs::directory_iterator(folder, error)) out.insert(each.path());
  return out;
}

TEST_F(Live, leaves_nothing_behind_when_a_campaign_is_killed) {
  const Orphanage orphanage;
  const TestFolder folder;
  const fs::path& scratch = folder.path();
  const std::set<std::string> shared_before = names_in("/dev/shm");
  random::Source source(200);
  const int campaigns = kSanitized ? 20 : 200;
  for (int i = 0; i < campaigns && !HasFailure(); ++i) {
    const int signal = i % 2 == 0 ? SIGKILL : SIGINT;
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      setenv("TMPDIR", scratch.c_str(), 1);
      ::signal(SIGINT, SIG_DFL);
      campaign(static_cast<std::uint64_t>(i), available_.notification.empty());
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500 + source.below(100'000)));
    ASSERT_EQ(kill(pid, signal), 0);
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << "it ended by itself";
    EXPECT_TRUE(Orphanage::empties()) << "a process is left behind by campaign " << i << ":\n"
                                      << children();
  }
  EXPECT_TRUE(names_in(scratch).empty()) << "a temporary file is left behind";
  EXPECT_EQ(names_in("/dev/shm"), shared_before);
}

// For scripts that have their filters inside.
std::expected<Program, std::string> no_files(const std::string&) {
  return std::unexpected("no files here");
}

// Whether a child of the process is in a call of getppid, as /proc has it.
bool a_child_asks(pid_t process) {
  std::ifstream list("/proc/" + std::to_string(process) + "/task/" + std::to_string(process) +
                     "/children");
  for (pid_t pid = 0; list >> pid;) {
    long nr = -1;
    if (std::ifstream("/proc/" + std::to_string(pid) + "/syscall") >> nr && nr == kGetppid) {
      return true;
    }
  }
  return false;
}

// A forked task is told of its runner's end by no signal for dead parents, and here it waits for an
// answer that only tasks could give, which hold the listener and do nothing by themselves.
TEST_F(Live, leaves_no_forked_task_waiting_for_a_supervisor) {
  if (!available_.notification.empty()) GTEST_SKIP() << available_.notification;
  const auto script = task::parse_script(
      "process nnp=yes\n"
      "seccomp filter flags=NEW_LISTENER program={ld [0]; jeq #110, 0, 1; ret USER_NOTIF; "
      "ret ALLOW}\n"
      "fork\nas 2: call getppid\nas 2: call getppid\nas 2: call getppid\n",
      Arch::X86_64, no_files);
  ASSERT_TRUE(script.has_value());
  const Orphanage orphanage;
  for (int i = 0; i < 20 && !HasFailure(); ++i) {
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      for (Pace pace;;) static_cast<void>(task::run_live(*script, KernelModel::host(), pace));
    }
    const auto start = Clock::now();
    while (!a_child_asks(pid) && Clock::now() - start < milliseconds(20'000)) {
    }
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    EXPECT_TRUE(Orphanage::empties()) << "a task is left behind by runner " << i << ":\n"
                                      << children();
  }
}

// Sends every child of the first thread a signal as soon as it is there, until it is destroyed.
class Assassin {
 public:
  explicit Assassin(int signal)
      : children_("/proc/self/task/" + std::to_string(gettid()) + "/children"),
        thread_([this, signal] {
          std::set<pid_t> met;
          while (!over_) {
            std::ifstream file(children_);
            for (pid_t pid = 0; file >> pid;) {
              // A child that is stopped before it has begun is one that hangs all the same.
              if (met.insert(pid).second) kill(pid, signal);
            }
            std::this_thread::sleep_for(std::chrono::microseconds(200));
          }
        }) {}
  ~Assassin() {
    over_ = true;
    thread_.join();
  }
  Assassin(const Assassin&) = delete;
  Assassin& operator=(const Assassin&) = delete;

  static bool possible() { return std::ifstream("/proc/thread-self/children").is_open(); }

 private:
  std::string children_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

class LiveKilled : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    if (IsSkipped()) return;
    if (!Assassin::possible()) GTEST_SKIP() << "this kernel shows no /proc/*/children";
  }

  static constexpr int kPatient = 1'500;
};

TEST_F(LiveKilled, serving_child_of_values_is_noticed) {
  const std::vector<ValueJob> asked = jobs(1, 20'000);
  CallSites sites;
  {
    const Assassin assassin(SIGKILL);
    const auto answers = values(asked, sites);
    ASSERT_FALSE(answers.has_value());
    EXPECT_EQ(answers.error().fault, LiveFault::Failed);
    EXPECT_NE(answers.error().message.find("died"), std::string::npos) << answers.error().message;
  }
  const Assassin assassin(SIGSTOP);
  const auto answers = values(asked, sites, kPatient);
  ASSERT_FALSE(answers.has_value());
  EXPECT_EQ(answers.error().fault, LiveFault::Deadline);
}

TEST_F(LiveKilled, serving_child_of_accepted_is_noticed) {
  const std::vector<Program> asked = programs(2, 20'000);
  {
    const Assassin assassin(SIGKILL);
    const auto errors = accepted(asked);
    ASSERT_FALSE(errors.has_value());
    EXPECT_EQ(errors.error().fault, LiveFault::Failed);
    EXPECT_NE(errors.error().message.find("died"), std::string::npos) << errors.error().message;
  }
  const Assassin assassin(SIGSTOP);
  const auto errors = accepted(asked, kPatient);
  ASSERT_FALSE(errors.has_value());
  EXPECT_EQ(errors.error().fault, LiveFault::Deadline);
}

TEST_F(LiveKilled, timing_child_is_noticed) {
  const TimedWork for_a_minute = refused_calls(400'000);
  {
    const Assassin assassin(SIGKILL);
    const auto timed = time_calls(for_a_minute);
    ASSERT_FALSE(timed.has_value());
    EXPECT_NE(timed.error().message.find("died"), std::string::npos) << timed.error().message;
  }
  const Assassin assassin(SIGSTOP);
  const auto timed = time_calls(for_a_minute, kPatient);
  ASSERT_FALSE(timed.has_value());
  EXPECT_EQ(timed.error().fault, LiveFault::Deadline);
}

TEST_F(LiveKilled, asking_child_of_outcomes_is_noticed) {
  if (!available_.outcomes.empty()) GTEST_SKIP() << available_.outcomes;
  const std::vector<Call> calls(50'000, Call{{.nr = kGetppid, .arch = kX86_64}, true});
  const std::vector<Program> stack = {{{0x06, 0, 0, 0x00050001}}};
  for (const bool traced : {true, false}) {
    if (traced && !available_.tracing.empty()) continue;
    CallSites sites;
    const Assassin assassin(SIGKILL);
    const auto seen = outcomes(stack, calls, sites, {.traced = traced});
    if (!seen) {
      EXPECT_NE(seen.error().message.find("died"), std::string::npos) << seen.error().message;
      continue;
    }
    // Killed among its calls: that call is lost, and no outcome is made of it.
    for (const Seen& each : seen->calls) {
      EXPECT_TRUE(each.kind == Seen::Kind::Returned || each.kind == Seen::Kind::Lost);
    }
  }
}

// The first thread of a stopped child serves no listener, so that what is to be notified hangs;
// untraced, the serving child itself does.
TEST_F(LiveKilled, hanging_child_of_outcomes_is_noticed_within_its_deadline) {
  if (!available_.outcomes.empty()) GTEST_SKIP() << available_.outcomes;
  if (!available_.notification.empty()) GTEST_SKIP() << available_.notification;
  const Orphanage orphanage;
  const std::vector<Call> calls(50'000, Call{{.nr = kGetppid, .arch = kX86_64}, true});
  const std::vector<Program> stack = {{{0x06, 0, 0, 0x7fc00000}}};
  for (const bool traced : {true, false}) {
    if (traced && !available_.tracing.empty()) continue;
    CallSites sites;
    const auto start = Clock::now();
    const auto seen = [&] {
      const Assassin assassin(SIGSTOP);
      return outcomes(stack, calls, sites,
                      {.patience_milliseconds = kPatient, .traced = traced, .listener = 0});
    }();
    EXPECT_LT(Clock::now() - start, milliseconds(kPatience)) << "it waited for longer";
    if (!seen) {
      EXPECT_EQ(seen.error().fault, LiveFault::Deadline) << seen.error().message;
    } else {
      EXPECT_EQ(seen->calls.back().kind, Seen::Kind::Deadline) << words(seen->calls.back(), "it");
      // No outcome is made of a call that had none.
      for (const Seen& each : seen->calls) {
        EXPECT_TRUE(each.kind == Seen::Kind::Notified || each.kind == Seen::Kind::Deadline);
      }
    }
    EXPECT_TRUE(Orphanage::empties()) << "a process is left behind:\n" << children();
  }
}

TEST_F(LiveKilled, tasks_of_a_script_are_noticed) {
  const auto script = task::parse_script(
      "process nnp=yes\n" +
          [] {
            std::string calls;
            for (int i = 0; i < 2'000; ++i) calls += "call getppid\n";
            return calls;
          }(),
      Arch::X86_64, no_files);
  ASSERT_TRUE(script.has_value());
  Pace pace;
  const Assassin assassin(SIGKILL);
  const auto run = task::run_live(*script, model_, pace);
  if (run) {
    ASSERT_TRUE(run->difference.has_value());
    EXPECT_NE(run->difference->kernel.find("dies"), std::string::npos) << run->difference->kernel;
  } else {
    EXPECT_NE(run.error().message.find("died"), std::string::npos) << run.error().message;
  }
}

}  // namespace
}  // namespace callgate::live
