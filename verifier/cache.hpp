#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "vm/filter_stack.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

/// The kernel's cache of constant actions (kernel/seccomp.c, since 5.11): when a filter is
/// installed, the kernel follows it for each number with a small emulator of its own; numbers that
/// every filter of the stack is seen to allow are never put to the filters again.
namespace callgate::verifier {

/// Whether the cache answers for a number, and if not, why.
enum class Cached : std::uint8_t {
  Yes,
  Exempt,        ///< the kernel lets this number pass whatever the filters say
  NoCache,       ///< this kernel has none
  NoCacheOnAbi,  ///< this architecture has none
  OutOfRange,    ///< numbers like this one are not in it
  NotKnown,      ///< whether this number is in the cache's range cannot be told
  NotEmulated,   ///< an instruction on the way is not one that the emulator follows
  NotAllowed,    ///< the result is not ALLOW with no data
};

/// What is known of one number.
struct CacheAnswer {
  Cached cached = Cached::Yes;
  std::size_t filter = 0;       ///< NotEmulated, NotAllowed: the one to blame, from the oldest (0)
  std::size_t instruction = 0;  ///< NotEmulated, NotAllowed: where the emulator stopped
  std::uint32_t value = 0;      ///< NotAllowed: the result

  /// Whether calls of it run no filter.
  [[nodiscard]] bool is_served() const noexcept {
    return cached == Cached::Yes || cached == Cached::Exempt;
  }
  friend bool operator==(const CacheAnswer&, const CacheAnswer&) = default;
};

/// The numbers that a kernel's cache holds for an ABI, and how that is known.
struct CacheRange {
  std::uint32_t surely = 0;       ///< those below are in it
  std::uint32_t at_most = 0;      ///< those from here on are not; between the two it cannot be told
  Mark arch_mark = Mark::Memory;  ///< of the architecture's having a cache
  Mark mark = Mark::Memory;       ///< of the figures
};

/// Nothing where that kernel or that architecture has no cache.
[[nodiscard]] std::optional<CacheRange> cache_range(const KernelModel& model) noexcept;

/// What the emulator makes of a program for a number of an ABI's token: Yes, NotEmulated or
/// NotAllowed. Takes any instructions at all; one that leads outside is NotEmulated.
[[nodiscard]] CacheAnswer emulate(std::span<const Instruction> program, std::uint32_t nr,
                                  std::uint32_t arch) noexcept;

/// What the cache of a task under that stack says of a number of the model's ABI. The oldest filter
/// that keeps it out is the one to blame. An empty stack asks nobody: Yes for numbers in range.
[[nodiscard]] CacheAnswer cache_answer(const FilterStack& stack, std::uint32_t nr) noexcept;

}  // namespace callgate::verifier
