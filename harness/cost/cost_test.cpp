// What measurements are made of, without a kernel: figures, and the filters that are compared.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "harness/cost/cache_by_timing.hpp"
#include "harness/cost/estimate.hpp"
#include "harness/cost/probe_filters.hpp"
#include "harness/live/asker.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::cost {
namespace {

constexpr std::uint32_t kX86_64 = 0xc000003eU;
constexpr std::uint32_t kNumbers = 470;

TEST(Estimates, are_the_median_and_its_median_deviation) {
  const std::array<double, 5> odd = {9, 1, 2, 100, 3};
  EXPECT_EQ(estimate(odd).median, 3);
  EXPECT_EQ(estimate(odd).spread, 2);
  EXPECT_FALSE(estimate(odd).below_spread());
  const std::array<double, 4> even = {1, 2, 4, 9};
  EXPECT_EQ(median(even), 3);
}

TEST(Estimates, within_their_spread_cannot_be_told_from_nothing) {
  const std::array<double, 3> around_nothing = {-2, 1, 2};
  EXPECT_TRUE(estimate(around_nothing).below_spread());
  EXPECT_TRUE(estimate({}).below_spread());
  const std::array<double, 3> negative = {-9, -8, -10};
  EXPECT_FALSE(estimate(negative).below_spread());
}

TEST(HarmlessCalls, have_their_names_and_reach_every_number) {
  for (const HarmlessCall& each : harmless_calls()) {
    EXPECT_EQ(syscall_name(Arch::X86_64, each.nr).value_or(""), each.name) << each.nr;
  }
  EXPECT_TRUE(std::ranges::is_sorted(harmless_calls(), {}, &HarmlessCall::nr));
  for (std::uint32_t nr = 0; nr < kNumbers; ++nr) {
    EXPECT_TRUE(std::ranges::any_of(harmless_calls(), [&](const HarmlessCall& each) {
      return (each.nr & nr) == nr;
    })) << nr;
  }
}

TEST(ProbeFilters, are_accepted) {
  const KernelModel model;
  for (const Program& each :
       {cached_filter(), uncached_filter(), refusing_filter(), chain_of_compares(1),
        chain_of_compares(4094), chain_of_jumps(2047), chain_of_additions(4094)}) {
    EXPECT_TRUE(verifier::check(each, model).has_value());
  }
  const SeccompData data{.nr = 110, .arch = kX86_64};
  const auto chain = reference::run(chain_of_compares(1000), data, model);
  EXPECT_EQ(chain.value, kRefusal);
  EXPECT_EQ(chain.executed, 1002U);
  EXPECT_EQ(reference::run(chain_of_jumps(1000), data, model).executed, 1002U);
  EXPECT_EQ(reference::run(chain_of_additions(1000), data, model).executed, 1002U);
}

TEST(ProbeFilters, that_refuse_run_the_same_instructions) {
  const KernelModel model;
  random::Source source(1);
  for (int i = 0; i < 2000; ++i) {
    const Program program = random::valid_program(source);
    const SeccompData data = random::input(source, program, kX86_64);
    const auto given = reference::run(program, data, model);
    const auto refused = reference::run(refusing(program), data, model);
    EXPECT_EQ(given.last, refused.last);
    EXPECT_EQ(given.executed, refused.executed);
    const bool by_return = program[given.last].code == 0x06 || program[given.last].code == 0x16;
    EXPECT_EQ(refused.value, by_return ? kRefusal : given.value);
    // Only a plain ALLOW stays one.
    const auto kept = reference::run(refusing_unless_allowed(program), data, model);
    const bool plain = program[given.last].code == 0x06 && given.value == kPlainAllow;
    EXPECT_EQ(kept.value, plain ? kPlainAllow : refused.value);
  }
}

TEST(ProbeFilters, with_a_masked_number_do_for_a_larger_number_what_was_asked_of_the_smaller) {
  const KernelModel model;
  random::Source source(2);
  int changed = 0;
  for (int i = 0; i < 3000; ++i) {
    const Program program =
        i % 2 == 0 ? random::filter_like(source, 40, kX86_64) : random::valid_program(source);
    SeccompData data = random::input(source, program, kX86_64);
    data.nr = static_cast<std::int32_t>(source.below(kNumbers));
    const auto masked = with_masked_number(program, static_cast<std::uint32_t>(data.nr));
    if (!masked) continue;
    ++changed;
    EXPECT_TRUE(verifier::check(*masked, model).has_value());
    SeccompData larger = data;
    larger.nr |= static_cast<std::int32_t>(source.next() & 0x1ffU);
    EXPECT_EQ(reference::run(*masked, larger, model).value,
              reference::run(program, data, model).value);
  }
  EXPECT_GT(changed, 2900);
}

// Compares whose sides are as far as they can be, among loads of the number.
Program far_compares(random::Source& source) {
  Program out;
  while (out.size() < 600) {
    const auto near = [&] { return static_cast<std::uint8_t>(source.below(4)); };
    const auto far = [&] { return static_cast<std::uint8_t>(255 - source.below(4)); };
    if (source.one_in(3)) out.push_back({0x20, 0, 0, 0});
    out.push_back({0x15, source.one_in(2) ? far() : near(), source.one_in(2) ? far() : near(),
                   source.below(kNumbers)});
    if (source.one_in(9)) out.push_back({0x05, 0, 0, source.below(250)});
  }
  while (out.size() < 900) out.push_back({0x06, 0, 0, static_cast<std::uint32_t>(out.size())});
  return out;
}

TEST(ProbeFilters, with_a_masked_number_keep_their_farthest_jumps) {
  const KernelModel model;
  random::Source source(4);
  for (int i = 0; i < 200; ++i) {
    const Program program = far_compares(source);
    for (int call = 0; call < 20; ++call) {
      SeccompData data{.nr = static_cast<std::int32_t>(source.below(kNumbers)), .arch = kX86_64};
      const auto masked = with_masked_number(program, static_cast<std::uint32_t>(data.nr));
      ASSERT_TRUE(masked.has_value());
      EXPECT_TRUE(verifier::check(*masked, model).has_value());
      const std::uint32_t value = reference::run(program, data, model).value;
      data.nr |= static_cast<std::int32_t>(source.next() & 0x1ffU);
      EXPECT_EQ(reference::run(*masked, data, model).value, value);
    }
  }
}

TEST(ProbeFilters, with_a_masked_number_that_would_not_fit_are_not_made) {
  Program longest(kMaxProgramLength, {0x20, 0, 0, 0});
  longest.back() = {0x06, 0, 0, kPlainAllow};
  EXPECT_FALSE(with_masked_number(longest, 1).has_value());
  EXPECT_FALSE(with_masked_number(Program{{0x15, 200, 0, 0}, {0x06, 0, 0, 0}}, 1).has_value());
  EXPECT_FALSE(with_masked_number(Program{{0x05, 0, 0, 0xffffffffU}, {0x06, 0, 0, 0}}, 1));
}

TEST(ProbeFilters, in_a_stack_let_newer_ones_be_installed_and_do_nothing_else) {
  const KernelModel model;
  random::Source source(3);
  for (int i = 0; i < 1000; ++i) {
    const Program program = random::valid_program(source);
    const auto stack = installable({program, refusing_filter()});
    ASSERT_TRUE(stack.has_value());
    EXPECT_EQ(stack->back(), refusing_filter());
    SeccompData data = random::input(source, program, kX86_64);
    EXPECT_EQ(reference::run(stack->front(), data, model).value,
              reference::run(program, data, model).value);
    data.nr = 317;
    data.args[5] = live::kPass;
    EXPECT_EQ(reference::run(stack->front(), data, model).value, kPlainAllow);
  }
  Program longest(kMaxProgramLength, {0x20, 0, 0, 0});
  longest.back() = {0x06, 0, 0, kPlainAllow};
  EXPECT_FALSE(installable({longest, refusing_filter()}).has_value());
  EXPECT_TRUE(installable({longest}).has_value());
}

}  // namespace
}  // namespace callgate::cost
