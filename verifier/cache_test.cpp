#include "verifier/cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "verifier/check.hpp"
#include "vm/opcodes.hpp"
#include "vm/syscalls.hpp"

namespace callgate::verifier {
namespace {

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kToken = 0xc000003eU;
constexpr Instruction kLoadNumber{0x20, 0, 0, 0};
constexpr Instruction kLoadArgument{0x20, 0, 0, 16};
constexpr Instruction kReturnAllow{0x06, 0, 0, kAllow};
constexpr Instruction kReturnErrno{0x06, 0, 0, 0x00050001};

Program allow_all() { return {kReturnAllow}; }

FilterStack stack_of(std::initializer_list<Program> oldest_first, const KernelModel& model = {}) {
  FilterStack stack(model);
  for (const Program& each : oldest_first) {
    const auto checked = check(each, model);
    EXPECT_TRUE(checked.has_value());
    EXPECT_TRUE(stack.push(*checked).has_value());
  }
  return stack;
}

Cached cached(const Program& program, std::uint32_t nr, const KernelModel& model = {}) {
  return cache_answer(stack_of({program}, model), nr).cached;
}

KernelModel kernel(int major, int minor, Arch arch = Arch::X86_64) {
  KernelModel model;
  model.version = {major, minor, 0};
  model.arch = arch;
  return model;
}

TEST(Cache, takes_only_the_plain_allow) {
  const auto returning = [](std::uint32_t k) { return cached({{0x06, 0, 0, k}}, 39); };
  EXPECT_EQ(returning(kAllow), Cached::Yes);
  for (const std::uint32_t k : {kAllow | 1U, 0x7ffc0000U, 0x00050000U, 0x7fff8000U, 0U, ~0U}) {
    EXPECT_EQ(returning(k), Cached::NotAllowed) << k;
  }
  const CacheAnswer answer = emulate(Program{kLoadNumber, kReturnErrno}, 39, kToken);
  EXPECT_EQ(answer, (CacheAnswer{Cached::NotAllowed, 0, 1, 0x00050001U}));
}

TEST(Cache, sees_number_and_architecture_and_no_other_word) {
  for (std::uint32_t offset = 0; offset < 64; offset += 4) {
    const Cached seen = cached({{0x20, 0, 0, offset}, kReturnAllow}, 39);
    EXPECT_EQ(seen, offset < 8 ? Cached::Yes : Cached::NotEmulated) << offset;
  }
  // It is the number and the token that are seen there.
  const auto compares = [](std::uint32_t offset, std::uint32_t k) {
    return Program{{0x20, 0, 0, offset}, {0x15, 0, 1, k}, kReturnAllow, kReturnErrno};
  };
  EXPECT_EQ(cached(compares(0, 39), 39), Cached::Yes);
  EXPECT_EQ(cached(compares(0, 39), 40), Cached::NotAllowed);
  EXPECT_EQ(cached(compares(4, kToken), 39), Cached::Yes);
  EXPECT_EQ(cached(compares(4, 0x40000003U), 39), Cached::NotAllowed);
  EXPECT_EQ(cached(compares(4, 0x40000003U), 39, kernel(6, 18, Arch::X86)), Cached::Yes);
}

TEST(Cache, follows_eight_operations_of_the_forty_one) {
  // Each alone before an ALLOW; X and slot 0 are made sure of in code that is jumped over.
  constexpr std::uint16_t kFollowed[] = {0x20, 0x05, 0x15, 0x25, 0x35, 0x45, 0x54};
  for (const OpcodeInfo& row : opcodes()) {
    if (row.acceptance != Acceptance::Seccomp || row.kind == OpcodeKind::Return) continue;
    const auto code = static_cast<std::uint16_t>(row.opcode);
    const Program program = {{code, 0, 0, 0}, kReturnAllow};
    const bool follows = std::ranges::find(kFollowed, code) != std::ranges::end(kFollowed);
    const CacheAnswer answer = emulate(program, 39, kToken);
    EXPECT_EQ(answer.cached, follows ? Cached::Yes : Cached::NotEmulated) << row.name;
    EXPECT_EQ(answer.instruction, 0U) << row.name;
  }
  EXPECT_EQ(cached({{0x00, 0, 0, kAllow}, {0x16, 0, 0, 0}}, 39), Cached::NotEmulated);
  EXPECT_EQ(emulate(Program{kLoadNumber, {0x16, 0, 0, 0}}, kAllow, kToken).cached,
            Cached::NotEmulated);
}

TEST(Cache, compares_as_the_program_does) {
  struct Compare {
    std::uint16_t code;
    std::uint32_t k;
    std::uint32_t nr;
    bool holds;
  };
  constexpr Compare kCompares[] = {
      {0x15, 7, 7, true},           {0x15, 7, 8, false}, {0x25, 7, 8, true},
      {0x25, 7, 7, false},          {0x35, 7, 7, true},  {0x35, 7, 6, false},
      {0x45, 6, 4, true},           {0x45, 6, 8, false}, {0x25, 0x80000000U, 8, false},
      {0x35, 0xffffffffU, 7, false}};
  for (const Compare& each : kCompares) {
    const Program program = {kLoadNumber, {each.code, 0, 1, each.k}, kReturnAllow, kReturnErrno};
    EXPECT_EQ(cached(program, each.nr), each.holds ? Cached::Yes : Cached::NotAllowed)
        << each.code << ' ' << each.k << ' ' << each.nr;
  }
}

TEST(Cache, begins_with_A_0_and_masks_it) {
  EXPECT_EQ(cached({{0x15, 0, 1, 0}, kReturnAllow, kReturnErrno}, 39), Cached::Yes);
  EXPECT_EQ(cached({{0x15, 0, 1, 39}, kReturnAllow, kReturnErrno}, 39), Cached::NotAllowed);
  const Program masks = {
      kLoadNumber, {0x54, 0, 0, 0xf}, {0x15, 0, 1, 7}, kReturnAllow, kReturnErrno};
  EXPECT_EQ(cached(masks, 39), Cached::Yes);  // 39 & 15 is 7
  EXPECT_EQ(cached(masks, 40), Cached::NotAllowed);
}

TEST(Cache, does_not_mind_what_lies_beside_the_way) {
  const Program jumps = {
      kLoadNumber, {0x15, 1, 0, 39}, kLoadArgument, {0x05, 0, 0, 0}, kReturnAllow};
  EXPECT_EQ(cached(jumps, 39), Cached::Yes);
  const CacheAnswer other = cache_answer(stack_of({jumps}), 40);
  EXPECT_EQ(other, (CacheAnswer{Cached::NotEmulated, 0, 2, 0}));
}

TEST(Cache, is_shared_by_a_stack) {
  const Program no_getpid = {kLoadNumber, {0x15, 0, 1, 39}, kReturnErrno, kReturnAllow};
  const Program reads = {kLoadArgument, kReturnAllow};
  EXPECT_EQ(cache_answer(stack_of({allow_all(), no_getpid}), 40).cached, Cached::Yes);
  EXPECT_EQ(cache_answer(stack_of({allow_all(), no_getpid}), 39),
            (CacheAnswer{Cached::NotAllowed, 1, 2, 0x00050001U}));
  EXPECT_EQ(cache_answer(stack_of({no_getpid, allow_all()}), 39).filter, 0U);
  EXPECT_EQ(cache_answer(stack_of({allow_all(), reads}), 40).cached, Cached::NotEmulated);
  EXPECT_EQ(cache_answer(stack_of({reads, allow_all()}), 40).cached, Cached::NotEmulated);
}

TEST(Cache, came_with_5_11) {
  EXPECT_EQ(cached(allow_all(), 39, kernel(5, 10)), Cached::NoCache);
  EXPECT_EQ(cached(allow_all(), 39, kernel(5, 11)), Cached::Yes);
  EXPECT_FALSE(cache_range(kernel(5, 10)).has_value());
}

TEST(Cache, ends_with_the_numbers_of_the_kernel) {
  for (const Arch arch : {Arch::X86_64, Arch::X86}) {
    EXPECT_EQ(cached(allow_all(), 469, kernel(6, 18, arch)), Cached::Yes);
    EXPECT_EQ(cached(allow_all(), 470, kernel(6, 18, arch)), Cached::OutOfRange);
    EXPECT_EQ(cached(allow_all(), 441, kernel(5, 11, arch)), Cached::Yes);
    EXPECT_EQ(cached(allow_all(), 442, kernel(5, 11, arch)), Cached::OutOfRange);
    EXPECT_EQ(cache_range(kernel(6, 18, arch))->mark, Mark::Live);
  }
  EXPECT_EQ(cached(allow_all(), 453, kernel(6, 6)), Cached::Yes);
  EXPECT_EQ(cached(allow_all(), 453, kernel(6, 6, Arch::X86)), Cached::NotKnown);
  EXPECT_EQ(cached(allow_all(), 453, kernel(6, 7, Arch::X86)), Cached::Yes);
  for (const std::uint32_t nr : {0xffffffffU, 0x80000000U, 0x40000000U, 0x40000027U, 548U}) {
    EXPECT_EQ(cached(allow_all(), nr), Cached::OutOfRange) << nr;
  }
}

TEST(Cache, has_a_count_that_is_one_more_than_the_call_that_made_it_so) {
  struct Row {
    std::uint32_t count;
    const char* call;
  };
  constexpr Row kRows[] = {
#define NUMBERS(major, minor, count, x86, mark, call) {count, call},
#include "verifier/number_ranges.def"
#undef NUMBERS
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(syscall_number(Arch::X86_64, row.call), row.count - 1) << row.call;
  }
  EXPECT_EQ(syscalls(Arch::X86_64).back().nr + 1, std::end(kRows)[-1].count);
}

TEST(Cache, has_no_x32_number) {
  EXPECT_EQ(cached(allow_all(), 0x40000027U, kernel(6, 18, Arch::X32)), Cached::OutOfRange);
}

TEST(Cache, of_other_architectures_has_a_range_that_is_known_in_part) {
  const KernelModel arm64 = kernel(6, 18, Arch::AArch64);
  EXPECT_EQ(cached(allow_all(), 441, arm64), Cached::Yes);
  EXPECT_EQ(cached(allow_all(), 442, arm64), Cached::NotKnown);
  EXPECT_EQ(cached(allow_all(), 471, arm64), Cached::NotKnown);
  EXPECT_EQ(cached(allow_all(), 472, arm64), Cached::OutOfRange);
  // What a filter keeps out is out wherever the range ends.
  EXPECT_EQ(cached({kReturnErrno}, 450, arm64), Cached::NotAllowed);
  EXPECT_EQ(cached(allow_all(), 39, kernel(6, 18, Arch::Arm)), Cached::Yes);
  for (const Arch arch : {Arch::Mips, Arch::Mipsel64n32, Arch::M68k}) {
    EXPECT_EQ(cached(allow_all(), 4039, kernel(6, 18, arch)), Cached::NoCacheOnAbi);
  }
}

TEST(Cache, has_the_range_that_the_lab_has_seen) {
  const KernelModel arm64 = kernel(6, 1, Arch::AArch64);
  EXPECT_EQ(cache_range(arm64)->mark, Mark::Lab);
  EXPECT_EQ(cached(allow_all(), 450, arm64), Cached::Yes);
  EXPECT_EQ(cached(allow_all(), 451, arm64), Cached::OutOfRange);
}

// What calls were added when was taken from memory: each kernel that was seen confirms it.
TEST(Cache, seen_ranges_of_x86_64_are_those_of_the_table) {
  struct Row {
    Arch arch;
    int major;
    int minor;
    std::uint32_t count;
  };
  constexpr Row kRows[] = {
#define SEEN_NUMBERS(arch, major, minor, count) {Arch::arch, major, minor, count},
#include "verifier/seen_ranges.def"
#undef SEEN_NUMBERS
  };
  struct Numbers {
    std::pair<int, int> since;
    std::uint32_t count;
  };
  constexpr Numbers kNumbers[] = {
#define NUMBERS(major, minor, count, x86, mark, call) {{major, minor}, count},
#include "verifier/number_ranges.def"
#undef NUMBERS
  };
  for (const Row& row : kRows) {
    std::uint32_t count = 0;
    for (const Numbers& each : kNumbers) {
      if (each.since <= std::pair(row.major, row.minor)) count = each.count;
    }
    if (row.major >= 7) continue;  // beyond the table
    EXPECT_EQ(row.count, count) << info(row.arch).name << " " << row.minor;
  }
}

TEST(Cache, of_a_newer_kernel_may_hold_more) {
  EXPECT_EQ(cached(allow_all(), 469, kernel(7, 2)), Cached::Yes);
  EXPECT_EQ(cached(allow_all(), 470, kernel(7, 2)), Cached::NotKnown);
  EXPECT_EQ(cached(allow_all(), 0x40000000U, kernel(7, 2)), Cached::OutOfRange);
  EXPECT_EQ(cached(allow_all(), 470, kernel(6, 18)), Cached::OutOfRange);
}

TEST(Cache, holds_the_exempt_numbers_whatever_the_filter) {
  const Program kill = {{0x06, 0, 0, 0}};
  EXPECT_EQ(cached(kill, 335), Cached::Exempt);
  EXPECT_EQ(cached(kill, 336), Cached::Exempt);
  EXPECT_EQ(cached(kill, 334), Cached::NotAllowed);
  EXPECT_EQ(cached(kill, 337), Cached::NotAllowed);
  EXPECT_EQ(cached(kill, 336, kernel(6, 17)), Cached::NotAllowed);
  EXPECT_EQ(cached(kill, 335, kernel(6, 11)), Cached::NotAllowed);
  EXPECT_EQ(cached(kill, 335, kernel(6, 18, Arch::X86)), Cached::NotAllowed);
}

TEST(Cache, emulates_no_program_out_of_its_end) {
  EXPECT_EQ(emulate({}, 0, kToken).cached, Cached::NotEmulated);
  EXPECT_EQ(emulate(Program{{0x05, 0, 0, ~0U}}, 0, kToken).cached, Cached::NotEmulated);
}

}  // namespace
}  // namespace callgate::verifier
