// A guest that is played by the model: its counts must be judged as agreeing, its coefficients
// found again, and each way to spoil it told.

#include "harness/lab/costs.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/cost/probe_filters.hpp"
#include "harness/lab/played_console.hpp"
#include "verifier/cache.hpp"
#include "verifier/check.hpp"
#include "verifier/path_cost.hpp"
#include "vm/filter_stack.hpp"
#include "vm/syscalls.hpp"

namespace callgate::lab {
namespace {

using ::testing::HasSubstr;

constexpr cost::Parts kParts = {.entry = 457,
                                .cached = 234,
                                .uncached = 351,
                                .per_filter = 99,
                                .per_instruction = 4,
                                .per_jump = 1,
                                .per_arithmetic = -3};

// What a call of the number costs without a filter.
double bare(std::uint32_t nr) { return kParts.entry + nr % 5 * 16; }

// What it costs under the stack, if the kernel is as the model says: at most.
double counted(const FilterStack& stack, std::uint32_t nr) {
  if (stack.size() == 0) return bare(nr);
  // What cannot be told is told to be served.
  const verifier::CacheAnswer answer = verifier::cache_answer(stack, nr);
  const bool served = answer.is_served() || answer.cached == verifier::Cached::NotKnown;
  const double fixed = kParts.fixed(served, stack.size());
  if (served) return bare(nr) + fixed;
  return bare(nr) + fixed + kParts.bodies(verifier::path_cost(stack, nr), stack.size()).second;
}

std::vector<std::string> played(const CostSession& session, const LabKernel& kernel,
                                std::string_view version) {
  KernelModel model;
  model.arch = kernel.calls;
  model.version = *parse_version(version);
  std::vector<std::string> lines = {fmt::format("u {}-cloud #1 SMP Debian {}-1", version, version),
                                    "j 1"};
  for (std::size_t i = 0; i < session.questions().size(); ++i) {
    std::string line = fmt::format("c {} 0 ", i);
    const FilterStack stack = stack_of(session.questions()[i].filters, model);
    for (const CostCall& call : session.questions()[i].calls) {
      line += fmt::format("{:08x}", static_cast<std::uint32_t>(16 * counted(stack, call.nr)));
    }
    lines.push_back(std::move(line));
  }
  lines.push_back(fmt::format("e 0 0 {}", session.questions().size()));
  return lines;
}

class LabCosts : public ::testing::TestWithParam<const char*> {
 protected:
  LabKernel kernel_ = parse_kernels(GetParam())->front();
  CostSession session_{kernel_, 6, 7};
};

TEST_P(LabCosts, guest_that_is_as_the_model_says_agrees) {
  for (const std::string_view version : {"6.1.176", "5.10.223", "6.18.1"}) {
    const CostReport report = session_.judge(console_of(played(session_, kernel_, version)));
    EXPECT_EQ(report.ending, Ending::Passed)
        << report.reason << (report.first.empty() ? "" : report.first[0]);
    EXPECT_GT(report.agreements, 7'000U);
    EXPECT_EQ(report.not_told, 0U);
    EXPECT_EQ(report.unknown, report.seen_served);
    EXPECT_DOUBLE_EQ(report.parts.cached, version == "5.10.223" ? kParts.uncached : kParts.cached);
    EXPECT_DOUBLE_EQ(report.parts.entry, bare(session_.questions()[0].calls[0].nr));
    EXPECT_DOUBLE_EQ(report.parts.uncached, kParts.uncached);
    EXPECT_DOUBLE_EQ(report.parts.per_filter, kParts.per_filter);
    EXPECT_NEAR(report.parts.per_instruction, kParts.per_instruction, 0.01);
    EXPECT_NEAR(report.parts.per_jump, kParts.per_jump, 0.01);
    EXPECT_NEAR(report.parts.per_arithmetic, kParts.per_arithmetic, 0.01);
    for (const CountedStack& each : report.stacks) {
      EXPECT_EQ(each.holds, each.calls) << each.name;
      EXPECT_NEAR(each.predicted, each.counted, 1 + 0.01 * each.counted) << each.name;
    }
  }
}

// Of `ret ALLOW` with the filter below it: the number is served, or not.
TEST_P(LabCosts, number_that_is_served_against_the_model_is_a_difference) {
  std::vector<std::string> lines = played(session_, kernel_, "6.1.176");
  std::string& line = lines[2 + 8 + 1];
  ASSERT_THAT(line, HasSubstr("c 9 0 "));
  const double dearer = bare(3) + kParts.cached + 300 * kParts.per_instruction;
  line.replace(6 + 8 * 3, 8, fmt::format("{:08x}", static_cast<std::uint32_t>(16 * dearer)));
  const CostReport report = session_.judge(console_of(lines));
  EXPECT_EQ(report.ending, Ending::Failed);
  EXPECT_EQ(report.differences, 1U);
  ASSERT_EQ(report.first.size(), 1U);
  EXPECT_THAT(report.first[0],
              HasSubstr("ret ALLOW: number 3: we say served, the kernel does not"));
}

TEST_P(LabCosts, call_that_does_not_come_back_and_a_refused_filter_are_told) {
  std::vector<std::string> lines = played(session_, kernel_, "6.1.176");
  lines[2 + 8].replace(6, 8, "ffffffff");
  EXPECT_EQ(session_.judge(console_of(lines)).not_told, 1U);
  // Neither what a served number costs nor what another does: something else came between.
  const double between = bare(1) + kParts.cached + 150 * kParts.per_instruction;
  lines[2 + 9].replace(6 + 8, 8, fmt::format("{:08x}", static_cast<std::uint32_t>(16 * between)));
  EXPECT_EQ(session_.judge(console_of(lines)).not_told, 2U);
  lines[2 + 8] = "c 8 22 ";
  EXPECT_THAT(session_.judge(console_of(lines)).reason, HasSubstr("refused with errno 22"));
  lines.pop_back();
  EXPECT_THAT(session_.judge(console_of(lines)).reason, HasSubstr("cut or damaged"));
}

// read is served, getppid runs four instructions with a jump: the more frequent one, so that it is
// looked at first.
TEST_P(LabCosts, given_stacks_are_counted_for_the_workload) {
  const Program but_read = {{0x20, 0, 0, 0},
                            {0x15, 0, 1, *syscall_number(kernel_.calls, "read")},
                            {0x06, 0, 0, cost::kPlainAllow},
                            {0x20, 0, 0, 16},
                            {0x06, 0, 0, cost::kPlainAllow}};
  const auto call = [](std::string_view name, std::uint64_t count) {
    verifier::KnownCall out;
    out.data.nr = static_cast<std::int32_t>(*syscall_number(Arch::X86_64, name));
    out.data.arch = info(Arch::X86_64).token;
    out.known = verifier::kNumberKnown | verifier::kArchKnown;
    out.count = count;
    return out;
  };
  GivenCosts given;
  given.stacks = {{"one", {but_read}}, {"three", {but_read, but_read, cost::uncached_filter()}}};
  given.workload = calls_of_abi(
      std::vector<verifier::KnownCall>{call("read", 30), call("open", 5), call("getppid", 100)},
      kernel_.calls);
  const bool has_open = kernel_.calls == Arch::X86_64;
  EXPECT_EQ(given.workload.calls.size(), has_open ? 3U : 2U);
  const CostSession session(kernel_, 0, 7, given);
  const CostReport report = session.judge(console_of(played(session, kernel_, "6.1.176")));
  ASSERT_EQ(report.ending, Ending::Passed) << report.reason;
  ASSERT_EQ(report.stacks.size(), 3U);  // and one that allows everything
  ASSERT_TRUE(report.workload.has_value());
  const WorkloadCosts& costs = *report.workload;
  EXPECT_EQ(costs.calls, has_open ? 135U : 130U);
  EXPECT_EQ(costs.unknown_arguments, costs.calls);
  ASSERT_EQ(costs.left_out.size(), has_open ? 0U : 1U);
  if (!has_open) {
    EXPECT_EQ(costs.left_out[0].calls, 5U);
    EXPECT_THAT(std::string(costs.left_out[0].why), HasSubstr("no such call"));
  }
  ASSERT_EQ(costs.stacks.size(), 2U);
  const double served = 30.0 / static_cast<double>(costs.calls);
  const WorkloadCost& one = costs.stacks[0];
  EXPECT_EQ(one.name, "one");
  EXPECT_EQ(one.length, 5U);
  EXPECT_DOUBLE_EQ(one.cached_share, served);
  EXPECT_DOUBLE_EQ(one.executed, 4 * (1 - served));
  EXPECT_NEAR(one.fixed, served * kParts.cached + (1 - served) * kParts.uncached, 1e-6);
  EXPECT_NEAR(one.instructions, (1 - served) * (2 * kParts.per_instruction + kParts.per_jump),
              1e-6);
  EXPECT_NEAR(one.counted, one.fixed + one.instructions, 1e-6);
  ASSERT_TRUE(one.predicted.has_value());
  EXPECT_NEAR(*one.predicted, one.counted, 0.4 * one.counted);
  const WorkloadCost& three = costs.stacks[1];
  EXPECT_EQ(three.filters, 3U);
  EXPECT_EQ(three.cached_share, 0);
  EXPECT_NEAR(three.fixed, kParts.uncached + 2 * kParts.per_filter, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Guests, LabCosts, ::testing::Values("arm64-6.1", "amd64-6.1"),
                         [](const auto& name) {
                           std::string out = name.param;
                           std::ranges::replace(out, '-', '_');
                           std::ranges::replace(out, '.', '_');
                           return out;
                         });

TEST(LabCosts, are_counted_for_calls_of_the_machines_own_two_architectures) {
  for (const LabKernel& each : lab_kernels()) {
    const bool counts = each.name.starts_with("arm64-") || each.name.starts_with("amd64-");
    const bool own = each.calls == each.platform.arch;
    EXPECT_EQ(can_count(each), counts && own) << each.name;
  }
}

}  // namespace
}  // namespace callgate::lab
