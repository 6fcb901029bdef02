#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/live/child.hpp"
#include "harness/live/raw.hpp"
#include "harness/live/supervision.hpp"
#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::live {

/// A filter as a child installs it. Plain pointers: what runs under filters must touch nothing that
/// a sanitizer has an eye on.
struct Filter {
  const Instruction* instructions = nullptr;
  std::size_t length = 0;
  bool listener = false;  ///< installed with SECCOMP_FILTER_FLAG_NEW_LISTENER
};

/// What became of one call.
enum class Reply : std::uint8_t {
  NotAsked,
  Returned,       ///< with a result
  DiedBySigsys,   ///< the asking process
  DiedOtherwise,  ///< the asking process, of nothing that a filter does
};

/// What to ask once some filters are installed, and where the replies go: `results`, `replies` and
/// all that is volatile lie in shared memory.
struct Questions {
  const Filter* filters = nullptr;  ///< oldest first
  std::size_t filter_count = 0;
  /// what filters shall see, the instruction pointer included; one for each `group` calls where
  /// there is a selector, else one for each call
  const SeccompData* const* asked = nullptr;
  const std::size_t* selector = nullptr;  ///< argument whose low word is 0, 12, 24 in turn
  std::size_t calls = 0;
  std::size_t group = 1;  ///< calls that stand or fall together; `calls` is a multiple of it
  std::int64_t* results = nullptr;
  Reply* replies = nullptr;
  volatile std::int32_t* install_error = nullptr;  ///< errno of the first filter refused
  volatile std::uint64_t* installed = nullptr;     ///< filters that were not
  volatile std::uint64_t* at = nullptr;            ///< the call being made
  volatile std::uint64_t* progress = nullptr;
  Supervision* supervision = nullptr;  ///< where a filter has a listener
};

/// Installs a filter as it says; a negative errno, or 0. Its listener goes to the supervision.
CALLGATE_IN_CHILD long install(const Filter& filter, Supervision* supervision);

/// Bytes of stack that an asking child needs.
inline constexpr std::size_t kAskerStack = 64 * std::size_t{1024};

/// The sixth argument of every installing call, which the kernel does not look at: filters of ours
/// can tell such a call by it.
inline constexpr std::uint64_t kPass = 0x9d1f6a3b52c7e084U;

/// The program, but that it allows seccomp(2) with kPass. It is 8 instructions longer; but for
/// seccomp(2), the kernel caches the same numbers of it.
[[nodiscard]] Program passing(const Program& program);

/// Whether a program made passing() allows that call.
[[nodiscard]] bool may_pass(const SeccompData& data);

/// In a serving child: asks `count` questions, one after the other, in a child of its own that
/// shares its memory, and in a new one after each that died, of which there may be many. The
/// filters must allow nothing that is asked, and let the installing calls pass. Those of a question
/// are installed above those of the ones before it: all must answer with the same action, so that
/// the newest decides. One that is refused or dies above others is asked again with nothing below
/// it. All share `at` and `installed`. `stack` has kAskerStack bytes.
CALLGATE_IN_CHILD void ask_in_children(const Questions* questions, std::size_t count,
                                       std::byte* stack, Pace& pace);

}  // namespace callgate::live
