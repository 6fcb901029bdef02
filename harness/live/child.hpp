#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "harness/live/raw.hpp"
#include "vm/instruction.hpp"

/// Children that ask the running kernel: how they are started, watched and ended.
namespace callgate::live {

/// What kind of reason there is for having no answers.
enum class LiveFault : std::uint8_t {
  Failed,         ///< something that should not be
  FiltersDenied,  ///< this process may not install filters
  TracingDenied,  ///< this process may not trace its children
  UnderFilters,   ///< this process runs under filters already: they would answer too
  Deadline,       ///< a child gave no sign of life in time
};

/// Why the kernel could not be asked.
struct LiveError {
  std::string message;
  LiveFault fault = LiveFault::Failed;
};

/// Memory that a child writes and its parent reads; gone with the object, and with the process.
class SharedMemory {
 public:
  /// Whether it shall have a descriptor too, for processes that are no copies of this one.
  enum class Descriptor : std::uint8_t { No, Yes };

  explicit SharedMemory(std::size_t size, Descriptor descriptor = Descriptor::No);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  template <typename T>
  [[nodiscard]] T* as(std::size_t offset = 0) const {
    return reinterpret_cast<T*>(static_cast<std::byte*>(data_) + offset);
  }

  /// -1 without one. It is closed by execve(2).
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
  void* data_ = nullptr;
  std::size_t size_;
};

/// How long a child may show no progress, in milliseconds. Generous: a machine may be busy.
inline constexpr int kPatience = 30'000;

/// How a child that was watched ended.
struct ChildEnd {
  bool exited = false;  ///< with 0; anything else is not all right
  bool deadline = false;
  int status = 0;  ///< of waitpid(2)
};

/// Forks, runs `work` in the child and ends it with 0. The child dies with its parent. Waits for
/// it, for as long as `progress` (a counter that the child moves) changes within kPatience; a child
/// that does not is killed. Always reaps, unless the kernel itself holds the child: then `deadline`
/// is set, and it is left.
[[nodiscard]] ChildEnd run_child(const std::function<void()>& work,
                                 const volatile std::uint64_t* progress,
                                 int patience_milliseconds = kPatience);

/// Why a child has no answers: the errno of its preparations, or its end; nothing where all is
/// well.
[[nodiscard]] std::optional<LiveError> what_went_wrong(const ChildEnd& end, int setup_error);

/// In a child: no_new_privs unless it may install filters without; 0 or an errno.
CALLGATE_IN_CHILD int allow_filters() noexcept;

/// In a child: seccomp(2) with these instructions; what it returns (a negative errno). `sixth` is
/// an argument that the call does not use, for filters to see.
CALLGATE_IN_CHILD long install(const Instruction* program, std::size_t length,
                               unsigned long flags = 0, unsigned long sixth = 0) noexcept;

/// In a child that makes many filters: gives the kernel time to free them. Filters made and dropped
/// at full speed from several processes have locked up a kernel's BPF allocator for good (seen
/// on 6.18): whoever makes many steps once for each, one campaign at a time.
class Pace {
 public:
  /// What becomes of the process's priority: as low as it goes, unless it measures time.
  enum class Priority : std::uint8_t { Lowest, Unchanged };

  CALLGATE_IN_CHILD explicit Pace(Priority priority = Priority::Lowest) noexcept;
  CALLGATE_IN_CHILD void step(std::uint64_t filters = 1) noexcept;

 private:
  std::uint64_t made_ = 0;
};

}  // namespace callgate::live
