// `callgate cost` as a person meets it.

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
using ::testing::Not;
using ::testing::StartsWith;

class CostCommand : public FilterCommandFixture {
 protected:
  [[nodiscard]] Ended cost(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"cost", "-f", filter_};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }

  [[nodiscard]] nlohmann::json json(std::vector<std::string> more) const {
    more.insert(more.end(), {"--format", "json", "--arch", "x86_64"});
    const Ended ended = cost(more);
    EXPECT_EQ(ended.code, 0) << ended.err;
    return nlohmann::json::parse(ended.out);
  }
};

TEST_F(CostCommand, says_what_is_cached_and_what_the_rest_costs) {
  const std::string workload = file("calls", "getpid 90\nwrite 9\nopenat 1\n");
  const Ended ended = cost({"--arch", "x86_64", "--workload", workload});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("the cache holds numbers 0 to 469 (known: live"));
  EXPECT_THAT(ended.out, HasSubstr("instruction 3: A = args[0].low"));
  EXPECT_THAT(ended.out, HasSubstr("instruction 6: ERRNO(1)"));
  EXPECT_THAT(ended.out, HasSubstr("Machine instructions by Linux 6.16.12 of Debian, counted by "
                                   "callgate lab; the version asked for was not"));
  EXPECT_THAT(ended.out, HasSubstr("The cache serves 90.0 % of 100 calls; filters add 37."));
  EXPECT_LT(ended.out.find("getpid"), ended.out.find("write"));
}

TEST_F(CostCommand, is_json_too) {
  const auto document = json({"--workload", file("calls", "getpid 8\nwrite 1\nopenat 1\n")});
  EXPECT_EQ(document.at("callgate"), 1);
  EXPECT_EQ(document.at("kernel"), "6.18");
  EXPECT_EQ(document.at("cache").at("surely_below"), 470);
  EXPECT_EQ(document.at("cache").at("mark"), "live");
  const auto& calls = document.at("calls");
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0].at("syscall"), "getpid");
  EXPECT_EQ(calls[0].at("cached"), "yes");
  EXPECT_TRUE(calls[0].at("reason").is_null());
  EXPECT_EQ(calls[0].at("classic"), (nlohmann::json{{"min", 3}, {"max", 3}}));
  EXPECT_EQ(calls[0].at("executed").at("max"), 0);
  EXPECT_EQ(calls[1].at("syscall"), "write");
  EXPECT_EQ(calls[1].at("instruction"), 3);
  EXPECT_GT(calls[1].at("machine").at("adds").at("max"), 100);
  EXPECT_EQ(calls[2].at("cached"), "no");
  EXPECT_EQ(document.at("totals").at("served"), 8);
  EXPECT_NEAR(document.at("totals").at("ns").at("fixed").at("max").get<double>(),
              (8 * 35.0 + 2 * 63.0) / 10, 1e-9);
}

TEST_F(CostCommand, without_a_workload_takes_every_call_once) {
  const auto document = json({});
  EXPECT_GT(document.at("calls").size(), 350U);
  EXPECT_EQ(document.at("totals").at("calls"), document.at("calls").size());
}

TEST_F(CostCommand, on_a_kernel_without_the_cache_serves_nothing) {
  const auto document = json({"--kernel", "5.10"});
  EXPECT_TRUE(document.at("cache").is_null());
  EXPECT_EQ(document.at("totals").at("served"), 0);
}

TEST_F(CostCommand, tells_no_time_of_other_architectures) {
  const std::string workload = file("calls", "getpid 1\n");
  const Ended ended = cost({"--arch", "aarch64", "--workload", workload});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("No time"));
  EXPECT_THAT(ended.out, Not(HasSubstr(" ns")));
  const std::string model = file("model", "{}");
  const Ended asked = cost({"--arch", "aarch64", "--model", model});
  EXPECT_EQ(asked.code, 2);
  EXPECT_THAT(asked.err, HasSubstr("x86_64 only"));
}

TEST_F(CostCommand, tells_machine_instructions_and_which_kernel_counted_them) {
  const auto of = [&](const char* arch, const char* kernel) {
    return nlohmann::json::parse(
        cost({"--arch", arch, "--kernel", kernel, "--format", "json"}).out);
  };
  const auto counted = of("aarch64", "6.1");
  EXPECT_TRUE(counted.at("machine_reason").is_null());
  EXPECT_EQ(counted.at("machine_model").at("source"),
            "Linux 6.1.176 of Debian, counted by callgate lab");
  EXPECT_TRUE(counted.at("totals").at("ns").is_null());
  EXPECT_GT(counted.at("totals").at("machine").at("adds").at("max"), 200);
  EXPECT_TRUE(counted.at("calls")[0].at("machine").is_object());
  for (const auto& older : {of("aarch64", "4.19"), of("s390x", "6.1")}) {
    EXPECT_TRUE(older.at("machine_model").is_null());
    EXPECT_TRUE(older.at("totals").at("machine").is_null());
    EXPECT_TRUE(older.at("machine_reason").is_string());
  }
  EXPECT_THAT(cost({"--arch", "s390x"}).out, HasSubstr("Machine instructions: unknown, because"));
}

TEST_F(CostCommand, takes_the_times_that_bench_measured) {
  const std::string model = file(
      "model", R"({"callgate":1,"kernel":"6.1.9","cpu":"Some CPU","entry_ns":100,"cached_ns":10,)"
               R"("uncached_ns":1000,"per_filter_ns":5,"per_instruction_ns":1,"per_jump_ns":0,)"
               R"("per_arithmetic_ns":0})");
  const auto document =
      json({"--model", model, "--workload", file("calls", "getpid 1\nopenat 1\n")});
  EXPECT_EQ(document.at("model").at("source"), "Linux 6.1.9 on Some CPU");
  EXPECT_EQ(document.at("calls")[0].at("ns").at("adds").at("max"), 1002.0);
  EXPECT_EQ(document.at("calls")[1].at("ns").at("adds").at("max"), 10.0);
  const Ended broken = cost({"--arch", "x86_64", "--model", file("broken", R"({"entry_ns":1})")});
  EXPECT_EQ(broken.code, 2);
  EXPECT_THAT(broken.err, HasSubstr("broken: cached_ns is missing"));
}

TEST_F(CostCommand, names_the_line_of_a_workload_that_is_wrong) {
  const Ended ended =
      cost({"--arch", "x86_64", "--workload", file("calls", "read 1\n\nnosuchcall 2\n")});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, StartsWith("callgate: "));
  EXPECT_THAT(ended.err, HasSubstr("calls:3: no architecture has a call nosuchcall"));
  EXPECT_EQ(ended.out, "");
}

TEST_F(CostCommand, reads_what_strace_counts) {
  const auto document = json(
      {"--workload", file("calls",
                          "% time     seconds  usecs/call     calls    errors syscall\n"
                          "------ ----------- ----------- --------- --------- ----------------\n"
                          " 60.00    0.000030           3        10         2 openat\n"
                          " 40.00    0.000020           2         7           getpid\n"
                          "------ ----------- ----------- --------- --------- ----------------\n"
                          "100.00    0.000050           2        17         2 total\n")});
  EXPECT_EQ(document.at("totals").at("calls"), 17);
  EXPECT_EQ(document.at("totals").at("served"), 7);
}

TEST_F(CostCommand, writes_a_page_whole_or_not_at_all) {
  const std::string page = (folder_ / "page.html").string();
  const Ended ended = cost({"--arch", "x86_64", "--html", page});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(content(page), StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(content(page), HasSubstr("getpid"));
  const Ended failed = cost({"--html", (folder_ / "no folder" / "page.html").string()});
  EXPECT_EQ(failed.code, 2);
  EXPECT_THAT(failed.err, HasSubstr("could not be written"));
  EXPECT_EQ(failed.out, "");
}

TEST_F(CostCommand, of_a_refused_filter_is_no) {
  const Ended ended = cost({"-f", file("refused", "{0x06, 0, 0, 0}, {0x20, 0, 0, 64}")});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("refused by Linux"));
}

}  // namespace
}  // namespace callgate
