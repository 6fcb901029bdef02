#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "harness/capi/callgate.h"
#include "harness/engines/engines.hpp"

extern "C" int callgate_capi_from_c(void);

namespace {

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kErrno = 0x00050000U;

std::vector<callgate_instruction> returns(std::uint32_t value) { return {{0x06, 0, 0, value}}; }

TEST(CLibrary, is_usable_from_c) { EXPECT_EQ(callgate_capi_from_c(), 0); }

TEST(CLibrary, runs_a_filter_from_many_threads_at_once) {
  const std::vector<callgate_instruction> program = {
      {0x20, 0, 0, 16}, {0x04, 0, 0, 1}, {0x16, 0, 0, 0}};
  callgate_filter* filter = nullptr;
  ASSERT_EQ(callgate_filter_create(program.data(), program.size(), nullptr, &filter), 0);
  std::array<bool, 4> right{};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      right[t] = true;
      for (std::uint64_t i = 0; i < 1000; ++i) {
        callgate_data data{};
        data.args[0] = i * (t + 1);
        right[t] = right[t] && callgate_filter_run(filter, &data) == i * (t + 1) + 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const bool each : right) EXPECT_TRUE(each);
  callgate_filter_destroy(filter);
}

TEST(CLibrary, refuses_as_the_kernel_does) {
  const auto create = [](const std::vector<callgate_instruction>& program) {
    callgate_filter* filter = nullptr;
    const int error = callgate_filter_create(program.data(), program.size(), nullptr, &filter);
    EXPECT_EQ(filter == nullptr, error != 0);
    callgate_filter_destroy(filter);
    return error;
  };
  EXPECT_EQ(create({}), EINVAL);
  EXPECT_EQ(create({{0x00, 0, 0, 1}}), EINVAL);
  EXPECT_EQ(create({{0x94, 0, 0, 1}, {0x06, 0, 0, 0}}), EINVAL);
  EXPECT_EQ(create(std::vector<callgate_instruction>(4097, {0x06, 0, 0, 0})), EINVAL);
  EXPECT_EQ(create(std::vector<callgate_instruction>(4096, {0x06, 0, 0, 0})), 0);
  callgate_filter* filter = nullptr;
  EXPECT_EQ(callgate_filter_create(nullptr, 1, nullptr, &filter), EINVAL);
  EXPECT_EQ(callgate_filter_create(nullptr, 1, nullptr, nullptr), EFAULT);
}

TEST(CLibrary, says_what_is_wrong_with_options) {
  const auto with = [](const char* engine, const char* kernel, const char* arch) {
    const auto program = returns(kAllow);
    const callgate_options options{sizeof(callgate_options), engine, kernel, arch, 0};
    callgate_filter* filter = nullptr;
    const int error = callgate_filter_create(program.data(), 1, &options, &filter);
    callgate_filter_destroy(filter);
    return error;
  };
  EXPECT_EQ(with(nullptr, nullptr, nullptr), 0);
  EXPECT_EQ(with("reference", "4.4", "s390x"), 0);
  EXPECT_EQ(with("warp", nullptr, nullptr), ENOTSUP);
  EXPECT_EQ(with(nullptr, "six", nullptr), EINVAL);
  EXPECT_EQ(with(nullptr, nullptr, "vax"), EINVAL);
  EXPECT_EQ(with(nullptr, "3.4", nullptr), EINVAL);
}

TEST(CLibrary, runs_on_every_engine) {
  const std::vector<callgate_instruction> program = {
      {0x20, 0, 0, 0}, {0x15, 0, 1, 39}, {0x06, 0, 0, kAllow}, {0x06, 0, 0, 0x00050001}};
  for (const callgate::Engine* engine : callgate::all_engines()) {
    const std::string name(engine->name());
    const callgate_options options{sizeof(callgate_options), name.c_str(), nullptr, nullptr, 0};
    callgate_filter* filter = nullptr;
    ASSERT_EQ(callgate_filter_create(program.data(), program.size(), &options, &filter), 0) << name;
    callgate_data data{};
    data.nr = 39;
    EXPECT_EQ(callgate_filter_run(filter, &data), kAllow) << name;
    data.nr = 40;
    EXPECT_EQ(callgate_filter_run(filter, &data), 0x00050001U) << name;
    callgate_filter_destroy(filter);
  }
}

TEST(CLibrary, takes_options_of_other_versions) {
  struct Longer {
    callgate_options known;
    std::uint64_t later;
  };
  const auto program = returns(kAllow);
  const auto with = [&](const callgate_options* options) {
    callgate_filter* filter = nullptr;
    const int error = callgate_filter_create(program.data(), 1, options, &filter);
    callgate_filter_destroy(filter);
    return error;
  };
  Longer longer{{sizeof(Longer), nullptr, nullptr, nullptr, 0}, 0};
  EXPECT_EQ(with(&longer.known), 0);
  longer.later = 1;
  EXPECT_EQ(with(&longer.known), E2BIG);
  // Only `size` and `engine` belong to this caller; the rest is not looked at.
  const callgate_options shorter{2 * sizeof(size_t), nullptr, "not a version", "vax", 0};
  EXPECT_EQ(with(&shorter), 0);
  const callgate_options none{0, nullptr, nullptr, nullptr, 0};
  EXPECT_EQ(with(&none), EINVAL);
}

TEST(CLibrary, shows_words_in_the_byte_order_of_the_architecture) {
  const std::vector<callgate_instruction> first_word = {{0x20, 0, 0, 16}, {0x16, 0, 0, 0}};
  callgate_data data{};
  data.args[0] = 0x1111111122222222U;
  const auto run = [&](const char* arch) {
    const callgate_options options{sizeof(callgate_options), nullptr, nullptr, arch, 0};
    callgate_filter* filter = nullptr;
    EXPECT_EQ(callgate_filter_create(first_word.data(), 2, &options, &filter), 0);
    const std::uint32_t value = callgate_filter_run(filter, &data);
    callgate_filter_destroy(filter);
    return value;
  };
  EXPECT_EQ(run("x86_64"), 0x22222222U);
  EXPECT_EQ(run("s390x"), 0x11111111U);
}

TEST(CLibrary, stacks_filters_the_newest_winning_a_tie) {
  callgate_stack* stack = callgate_stack_create(nullptr);
  ASSERT_NE(stack, nullptr);
  const callgate_data data{};
  std::size_t winner = 7;
  EXPECT_EQ(callgate_stack_run(stack, &data, &winner), kAllow);
  EXPECT_EQ(winner, SIZE_MAX);
  for (const std::uint32_t value : {kErrno | 1, kErrno | 2, kAllow}) {
    const auto program = returns(value);
    ASSERT_EQ(callgate_stack_push(stack, program.data(), 1), 0);
  }
  EXPECT_EQ(callgate_stack_run(stack, &data, &winner), kErrno | 2);
  EXPECT_EQ(winner, 1U);
  EXPECT_EQ(callgate_stack_run(stack, &data, nullptr), kErrno | 2);
  callgate_stack_destroy(stack);
}

TEST(CLibrary, takes_3641_one_instruction_filters_and_no_more) {
  callgate_stack* stack = callgate_stack_create(nullptr);
  const auto program = returns(kAllow);
  int taken = 0;
  while (callgate_stack_push(stack, program.data(), 1) == 0) ++taken;
  EXPECT_EQ(taken, 3641);
  EXPECT_EQ(callgate_stack_push(stack, program.data(), 1), ENOMEM);
  callgate_stack_destroy(stack);
}

TEST(CLibrary, stack_creation_sets_errno) {
  const callgate_options options{sizeof(callgate_options), "warp", nullptr, nullptr, 0};
  errno = 0;
  EXPECT_EQ(callgate_stack_create(&options), nullptr);
  EXPECT_EQ(errno, ENOTSUP);
  callgate_filter_destroy(nullptr);
  callgate_stack_destroy(nullptr);
}

}  // namespace
