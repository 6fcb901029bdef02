// One program for a stack and a workload, for filters small enough to say by hand;
// harness/tune/rewrite_test.cpp asks the same of random ones and of policies.

#include "verifier/rewrite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace callgate::verifier {
namespace {

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kErrno = 0x00050001U;
constexpr std::uint32_t kX86_64 = 0xc000003eU;
constexpr Instruction kLoadNumber{0x20, 0, 0, 0};

KnownCall call(std::int32_t nr, std::uint64_t count = 1) {
  KnownCall made;
  made.data.nr = nr;
  made.data.arch = kX86_64;
  made.known = kNumberKnown | kArchKnown;
  made.count = count;
  return made;
}

class Rewriting : public testing::Test {
 protected:
  std::expected<Rewritten, std::string> rewrite(const std::vector<Program>& programs,
                                                const std::vector<KnownCall>& workload,
                                                const RewriteOptions& options = {}) {
    FilterStack stack(model);
    for (const Program& each : programs) {
      EXPECT_TRUE(stack.push(check(each, model).value()));
    }
    return rewritten(endings, stack, meaning_of(endings, stack), workload, options);
  }

  KernelModel model;
  Space space;
  Endings endings{space};
};

TEST_F(Rewriting, a_chain_becomes_a_test_of_what_is_asked_most) {
  Program chain = {kLoadNumber};
  for (std::uint32_t nr = 0; nr < 20; ++nr) {
    chain.push_back({0x15, 0, 1, 2 * nr});
    chain.push_back({0x06, 0, 0, kErrno + nr});
  }
  chain.push_back({0x06, 0, 0, kAllow});
  const auto made = rewrite({chain}, {call(30, 98), call(2), call(4)});
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->origin, RewriteOrigin::Trees);
  const auto program = made->program.instructions();
  EXPECT_EQ(program[0], kLoadNumber);
  EXPECT_EQ(program[1].code, 0x15);
  EXPECT_EQ(program[1].k, 30U);
  EXPECT_LT(made->cost_after, 3.2);
  EXPECT_GT(made->cost_before, 15);
  EXPECT_EQ(made->cached_after, made->cacheable);
}

}  // namespace
}  // namespace callgate::verifier
