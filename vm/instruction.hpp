#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace callgate {

/// One classic-BPF instruction: bit for bit the kernel's `struct sock_filter`
/// (include/uapi/linux/filter.h).
struct Instruction {
  std::uint16_t code = 0;  ///< the operation; compared as all 16 bits
  std::uint8_t jt = 0;     ///< instructions to skip when a conditional jump is taken
  std::uint8_t jf = 0;     ///< instructions to skip when it is not
  std::uint32_t k = 0;     ///< the constant operand

  friend bool operator==(const Instruction&, const Instruction&) = default;
};

static_assert(sizeof(Instruction) == 8 && alignof(Instruction) == 4);
static_assert(std::is_trivially_copyable_v<Instruction>);

/// Any instructions at all, nothing known about them yet.
using Program = std::vector<Instruction>;

/// BPF_MAXINSNS: the longest program that the kernel takes.
inline constexpr std::size_t kMaxProgramLength = 4096;

/// BPF_MEMWORDS: the slots of scratch memory, M[0] to M[15].
inline constexpr std::size_t kMemoryWords = 16;

/// MAX_INSNS_PER_PATH (kernel/seccomp.c): converted instructions, with 4 for each older filter,
/// that one task may hold.
inline constexpr std::size_t kMaxInstructionsPerTask = 32768;

}  // namespace callgate
