#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

/// Looks into a thread that stands still (tracer.hpp).
namespace callgate::process {

/// Bytes of its memory; false where not all of them can be read.
[[nodiscard]] bool read_memory(pid_t tid, std::uint64_t address, void* into, std::size_t size);

/// The program that a `struct sock_fprog` at `address` names, in the layout of an ABI of `bits`;
/// nothing where it cannot be read or is empty.
[[nodiscard]] std::optional<Program> read_sock_fprog(pid_t tid, std::uint64_t address, int bits);

/// A place in a program: an address, and what is mapped there.
struct CodePlace {
  std::uint64_t address = 0;
  std::string file;          ///< empty where no file is mapped
  std::uint64_t offset = 0;  ///< in the file
};

/// Where a call was made: the instruction after it, then what called that, by return addresses and
/// frame pointers, as far as they lead. Code without frame pointers hides its callers.
[[nodiscard]] std::vector<CodePlace> backtrace(pid_t tid, const SeccompData& call);

/// What /proc/TID/status says.
struct TaskStatus {
  std::string comm;
  pid_t pid = 0;  ///< of its process
  int mode = 0;   ///< Seccomp: 0 none, 1 strict, 2 filters
  /// Seccomp_filters: with those that it has inherited; nothing on kernels before 5.9
  std::optional<std::size_t> filters;
};
[[nodiscard]] std::optional<TaskStatus> task_status(pid_t tid);

/// Filter `index` (0 the oldest) of a thread (PTRACE_SECCOMP_GET_FILTER), or the errno: ENOENT
/// where it has no such filter, EACCES without CAP_SYS_ADMIN or under a filter oneself, EINVAL
/// where the thread has none at all or the kernel no CONFIG_CHECKPOINT_RESTORE.
struct FilterOrError {
  Program program;
  int error = 0;
};
[[nodiscard]] FilterOrError get_filter(pid_t tid, std::size_t index);

/// Whether it was installed with SECCOMP_FILTER_FLAG_LOG; nothing where the kernel does not say
/// (before 4.16).
[[nodiscard]] std::optional<bool> has_log_flag(pid_t tid, std::size_t index);

}  // namespace callgate::process
