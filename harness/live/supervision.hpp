#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/live/raw.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::live {

/// What a supervisor answers every notification with: a value that nothing else returns, the same
/// for calls of 64 and of 32 bits.
inline constexpr std::int64_t kSupervised = 0x6e6f7469;

/// A supervisor's view of the notifications of one listener, in shared memory.
struct Supervision {
  volatile std::int64_t listener = -1;  ///< descriptor in the table that the supervisor shares
  const volatile std::uint64_t* at = nullptr;  ///< the call being made
  std::uint64_t calls = 0;
  SeccompData* notified = nullptr;         ///< for each call: what its notification says
  volatile std::uint8_t* times = nullptr;  ///< for each call: how many there were, 255 at most
};

/// In a child without filters: waits a moment for a notification, notes it, and answers.
CALLGATE_IN_CHILD void supervise(Supervision& supervision);

}  // namespace callgate::live
