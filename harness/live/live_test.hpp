#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/live/availability.hpp"
#include "harness/live/child.hpp"
#include "vm/kernel_model.hpp"

namespace callgate::live {

#ifdef CALLGATE_SANITIZED
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

inline constexpr std::uint32_t kX86_64 = 0xc000003eU;
inline constexpr std::uint32_t kI386 = 0x40000003U;
inline constexpr std::uint32_t kAllow = 0x7fff0000U;

/// Tests that ask the running kernel; skipped, with the reason, where that cannot be.
class Live : public ::testing::Test {
 protected:
  void SetUp() override {
    available_ = availability();
    if (!available_.filters.empty()) GTEST_SKIP() << available_.filters;
  }

  Availability available_;
  const KernelModel model_ = KernelModel::host();
};

}  // namespace callgate::live
