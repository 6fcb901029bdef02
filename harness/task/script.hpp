#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/task.hpp"

/// Scripts: what tasks do, a step a line (harness/task/README.md describes them).
namespace callgate::task {

/// What a step does.
enum class StepKind : std::uint8_t {
  SetSeccomp,      ///< prctl(PR_SET_SECCOMP, a, filter)
  GetSeccomp,      ///< prctl(PR_GET_SECCOMP)
  SetNnp,          ///< prctl(PR_SET_NO_NEW_PRIVS, a)
  GetNnp,          ///< prctl(PR_GET_NO_NEW_PRIVS)
  Strict,          ///< seccomp(SECCOMP_SET_MODE_STRICT, flags, a)
  Filter,          ///< seccomp(SECCOMP_SET_MODE_FILTER, flags, filter)
  ActionAvail,     ///< seccomp(SECCOMP_GET_ACTION_AVAIL, flags, &a); unreadable: `bad_pointer`
  NotifSizes,      ///< seccomp(SECCOMP_GET_NOTIF_SIZES, flags, …); unwritable: `bad_pointer`
  OtherOperation,  ///< seccomp(a, flags, NULL)
  Fork,            ///< clone(2): a process
  Thread,          ///< clone(2): a thread
  Exit,            ///< exit(2)
  Exec,            ///< execve(2)
  Call,            ///< any other call, `data`
  CloseListener,   ///< of filter `a`, in this task's process
  CloseOutside,    ///< of filter `a`, by whoever holds it outside
  ShareListener,   ///< of filter `a`, with somebody outside
  SysAdmin,        ///< the task has CAP_SYS_ADMIN from here, or has not (`yes`)
  Sigsys,          ///< how the process takes SIGSYS from here
  Descriptors,     ///< whether the process has descriptors left
  Tracer,          ///< who answers TRACE from here
  Supervisor,      ///< who answers notifications from here
};

/// The filter of an installation, as a script gives it.
struct ScriptFilter {
  FilterArgument::State state = FilterArgument::State::NullHeader;
  std::optional<std::uint16_t> length;  ///< where the header lies about it
  Program instructions;
};

/// One step.
struct Step {
  std::size_t line = 0;  ///< from 1
  std::string text;      ///< as written, without `as N:`
  TaskId task = 0;
  StepKind kind = StepKind::Call;
  std::uint64_t a = 0;
  std::uint64_t flags = 0;
  bool bad_pointer = false;
  bool yes = false;
  ScriptFilter filter;
  SeccompData data;  ///< of the call, as the filters see it
  SigsysAction sigsys = SigsysAction::Default;
  std::optional<callgate::Tracer> tracer;
  std::optional<callgate::Supervisor> supervisor;
};

/// A script, read: how its first task starts, and its steps.
struct Script {
  bool no_new_privs = false;
  bool sys_admin = false;
  SigsysAction sigsys = SigsysAction::Default;
  bool descriptors_left = true;
  std::vector<Step> steps;
};

/// What is wrong with a script, and where.
struct ScriptError {
  std::size_t line = 0;  ///< from 1
  std::string message;
};

/// Reads the filter of a `program=FILE`, or says what is wrong.
using FilterReader = std::function<std::expected<Program, std::string>(const std::string& path)>;

/// What filters see of a pointer that is not NULL.
inline constexpr std::uint64_t kPointer = 0x10000;

/// The call that a step makes, as filters see it on `arch`; of Call steps their data.
[[nodiscard]] SeccompData data_of(const Step& step, Arch arch);

/// Whether a step is a call at all; what is none sets the scene.
[[nodiscard]] bool is_call(StepKind kind) noexcept;

/// Reads a script for a kernel of that architecture.
[[nodiscard]] std::expected<Script, ScriptError> parse_script(std::string_view text, Arch arch,
                                                              const FilterReader& read_filter);

}  // namespace callgate::task
