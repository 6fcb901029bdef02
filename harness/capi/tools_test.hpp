#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/capi/callgate_tools.h"
#include "harness/cli/command_test.hpp"

/// For tests of the C library as its users have it: handles that free themselves.
namespace callgate {

using FiltersHandle = std::unique_ptr<callgate_filters, decltype(&callgate_filters_destroy)>;
using StackHandle = std::unique_ptr<callgate_stack, decltype(&callgate_stack_destroy)>;
using SuiteHandle = std::unique_ptr<callgate_suite, decltype(&callgate_suite_destroy)>;
using ResultsHandle = std::unique_ptr<callgate_results, decltype(&callgate_results_destroy)>;

/// A text that the library gave, freed; "(NULL)" for none.
inline std::string taken(char* text) {
  std::string out = text == nullptr ? "(NULL)" : text;
  callgate_text_free(text);
  return out;
}

/// What a function gave: its errno, its text, its message.
struct Given {
  int error = 0;
  std::string text;
  std::string message;
};

/// Calls a function whose last arguments are char** out, char** message.
template <typename Function, typename... Arguments>
Given given(Function* function, Arguments... arguments) {
  // Not NULL before: what is not written would be seen.
  std::string before = "before";
  char* text = before.data();
  char* message = before.data();
  const int error = function(arguments..., &text, &message);
  EXPECT_EQ(text == nullptr, error != 0);
  EXPECT_EQ(message == nullptr, error == 0);
  EXPECT_NE(text, before.data());
  EXPECT_NE(message, before.data());
  return {error, taken(text), taken(message)};
}

inline FiltersHandle loaded(const std::string& path,
                            const callgate_load_options* options = nullptr) {
  callgate_filters* filters = nullptr;
  char* message = nullptr;
  EXPECT_EQ(callgate_filters_load(path.c_str(), options, &filters, &message), 0) << path;
  EXPECT_EQ(taken(message), "(NULL)");
  return {filters, &callgate_filters_destroy};
}

/// Of a text, without a name.
inline FiltersHandle read_of(const std::string& text) {
  callgate_filters* filters = nullptr;
  char* message = nullptr;
  EXPECT_EQ(callgate_filters_read(text.data(), text.size(), nullptr, nullptr, &filters, &message),
            0);
  EXPECT_EQ(taken(message), "(NULL)");
  return {filters, &callgate_filters_destroy};
}

inline StackHandle stack_of(const FiltersHandle& filters,
                            const callgate_options* options = nullptr) {
  callgate_stack* stack = nullptr;
  char* message = nullptr;
  EXPECT_EQ(callgate_stack_of(filters.get(), options, &stack, &message), 0);
  EXPECT_EQ(taken(message), "(NULL)");
  return {stack, &callgate_stack_destroy};
}

inline callgate_data call(const char* text) {
  callgate_data data{};
  char* message = nullptr;
  EXPECT_EQ(callgate_call_read(text, nullptr, &data, &message), 0) << text;
  EXPECT_EQ(taken(message), "(NULL)");
  return data;
}

inline callgate_verdict decided(const StackHandle& stack, const callgate_data& data,
                                const callgate_surroundings* around = nullptr) {
  callgate_verdict verdict{};
  verdict.size = sizeof(verdict);
  EXPECT_EQ(callgate_stack_decide(stack.get(), &data, around, &verdict), 0);
  return verdict;
}

/// A report without how long it took.
inline std::string without_seconds(std::string report) {
  for (std::size_t at = 0; (at = report.find(" in ", at)) != std::string::npos;) {
    const std::size_t end = report.find_first_not_of("0123456789.", at + 4);
    if (end != at + 4 && end != std::string::npos && report.compare(end, 2, " s") == 0) {
      report.erase(at, end + 2 - at);
    } else {
      ++at;
    }
  }
  return report;
}

/// Options of this library's version, all else left out.
template <typename Options>
Options options() {
  Options out{};
  out.size = sizeof(Options);
  return out;
}

inline SuiteHandle suite_of(const std::string& path, const callgate_suite_options* how = nullptr) {
  callgate_suite* suite = nullptr;
  char* message = nullptr;
  EXPECT_EQ(callgate_suite_load(path.c_str(), how, &suite, &message), 0);
  EXPECT_EQ(taken(message), "(NULL)");
  return {suite, &callgate_suite_destroy};
}

inline ResultsHandle results_of(const SuiteHandle& suite) {
  callgate_results* results = nullptr;
  char* message = nullptr;
  EXPECT_EQ(callgate_suite_run(suite.get(), &results, &message), 0);
  EXPECT_EQ(taken(message), "(NULL)");
  return {results, &callgate_results_destroy};
}

/// A folder with profile.json, profile_fixed.json and their suites, and the filter of
/// FilterCommandFixture.
class ToolsFixture : public FilterCommandFixture {
 protected:
  void SetUp() override {
    FilterCommandFixture::SetUp();
    const std::filesystem::path tutorial =
        std::filesystem::path(CALLGATE_SOURCE_DIR) / "corpus/suites/tutorial";
    for (const char* name :
         {"profile.json", "profile_fixed.json", "profile_test.yaml", "profile_fixed_test.yaml"}) {
      std::filesystem::copy(tutorial / name, folder_ / name);
    }
  }

  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }
};

}  // namespace callgate
