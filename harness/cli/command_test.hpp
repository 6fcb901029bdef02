#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/testing/folder_test.hpp"

extern char** environ;

/// For tests of the command as a person meets it: a folder of its own, and processes.
namespace callgate {

/// How a command ended, and what it printed.
struct Ended {
  int code = -1;  ///< its exit code; -1 where it was not started or was killed
  std::string out;
  std::string err;
};

class CommandFixture : public ::testing::Test {
 private:
  const TestFolder made_;

 protected:
  /// A file in the folder; its path.
  std::string file(const std::string& name, const std::string& bytes) const {
    return made_.file(name, bytes);
  }

  /// Starts callgate with these words; it reads the file `in`, and writes `out` and `err` in the
  /// folder. Without an environment of its own it has this process's. -1: not started.
  pid_t start(std::vector<std::string> words, std::vector<std::string> environment = {}) const {
    words.insert(words.begin(), CALLGATE_COMMAND);
    const auto pointers = [](std::vector<std::string>& of) {
      std::vector<char*> out;
      for (std::string& each : of) out.push_back(each.data());
      out.push_back(nullptr);
      return out;
    };
    const std::vector<char*> arguments = pointers(words);
    const std::vector<char*> settings = pointers(environment);
    const std::string in = (folder_ / "in").string();
    if (!std::filesystem::exists(in)) file("in", "");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
    constexpr int kWritten = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 1, (folder_ / "out").c_str(), kWritten, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, (folder_ / "err").c_str(), kWritten, 0600);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(),
                                  environment.empty() ? environ : settings.data());
    posix_spawn_file_actions_destroy(&actions);
    return error == 0 ? pid : -1;
  }

  /// Runs it to its end, with that on standard input; its environment is as start() has it.
  Ended run(std::vector<std::string> words, const std::string& input = {},
            std::vector<std::string> environment = {}) const {
    file("in", input);
    const pid_t pid = start(std::move(words), std::move(environment));
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return {};
    return {WEXITSTATUS(status), content(folder_ / "out"), content(folder_ / "err")};
  }

  const std::filesystem::path folder_ = made_.path();
};

/// With a filter that allows getpid always, write where its first argument is 1, and gives all else
/// ERRNO(1).
class FilterCommandFixture : public CommandFixture {
 protected:
  void SetUp() override {
    filter_ = file("filter",
                   "{0x20, 0, 0, 0}, {0x15, 3, 0, 39}, {0x15, 0, 3, 1}, {0x20, 0, 0, 16}, "
                   "{0x15, 0, 1, 1}, {0x06, 0, 0, 0x7fff0000}, {0x06, 0, 0, 0x00050001}");
  }

  std::string filter_;
};

}  // namespace callgate
