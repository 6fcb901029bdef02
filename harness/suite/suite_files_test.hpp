#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/suite/runner.hpp"
#include "harness/testing/folder_test.hpp"
#include "vm/instruction.hpp"

/// For tests that run suites of files: a folder, filters and suites in it.
namespace callgate::suite {

class SuiteFixture : public testing::Test {
 private:
  const TestFolder made_;

 protected:
  void SetUp() override {
    // getpid is allowed, write where its first argument is 1; all else has ERRNO(1).
    file("filter",
         "{0x20, 0, 0, 0}, {0x15, 3, 0, 39}, {0x15, 0, 3, 1}, {0x20, 0, 0, 16}, "
         "{0x15, 0, 1, 1}, {0x06, 0, 0, 0x7fff0000}, {0x06, 0, 0, 0x00050001}");
  }

  std::string file(const std::string& name, std::string_view text) const {
    return made_.file(name, text);
  }
  std::string program(const std::string& name, std::span<const Instruction> of) const {
    std::string text;
    for (const Instruction& each : of) {
      text += fmt::format("{}{{{:#x}, {}, {}, {:#x}}}", text.empty() ? "" : ", ", each.code,
                          unsigned{each.jt}, unsigned{each.jf}, each.k);
    }
    return file(name, text);
  }

  /// A suite's cases, run. `suites_` holds what the plan is of.
  RunResults run(std::string_view text, const RunOptions& options = {}) {
    auto plan = loaded(text, options);
    return plan ? plan->run(options) : RunResults{};
  }
  std::optional<Plan> loaded(std::string_view text, const RunOptions& options = {}) {
    auto read = read_suite_file(file("suite.yaml", text));
    if (!read) {
      ADD_FAILURE() << to_string(read.error());
      return std::nullopt;
    }
    suites_ = std::move(*read);
    auto plan = Plan::make(suites_, options);
    if (!plan) {
      ADD_FAILURE() << to_string(plan.error());
      return std::nullopt;
    }
    if (const auto done = plan->load(); !done) {
      ADD_FAILURE() << to_string(done.error());
      return std::nullopt;
    }
    return std::move(*plan);
  }

  const std::filesystem::path folder_ = made_.path();
  std::vector<Suite> suites_;
};

}  // namespace callgate::suite
