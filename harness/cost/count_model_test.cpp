// What is predicted in machine instructions against what guests counted.

#include "harness/cost/count_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/cost/cost_page.hpp"
#include "harness/cost/cost_words.hpp"
#include "harness/cost/prediction.hpp"
#include "harness/cost/probe_filters.hpp"
#include "verifier/check.hpp"

namespace callgate::cost {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint32_t kGetppid = 173;
constexpr Instruction kAllows{0x06, 0, 0, kPlainAllow};

KernelModel arm64(Version version) {
  KernelModel model;
  model.arch = Arch::AArch64;
  model.version = version;
  return model;
}

FilterStack stack_of(const std::vector<Program>& filters, const KernelModel& model) {
  FilterStack stack(model);
  for (const Program& each : filters) {
    const auto checked = verifier::check(each, model);
    EXPECT_TRUE(checked.has_value() && stack.push(*checked).has_value());
  }
  return stack;
}

// `ld [16]`, 256 times the same, ret ALLOW.
std::vector<Program> repeated(Instruction each) {
  Program program = {{0x20, 0, 0, 16}};
  if (each.code == 0x60) program.push_back({0x02, 0, 0, each.k});
  program.insert(program.end(), 256, each);
  program.push_back(kAllows);
  return {program};
}

// 255 compares of the number of which none holds, with another side where they do.
std::vector<Program> compares(std::uint16_t code, std::uint32_t k) {
  Program program = {{0x20, 0, 0, 0}};
  program.insert(program.end(), 255, {code, 1, 0, k});
  program.insert(program.end(), 2, {0x20, 0, 0, 16});
  program.insert(program.end(), 2, kAllows);
  return {program};
}

struct Counted {
  std::string_view name;
  std::vector<Program> filters;
  double on_5_10;
  double on_6_1;
  double on_6_12;
  double on_7_3;
};

// What each was counted to add to getppid on arm64, JIT on.
std::vector<Counted> counts() {
  const Program smallest = uncached_filter();
  return {
      {"ret ALLOW", {cached_filter()}, 208.00, 234.08, 235.04, 196.96},
      {"ld [16]; ret ALLOW", {smallest}, 210.08, 351.04, 346.08, 300.96},
      {"8 times", std::vector<Program>(8, smallest), 448.08, 1044.04, 997.00, 833.00},
      {"256 add #1", repeated({0x04, 0, 0, 1}), 466.08, 607.04, 602.08, 556.96},
      {"256 add #0x12345", repeated({0x04, 0, 0, 0x12345}), 978.08, 1119.04, 1114.08, 1068.96},
      {"256 and #0xff", repeated({0x54, 0, 0, 0xff}), 466.08, 607.04, 602.08, 556.96},
      {"256 and #~0", repeated({0x54, 0, 0, 0xffffffff}), 722.08, 863.04, 858.08, 812.96},
      {"256 ld [16]", repeated({0x20, 0, 0, 16}), 722.08, 607.04, 602.08, 556.96},
      {"256 st M[0]", repeated({0x02, 0, 0, 0}), 722.08, 863.04, 607.04, 562.08},
      {"256 ld M[0]", repeated({0x60, 0, 0, 0}), 724.00, 865.12, 608.00, 563.04},
      {"256 or #5", repeated({0x44, 0, 0, 5}), 722.08, 863.04, 858.08, 812.96},
      {"255 jeq #0x12345", compares(0x15, 0x12345), 1235.04, 1374.08, 1368.96, 1324.00},
      {"255 jeq #0xc00000b7", compares(0x15, 0xc00000b7), 1235.04, 1374.08, 1368.96, 1324.00},
      {"255 jset #0x100", compares(0x45, 0x100), 724.96, 864.00, 859.04, 814.08},
  };
}

double added(const std::vector<Program>& filters, const KernelModel& model) {
  const auto counted = counted_kernel(model);
  EXPECT_TRUE(counted.has_value());
  const std::vector<CallCount> calls = {{kGetppid, "getppid", 1}};
  const Prediction out = predict(stack_of(filters, model), calls, {}, *counted);
  const Span sum = out.calls[0].machine->sum();
  EXPECT_DOUBLE_EQ(sum.least, sum.most);
  return sum.most;
}

TEST(CountedKernels, say_of_simple_filters_what_guests_counted) {
  for (const Counted& each : counts()) {
    EXPECT_NEAR(added(each.filters, arm64({5, 10, 223})), each.on_5_10, 1) << each.name;
    EXPECT_NEAR(added(each.filters, arm64({6, 1, 176})), each.on_6_1, 1) << each.name;
    EXPECT_NEAR(added(each.filters, arm64({6, 12, 95})), each.on_6_12, 1) << each.name;
    EXPECT_NEAR(added(each.filters, arm64({7, 3, 4})), each.on_7_3, 1) << each.name;
  }
}

TEST(CountedKernels, are_of_the_version_or_the_newest_before_it_which_is_said) {
  const auto source = [](Version version, Arch arch = Arch::AArch64) {
    KernelModel model = arm64(version);
    model.arch = arch;
    const auto counted = counted_kernel(model);
    return counted ? source_words(*counted, model) : std::string(counted.error());
  };
  EXPECT_EQ(source({6, 1, 0}), "Linux 6.1.176 of Debian, counted by callgate lab");
  EXPECT_THAT(source({6, 6, 0}),
              HasSubstr("6.1.176 of Debian, counted by callgate lab; the version"));
  EXPECT_THAT(source({6, 18, 0}), HasSubstr("6.12.95"));
  EXPECT_THAT(source({6, 18, 0}, Arch::X86_64), HasSubstr("6.16.12"));
  EXPECT_THAT(source({5, 9, 0}), HasSubstr("no kernel as old"));
  EXPECT_THAT(source({6, 1, 0}, Arch::S390x), HasSubstr("of this architecture"));
}

// The first with a cache has not the costs of the last without one.
TEST(CountedKernels, with_a_cache_are_told_by_one_that_has_it) {
  const auto counted = counted_kernel(arm64({5, 15, 0}));
  ASSERT_TRUE(counted.has_value());
  EXPECT_EQ(counted->release, "6.1.176");
}

TEST(CountedKernels, are_of_the_jit_alone) {
  KernelModel model = arm64({6, 1, 0});
  model.engine = KernelEngine::Interpreter;
  EXPECT_FALSE(counted_kernel(model).has_value());
  model = arm64({6, 1, 0});
  model.blinds_constants = true;
  EXPECT_FALSE(counted_kernel(model).has_value());
}

TEST(CountedKernels, are_told_as_instructions_and_never_as_time) {
  Report report;
  report.model = arm64({6, 1, 0});
  report.filters = 1;
  report.counted = *counted_kernel(report.model);
  const std::vector<CallCount> calls = {{kGetppid, "getppid", 2}};
  // An argument decides: two ways, one of them longer by a load.
  const Program two_ways = {{0x20, 0, 0, 16}, {0x15, 0, 1, 5}, {0x20, 0, 0, 24}, kAllows};
  report.prediction = predict(stack_of({two_ways}, report.model), calls, {}, report.counted);
  const Added& machine = *report.prediction.calls[0].machine;
  EXPECT_DOUBLE_EQ(machine.sum().least, 348.0 + 1 + 2 + 2);
  EXPECT_DOUBLE_EQ(machine.sum().most, 348.0 + 1 + 2 + 1 + 2);
  EXPECT_FALSE(report.prediction.calls[0].time.has_value());
  for (const std::string& words : {summary(report), cost_page(report)}) {
    EXPECT_THAT(words, HasSubstr("machine instructions"));
    EXPECT_THAT(words, Not(HasSubstr(" ns")));
    EXPECT_THAT(words, Not(HasSubstr("nanosecond")));
  }
  EXPECT_THAT(cost_page(report), HasSubstr("no measure of time"));
}

TEST(CountModel, very_call_costs_what_its_number_does_and_what_its_arguments_choose) {
  // 7 in the first argument: 20 additions more.
  Program by_argument = {{0x20, 0, 0, 16}, {0x15, 0, 20, 7}};
  by_argument.insert(by_argument.end(), 20, {0x04, 0, 0, 1});
  by_argument.push_back(kAllows);
  for (const Arch arch : {Arch::AArch64, Arch::X86_64}) {
    KernelModel model;
    model.arch = arch;
    model.version = {6, 1, 0};
    const auto kernel = counted_kernel(model);
    ASSERT_TRUE(kernel.has_value());
    verifier::KnownCall one;  // all of it is known
    one.data.nr = kGetppid;
    one.data.arch = info(arch).token;
    const verifier::KnownCall number = verifier::call_of(kGetppid, info(arch).token);
    const auto body = [&](const FilterStack& stack, const verifier::KnownCall& call) {
      return kernel->body(stack, call, verifier::path_cost(stack, call));
    };
    for (const Counted& each : counts()) {
      const FilterStack stack = stack_of(each.filters, model);
      if (!verifier::path_cost(stack, kGetppid).exact) continue;
      EXPECT_DOUBLE_EQ(body(stack, one).first, body(stack, number).first) << each.name;
    }
    const FilterStack stack = stack_of({by_argument}, model);
    const auto [other, same] = body(stack, one);
    EXPECT_DOUBLE_EQ(other, same);
    one.data.args[0] = 7;
    const double chosen = body(stack, one).first;
    const auto bounds = body(stack, number);
    EXPECT_GE(other, bounds.first - 1);
    EXPECT_LE(chosen, bounds.second + 1);
    EXPECT_GE(chosen - other, 19);
  }
}

}  // namespace
}  // namespace callgate::cost
