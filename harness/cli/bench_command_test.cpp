// `callgate bench` as a person meets it. No test here asks how long anything took.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

extern char** environ;

namespace callgate {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Ended {
  int code = -1;
  std::string out;
  std::string err;
};

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class BenchCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "callgate-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    // getpid is allowed always, write where its first argument is 1, all else gets ERRNO(1).
    filter_ = file("filter",
                   "{0x20, 0, 0, 0}, {0x15, 3, 0, 39}, {0x15, 0, 3, 1}, {0x20, 0, 0, 16}, "
                   "{0x15, 0, 1, 1}, {0x06, 0, 0, 0x7fff0000}, {0x06, 0, 0, 0x00050001}");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  [[nodiscard]] Ended bench(const std::vector<std::string>& more) const {
    std::vector<std::string> words{CALLGATE_COMMAND, "bench", "--rounds", "3"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> arguments;
    for (std::string& each : words) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    const std::string out = (folder_ / "out").string();
    const std::string err = (folder_ / "err").string();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid = 0;
    const int error =
        posix_spawn(&pid, CALLGATE_COMMAND, &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    Ended ended;
    int status = 0;
    if (error != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return ended;
    ended.code = WEXITSTATUS(status);
    ended.out = content(out);
    ended.err = content(err);
    return ended;
  }

  std::filesystem::path folder_;
  std::string filter_;
};

// Where this machine's kernel cannot be asked, the command says so: exit code 2.
#define SKIP_UNLESS_MEASURED(ended) \
  if ((ended).code == 2) GTEST_SKIP() << (ended).err

TEST_F(BenchCommand, has_a_row_for_each_call_of_the_workload) {
  const std::string workload = file("calls", "getpid 90 # often\nwrite 9\nexecve 1\n");
  const Ended ended = bench({"-f", filter_, "--workload", workload});
  SKIP_UNLESS_MEASURED(ended);
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  for (const auto* each :
       {"no filter", "served by the cache", "defeats the cache", "this filter", "getpid", "write",
        "execve", "On average this stack adds", "of 100 calls", "core "}) {
    EXPECT_THAT(ended.out, HasSubstr(each));
  }
}

TEST_F(BenchCommand, has_all_of_its_json) {
  const std::string workload = file("calls", "getpid 90\nwrite 9\nexecve 1\n");
  const Ended ended =
      bench({"-f", filter_, "-f", filter_, "--workload", workload, "--format", "json"});
  SKIP_UNLESS_MEASURED(ended);
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto document = nlohmann::json::parse(ended.out);
  EXPECT_EQ(document.at("callgate"), 1);
  EXPECT_EQ(document.at("rounds"), 3);
  EXPECT_EQ(document.at("filters"), 2);
  for (const auto* each : {"entry_ns", "cached_ns", "uncached_ns", "per_filter_ns",
                           "per_instruction_ns", "per_jump_ns", "per_arithmetic_ns"}) {
    EXPECT_TRUE(document.at(each).at("median").is_number()) << each;
    EXPECT_TRUE(document.at(each).at("spread").is_number()) << each;
  }
  // getppid is refused: the stack as it is cannot be measured by it.
  EXPECT_TRUE(document.at("stack_call_ns").is_null());
  EXPECT_THAT(document.at("reason"), HasSubstr("getppid"));
  ASSERT_EQ(document.at("calls").size(), 3U);
  const auto& write = document.at("calls").at(1);
  EXPECT_EQ(write.at("syscall"), "write");
  EXPECT_EQ(write.at("count"), 9);
  EXPECT_EQ(write.at("instructions"), 12);  // the argument is 0
  EXPECT_TRUE(write.at("body_ns").at("median").is_number());
  const auto& weighted = document.at("weighted");
  EXPECT_EQ(weighted.at("calls").get<int>() + weighted.at("left_out").get<int>(), 100);
  EXPECT_NE(document.at("conditions").at("kernel"), "");
}

TEST_F(BenchCommand, asks_about_every_number) {
  const Ended ended = bench({"-f", filter_, "--all", "--format", "json"});
  SKIP_UNLESS_MEASURED(ended);
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto document = nlohmann::json::parse(ended.out);
  ASSERT_EQ(document.at("calls").size(), 470U);
  for (std::size_t nr = 0; nr < 470; ++nr) {
    const auto& row = document.at("calls").at(nr);
    EXPECT_EQ(row.at("nr"), nr);
    // Of a number that is refused no time makes a cached one.
    EXPECT_TRUE(nr == 39 || row.at("cached") != "yes") << nr;
  }
}

TEST_F(BenchCommand, writes_the_model) {
  const std::string model = (folder_ / "model").string();
  const Ended ended = bench({"-f", filter_, "--model", model});
  SKIP_UNLESS_MEASURED(ended);
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto document = nlohmann::json::parse(content(model));
  for (const auto* each : {"entry_ns", "cached_ns", "uncached_ns", "per_filter_ns",
                           "per_instruction_ns", "per_jump_ns", "per_arithmetic_ns"}) {
    EXPECT_TRUE(document.at(each).is_number()) << each;
  }
}

TEST_F(BenchCommand, a_refused_filter_is_exit_code_1) {
  const Ended ended = bench({"-f", file("bad", "{0x20, 0, 0, 0}, {0x20, 0, 0, 4}")});
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("EINVAL"));
}

TEST_F(BenchCommand, a_workload_that_cannot_be_read_is_exit_code_2_with_the_line) {
  const std::string workload = file("calls", "read 1\n\nno_such_call 2\n");
  const Ended ended = bench({"-f", filter_, "--workload", workload});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, StartsWith("callgate: "));
  EXPECT_THAT(ended.err, HasSubstr("calls:3: no_such_call"));
  EXPECT_EQ(bench({"-f", filter_, "--workload", "/nonexistent"}).code, 2);
}

TEST_F(BenchCommand, wrong_use_is_exit_code_2) {
  EXPECT_EQ(bench({}).code, 2);
  EXPECT_EQ(bench({"-f", filter_, "--rounds", "2"}).code, 2);
  EXPECT_EQ(bench({"-f", filter_, "--seconds", "soon"}).code, 2);
  EXPECT_EQ(bench({"-f", filter_, "--cpu", "1023"}).code, 2);
  EXPECT_EQ(bench({"-f", filter_, "--all", "--workload", "calls"}).code, 2);
}

}  // namespace
}  // namespace callgate
