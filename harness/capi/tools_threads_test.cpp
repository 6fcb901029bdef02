// The functions of callgate_tools.h, called by many threads at once.
#include <array>
#include <string>
#include <thread>
#include <vector>

#include "harness/capi/tools_test.hpp"

namespace callgate {
namespace {

using CToolsInThreads = ToolsFixture;

TEST_F(CToolsInThreads, share_const_handles_between_threads) {
  const auto a = loaded(path("profile.json"));
  const auto b = loaded(path("profile_fixed.json"));
  const auto stack = stack_of(a);
  auto how = options<callgate_suite_options>();
  how.jobs = 2;
  how.coverage = 1;
  const auto suite = suite_of(path("profile_test.yaml"), &how);
  const auto results = results_of(suite);
  const callgate_data data = call("socket(AF_VSOCK)");
  std::array<std::string, 4> seen;
  {
    std::vector<std::jthread> threads;
    for (std::string& each : seen) {
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) {
          each = std::to_string(decided(stack, data).value);
          each += std::to_string(callgate_filters_count(a.get()));
        }
        each += given(callgate_check, a.get(), nullptr, nullptr).text;
        each += given(callgate_explain, a.get(), nullptr, "json", nullptr).text;
        each += given(callgate_explain_call, a.get(), nullptr, &data, "text").text;
        each += given(callgate_diff, a.get(), b.get(), nullptr, nullptr, nullptr).text;
        each += given(callgate_results_write, results.get(), "coverage-json").text;
        const auto own = results_of(suite);
        each += without_seconds(given(callgate_results_write, own.get(), "tap").text);
        each += given(callgate_results_write, own.get(), "coverage-text").text;
        each += std::to_string(callgate_filters_count(loaded(path("profile.json")).get()));
      });
    }
  }
  for (const std::string& each : seen) EXPECT_EQ(each, seen[0]);
  EXPECT_GT(seen[0].size(), 1000U);
}

}  // namespace
}  // namespace callgate
