// `callgate bench` as a person meets it. No test here asks how long anything took.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class BenchCommand : public FilterCommandFixture {
 protected:
  [[nodiscard]] Ended bench(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"bench", "--rounds", "3"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
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

TEST_F(BenchCommand, puts_two_stacks_side_by_side) {
  const std::string workload = file("calls", "getpid 90\nwrite 9\nexecve 1\n");
  const Ended ended =
      bench({"--compare", filter_, filter_ + "," + filter_, "--workload", workload});
  SKIP_UNLESS_MEASURED(ended);
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  for (const auto* each :
       {"A: ", "1 filter of", "B: ", "2 filters of", "adds, ns a call", "installing, us",
        "100 calls", "model of this kernel's cache", "unknown arguments (of 100 calls) were 0",
        "B - A: ", "% sure", "noise"}) {
    EXPECT_THAT(ended.out, HasSubstr(each));
  }
}

TEST_F(BenchCommand, has_all_json_of_two_stacks) {
  const std::string workload = file("calls", "getpid 90\nwrite 9\nexecve 1\n");
  const Ended ended = bench(
      {"--compare", filter_, filter_ + "," + filter_, "--workload", workload, "--format", "json"});
  SKIP_UNLESS_MEASURED(ended);
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto document = nlohmann::json::parse(ended.out);
  EXPECT_EQ(document.at("callgate"), 1);
  EXPECT_EQ(document.at("calls"), 100);
  EXPECT_EQ(document.at("unknown_arguments"), 100);
  EXPECT_TRUE(document.at("left_out").empty());
  EXPECT_GE(document.at("rounds"), 8);
  ASSERT_EQ(document.at("stacks").size(), 2U);
  const auto& two = document.at("stacks").at(1);
  EXPECT_EQ(two.at("stack"), "B");
  EXPECT_EQ(two.at("filters").size(), 2U);
  for (const auto* each : {"adds_ns", "fixed_ns", "instructions_ns", "install_ns"}) {
    EXPECT_TRUE(two.at(each).at("median").is_number()) << each;
  }
  for (const auto* each : {"length", "executed", "cached_share", "left_out"}) {
    EXPECT_TRUE(two.at(each).is_number()) << each;
  }
  EXPECT_TRUE(two.at("reason").is_null());
  ASSERT_EQ(document.at("differences").size(), 1U);
  const auto& pair = document.at("differences").at(0);
  EXPECT_EQ(pair.at("a"), "A");
  EXPECT_EQ(pair.at("b"), "B");
  EXPECT_LE(pair.at("low_ns"), pair.at("difference_ns").at("median"));
  EXPECT_GE(pair.at("high_ns"), pair.at("difference_ns").at("median"));
  EXPECT_GE(pair.at("confidence"), 0.99);
  EXPECT_THAT(pair.at("sentence"), HasSubstr("noise"));
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
  EXPECT_THAT(ended.err, HasSubstr("calls:3: no architecture has a call no_such_call"));
  EXPECT_EQ(bench({"-f", filter_, "--workload", "/nonexistent"}).code, 2);
}

TEST_F(BenchCommand, wrong_use_is_exit_code_2) {
  EXPECT_EQ(bench({}).code, 2);
  const std::string workload = file("calls", "getpid 90\n");
  EXPECT_EQ(bench({"--compare", filter_, filter_}).code, 2);  // no workload
  EXPECT_EQ(bench({"--compare", filter_, "--workload", workload}).code, 2);
  EXPECT_EQ(bench({"--compare", filter_, filter_ + ",", "--workload", workload}).code, 2);
  EXPECT_EQ(bench({"--compare", filter_, filter_, "-f", filter_, "--workload", workload}).code, 2);
  EXPECT_EQ(bench({"-f", filter_, "--rounds", "2"}).code, 2);
  EXPECT_EQ(bench({"-f", filter_, "--seconds", "soon"}).code, 2);
  EXPECT_EQ(bench({"-f", filter_, "--cpu", "1023"}).code, 2);
  EXPECT_EQ(bench({"-f", filter_, "--all", "--workload", "calls"}).code, 2);
}

}  // namespace
}  // namespace callgate
