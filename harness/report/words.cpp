#include "harness/report/words.hpp"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

#include "vm/arches.hpp"
#include "vm/syscalls.hpp"

namespace callgate::report {

std::optional<std::string> errno_name(std::int64_t number) {
  if (number <= 0 || number > 4095) return std::nullopt;
  const char* name = strerrorname_np(static_cast<int>(number));
  if (name == nullptr) return std::nullopt;
  return std::string(name);
}

std::optional<std::string> errno_name(std::int64_t number, Arch arch) {
  // MIPS and PA-RISC have numbers of their own above ERANGE.
  constexpr std::int64_t kLastCommon = 34;
  const auto family = [](Arch each) {
    const std::string_view name = info(each).name;
    return name.starts_with("mips") ? 1 : name.starts_with("parisc") ? 2 : 0;
  };
  if (number > kLastCommon && family(arch) != family(host_arch())) return std::nullopt;
  return errno_name(number);
}

std::string verdict_words(std::uint32_t value, const KernelModel& model) {
  const ActionInfo* row = find_action(action_bits(value, model));
  if (row == nullptr || model.version < Version{row->since_major, row->since_minor, 0}) {
    return fmt::format("0x{:08x} (unknown)", value);
  }
  const std::uint32_t data = value & kDataMask;
  const bool always = row->action == Action::Errno;
  if (data == 0 && !always) return std::string(row->name);
  return fmt::format("{}({})", row->name, data);
}

std::string outcome_words(const Outcome& outcome, std::string_view call) {
  switch (outcome.kind) {
    case OutcomeKind::Executes:
      return fmt::format("returns what {} returns{}", call, outcome.logged ? "; logged" : "");
    case OutcomeKind::Returns:
      // libc takes -4095 to -1 for errors; anything else is handed on as it is.
      if (outcome.value < 0 && outcome.value >= -4095) {
        const auto name = errno_name(-outcome.value);
        return fmt::format("returns -1, {}",
                           name ? *name : fmt::format("errno {}", -outcome.value));
      }
      return fmt::format("returns {}", outcome.value);
    case OutcomeKind::Sigsys:
      return fmt::format("SIGSYS is delivered, si_errno {}", outcome.siginfo.error);
    case OutcomeKind::ThreadDies:
      return "the thread dies";
    case OutcomeKind::ProcessDies:
      return outcome.signal == 9 ? "the process dies by SIGKILL" : "the process dies by SIGSYS";
    case OutcomeKind::TracerDecides:
      return fmt::format("stops for the tracer, message {}", outcome.data);
    case OutcomeKind::ListenerDecides:
      return "waits for the listener";
    case OutcomeKind::Unknown:
      return fmt::format("unknown: {}", outcome.reason);
  }
  return "";
}

std::string call_name(const SeccompData& data) {
  const auto nr = static_cast<std::uint32_t>(data.nr);
  if (const auto arch = arch_of_call(data.arch, nr)) {
    if (const auto name = syscall_name(*arch, nr)) return std::string(*name);
  }
  return fmt::format("{}", data.nr);
}

std::string arch_name(const SeccompData& data) {
  const auto arch = arch_of_call(data.arch, static_cast<std::uint32_t>(data.nr));
  return arch ? std::string(info(*arch).name) : fmt::format("0x{:08x}", data.arch);
}

}  // namespace callgate::report
