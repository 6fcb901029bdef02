// `callgate lab` with tools that only play apt, clang and QEMU: what it ends with, and what it
// leaves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using ::testing::HasSubstr;

class LabCommand : public CommandFixture {
 protected:
  void SetUp() override {
    CommandFixture::SetUp();
    std::filesystem::create_directory(folder_ / "tools");
    std::filesystem::create_directory(folder_ / "temporary");
    tool("clang", "while [ $# -gt 0 ]; do [ \"$1\" = -o ] && echo agent > \"$2\"; shift; done");
    tool("apt-get", R"(case $* in
      indextargets*) echo 'http://nowhere.invalid/ /nowhere.gpg' ;;
      *download*) : > linux-image.deb ;;
      esac)");
    tool("apt-cache", "echo linux-image-6.1.0-50-cloud-arm64");
    std::filesystem::create_directories(folder_ / "package" / "boot");
    std::ofstream(folder_ / "package" / "boot" / "vmlinuz-6.1") << "kernel";
    tool("dpkg-deb", "tar -C " + (folder_ / "package").string() + " -c ./boot");
    tool("qemu-system-aarch64", "echo 'noise'");
  }
  void tool(const std::string& name, const std::string& script) {
    const auto path = folder_ / "tools" / name;
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  pid_t start(const std::vector<std::string>& more = {}, const std::string& kernels = "arm64-6.1") {
    std::vector<std::string> words{"lab", "--kernels", kernels, "--programs",
                                   "2",   "--format",  "json"};
    words.insert(words.end(), more.begin(), more.end());
    const pid_t pid = CommandFixture::start(
        words, {"PATH=" + (folder_ / "tools").string() + ":/usr/sbin:/usr/bin:/sbin:/bin",
                "TMPDIR=" + (folder_ / "temporary").string()});
    EXPECT_GT(pid, 0);
    return pid;
  }

  static int end(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  [[nodiscard]] nlohmann::json document() const {
    return nlohmann::json::parse(content(folder_ / "out"), nullptr, false);
  }

  // One kernel was asked for: how it ended, and that nothing temporary is left.
  void expect(const std::string& result, const std::string& reason) {
    const nlohmann::json all = document();
    ASSERT_TRUE(all.is_object()) << content(folder_ / "out") << content(folder_ / "err");
    ASSERT_EQ(all["kernels"].size(), 1U);
    const nlohmann::json& row = all["kernels"][0];
    EXPECT_EQ(row["result"], result);
    EXPECT_THAT(row["reason"].get<std::string>(), HasSubstr(reason));
    EXPECT_EQ(all[result], 1);
    EXPECT_EQ(all["passed"], 0);
    EXPECT_EQ(all["values"], 0);
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "temporary"));
  }
};

TEST_F(LabCommand, guest_that_says_too_little_has_failed) {
  EXPECT_EQ(end(start()), 1);
  expect("failed", "it said last: noise");
}

TEST_F(LabCommand, guest_that_panics_has_failed) {
  tool("qemu-system-aarch64", "echo 'Kernel panic - not syncing: no init'; echo more");
  EXPECT_EQ(end(start()), 1);
  expect("failed", "Kernel panic - not syncing: no init");
}

TEST_F(LabCommand, qemu_that_fails_has_failed) {
  tool("qemu-system-aarch64", "echo 'qemu: no machine'; exit 3");
  EXPECT_EQ(end(start()), 1);
  expect("failed", "QEMU exits with 3; it said last: qemu: no machine");
}

TEST_F(LabCommand, costs_are_counted_by_a_clock_of_instructions) {
  const std::string log = (folder_ / "asked").string();
  tool("qemu-system-aarch64", "echo \"$*\" > " + log + "; echo 'noise'");
  EXPECT_EQ(end(start({"--costs", "--stacks", "1"})), 1);
  EXPECT_THAT(content(log), HasSubstr("-icount shift=0,sleep=off"));
  const auto row = document()["kernels"][0];
  EXPECT_EQ(row["result"], "failed");
  EXPECT_THAT(row["reason"].get<std::string>(), HasSubstr("it said last: noise"));
  EXPECT_EQ(end(start()), 1);
  EXPECT_THAT(content(log), ::testing::Not(HasSubstr("icount")));
}

TEST_F(LabCommand, costs_that_cannot_be_counted_are_skipped) {
  EXPECT_EQ(end(start({"--costs"}, "arm64-6.1-arm")), 2);
  EXPECT_EQ(document()["skipped"], 1);
  EXPECT_THAT(document()["kernels"][0]["reason"].get<std::string>(),
              HasSubstr("x86_64 and aarch64 calls only"));
}

TEST_F(LabCommand, guest_that_takes_too_long_has_failed) {
  tool("qemu-system-aarch64", "exec sleep 1000");
  EXPECT_EQ(end(start({"--patience", "1"})), 1);
  expect("failed", "did not end within 1 s");
}

TEST_F(LabCommand, kernel_that_cannot_be_downloaded_is_skipped) {
  tool("apt-get", R"(case $* in
    indextargets*) echo 'http://nowhere.invalid/ /nowhere.gpg' ;;
    *update*) echo 'E: Failed to fetch: Mirror sync in progress?'; echo later; exit 100 ;;
    esac)");
  EXPECT_EQ(end(start()), 2);
  expect("skipped", "Mirror sync in progress?");
}

TEST_F(LabCommand, archive_that_does_not_answer_is_asked_once_for_a_kernel_of_several_boots) {
  const std::string log = (folder_ / "updates").string();
  tool("apt-get", R"(case $* in
    indextargets*) echo 'http://nowhere.invalid/ /nowhere.gpg' ;;
    *update*) echo update >>)" +
                      log + R"(; echo 'E: Connection timed out'; exit 100 ;;
    esac)");
  const std::string kept = (folder_ / "kept").string();
  for (const auto* updates : {"update\n", "update\nupdate\n"}) {  // and again in another run
    EXPECT_EQ(end(start({"--keep", kept}, "arm64-6.1,arm64-6.1-nojit")), 2);
    const auto report = document();
    EXPECT_EQ(report["skipped"], 2);
    for (const auto& row : report["kernels"]) {
      EXPECT_THAT(row["reason"].get<std::string>(), HasSubstr("Connection timed out"));
    }
    EXPECT_EQ(content(log), updates);
  }
}

TEST_F(LabCommand, kernel_without_a_package_is_skipped) {
  tool("apt-cache", "echo linux-image-6.12.95+deb12-cloud-arm64");
  EXPECT_EQ(end(start()), 2);
  expect("skipped", "bookworm has no package of that name");
}

TEST_F(LabCommand, missing_qemu_is_skipped) {
  tool("qemu-system-aarch64", "exit 127");
  EXPECT_EQ(end(start()), 2);
  expect("skipped", "qemu-system-aarch64 is not there; install");
}

TEST_F(LabCommand, missing_compiler_is_skipped) {
  tool("clang", "exit 127");
  EXPECT_EQ(end(start()), 2);
  expect("skipped", "there is no clang");
}

TEST_F(LabCommand, agent_that_does_not_compile_has_failed) {
  tool("clang", R"(case $* in *agent.c*) echo 'agent.c:1: error: broken'; exit 1 ;; esac)");
  EXPECT_EQ(end(start()), 1);
  expect("failed", "the agent does not compile: agent.c:1: error: broken");
}

TEST_F(LabCommand, skipped_beside_failed_ends_with_1) {
  tool("qemu-system-s390x", "exit 127");
  EXPECT_EQ(end(start({}, "arm64-6.1,s390x-6.1")), 1);
  EXPECT_EQ(document()["failed"], 1);
  EXPECT_EQ(document()["skipped"], 1);
}

// The process that the file names, once it is there whole.
pid_t written_pid(const std::filesystem::path& path) {
  for (int i = 0; i < 3000; ++i) {
    const std::string text = content(path);
    if (text.ends_with('\n')) return static_cast<pid_t>(std::stol(text));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return -1;
}

class Interrupted : public LabCommand, public ::testing::WithParamInterface<int> {};

TEST_P(Interrupted, leaves_no_guest_and_no_file) {
  const auto file = folder_ / "pid";
  tool("qemu-system-aarch64", "echo $$ > " + file.string() + "; exec sleep 1000");
  const pid_t pid = start();
  const pid_t guest = written_pid(file);
  ASSERT_GT(guest, 0);
  EXPECT_FALSE(std::filesystem::is_empty(folder_ / "temporary"));
  EXPECT_EQ(kill(guest, 0), 0);
  kill(pid, GetParam());
  EXPECT_EQ(end(pid), 2);
  EXPECT_THAT(content(folder_ / "err"), HasSubstr("interrupted"));
  EXPECT_EQ(content(folder_ / "out"), "");
  EXPECT_TRUE(kill(guest, 0) != 0 && errno == ESRCH);
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "temporary"));
}

INSTANTIATE_TEST_SUITE_P(Signals, Interrupted, ::testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& each) {
                           return std::string(each.param == SIGINT    ? "SIGINT"
                                              : each.param == SIGTERM ? "SIGTERM"
                                                                      : "SIGHUP");
                         });

}  // namespace
}  // namespace callgate
