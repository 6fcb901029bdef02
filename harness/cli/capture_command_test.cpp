// `callgate capture` as a person meets it, on processes of the test's own.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "harness/cli/command_test.hpp"
#include "harness/live/live_test.hpp"
#include "harness/process/manifest.hpp"

namespace callgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Capturing : public CommandFixture {
 protected:
  void SetUp() override {
    CommandFixture::SetUp();
    const auto available = live::availability();
    if (!available.filters.empty()) GTEST_SKIP() << available.filters;
    if (!available.tracing.empty()) GTEST_SKIP() << available.tracing;
  }

  std::string caught() const { return (folder_ / "caught").string(); }

  Ended capture(const std::string& what, std::vector<std::string> options = {}) const {
    std::vector<std::string> words = {"capture", "-o", caught(), "--timeout", "60"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", CALLGATE_SUBJECT, what});
    return run(words);
  }

  nlohmann::json manifest() const {
    return nlohmann::json::parse(content(folder_ / "caught" / "manifest.json"));
  }

  // The lengths of the stack that other commands get.
  std::vector<std::size_t> stack(std::optional<pid_t> tid = std::nullopt) const {
    std::vector<std::size_t> out;
    const auto read = process::read_manifest(caught(), tid);
    EXPECT_TRUE(read) << read.error();
    if (read) {
      for (const auto& each : *read) out.push_back(each.program.size());
    }
    return out;
  }
};

TEST_F(Capturing, prctl_and_seccomp_are_caught_and_the_exit_code_is_kept) {
  const Ended ended = capture("both_ways");
  EXPECT_EQ(ended.code, 7) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(stack(), ElementsAre(1U, 2U));
  const auto rows = manifest()["installs"];
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["how"], "prctl");
  EXPECT_EQ(rows[1]["how"], "seccomp");
  EXPECT_EQ(rows[1]["flags"], nlohmann::json({"LOG"}));
  EXPECT_EQ(rows[0]["comm"], "callgate_subjec");
  EXPECT_FALSE(rows[0]["backtrace"].empty());
}

TEST_F(Capturing, what_is_refused_is_listed_with_its_errno_and_is_in_no_stack) {
  const Ended ended = capture("refused");
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto rows = manifest()["installs"];
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]["errno"], "EINVAL");
  EXPECT_EQ(rows[1]["errno"], "EFAULT");
  EXPECT_EQ(rows[2]["errno"], "EINVAL");
  EXPECT_EQ(rows[2]["flags"], nlohmann::json({"0x400"}));
  EXPECT_THAT(process::read_manifest(caught()).error(), HasSubstr("default_task"));
}

TEST_F(Capturing, tsync_gives_the_filter_to_every_thread) {
  EXPECT_EQ(capture("tsync").code, 0);
  const auto tasks = manifest()["tasks"];
  ASSERT_EQ(tasks.size(), 2U);
  for (const auto& each : tasks) {
    EXPECT_EQ(each["filters"], nlohmann::json::array({0}));
    EXPECT_TRUE(each["counted"].is_null());
  }
}

TEST_F(Capturing, children_inherit_and_add_their_own) {
  EXPECT_EQ(capture("children").code, 0);
  EXPECT_THAT(stack(), ElementsAre(4U, 5U));
  const auto document = manifest();
  for (const auto& each : document["tasks"]) {
    if (each["creator"] != 0) continue;
    EXPECT_THAT(stack(each["tid"].get<pid_t>()), ElementsAre(4U));
  }
}

// The file that the subject's child waits for is there before or after the command's end.
TEST_F(Capturing, follow_waits_for_children_that_outlive_the_command) {
  const std::string sign = file("sign", "");
  const Ended ended = run({"capture", "-o", caught(), "--timeout", "60", "--follow", "--",
                           CALLGATE_SUBJECT, "outlives", sign});
  EXPECT_EQ(ended.code, 5) << ended.err;
  EXPECT_EQ(content(sign), "traced");
  EXPECT_THAT(stack(), ElementsAre(11U));
}

TEST_F(Capturing, without_follow_children_that_outlive_the_command_go_on_untraced) {
  const std::string sign = (folder_ / "sign").string();
  const Ended ended =
      run({"capture", "-o", caught(), "--timeout", "60", "--", CALLGATE_SUBJECT, "outlives", sign});
  EXPECT_EQ(ended.code, 5) << ended.err;
  EXPECT_TRUE(manifest()["installs"].empty());
  file("sign", "");
  for (int i = 0; i < 1000 && content(sign).empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(content(sign), "untraced");
}

TEST_F(Capturing, a_child_that_stops_and_goes_on_looks_to_its_parent_as_untraced) {
  const pid_t untraced = fork();
  if (untraced == 0) {
    execl(CALLGATE_SUBJECT, CALLGATE_SUBJECT, "stops", nullptr);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(untraced, &status, 0), untraced);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const Ended ended = capture("stops");
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(stack(), ElementsAre(12U));
}

TEST_F(Capturing, a_tsync_that_a_thread_stands_in_the_way_of_is_not_installed) {
  const Ended ended = capture("tsync_fails");
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("stood in the way"));
  const auto document = manifest();
  const auto& rows = document["installs"];
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1]["installed"], false);
  EXPECT_EQ(rows[1]["result"], rows[0]["tid"]);
  EXPECT_TRUE(rows[1]["errno"].is_null());
  ASSERT_EQ(document["tasks"].size(), 2U);
  for (const auto& each : document["tasks"]) {
    const bool other = each["tid"] == rows[0]["tid"];
    EXPECT_EQ(each["filters"], other ? nlohmann::json::array({0}) : nlohmann::json::array());
    EXPECT_TRUE(each["counted"].is_null());
  }
  EXPECT_THAT(stack(), ElementsAre(13U));
}

TEST_F(Capturing, a_thread_that_executes_takes_its_filters_to_the_first_tid) {
  const Ended ended = capture("executes_beside");
  EXPECT_EQ(ended.code, 7) << ended.err;
  EXPECT_THAT(stack(), ElementsAre(14U, 15U, 1U, 2U));
  const auto document = manifest();
  const auto& rows = document["installs"];
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_NE(rows[1]["tid"], rows[1]["pid"]);
  EXPECT_EQ(rows[2]["tid"], rows[0]["tid"]);
  EXPECT_EQ(document["default_task"], rows[0]["tid"]);
  for (const auto& each : document["tasks"]) EXPECT_TRUE(each["counted"].is_null());
}

TEST_F(Capturing, death_by_a_signal_is_kept) {
  const pid_t pid = start({"capture", "-o", caught(), "--", CALLGATE_SUBJECT, "dies"});
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGUSR1);
  EXPECT_THAT(stack(), ElementsAre(6U));
}

TEST_F(Capturing, a_listener_has_its_descriptor_in_the_manifest) {
  EXPECT_EQ(capture("listener").code, 0);
  const auto row = manifest()["installs"][0];
  EXPECT_EQ(row["listener"], row["result"]);
  EXPECT_GT(row["listener"].get<int>(), 2);
}

TEST_F(Capturing, calls_of_32_bits_are_caught) {
  const Ended ended = capture("int80");
  if (ended.code != 0) GTEST_SKIP() << "this machine has no calls of i386";
  EXPECT_EQ(manifest()["installs"][0]["arch"], "x86");
  EXPECT_THAT(stack(), ElementsAre(8U));
}

TEST_F(Capturing, a_thread_that_runs_already_has_what_it_installed) {
  if (geteuid() != 0) GTEST_SKIP() << "filters are shown to root alone";
  const auto ready = folder_ / "ready";
  const pid_t subject = fork();
  if (subject == 0) {
    const int out = open(ready.c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(out, 1);
    execl(CALLGATE_SUBJECT, CALLGATE_SUBJECT, "waits", nullptr);
    _exit(1);
  }
  ASSERT_GT(subject, 0);
  for (int i = 0; i < 1000 && content(ready) != "ready"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const Ended ended = run({"capture", "-p", std::to_string(subject), "-o", caught()});
  EXPECT_EQ(kill(subject, 0), 0);
  kill(subject, SIGKILL);
  int status = 0;
  EXPECT_EQ(waitpid(subject, &status, 0), subject);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);  // it went on until then
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(stack(), ElementsAre(9U, 10U));
  EXPECT_EQ(manifest()["installs"][0]["flags"], nlohmann::json::array());
  EXPECT_EQ(manifest()["installs"][1]["flags"], nlohmann::json({"LOG"}));
}

TEST_F(Capturing, what_cannot_be_caught_is_said) {
  EXPECT_EQ(run({"capture", "-p", std::to_string(getpid())}).code, 1);
  const Ended none = run({"capture", "-p", "4194304"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("no such thread"));
  EXPECT_EQ(run({"capture"}).code, 2);
  const Ended nothing = run({"capture", "--", "/no/such/command"});
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("ENOENT"));
  file("taken", "");
  const Ended taken = run({"capture", "-o", (folder_ / "taken").string(), "--", "/bin/true"});
  EXPECT_EQ(taken.code, 2);
  EXPECT_THAT(taken.err, HasSubstr("there already"));
}

TEST_F(Capturing, time_and_number_can_be_limited) {
  EXPECT_EQ(run({"capture", "--timeout", "0.2", "--", "/bin/sleep", "30"}).code, 124);
  EXPECT_EQ(capture("both_ways", {"--limit", "1"}).code, 7);
  EXPECT_EQ(manifest()["installs"].size(), 1U);
}

TEST(Manifest, errors_name_the_field) {
  const auto error = [](std::string_view text) { return process::parse_manifest(text).error(); };
  EXPECT_EQ(error("{"), "not JSON");
  EXPECT_EQ(error("[]"), "manifest: not an object");
  EXPECT_EQ(error(R"({"format": 1})"), "format: not \"callgate-capture\"");
  const std::string begin =
      R"({"format":"callgate-capture","version":1,"arch":"x86_64","default_task":5,"installs":)";
  const std::string task = R"(,"tasks":[{"tid":5,"strict":false,"counted":null,"filters":[0]}]})";
  EXPECT_EQ(error(begin + "[]" + task), "task.filters: not a place in installs");
  EXPECT_EQ(error(begin + R"([{"file":"../x.bpf"}])" + task),
            "installs[0].file: not a name such as 001.bpf");
  EXPECT_EQ(error(begin + R"([{"file":"a.bpf","length":-1}])" + task),
            "installs[0].length: not a number from 0 to 65535");
  const std::string row = R"([{"file":"a.bpf","length":3,"flags_value":2,"arch":"i386"}])";
  const auto read = process::parse_manifest(begin + row + task);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->front().arch, Arch::X86);
  EXPECT_THAT(process::parse_manifest(begin + row + task, 6).error(), HasSubstr("none has tid 6"));
}

TEST(Manifest, a_path_may_name_a_task) {
  EXPECT_EQ(process::split_task("a#7"), std::pair(std::string("a"), std::optional<pid_t>(7)));
  EXPECT_EQ(process::split_task("a#b"), std::pair(std::string("a#b"), std::optional<pid_t>()));
}

}  // namespace
}  // namespace callgate
