// `callgate tune` as a person meets it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TuneCommand : public FilterCommandFixture {
 protected:
  [[nodiscard]] Ended tune(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"tune", "-f", filter_, "--workload",
                                   file("calls", "write 9\nopenat 1\ngetpid 90\n")};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
};

TEST_F(TuneCommand, shows_proposals_that_are_proved_and_advice) {
  const Ended ended = tune({"--arch", "x86_64"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("original"));
  EXPECT_THAT(ended.out, HasSubstr("rewritten"));
  EXPECT_THAT(ended.out, HasSubstr("proved equal"));
  EXPECT_THAT(ended.out, HasSubstr("- The filter adds "));
  EXPECT_THAT(ended.out, HasSubstr("90.0 % of the calls are served"));
}

TEST_F(TuneCommand, is_json_too_for_several_architectures) {
  const Ended ended = tune({"--arch", "x86_64,aarch64", "--format", "json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto document = nlohmann::json::parse(ended.out);
  EXPECT_EQ(document.at("callgate"), 1);
  const auto& reports = document.at("reports");
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].at("arch"), "x86_64");
  EXPECT_EQ(reports[0].at("unit"), "ns");
  EXPECT_EQ(reports[1].at("arch"), "aarch64");
  EXPECT_EQ(reports[1].at("unit"), "machine instructions");
  const auto& proposals = reports[0].at("proposals");
  EXPECT_EQ(proposals[0].at("id"), "original");
  EXPECT_EQ(proposals[1].at("id"), "rewritten");
  EXPECT_FALSE(proposals[1].at("proof").is_null());
}

TEST_F(TuneCommand, writes_the_rewritten_filter_which_means_the_same) {
  const std::string out = (folder_ / "tuned.bpf").string();
  const std::string page = (folder_ / "tuned.html").string();
  ASSERT_EQ(tune({"--arch", "x86_64", "-o", out, "--html", page}).code, 0);
  EXPECT_TRUE(std::filesystem::file_size(page) > 1000);
  const Ended same = run({"diff", "--arch", "x86_64", filter_, out});
  EXPECT_EQ(same.code, 0) << same.out;
}

TEST_F(TuneCommand, says_which_proposals_there_are) {
  const Ended ended = tune({"--arch", "x86_64", "-o", (folder_ / "x").string(), "--take", "best"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err,
              HasSubstr("--take best: no such proposal; these are: original, rewritten"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(TuneCommand, names_what_is_wrong_with_a_workload) {
  const Ended ended = run({"tune", "-f", filter_, "--workload", file("bad", "read many\n")});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("bad:1: "));
  EXPECT_EQ(run({"tune", "-f", filter_}).code, 2);
}

}  // namespace
}  // namespace callgate
