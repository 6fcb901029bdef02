#include "vm/outcome.hpp"

#include <gtest/gtest.h>

#include <cstdint>

// Each rule has its vector in corpus/vectors/outcome; here is what holds for all.
namespace callgate {
namespace {

TEST(Outcome, exists_for_every_result_on_every_kernel) {
  for (const Version version :
       {Version{3, 5, 0}, Version{4, 9, 0}, Version{5, 4, 0}, kNewestVersion}) {
    const KernelModel model{.version = version};
    for (std::uint32_t half = 0; half <= 0xffff; ++half) {
      const std::uint32_t value = half << 16U | 7U;
      const Outcome outcome = outcome_of(value, SeccompData{}, model, Surroundings{});
      const bool dies =
          outcome.kind == OutcomeKind::ProcessDies || outcome.kind == OutcomeKind::ThreadDies;
      const bool sigsys = dies || outcome.kind == OutcomeKind::Sigsys;
      ASSERT_EQ(outcome.signal, sigsys ? 31 : 0) << value;
      ASSERT_TRUE(!dies || outcome.logged) << value;
      ASSERT_TRUE(!outcome.core_dump || outcome.kind == OutcomeKind::ProcessDies) << value;
    }
  }
}

TEST(Outcome, of_an_action_that_is_not_known_is_that_of_a_kill) {
  for (std::uint32_t half = 0; half <= 0xffff; ++half) {
    if (find_action(half << 16U) != nullptr) continue;
    const Outcome outcome = outcome_of(half << 16U, SeccompData{}, KernelModel{}, Surroundings{});
    ASSERT_EQ(outcome, outcome_of(0x80000000U, SeccompData{}, KernelModel{}, Surroundings{}));
  }
}

TEST(Outcome, of_every_errno_is_within_4095) {
  for (std::uint32_t data = 0; data <= 0xffff; ++data) {
    const Outcome outcome =
        outcome_of(0x00050000U | data, SeccompData{}, KernelModel{}, Surroundings{});
    ASSERT_EQ(outcome.kind, OutcomeKind::Returns);
    ASSERT_EQ(outcome.value, -std::int64_t{data > 4095 ? 4095 : data});
  }
}

TEST(Outcome, takes_the_log_flag_from_the_winner) {
  const FilterStack stack{KernelModel{}};
  const Outcome outcome =
      outcome_of(stack, Verdict{}, SeccompData{}, Surroundings{.log_flag = true});
  EXPECT_FALSE(outcome.logged) << "nobody has won";
}

}  // namespace
}  // namespace callgate
