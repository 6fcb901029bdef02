// What a command installs is caught as it was, and the command ends as it would untraced.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "harness/process/capture.hpp"
#include "harness/process/manifest.hpp"

namespace callgate::process {
namespace {

CommandCapture captured(std::vector<std::string> arguments, CaptureLimits limits = {}) {
  arguments.insert(arguments.begin(), CALLGATE_INSTALLER);
  if (!limits.session.timeout) limits.session.timeout = std::chrono::seconds(60);
  auto out = capture_command(arguments, limits);
  EXPECT_TRUE(out) << out.error().message;
  return out ? std::move(*out) : CommandCapture{};
}

// Which program it is: what it loads first.
std::vector<std::uint32_t> marks(const Capture& capture, const std::vector<std::size_t>& places) {
  std::vector<std::uint32_t> out;
  for (const std::size_t place : places) {
    const auto& program = capture.installs.at(place).program;
    out.push_back(program && !program->empty() ? program->front().k : 0);
  }
  return out;
}

const CapturedTask& task_of(const Capture& capture, pid_t tid) {
  for (const CapturedTask& task : capture.tasks) {
    if (task.tid == tid) return task;
  }
  ADD_FAILURE() << "no task " << tid;
  return capture.tasks.front();
}

struct Folder {
  Folder() {
    std::string name = "/tmp/callgate-capture-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path;
};

TEST(Capture, a_command_ends_as_it_would_untraced) {
  const CommandCapture exits = captured({"exit", "7"});
  EXPECT_EQ(exits.end.command.code, 7);
  EXPECT_EQ(exits.end.command.signal, 0);
  EXPECT_TRUE(exits.capture.installs.empty());
  EXPECT_EQ(captured({"signal", "9"}).end.command.signal, SIGKILL);
  EXPECT_EQ(captured({"signal", "15"}).end.command.signal, SIGTERM);
}

TEST(Capture, every_way_to_install_is_caught_with_its_result) {
  const CommandCapture all = captured({"installs"});
  EXPECT_EQ(all.end.command.code, 0);
  const std::vector<Install>& installs = all.capture.installs;
  ASSERT_EQ(installs.size(), 5U);
  EXPECT_EQ(installs[0].how, Install::How::Prctl);
  EXPECT_EQ(installs[1].how, Install::How::Seccomp);
  EXPECT_EQ(flag_names(installs[1].flags), (std::vector<std::string>{"LOG"}));
  EXPECT_FALSE(installs[2].installed());
  EXPECT_EQ(result_words(installs[2]), "EINVAL");
  EXPECT_NE(installs[3].tid, installs[0].tid);
  EXPECT_EQ(flag_names(installs[4].flags), (std::vector<std::string>{"TSYNC"}));
  EXPECT_EQ(installs[4].pid, installs[0].pid);
  EXPECT_NE(installs[4].tid, installs[0].tid);
  for (const Install& each : installs) {
    EXPECT_EQ(each.arch, host_arch());
    EXPECT_FALSE(each.backtrace.empty());
  }
}

TEST(Capture, each_task_has_the_stack_that_it_ended_up_with) {
  const Capture capture = captured({"installs"}).capture;
  ASSERT_EQ(capture.installs.size(), 5U);
  // TSYNC gave the first thread what the second one installed; the child kept its own.
  const CapturedTask& first = task_of(capture, capture.installs[0].tid);
  EXPECT_EQ(marks(capture, first.filters), (std::vector<std::uint32_t>{1, 2, 5}));
  const CapturedTask& child = task_of(capture, capture.installs[3].tid);
  EXPECT_EQ(marks(capture, child.filters), (std::vector<std::uint32_t>{1, 2, 4}));
  EXPECT_EQ(capture.default_task, capture.installs[0].tid);
  for (const CapturedTask& task : capture.tasks) EXPECT_FALSE(task.counted) << task.tid;
}

TEST(Capture, is_written_as_what_is_read_again) {
  const Capture capture = captured({"installs"}).capture;
  const Folder folder;
  const std::string out = folder.path + "/filters";
  EXPECT_EQ(write_capture(capture, out), "");
  EXPECT_TRUE(is_manifest(out));
  EXPECT_TRUE(is_manifest(out + "/manifest.json"));
  EXPECT_FALSE(is_manifest(out + "/001.bpf"));
  const auto read = read_manifest(out);
  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ((*read)[2].program.front().k, 5U);
  EXPECT_EQ(flag_names((*read)[1].flags), (std::vector<std::string>{"LOG"}));
  const auto of_child = read_manifest(out, capture.installs[3].tid);
  ASSERT_TRUE(of_child) << of_child.error();
  EXPECT_EQ(of_child->back().program.front().k, 4U);
  EXPECT_FALSE(read_manifest(out, 1));
  // A folder with something in it is left alone.
  EXPECT_THAT(write_capture(capture, out), testing::HasSubstr(out));
}

TEST(Capture, after_the_limit_the_command_goes_on_untraced) {
  CaptureLimits limits;
  limits.installs = 2;
  const CommandCapture two = captured({"installs"}, limits);
  EXPECT_EQ(two.capture.installs.size(), 2U);
  EXPECT_EQ(two.end.command.code, 0);
}

TEST(Capture, a_command_that_takes_too_long_is_killed) {
  CaptureLimits limits;
  limits.session.timeout = std::chrono::seconds(1);
  const CommandCapture late = captured({"pause"}, limits);
  EXPECT_TRUE(late.end.timed_out);
  EXPECT_EQ(late.capture.installs.size(), 5U);
}

TEST(Capture, a_command_that_cannot_be_run_is_said) {
  const std::array<std::string, 1> none{"/no/such/command"};
  const auto out = capture_command(none, {});
  ASSERT_FALSE(out);
  EXPECT_THAT(out.error().message, testing::HasSubstr("/no/such/command"));
}

// The installer, waiting with its filters; killed and reaped with the object.
class Waiting {
 public:
  Waiting() {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      execl(CALLGATE_INSTALLER, CALLGATE_INSTALLER, "pause", nullptr);
      _exit(127);
    }
    close(ends[1]);
    std::array<char, 16> ready{};
    EXPECT_GT(read(ends[0], ready.data(), ready.size()), 0);
    close(ends[0]);
  }
  ~Waiting() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST(Capture, of_a_running_thread_is_its_stack) {
  if (geteuid() != 0) GTEST_SKIP() << "filters are read back by those with CAP_SYS_ADMIN alone";
  const Waiting waiting;
  const auto out = capture_thread(waiting.pid());
  ASSERT_TRUE(out) << out.error().message;
  ASSERT_EQ(out->tasks.size(), 1U);
  EXPECT_EQ(marks(*out, out->tasks[0].filters), (std::vector<std::uint32_t>{1, 2, 5}));
  EXPECT_EQ(flag_names(out->installs[1].flags), (std::vector<std::string>{"LOG"}));
  // It goes on as it was.
  EXPECT_EQ(kill(waiting.pid(), 0), 0);
  EXPECT_EQ(waitpid(waiting.pid(), nullptr, WNOHANG), 0);
}

TEST(Capture, of_a_thread_that_is_not_there_is_said) {
  const auto out = capture_thread(4194303);
  ASSERT_FALSE(out);
  EXPECT_THAT(out.error().message, testing::HasSubstr("4194303"));
}

std::string manifest_error(const std::string& text) {
  const auto rows = parse_manifest(text);
  return rows ? "read" : rows.error();
}

TEST(Manifest, that_is_none_is_refused_with_the_field) {
  const std::string text = manifest_text(captured({"installs"}).capture);
  EXPECT_EQ(manifest_error(text), "read");
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string out = text;
    const std::size_t at = out.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    out.replace(at, from.size(), to);
    return manifest_error(out);
  };
  EXPECT_THAT(changed("callgate-capture", "other"), testing::HasSubstr("format"));
  EXPECT_THAT(changed("\"version\": 1", "\"version\": 99"), testing::HasSubstr("version"));
  EXPECT_THAT(changed("\"001.bpf\"", "\"../001.bpf\""), testing::HasSubstr("file"));
  EXPECT_THAT(manifest_error("{"), testing::Not("read"));
  EXPECT_THAT(manifest_error("[]"), testing::Not("read"));
}

}  // namespace
}  // namespace callgate::process
