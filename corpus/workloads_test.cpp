// Every workload of the corpus is read, is written as it stands there, and says where it is from.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "harness/front_ends/program_reader.hpp"
#include "harness/workload/workload.hpp"

namespace callgate {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(WorkloadsOfTheCorpus, are_as_they_are_written_and_say_where_they_are_from) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CALLGATE_WORKLOADS)) {
    if (entry.path().extension() != ".workload") continue;
    SCOPED_TRACE(entry.path().filename().string());
    ++files;
    const auto text = front_ends::read_file(entry.path().string());
    ASSERT_TRUE(text.has_value());
    trace::ReadOptions options;
    options.arch = Arch::X86_64;
    const auto workload = workload::read(*text, options);
    ASSERT_TRUE(workload.has_value()) << to_string(workload.error());
    EXPECT_EQ(workload->name, entry.path().stem());
    EXPECT_EQ(workload::written(*workload), *text);
    EXPECT_EQ(workload::condensed(*workload), *workload);
    EXPECT_THAT(workload->notes, Contains(HasSubstr("Debian 12")));
    EXPECT_THAT(workload->notes, Contains(HasSubstr("Linux ")));
    EXPECT_GT(workload->total(), 10'000U);
    const auto counts = workload::by_number(*workload, Arch::X86_64);
    EXPECT_GT(counts.calls.size(), 20U);
    EXPECT_EQ(counts.of_other_abis + counts.without_number, 0U);
  }
  EXPECT_GE(files, 4U);
}

}  // namespace
}  // namespace callgate
