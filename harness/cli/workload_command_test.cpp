// `callgate workload` as a person meets it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class WorkloadCommand : public CommandFixture {
 protected:
  void SetUp() override {
    CommandFixture::SetUp();
    log_ = file("ls.log",
                "7 openat(AT_FDCWD, \"/a\", O_RDONLY|O_CLOEXEC) = 3\n"
                "7 openat(AT_FDCWD, \"/b\", O_RDONLY|O_CLOEXEC) = 3\n"
                "7 openat(AT_FDCWD, \"/c\", O_WRONLY|O_CREAT, 0644) = 3\n"
                "7 close(3) = 0\n");
    counts_ = file("calls", "read: 95\nclose: 1\n");
  }

  [[nodiscard]] Ended workload(std::vector<std::string> words,
                               const std::string& input = {}) const {
    words.insert(words.begin(), "workload");
    words.insert(words.end(), {"--arch", "x86_64"});
    return run(words, input);
  }

  std::string log_;
  std::string counts_;
};

TEST_F(WorkloadCommand, shows_calls_and_what_their_arguments_are) {
  const Ended ended = workload({log_, counts_});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out,
              HasSubstr("100 calls of 3 numbers in 4 entries; of 3.0 % arguments are known"));
  EXPECT_THAT(ended.out, HasSubstr("\nx86_64\n          95  95.00 %  read\n"));
  EXPECT_THAT(ended.out, HasSubstr("dirfd: AT_FDCWD:low 100.0 %\n"));
  EXPECT_THAT(ended.out, HasSubstr("flags: O_CLOEXEC:low 66.7 %, (O_WRONLY|O_CREAT):low 33.3 %\n"));
  EXPECT_THAT(workload({log_, counts_, "--top", "1"}).out,
              HasSubstr("           5   5.00 %  of 2 numbers more"));
}

TEST_F(WorkloadCommand, writes_what_it_reads_again) {
  const std::string out = (folder_ / "out.workload").string();
  const Ended ended = workload(
      {log_, counts_, "-o", out, "--name", "both", "--note", "by hand", "--note", "twice"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(content(out),
            "workload both\n# by hand\n# twice\n# from strace\n\narch x86_64\nread 95\nclose 2\n"
            "openat(AT_FDCWD:low, *, O_CLOEXEC:low) 2\n"
            "openat(AT_FDCWD:low, *, (O_WRONLY|O_CREAT):low) 1\n");
  EXPECT_EQ(workload({out, "-o", "-"}).out, content(out));
  EXPECT_EQ(workload({"-", "-o", "-"}, content(out)).out, content(out));
}

TEST_F(WorkloadCommand, scales_and_says_what_comes_to_nothing) {
  const Ended ended = workload({log_, counts_, "--scale", "10", "-o", "-"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out,
            "# from strace\n# scaled to 10, from 100 calls; 3 entries of 5 calls came to 0 and are "
            "left out\n\narch x86_64\nread 10\n");
  EXPECT_THAT(ended.err, StartsWith("callgate: 3 entries of 5 calls came to 0 and are left out: "));
  EXPECT_THAT(ended.err, HasSubstr("close, openat(AT_FDCWD:low"));
  EXPECT_THAT(workload({counts_, "--times", "2.5", "-o", "-"}).out,
              HasSubstr("# scaled by 2.5, from 96 calls\n\narch x86_64\nread 238\nclose 3\n"));
  EXPECT_EQ(workload({counts_, "--times", "0.000001"}).code, 2);
  for (const std::string factor : {"0", "-1", "x", "1e3", "", "1.0000000000000000001"}) {
    EXPECT_EQ(workload({counts_, "--times", factor}).code, 2) << factor;
  }
  EXPECT_EQ(workload({counts_, "--scale", "0"}).code, 2);
  EXPECT_EQ(workload({counts_, "--scale", "5", "--times", "2"}).code, 2);
}

TEST_F(WorkloadCommand, is_json_too) {
  const Ended ended = workload({log_, counts_, "--format", "json", "--scale", "40"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto document = nlohmann::json::parse(ended.out);
  EXPECT_EQ(document.at("callgate"), 1);
  EXPECT_EQ(document.at("total"), 40);
  EXPECT_EQ(document.at("with_arguments"), 1);
  const auto& calls = document.at("calls");
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0].at("syscall"), "read");
  EXPECT_EQ(calls[0].at("nr"), 0);
  EXPECT_EQ(calls[0].at("count"), 38);
  EXPECT_EQ(calls[2].at("arguments")[1].at("name"), "flags");
  EXPECT_EQ(calls[2].at("arguments")[1].at("values")[0].at("value"), "O_CLOEXEC:low");
  ASSERT_EQ(document.at("vanished").size(), 1U);
  EXPECT_EQ(document.at("vanished")[0].at("count"), 1);
}

TEST_F(WorkloadCommand, keeps_few_entries_or_everything) {
  EXPECT_THAT(workload({log_, "--most", "1", "-o", "-"}).out,
              HasSubstr("close 1\nopenat(AT_FDCWD:low) 3\n"));
  EXPECT_THAT(workload({log_, "--keep-all", "-o", "-"}).out, HasSubstr("close(3:low) 1\n"));
  EXPECT_THAT(workload({log_, "--keep-all", "--trust-numbers", "-o", "-"}).out,
              HasSubstr("openat(AT_FDCWD, *, O_CLOEXEC) 2\n"));
}

TEST_F(WorkloadCommand, names_the_line_that_cannot_be_read) {
  const Ended ended = workload({counts_, file("wrong", "read 1\n\nopenat(AT_FDCWD 2\n")});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, StartsWith("callgate: "));
  EXPECT_THAT(ended.err, HasSubstr("wrong:3: `)` is missing"));
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(workload({"/nonexistent"}).code, 2);
  EXPECT_EQ(workload({"-", "-"}).code, 2);
  EXPECT_EQ(workload({}).code, 2);
  EXPECT_EQ(run({"workload", counts_, "--arch", "pdp11"}).code, 2);
  EXPECT_EQ(workload({counts_, "-o", (folder_ / "no folder" / "x").string()}).code, 2);
}

TEST_F(WorkloadCommand, is_what_cost_weighs_by) {
  const std::string filter =
      file("filter", "{0x20, 0, 0, 0}, {0x15, 0, 1, 0}, {0x06, 0, 0, 0x7fff0000}, {0x06, 0, 0, 1}");
  const Ended ended =
      run({"cost", "-f", filter, "--arch", "x86_64", "--format", "json", "--workload", log_});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(nlohmann::json::parse(ended.out).at("totals").at("calls"), 4);
  const Ended other = run({"cost", "-f", filter, "--arch", "x86_64", "--workload",
                           file("two", "read 1\narch i386\nread 2\n")});
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_THAT(other.err, HasSubstr("2 calls are not of x86_64"));
  EXPECT_EQ(run({"cost", "-f", filter, "--arch", "aarch64", "--workload",
                 file("two", "arch i386\nread 2\n")})
                .code,
            2);
}

}  // namespace
}  // namespace callgate
