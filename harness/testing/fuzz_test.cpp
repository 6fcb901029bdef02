#include "harness/testing/fuzz.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "vm/actions.hpp"

namespace callgate::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::uint32_t kAllow = 0x7fff0000;
constexpr std::uint32_t kEperm = 0x00050001;
constexpr std::uint32_t kX86_64 = 0xc000003e;

// Of x86_64 alone: socket with domain `domain` gets EPERM, getpid an errno, all else is allowed.
Program sockets(std::uint32_t domain, std::uint32_t getpid_value) {
  return {
      {0x20, 0, 0, 4},        // 0: arch
      {0x15, 0, 7, kX86_64},  // 1
      {0x20, 0, 0, 0},        // 2: nr
      {0x15, 4, 0, 39},       // 3: getpid
      {0x15, 0, 4, 41},       // 4: socket
      {0x20, 0, 0, 16},       // 5: the low half of the domain
      {0x15, 0, 2, domain},   // 6
      {0x06, 0, 0, kEperm},   // 7
      {0x06, 0, 0, getpid_value},
      {0x06, 0, 0, kAllow},
  };
}

std::uint32_t sockets_meant(const SeccompData& call) {
  if (call.arch != kX86_64) return kAllow;
  if (call.nr == 39) return kEperm;
  if (call.nr == 41 && static_cast<std::uint32_t>(call.args[0]) == 40) return kEperm;
  return kAllow;
}

TEST(Differential, equal_programs_pass_and_all_of_them_is_hit) {
  const Program a = sockets(40, kEperm);
  Program b = a;
  b.insert(b.begin(), {0x00, 0, 0, 0});
  const auto sides = Differential::between(a, b);
  ASSERT_TRUE(sides);
  const FuzzResult result = sides->run_for(2000);
  EXPECT_TRUE(result.passed) << result.text;
  EXPECT_EQ(result.inputs, 2000U);
  ASSERT_EQ(result.coverage.size(), 2U);
  EXPECT_EQ(result.coverage[0].instructions, 10U);
  EXPECT_EQ(result.coverage[0].instructions_hit, 10U);
  EXPECT_EQ(result.coverage[0].directions, 8U);
  EXPECT_EQ(result.coverage[0].directions_hit, 8U);
  EXPECT_EQ(result.coverage[1].instructions, 11U);
}

TEST(Differential, one_wrong_constant_is_found_and_made_small) {
  const auto sides = Differential::between(sockets(40, kEperm), sockets(41, kEperm));
  ASSERT_TRUE(sides);
  const FuzzResult result = sides->run_for(2000);
  EXPECT_FALSE(result.passed);
  ASSERT_TRUE(result.counterexample);
  const SeccompData& call = result.counterexample->call;
  EXPECT_EQ(call.nr, 41);
  EXPECT_EQ(call.arch, kX86_64);
  EXPECT_TRUE(call.args[0] == 40 || call.args[0] == 41) << call.args[0];
  EXPECT_EQ(call.args[1], 0U);
  EXPECT_EQ(call.instruction_pointer, 0U);
  EXPECT_THAT(result.text, HasSubstr("socket("));
  EXPECT_THAT(result.text, HasSubstr("ERRNO(1) (0x00050001)"));
  EXPECT_THAT(result.text, HasSubstr("ALLOW (0x7fff0000)"));
}

TEST(Differential, a_function_is_held_against_the_program) {
  const auto right = Differential::against(sockets(40, kEperm), sockets_meant);
  ASSERT_TRUE(right);
  const FuzzResult well = right->run_for(2000);
  EXPECT_TRUE(well.passed) << well.text;
  EXPECT_EQ(well.coverage.size(), 1U);

  const auto wrong = Differential::against(sockets(40, 0x00050026), sockets_meant);
  ASSERT_TRUE(wrong);
  const FuzzResult found = wrong->run_for(2000);
  ASSERT_TRUE(found.counterexample);
  EXPECT_EQ(found.counterexample->call, (SeccompData{.nr = 39, .arch = kX86_64}));
  EXPECT_EQ(found.counterexample->a, 0x00050026U);
  EXPECT_EQ(found.counterexample->b, kEperm);
  EXPECT_EQ(found.counterexample->message,
            "getpid(): the program returns ERRNO(38) (0x00050026), the function ERRNO(1) "
            "(0x00050001)");
}

TEST(Differential, a_value_that_only_the_function_looks_at_is_tried_where_it_is_named) {
  const Program all = {{0x06, 0, 0, kAllow}};
  const auto meant = [](const SeccompData& call) {
    return call.args[3] == 0x123456789abcdefULL ? kEperm : kAllow;
  };
  const auto unaware = Differential::against(all, meant);
  ASSERT_TRUE(unaware);
  EXPECT_TRUE(unaware->run_for(2000).passed);
  const auto aware = Differential::against(all, meant, {.constants = {0x123456789abcdefULL}});
  ASSERT_TRUE(aware);
  const FuzzResult result = aware->run_for(2000);
  ASSERT_TRUE(result.counterexample);
  EXPECT_EQ(result.counterexample->call.args[3], 0x123456789abcdefULL);
}

TEST(Differential, too_few_inputs_fail_and_name_what_was_not_hit) {
  const auto sides = Differential::against(sockets(40, kEperm), sockets_meant);
  ASSERT_TRUE(sides);
  const FuzzResult result = sides->run_for(1);
  EXPECT_FALSE(result.passed);
  EXPECT_FALSE(result.counterexample);
  EXPECT_THAT(result.coverage[0].missing, Contains("instruction 7 (return ERRNO(1)  # EPERM)"));
  EXPECT_THAT(result.coverage[0].missing, Contains(HasSubstr(", where it holds")));
  EXPECT_THAT(result.text, HasSubstr("not hit: instruction 7"));
}

TEST(Differential, what_no_call_comes_to_need_not_be_hit) {
  const Program contradiction = {
      {0x20, 0, 0, 0}, {0x15, 0, 2, 5}, {0x15, 0, 1, 6}, {0x06, 0, 0, kEperm}, {0x06, 0, 0, kAllow},
  };
  const auto sides = Differential::between(contradiction, {{0x06, 0, 0, kAllow}});
  ASSERT_TRUE(sides);
  const FuzzResult result = sides->run_for(200);
  EXPECT_TRUE(result.passed) << result.text;
  EXPECT_EQ(result.coverage[0].instructions, 4U);
  EXPECT_EQ(result.coverage[0].directions, 3U);
}

TEST(Differential, what_is_not_decided_fails_where_it_is_not_accepted) {
  // No square is 2 modulo 4.
  const Program square = {
      {0x20, 0, 0, 16},     {0x07, 0, 0, 0},      {0x20, 0, 0, 24},
      {0x2c, 0, 0, 0},      {0x07, 0, 0, 0},      {0x2c, 0, 0, 0},
      {0x15, 0, 1, 0x7772}, {0x06, 0, 0, kEperm}, {0x06, 0, 0, kAllow},
  };
  const Program allow = {{0x06, 0, 0, kAllow}};
  const auto strict = Differential::between(square, allow);
  ASSERT_TRUE(strict);
  const FuzzResult result = strict->run_for(500);
  EXPECT_FALSE(result.passed);
  EXPECT_FALSE(result.counterexample);
  EXPECT_THAT(result.coverage[0].missing, IsEmpty());
  EXPECT_THAT(result.coverage[0].undecided, Contains("instruction 7 (return ERRNO(1)  # EPERM)"));
  const auto lenient = Differential::between(square, allow, {.accept_undecided = true});
  ASSERT_TRUE(lenient);
  EXPECT_TRUE(lenient->run_for(500).passed);
}

TEST(Differential, the_same_seed_gives_the_same) {
  const auto sides = Differential::between(sockets(40, kEperm), sockets(41, kEperm));
  ASSERT_TRUE(sides);
  EXPECT_EQ(sides->run_for(500, 7).text, sides->run_for(500, 7).text);
  const std::array<std::uint8_t, 6> bytes = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(sides->call_from(bytes), sides->call_from(bytes));
  EXPECT_EQ(sides->call_from({}), (SeccompData{.arch = kX86_64}));
}

TEST(Differential, values_are_compared_at_the_level_that_is_asked_for) {
  const Program log = {{0x06, 0, 0, 0x7ffc0000}};
  const Program allow = {{0x06, 0, 0, kAllow}};
  const auto raw = Differential::between(log, allow);
  ASSERT_TRUE(raw);
  EXPECT_FALSE(raw->run_for(10).passed);
  const auto outcome = Differential::between(log, allow, {.level = verifier::Level::Outcome});
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->run_for(10).passed);
}

TEST(Differential, halves_of_arguments_are_where_the_machine_has_them) {
  // s390x: the low half of the first argument is at 20.
  const auto filter = [](std::uint32_t value) {
    return Program{
        {0x20, 0, 0, 20}, {0x15, 0, 1, value}, {0x06, 0, 0, kEperm}, {0x06, 0, 0, kAllow}};
  };
  const KernelModel kernel{.arch = Arch::S390x};
  const auto sides = Differential::between(filter(0x1234), filter(0x1235), {.kernel = kernel});
  ASSERT_TRUE(sides);
  const FuzzResult result = sides->run_for(500);
  ASSERT_TRUE(result.counterexample);
  const std::uint64_t value = result.counterexample->call.args[0];
  EXPECT_TRUE(value == 0x1234 || value == 0x1235) << value;
  EXPECT_EQ(result.counterexample->call.arch, info(Arch::S390x).token);
}

TEST(Differential, a_refused_program_is_said_to_be_so) {
  const auto sides = Differential::between({{0x06, 0, 0, kAllow}}, {{0x20, 0, 0, 3}});
  ASSERT_FALSE(sides);
  EXPECT_THAT(sides.error(), HasSubstr("the second program"));
  EXPECT_THAT(sides.error(), HasSubstr("[load-misaligned]"));
  EXPECT_FALSE(Differential::against({{0x06, 0, 0, kAllow}}, {}));
}

TEST(Fuzz, hands_the_smallest_counterexample_to_the_handler_or_throws_it) {
  const auto sides =
      Differential::against({{0x06, 0, 0, kEperm}}, [](const SeccompData&) { return kAllow; });
  ASSERT_TRUE(sides);
  const std::vector<std::uint8_t> bytes(64, 0xe5);
  std::string said;
  EXPECT_EQ(sides->fuzz(bytes.data(), bytes.size(),
                        [&](const Counterexample& found) { said = found.message; }),
            0);
  EXPECT_EQ(said,
            "read(): the program returns ERRNO(1) (0x00050001), the function ALLOW (0x7fff0000)");
  try {
    static_cast<void>(sides->fuzz(bytes.data(), bytes.size()));
    FAIL() << "nothing was thrown";
  } catch (const DifferenceFound& found) {
    EXPECT_EQ(found.what(), said);
  }
}

TEST(Fuzz, says_nothing_where_both_agree) {
  const auto sides = Differential::against(sockets(40, kEperm), sockets_meant);
  ASSERT_TRUE(sides);
  for (std::uint8_t i = 0; i < 255; ++i) {
    const std::vector<std::uint8_t> bytes(80, i);
    EXPECT_EQ(sides->fuzz(bytes.data(), bytes.size()), 0);
  }
}

TEST(ProgramOf, takes_whatever_has_the_fields_of_sock_filter) {
  struct Filter {
    unsigned short code;
    unsigned char jt;
    unsigned char jf;
    unsigned k;
  };
  const std::array<Filter, 2> filters = {Filter{0x15, 1, 2, 0xffffffffU}, Filter{6, 0, 0, 7}};
  EXPECT_THAT(program_of(filters),
              ElementsAre(Instruction{0x15, 1, 2, 0xffffffffU}, Instruction{6, 0, 0, 7}));
}

}  // namespace
}  // namespace callgate::testing
