#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/live/child.hpp"
#include "vm/kernel_model.hpp"

namespace callgate::live {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
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

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitized = true;
#else
inline constexpr bool kThreadSanitized = false;
#endif

inline constexpr std::uint32_t kX86_64 = 0xc000003eU;
inline constexpr std::uint32_t kI386 = 0x40000003U;
inline constexpr std::uint32_t kAllow = 0x7fff0000U;

/// Tests that ask the running kernel; skipped, with the reason, where that cannot be.
class Live : public ::testing::Test {
 protected:
  void SetUp() override {
    const Program allow = {{0x06, 0, 0, kAllow}};
    volatile std::uint64_t progress = 0;
    const SharedMemory memory(sizeof(int));
    int* const error = memory.as<int>();
    *error = -1;
    const ChildEnd end = run_child(
        [&] {
          *error = allow_filters();
          if (*error == 0) *error = static_cast<int>(-install(allow.data(), allow.size()));
        },
        &progress);
    if (end.deadline) GTEST_SKIP() << "the running kernel does not answer an installation";
    if (*error != 0) {
      GTEST_SKIP() << "this process may not install filters: errno " << *error;
    }
  }

  const KernelModel model_ = KernelModel::host();
};

}  // namespace callgate::live
