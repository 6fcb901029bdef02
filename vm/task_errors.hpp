#pragma once

#include <cstdint>

#include "vm/task.hpp"

/// The errnos of the task model, with the numbers that differ between architectures.
namespace callgate {

/// What the operations of a task fail with.
enum class Errno : std::uint8_t {
  NoEntry,        ///< ENOENT
  NoThread,       ///< ESRCH
  BadDescriptor,  ///< EBADF
  NoMemory,       ///< ENOMEM
  Access,         ///< EACCES
  Fault,          ///< EFAULT
  Busy,           ///< EBUSY
  Invalid,        ///< EINVAL
  NoDescriptor,   ///< EMFILE
  NoSyscall,      ///< ENOSYS
  NotSupported,   ///< EOPNOTSUPP
};

namespace task_errors {

/// Its number on that kernel's architecture.
[[nodiscard]] std::int64_t number(Errno error, const KernelModel& model) noexcept;

/// The reply of a call that fails with it.
[[nodiscard]] Reply error(Errno error, const KernelModel& model) noexcept;

}  // namespace task_errors
}  // namespace callgate
