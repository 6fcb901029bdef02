#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vm/filter_stack.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate {

/// Who is there when a call is made.
struct Surroundings {
  bool tracer = false;                     ///< a tracer with PTRACE_O_TRACESECCOMP is attached
  bool listener = false;                   ///< the winning filter's listener is open
  bool only_thread = true;                 ///< the caller is the last thread of its process
  bool sigsys_blocked_or_ignored = false;  ///< TRAP's signal then kills
  bool log_flag = false;                   ///< the winning filter was installed with FLAG_LOG
};

/// What becomes of a call.
enum class OutcomeKind : std::uint8_t {
  Executes,         ///< as if there were no filter
  Returns,          ///< skipped; `value` is what the call returns
  Sigsys,           ///< skipped; SIGSYS is delivered, with `siginfo`
  ThreadDies,       ///< only the calling thread ends
  ProcessDies,      ///< the whole process ends by `signal`
  TracerDecides,    ///< PTRACE_EVENT_SECCOMP with `data` as its message
  ListenerDecides,  ///< a notification is queued
  Unknown,          ///< cannot be told; `reason` says why
};

/// The siginfo of a SIGSYS from seccomp.
struct SigsysInfo {
  int signo = 31;
  int code = 1;                 ///< SYS_SECCOMP
  int error = 0;                ///< si_errno: the 16 data bits
  std::uint64_t call_addr = 0;  ///< the instruction after the call
  std::int32_t syscall = 0;
  std::uint32_t arch = 0;

  friend bool operator==(const SigsysInfo&, const SigsysInfo&) = default;
};

/// What a process sees of a call.
struct Outcome {
  OutcomeKind kind = OutcomeKind::Executes;
  std::int64_t value = 0;     ///< Returns: the value, negative errnos included
  int signal = 0;             ///< ProcessDies and ThreadDies: 31 (SIGSYS), or 9 in strict mode
  bool core_dump = false;     ///< where limits allow one
  bool logged = false;        ///< an audit record, with the default kernel.seccomp.actions_logged
  std::uint16_t data = 0;     ///< the action's 16 data bits, where they matter
  SigsysInfo siginfo{};       ///< Sigsys, and ProcessDies by SIGSYS
  std::string_view reason{};  ///< Unknown: why

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// "executes", "returns", "sigsys", "thread-dies", "process-dies", "tracer", "listener", "unknown"
[[nodiscard]] std::string_view to_string(OutcomeKind kind) noexcept;

/// Whether no filter is ever asked for this call: x86_64's uretprobe (335) and uprobe (336) on
/// kernels that exempt them.
[[nodiscard]] bool is_exempt(const SeccompData& data, const KernelModel& model) noexcept;

/// What the process sees of a call that got `value` (__seccomp_filter() in kernel/seccomp.c).
[[nodiscard]] Outcome outcome_of(std::uint32_t value, const SeccompData& data,
                                 const KernelModel& model, const Surroundings& around) noexcept;

/// The stack's verdict and what comes of it; `log_flag` of the surroundings is taken from the
/// winner.
[[nodiscard]] Outcome outcome_of(const FilterStack& stack, const Verdict& verdict,
                                 const SeccompData& data, Surroundings around) noexcept;

/// What strict mode (SECCOMP_MODE_STRICT) does with a call: read, write, exit and sigreturn of the
/// call's ABI execute, anything else kills the thread by SIGKILL.
[[nodiscard]] Outcome strict_outcome(const SeccompData& data, const KernelModel& model,
                                     bool only_thread) noexcept;

}  // namespace callgate
