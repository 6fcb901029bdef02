// `callgate test --live` as a person meets it: cases put to the running kernel.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/cli/command_test.hpp"
#include "vm/arches.hpp"

namespace callgate {
namespace {

using testing::HasSubstr;

class LiveSuiteFixture : public FilterCommandFixture {};

TEST_F(LiveSuiteFixture, the_running_kernel_says_the_same) {
  if (host_arch() != Arch::X86_64) GTEST_SKIP() << "the filter is for x86_64";
  const std::string suite = file(
      "suite.yaml",
      "filter: filter\nexpect:\n  - allow: [getpid, write(1)]\n  - errno EPERM: [read, 'write(2)', "
      "'@unknown']\nrecorded:\n  - read(5, 6): ERRNO(1)\n");
  const Ended ended = run({"test", "--live", suite});
  if (ended.code == 2 && ended.err.find("--live:") != std::string::npos) {
    GTEST_SKIP() << ended.err;
  }
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("the running kernel was asked"));
  EXPECT_THAT(ended.err, testing::Not(HasSubstr("was asked 0 calls")));
}

}  // namespace
}  // namespace callgate
