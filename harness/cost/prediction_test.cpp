// Predictions against what programs do when they run, and the models they are made with.

#include "harness/cost/prediction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "harness/cost/cost_page.hpp"
#include "harness/cost/cost_words.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace callgate::cost {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kToken = 0xc000003eU;

FilterStack stack_of(std::initializer_list<Program> oldest_first) {
  FilterStack stack(KernelModel{});
  for (const Program& each : oldest_first) {
    const auto checked = verifier::check(each, KernelModel{});
    EXPECT_TRUE(checked.has_value());
    EXPECT_TRUE(stack.push(*checked).has_value());
  }
  return stack;
}

bool reads_the_call(const Program& program) {
  return std::ranges::any_of(program,
                             [](const Instruction& i) { return i.code == 0x20 && i.k > 4; });
}

struct Seen {
  std::size_t cached = 0;
  std::size_t exact = 0;
  std::size_t bounded = 0;
  std::size_t runs = 0;
};

// Which of the instructions that run jump elsewhere than to the next, or reckon.
struct KindsSeen {
  const Program* program;
  std::size_t* jumps;
  std::size_t* arithmetic;

  void step(const reference::Step& step) const {
    const std::uint16_t kind = (*program)[step.at].code & 7U;
    if (kind == 5 && step.next != step.at + 1) ++*jumps;
    if (kind == 4) ++*arithmetic;
  }
};

void put_to_the_reference(const Program& program, random::Source& source, Seen& seen) {
  const auto checked = verifier::check(program, KernelModel{});
  ASSERT_TRUE(checked.has_value());
  for (int numbers = 0; numbers < 6; ++numbers) {
    SeccompData data = random::input(source, program, kToken);
    const auto nr = static_cast<std::uint32_t>(data.nr);
    const bool cached = verifier::emulate(program, nr, kToken).cached == verifier::Cached::Yes;
    const verifier::PathCost path = verifier::path_cost(*checked, nr, kToken);
    if (!reads_the_call(program)) {
      EXPECT_TRUE(path.exact);
    }
    ASSERT_LE(path.classic.least, path.classic.most);
    if (path.exact) {
      ASSERT_EQ(path.classic.least, path.classic.most);
    }
    seen.cached += cached ? 1 : 0;
    ++(path.exact ? seen.exact : seen.bounded);
    for (int calls = 0; calls < 12; ++calls) {
      data = random::input(source, program, kToken);
      data.nr = static_cast<std::int32_t>(nr);
      std::size_t jumps = 0;
      std::size_t arithmetic = 0;
      const reference::Result result =
          reference::run(program, data, KernelModel{}, KindsSeen{&program, &jumps, &arithmetic});
      ++seen.runs;
      if (cached) {
        ASSERT_EQ(result.value, kAllow);
      }
      ASSERT_GE(result.executed, path.classic.least);
      ASSERT_LE(result.executed, path.classic.most);
      ASSERT_GE(jumps, path.jumps_taken.least);
      ASSERT_LE(jumps, path.jumps_taken.most);
      ASSERT_GE(arithmetic, path.arithmetic.least);
      ASSERT_LE(arithmetic, path.arithmetic.most);
    }
  }
}

TEST(Predictions, hold_for_random_programs) {
  random::Source source(411);
  Seen seen;
  for (int i = 0; i < 3000; ++i) {
    put_to_the_reference(random::valid_program(source), source, seen);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(seen.exact, 1000U);
  EXPECT_GT(seen.bounded, 1000U);
}

TEST(Predictions, hold_for_programs_such_as_filters_are) {
  random::Source source(412);
  Seen seen;
  for (int i = 0; i < 6000; ++i) {
    const std::uint32_t longest = 8 + source.below(120);
    put_to_the_reference(random::filter_like(source, longest, kToken), source, seen);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(seen.cached, 150U);
  EXPECT_GT(seen.exact, 1000U);
  EXPECT_GT(seen.bounded, 500U);
}

TEST(Predictions, of_programs_of_number_and_architecture_are_exact) {
  random::Source source(413);
  Seen seen;
  for (int i = 0; i < 2000; ++i) {
    Program program = i % 2 == 0 ? random::valid_program(source)
                                 : random::filter_like(source, 8 + source.below(60), kToken);
    for (Instruction& each : program) {
      if (each.code == 0x20) each.k &= 4U;
    }
    put_to_the_reference(program, source, seen);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(seen.bounded, 0U);
  EXPECT_GT(seen.exact, 10000U);
}

// ERRNO for openat, both for ioctl, ALLOW for others.
Program sandbox() {
  return {{0x20, 0, 0, 0}, {0x15, 3, 0, 257},         {0x15, 0, 3, 16},    {0x20, 0, 0, 24},
          {0x15, 1, 0, 5}, {0x06, 0, 0, 0x00050001U}, {0x06, 0, 0, kAllow}};
}

CallCount call(std::uint32_t nr, std::string name, std::uint64_t count) {
  return {nr, std::move(name), count};
}

TEST(Predictions, put_the_dearest_first_and_weigh_by_counts) {
  const std::vector<CallCount> calls = {call(0, "read", 6), call(257, "openat", 3),
                                        call(16, "ioctl", 1)};
  const TimeModel model;
  const Prediction out = predict(stack_of({sandbox()}), calls, model, {});
  ASSERT_EQ(out.calls.size(), 3U);
  EXPECT_EQ(out.calls[0].name, "read");    // 6 x 35
  EXPECT_EQ(out.calls[1].name, "openat");  // 3 x 63.2
  EXPECT_EQ(out.calls[2].name, "ioctl");
  EXPECT_EQ(out.totals.calls, 10U);
  EXPECT_EQ(out.totals.served, 6U);
  EXPECT_DOUBLE_EQ(out.totals.time->fixed.most, (6 * 35.0 + 4 * 63.0) / 10);
  // Three instructions for openat, one more than the smallest filter has; it jumps.
  EXPECT_NEAR(out.calls[1].time->instructions.most, 0.18 + 0.14, 1e-12);
  EXPECT_EQ(out.calls[1].path.classic, (verifier::Count{3, 3}));
  EXPECT_THAT(out.calls[2].why, HasSubstr("instruction 3: A = args[1].low"));
  EXPECT_THAT(out.calls[1].why, HasSubstr("ERRNO(1)"));
}

TEST(Predictions, of_known_arguments_are_exact) {
  // ioctl asks for the low half of its second argument: 5 and others go different ways.
  const std::uint32_t token = info(Arch::X86_64).token;
  verifier::KnownCall five = verifier::call_of(16, token, 3);
  five.data.args[1] = 5;
  five.known |= verifier::low_known(1);
  verifier::KnownCall six = five;
  six.data.args[1] = 6;
  six.count = 1;
  const Program program = {{0x20, 0, 0, 0},     {0x15, 0, 3, 16},     {0x20, 0, 0, 24},
                           {0x15, 0, 1, 5},     {0x06, 0, 0, kAllow}, {0x04, 0, 0, 1},
                           {0x06, 0, 0, kAllow}};
  const FilterStack stack = stack_of({program});
  const std::vector<verifier::KnownCall> both = {five, six};
  const Prediction out = predict(stack, both, TimeModel{}, {});
  ASSERT_EQ(out.calls.size(), 1U);
  EXPECT_EQ(out.calls[0].name, "ioctl");
  EXPECT_EQ(out.calls[0].count, 4U);
  EXPECT_EQ(out.calls[0].path.classic, (verifier::Count{5, 6}));
  EXPECT_DOUBLE_EQ(out.calls[0].executed.least, 5.25);
  EXPECT_DOUBLE_EQ(out.calls[0].executed.most, 5.25);
  EXPECT_DOUBLE_EQ(out.totals.executed.most, 5.25);
  const std::vector<verifier::KnownCall> unknown = {verifier::call_of(16, token, 4)};
  EXPECT_DOUBLE_EQ(predict(stack, unknown, TimeModel{}, {}).totals.executed.least, 5);
  EXPECT_DOUBLE_EQ(predict(stack, unknown, TimeModel{}, {}).totals.executed.most, 6);
}

TEST(Predictions, without_time_rank_by_instructions) {
  const std::vector<CallCount> calls = {call(0, "read", 600), call(257, "openat", 1)};
  const Prediction out = predict(stack_of({sandbox()}), calls, {}, {});
  EXPECT_EQ(out.calls[0].name, "openat");
  EXPECT_FALSE(out.totals.time.has_value());
  EXPECT_DOUBLE_EQ(out.calls[1].executed.most, 0);
}

TEST(Predictions, name_the_filter_of_a_stack) {
  const std::vector<CallCount> calls = {call(257, "openat", 1)};
  const TimeModel model;
  const Prediction out =
      predict(stack_of({Program{{0x06, 0, 0, kAllow}}, sandbox()}), calls, model, {});
  EXPECT_THAT(out.calls[0].why, HasSubstr("filter 1, instruction 5"));
  EXPECT_DOUBLE_EQ(out.calls[0].time->fixed.most, 63.0 + 16.0);
}

TEST(Predictions, of_no_calls_are_no_division_by_0) {
  const std::vector<CallCount> calls = {call(0, "read", 0)};
  const TimeModel model;
  Report report;
  report.filters = 1;
  report.time = model;
  report.prediction = predict(stack_of({sandbox()}), calls, model, {});
  EXPECT_DOUBLE_EQ(report.prediction.totals.time->sum().most, 0);
  EXPECT_THAT(summary(report), HasSubstr("nothing to weigh"));
  EXPECT_THAT(cost_page(report), Not(HasSubstr("nan\"")));
  EXPECT_THAT(cost_page(report), Not(HasSubstr("nan %")));
}

TEST(TimeModels, are_read_as_bench_writes_them) {
  const auto model = read_time_model(
      R"({"callgate":1,"kernel":"6.1","cpu":"C","entry_ns":1,"cached_ns":2,"uncached_ns":3,)"
      R"("per_filter_ns":4,"per_instruction_ns":0.5,"per_jump_ns":2,"per_arithmetic_ns":8})");
  ASSERT_TRUE(model.has_value());
  EXPECT_DOUBLE_EQ(model->entry_ns, 1);
  EXPECT_DOUBLE_EQ(model->per_instruction_ns, 0.5);
  EXPECT_EQ(model->source, "Linux 6.1 on C");
  EXPECT_DOUBLE_EQ(model->parts().fixed(true, 3), 2);
  EXPECT_DOUBLE_EQ(model->parts().fixed(false, 3), 3 + 2 * 4);
  EXPECT_DOUBLE_EQ(model->parts().instructions(10, 0, 0, 2), 3);
  EXPECT_DOUBLE_EQ(model->parts().instructions(10, 3, 1, 2), 3 + 3 * 2 + 8);
  EXPECT_DOUBLE_EQ(model->parts().instructions(1, 0, 0, 1), 0);
}

TEST(TimeModels, that_cannot_be_read_say_why) {
  const auto error = [](std::string_view json) {
    const auto model = read_time_model(json);
    return model ? std::string("read") : model.error().message;
  };
  const auto with = [&](std::string_view filter_ns) {
    return error(R"({"entry_ns":1,"cached_ns":2,"uncached_ns":3,"per_instruction_ns":1,)"
                 R"("per_jump_ns":0,"per_arithmetic_ns":0,"per_filter_ns":)" +
                 std::string(filter_ns) + "}");
  };
  EXPECT_EQ(with("0"), "read");
  EXPECT_THAT(with("-1"), HasSubstr("per_filter_ns is negative"));
  EXPECT_THAT(with("\"4\""), HasSubstr("per_filter_ns is no number"));
  EXPECT_THAT(with("1e999"), Not(HasSubstr("read")));
  EXPECT_THAT(error(R"({"entry_ns":1})"), HasSubstr("cached_ns is missing"));
  EXPECT_THAT(error("[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(error("{"), HasSubstr("no JSON object"));
}

TEST(CostPage, stands_alone_and_escapes_what_it_is_given) {
  const std::vector<CallCount> calls = {call(0, "<read&>", 6), call(257, "openat", 3)};
  Report report;
  report.filters = 1;
  report.time = TimeModel{};
  report.time->source = "<script>";
  report.prediction = predict(stack_of({sandbox()}), calls, report.time, {});
  const std::string page = cost_page(report);
  EXPECT_THAT(page, HasSubstr("&lt;read&amp;&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("http")));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(page, HasSubstr("class=\"served\""));
  EXPECT_THAT(page, HasSubstr("class=\"fixed\""));
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

}  // namespace
}  // namespace callgate::cost
