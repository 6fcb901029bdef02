#include "vm/outcome.hpp"

#include <algorithm>

#include "vm/actions.hpp"
#include "vm/syscalls.hpp"

namespace callgate {
namespace {

constexpr int kSigkill = 9;
constexpr std::int64_t kMaxErrno = 4095;
constexpr std::int32_t kUretprobe = 335;
constexpr std::int32_t kUprobe = 336;

SigsysInfo siginfo_of(std::uint16_t data_bits, const SeccompData& data, int signo) noexcept {
  return {.signo = signo,
          .code = 1,
          .error = data_bits,
          .call_addr = data.instruction_pointer,
          .syscall = data.nr,
          .arch = data.arch};
}

Outcome process_dies(std::uint16_t data_bits, const SeccompData& data, int signo) noexcept {
  return {.kind = OutcomeKind::ProcessDies,
          .signal = signo,
          .core_dump = true,
          .data = data_bits,
          .siginfo = siginfo_of(data_bits, data, signo)};
}

Outcome thread_dies(std::uint16_t data_bits, const SeccompData& data, int signo,
                    const KernelModel& model, bool only_thread) noexcept {
  if (!only_thread) return {.kind = OutcomeKind::ThreadDies, .signal = signo, .data = data_bits};
  Outcome outcome = process_dies(data_bits, data, signo);
  outcome.core_dump = model.has(Feature::CoreOfLastThread);
  return outcome;
}

Outcome returns(std::int64_t value) noexcept {
  return {.kind = OutcomeKind::Returns, .value = value};
}

Outcome unknown(std::string_view reason) noexcept {
  return {.kind = OutcomeKind::Unknown, .reason = reason};
}

// Which return from a signal handler strict mode lets through (the architectures' asm/seccomp.h).
enum class StrictSigreturn : std::uint8_t { Old, Realtime, Unknown };

StrictSigreturn strict_sigreturn(Arch abi) noexcept {
  switch (abi) {
    case Arch::X86:
      return StrictSigreturn::Old;
    case Arch::X86_64:
    case Arch::X32:
    case Arch::Arm:
    case Arch::AArch64:
    case Arch::LoongArch64:
    case Arch::Riscv64:
    case Arch::Mips:
    case Arch::Mipsel:
    case Arch::Mips64:
    case Arch::Mipsel64:
    case Arch::Mips64n32:
    case Arch::Mipsel64n32:
      return StrictSigreturn::Realtime;
    case Arch::M68k:
    case Arch::Parisc:
    case Arch::Parisc64:
    case Arch::Ppc:
    case Arch::Ppc64:
    case Arch::Ppc64le:
    case Arch::S390:
    case Arch::S390x:
    case Arch::Sheb:
    case Arch::Sh:
      return StrictSigreturn::Unknown;
  }
  return StrictSigreturn::Unknown;
}

// The errno of ERRNO's data; the value that the call returns is its negative.
std::int64_t errno_value(std::uint16_t data_bits, const KernelModel& model) noexcept {
  if (!model.has(Feature::ErrnoClamp)) return data_bits;
  return std::min<std::int64_t>(data_bits, kMaxErrno);
}

// The row of the action as this kernel knows it: a newer action is unknown to an older kernel.
const ActionInfo* known_action(std::uint32_t value, const KernelModel& model) noexcept {
  const ActionInfo* row = find_action(action_bits(value, model));
  if (row == nullptr) return nullptr;
  const Version since{row->since_major, row->since_minor, 0};
  return model.version >= since ? row : nullptr;
}

}  // namespace

std::string_view to_string(OutcomeKind kind) noexcept {
  switch (kind) {
    case OutcomeKind::Executes:
      return "executes";
    case OutcomeKind::Returns:
      return "returns";
    case OutcomeKind::Sigsys:
      return "sigsys";
    case OutcomeKind::ThreadDies:
      return "thread-dies";
    case OutcomeKind::ProcessDies:
      return "process-dies";
    case OutcomeKind::TracerDecides:
      return "tracer";
    case OutcomeKind::ListenerDecides:
      return "listener";
    case OutcomeKind::Unknown:
      return "unknown";
  }
  return "";
}

bool is_exempt(const SeccompData& data, const KernelModel& model) noexcept {
  // It goes by the call: x32 and i386 tasks of an x86_64 kernel can make native calls too.
  if (data.arch != info(Arch::X86_64).token) return false;
  const bool x86 = model.arch == Arch::X86_64 || model.arch == Arch::X32 || model.arch == Arch::X86;
  if (!x86) return false;
  return (data.nr == kUretprobe && model.has(Feature::UretprobeExempt)) ||
         (data.nr == kUprobe && model.has(Feature::UprobeExempt));
}

Outcome outcome_of(std::uint32_t value, const SeccompData& data, const KernelModel& model,
                   const Surroundings& around) noexcept {
  if (is_exempt(data, model)) return {};
  const auto bits = static_cast<std::uint16_t>(value & kDataMask);
  const SystemNumbers& abi = info(arch_from_token(data.arch).value_or(model.arch)).numbers;
  const bool logs_winner = model.has(Feature::FlagLog) && around.log_flag;

  const ActionInfo* action = known_action(value, model);
  if (action == nullptr) {
    // Unknown to this kernel: kill_process's logging, and since 5.10 its effect too.
    Outcome outcome = model.has(Feature::UnknownKillsProcess)
                          ? process_dies(bits, data, abi.sigsys)
                          : thread_dies(bits, data, abi.sigsys, model, around.only_thread);
    outcome.logged = true;
    return outcome;
  }
  Outcome outcome;
  switch (action->action) {
    case Action::KillProcess:
      outcome = process_dies(bits, data, abi.sigsys);
      outcome.logged = true;
      return outcome;
    case Action::KillThread:
      outcome = thread_dies(bits, data, abi.sigsys, model, around.only_thread);
      outcome.logged = true;
      return outcome;
    case Action::Trap:
      if (around.sigsys_blocked_or_ignored) {
        outcome = process_dies(bits, data, abi.sigsys);
      } else {
        outcome = {.kind = OutcomeKind::Sigsys,
                   .signal = abi.sigsys,
                   .data = bits,
                   .siginfo = siginfo_of(bits, data, abi.sigsys)};
      }
      outcome.logged = logs_winner;
      return outcome;
    case Action::Errno:
      outcome = returns(-errno_value(bits, model));
      outcome.logged = logs_winner;
      return outcome;
    case Action::UserNotif:
      if (around.listener) return {.kind = OutcomeKind::ListenerDecides, .data = bits};
      outcome = returns(-abi.enosys);
      outcome.logged = logs_winner;
      return outcome;
    case Action::Trace:
      if (around.tracer) return {.kind = OutcomeKind::TracerDecides, .data = bits};
      if (!model.has(Feature::TraceWithoutTracer)) {
        return {.kind = OutcomeKind::Unknown,
                .reason =
                    "before Linux 3.7 the return value of an untraced TRACE is whatever the "
                    "architecture left in the register"};
      }
      outcome = returns(-abi.enosys);
      outcome.logged = logs_winner;
      return outcome;
    case Action::Log:
      outcome.logged = true;
      return outcome;
    case Action::Allow:
      return outcome;
  }
  return outcome;
}

Outcome outcome_of(const FilterStack& stack, const Verdict& verdict, const SeccompData& data,
                   Surroundings around) noexcept {
  around.log_flag = verdict.winner.has_value() && stack.flags(*verdict.winner).log;
  return outcome_of(verdict.value, data, stack.model(), around);
}

Outcome strict_outcome(const SeccompData& data, const KernelModel& model,
                       bool only_thread) noexcept {
  if (is_exempt(data, model)) return {};
  // The list goes by the ABI of the call. x32 calls are compared with x86_64's list, whose numbers
  // lack bit 30, so that none of them passes.
  const Arch abi = arch_from_token(data.arch).value_or(model.arch);
  const auto nr = static_cast<std::uint32_t>(data.nr);
  const auto is = [&](std::string_view name) { return syscall_number(abi, name) == nr; };
  if (abi == Arch::Mips64n32 || abi == Arch::Mipsel64n32) {
    return unknown("strict mode has a list for n32 only in kernels built without o32");
  }
  if (is("read") || is("write") || is("exit")) return {};
  switch (strict_sigreturn(abi)) {
    case StrictSigreturn::Old:
      if (is("sigreturn")) return {};
      break;
    case StrictSigreturn::Realtime:
      if (is("rt_sigreturn")) return {};
      break;
    case StrictSigreturn::Unknown:
      if (is("sigreturn") || is("rt_sigreturn")) {
        return unknown("which of the two sigreturns strict mode lets through on this architecture");
      }
      break;
  }
  Outcome outcome;
  outcome.kind = only_thread ? OutcomeKind::ProcessDies : OutcomeKind::ThreadDies;
  outcome.signal = kSigkill;
  outcome.logged = true;
  return outcome;
}

}  // namespace callgate
