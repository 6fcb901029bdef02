// `callgate tune` as a person meets it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
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

TEST_F(TuneCommand, writes_the_first_architectures_program_and_says_so) {
  const std::string both = (folder_ / "both").string();
  const std::string alone = (folder_ / "alone").string();
  for (const auto& [list, first] :
       {std::pair("aarch64,x86_64", "aarch64"), std::pair("x86_64,aarch64", "x86_64"),
        std::pair("s390x,x86_64", "s390x")}) {
    for (const std::string form : {"raw", "hex", "callgate"}) {
      const Ended several = tune({"--arch", list, "-o", both, "--to", form});
      EXPECT_EQ(several.code, 0) << several.err;
      EXPECT_THAT(several.err,
                  HasSubstr(std::string("both: rewritten for ") + first + ", the first of --arch"));
      const Ended one = tune({"--arch", first, "-o", alone, "--to", form});
      EXPECT_EQ(one.code, 0) << one.err;
      EXPECT_EQ(one.err, "");
      EXPECT_EQ(content(both), content(alone)) << list << " " << form;
    }
  }
}

TEST_F(TuneCommand, does_not_write_another_architectures_program_where_the_first_is_refused) {
  // Little-endian: nothing that s390x takes.
  const std::string raw = (folder_ / "raw.bpf").string();
  ASSERT_EQ(run({"convert", "--arch", "x86_64", filter_, "--to", "raw", "-o", raw}).code, 0);
  const std::string out = (folder_ / "none.bpf").string();
  const Ended ended = run({"tune", "--arch", "s390x,x86_64", "-f", raw, "--input-format", "raw",
                           "--workload", file("calls", "getpid 9\n"), "-o", out});
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("x86_64: "));
  EXPECT_THAT(ended.err, HasSubstr("none.bpf: nothing is written, because s390x, the first of "
                                   "--arch, is refused; --arch x86_64 alone writes"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(TuneCommand, does_not_measure_on_a_core_that_it_may_not_use) {
  const Ended ended = tune({"--arch", "x86_64", "--measure", "--cpu", "1023"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("tune: --cpu 1023: this process may not use that core"));
  EXPECT_EQ(ended.out, "");
}

TEST_F(TuneCommand, reads_a_workload_once_and_takes_calls_of_other_architectures_by_their_names) {
  // aarch64 has no open.
  const std::string plain = "open 3\ngetpid 5\n";
  const std::vector<std::string> words = {"tune", "--arch", "x86_64,aarch64",
                                          "-f",   filter_,  "--workload"};
  const auto with = [&](const std::string& workload, const std::string& input) {
    std::vector<std::string> all = words;
    all.push_back(workload);
    return run(all, input);
  };
  const Ended from_file = with(file("plain", plain), "");
  EXPECT_EQ(from_file.code, 0) << from_file.err;
  const Ended from_input = with("-", plain);
  EXPECT_EQ(from_input.code, 0) << from_input.err;
  EXPECT_EQ(from_input.out, from_file.out);
  const Ended filter = run(
      {"tune", "--arch", "x86_64,aarch64", "-f", "-", "--workload", (folder_ / "plain").string()},
      content(filter_));
  EXPECT_EQ(filter.code, 2);
  EXPECT_THAT(filter.err, HasSubstr("standard input can be read once only"));
}

TEST_F(TuneCommand, refuses_counts_whose_sum_has_no_place) {
  const std::string most = file("most", "read 18446744073709551615\ngetpid 5\n");
  for (const std::string command : {"tune", "cost"}) {
    const Ended ended = run({command, "--arch", "x86_64", "-f", filter_, "--workload", most});
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.err, HasSubstr("most: its counts come to more than 2^64 - 1 calls"));
    EXPECT_EQ(ended.out, "");
  }
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
