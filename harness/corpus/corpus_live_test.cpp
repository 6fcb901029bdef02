// Every expectation of the corpus that this machine's kernel can be asked for is put to it.
#include <gmock/gmock.h>

#include <cstdio>

#include "harness/corpus/confirm.hpp"
#include "harness/live/live_test.hpp"

namespace callgate::live {
namespace {

class LiveCorpus : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    if (IsSkipped()) return;
    if (model_.arch != Arch::X86_64) GTEST_SKIP() << "the live oracle is for x86_64";
    for (const std::string& why : {available_.tracing, available_.outcomes}) {
      if (!why.empty()) GTEST_SKIP() << why;
    }
    if (kSanitized) {
      GTEST_SKIP() << "left to the build without a sanitizer: its children start threads and drop "
                      "thousands of filters";
    }
  }
};

TEST_F(LiveCorpus, is_what_the_running_kernel_does) {
  corpus::Corpus all = corpus::make_corpus();
  const auto confirmed = corpus::confirm(all, model_);
  ASSERT_TRUE(confirmed.has_value()) << confirmed.error().message;
  EXPECT_THAT(confirmed->differences, testing::IsEmpty());
  std::size_t expectations = 0;
  for (const corpus::KindCount& each : corpus::counts(all)) expectations += each.expectations;
  std::size_t not_asked = 0;
  for (const auto& [why, count] : confirmed->not_asked) {
    std::printf("%zu not asked: %s\n", count, why.c_str());
    not_asked += count;
  }
  for (const auto& [kind, count] : confirmed->by_kind) {
    std::printf("%zu confirmed: %s\n", count, kind.c_str());
  }
  std::printf("%zu of %zu confirmed\n", confirmed->live, expectations);
  EXPECT_EQ(confirmed->live + not_asked, expectations) << "some were lost";
  // Where the kernel is like the newest one, all but what is foreign is confirmed.
  if (model_.version >= kNewestVersion && !model_.blinds_constants &&
      model_.engine == KernelEngine::Jit) {
    EXPECT_GT(confirmed->live, 200'000U);
    for (const auto& [kind, least] : std::map<std::string, std::size_t>{{"check", 3'000},
                                                                        {"codes", 3 * 0x10000},
                                                                        {"value", 15'000},
                                                                        {"stack", 600},
                                                                        {"outcome", 900},
                                                                        {"limit", 190}}) {
      EXPECT_GE(confirmed->by_kind.at(kind), least) << kind;
    }
  }
}

// A wrong expectation of each kind is found, and named.
TEST_F(LiveCorpus, differs_where_an_expectation_is_wrong) {
  if (model_.version < kNewestVersion) GTEST_SKIP() << "needs a kernel like the newest one";
  const corpus::Corpus all = corpus::make_corpus();
  corpus::Corpus some;
  const auto put = [&](const char* pattern) {
    const corpus::Corpus part = corpus::filtered(all, pattern);
    some.checks.insert(some.checks.end(), part.checks.begin(), part.checks.end());
    some.codes.insert(some.codes.end(), part.codes.begin(), part.codes.end());
    some.values.insert(some.values.end(), part.values.begin(), part.values.end());
    some.stacks.insert(some.stacks.end(), part.stacks.begin(), part.stacks.end());
    some.outcomes.insert(some.outcomes.end(), part.outcomes.begin(), part.outcomes.end());
    some.limits.insert(some.limits.end(), part.limits.begin(), part.limits.end());
  };
  const std::vector<std::string> ids = {
      "check/shift/lsh-k/0x00000020/reached",
      "codes/in-the-last-place",
      "value/alu/lsh-x/0x00000021",
      "stack/pair/errno/errno",
      "outcome/around/errno/tracer/no-listener/one-thread/handled",
      "outcome/around/kill_thread/no-tracer/no-listener/two-threads/blocked",
      "outcome/around/user_notif/tracer/listener/two-threads/ignored",
      "outcome/around/unknown-0x7ffe/no-tracer/no-listener/one-thread/handled",
      "outcome/around/log/no-tracer/no-listener/one-thread/handled",
      "limit/loads/4035"};
  for (const std::string& id : ids) put(id.c_str());
  corpus::Corpus right = some;
  const auto agreed = corpus::confirm(right, model_);
  ASSERT_TRUE(agreed.has_value()) << agreed.error().message;
  EXPECT_THAT(agreed->differences, testing::IsEmpty());

  some.checks.front().refused.reset();
  some.codes.front().accepted.push_back(0xffff);
  for (auto& run : some.values.front().runs) run.value = *run.value ^ 0x80000000U;
  some.stacks.front().runs.front().verdict.value ^= 3U;
  for (auto& each : some.outcomes) {
    each.outcome = {.kind = OutcomeKind::Returns, .value = -4000};
  }
  --some.limits.front().fits;
  const auto confirmed = corpus::confirm(some, model_);
  ASSERT_TRUE(confirmed.has_value()) << confirmed.error().message;
  EXPECT_EQ(confirmed->live, 0U);
  for (const std::string& id : ids) {
    EXPECT_THAT(confirmed->differences, testing::Contains(testing::StartsWith(id + ": ")));
  }
}

}  // namespace
}  // namespace callgate::live
