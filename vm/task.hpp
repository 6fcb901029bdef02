#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "vm/checked_program.hpp"
#include "vm/diagnostics.hpp"
#include "vm/filter_stack.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate {

/// SECCOMP_MODE_*, as /proc shows them: what a task does with calls.
enum class SeccompMode : std::uint8_t { Disabled = 0, Strict = 1, Filter = 2, Dead = 3 };

/// SECCOMP_FILTER_FLAG_*: the bits of seccomp(SECCOMP_SET_MODE_FILTER).
namespace filter_flag {
inline constexpr std::uint32_t kTsync = 1;
inline constexpr std::uint32_t kLog = 2;
inline constexpr std::uint32_t kSpecAllow = 4;
inline constexpr std::uint32_t kNewListener = 8;
inline constexpr std::uint32_t kTsyncEsrch = 16;
inline constexpr std::uint32_t kWaitKillableRecv = 32;
}  // namespace filter_flag

/// The operations of seccomp(2).
namespace seccomp_op {
inline constexpr std::uint32_t kSetModeStrict = 0;
inline constexpr std::uint32_t kSetModeFilter = 1;
inline constexpr std::uint32_t kGetActionAvail = 2;
inline constexpr std::uint32_t kGetNotifSizes = 3;
}  // namespace seccomp_op

using TaskId = std::size_t;     ///< from 0, in order of creation; never used again
using ProcessId = std::size_t;  ///< likewise
using FilterId = std::size_t;   ///< likewise, over all tasks

/// The `struct sock_fprog *` of an installation, and what lies behind it.
struct FilterArgument {
  enum class State : std::uint8_t {
    NullHeader,              ///< the pointer to the header is NULL
    UnreadableHeader,        ///< the header cannot be read
    NullInstructions,        ///< its pointer to the instructions is NULL
    UnreadableInstructions,  ///< they cannot be read, in whole or in part
    Readable,
  };
  State state = State::NullHeader;
  std::uint16_t length = 0;  ///< of the header: instructions
  /// Readable: the program, checked for the model of the tasks; null where the checker refuses it.
  std::shared_ptr<const CheckedProgram> program;
  InstallError refusal = InstallError::Invalid;  ///< Readable and refused: with this errno

  [[nodiscard]] static FilterArgument of(CheckedProgram program);
  /// A program that the checker refuses. It may be of any length.
  [[nodiscard]] static FilterArgument refused(std::uint16_t length,
                                              InstallError error = InstallError::Invalid);
};

/// What prctl(2), seccomp(2) and the like return once they are let in.
struct Reply {
  enum class Kind : std::uint8_t {
    Value,     ///< `value`: a result, or a negative errno
    Listener,  ///< a new descriptor: the listener of `filter`
    Thread,    ///< the id, above 0, of `task`, a thread that TSYNC could not take along
    Unknown,   ///< cannot be told; `reason` says why
  };
  Kind kind = Kind::Value;
  std::int64_t value = 0;
  std::optional<FilterId> filter;  ///< the one that was attached
  TaskId task = 0;
  std::string_view reason{};

  friend bool operator==(const Reply&, const Reply&) = default;
};

/// What a tracer with PTRACE_O_TRACESECCOMP does at a stop for TRACE.
struct Tracer {
  std::optional<std::int32_t> nr;     ///< the number it sets; negative: the call is skipped
  std::optional<std::int64_t> value;  ///< what it leaves as the result of a skipped call
  std::optional<std::array<std::uint64_t, 6>> args;  ///< the arguments that it sets
};

/// SECCOMP_ADDFD_FLAG_*
namespace addfd_flag {
inline constexpr std::uint32_t kSetFd = 1;
inline constexpr std::uint32_t kSend = 2;
}  // namespace addfd_flag

/// A descriptor that a supervisor gives to the process that waits (SECCOMP_IOCTL_NOTIF_ADDFD,
/// struct seccomp_notif_addfd).
struct AddFd {
  std::uint32_t flags = 0;
  std::uint32_t new_fd = 0;        ///< the number that it shall have, with SETFD
  std::uint32_t new_fd_flags = 0;  ///< O_CLOEXEC or nothing
  bool source_open = true;         ///< srcfd is a descriptor of the supervisor
  bool right_id = true;            ///< id is that of the notification
  std::uint32_t size = 24;         ///< of the struct, as the ioctl says; what follows is zero

  friend bool operator==(const AddFd&, const AddFd&) = default;
};

/// What a supervisor sends (struct seccomp_notif_resp).
struct Supervisor {
  std::int64_t value = 0;
  std::int32_t error = 0;        ///< as sent: a negative errno, by custom
  bool continues = false;        ///< SECCOMP_USER_NOTIF_FLAG_CONTINUE
  std::optional<AddFd> addfd{};  ///< before that
  bool replies = true;           ///< no: it does not send the above
};

/// Who answers while a call is made. Nobody: TRACE gives ENOSYS, and a call that a listener shall
/// decide waits (ListenerDecides).
struct Answers {
  std::optional<Tracer> tracer;
  std::optional<Supervisor> supervisor;
};

/// How a process takes SIGSYS.
enum class SigsysAction : std::uint8_t { Default, Handled, BlockedOrIgnored };

/// What SECCOMP_IOCTL_NOTIF_ADDFD returned.
struct AddedFd {
  int error = 0;  ///< its errno; 0: the process has the descriptor
  /// the descriptor's number where SETFD chose it, else it is the lowest that is free
  std::optional<std::uint32_t> descriptor;
  bool is_reply = false;  ///< with SEND: the call returns it

  friend bool operator==(const AddedFd&, const AddedFd&) = default;
};

/// What a call came to.
struct CallResult {
  Outcome outcome;
  SeccompData data;  ///< as executed: a tracer may have changed it
  bool tracer_stop = false;
  bool by_trap = false;  ///< ProcessDies: by the signal of TRAP, which found no handler
  /// the errno of the supervisor's SECCOMP_IOCTL_NOTIF_SEND, 0 if it was taken or never made
  int send_error = 0;
  /// what the supervisor's ADDFD came to. Where the call returns a descriptor whose number is not
  /// known (no SETFD), the outcome is Unknown.
  std::optional<AddedFd> added{};
};

/// The state that a kernel keeps of one thread.
struct Task {
  ProcessId process = 0;
  SeccompMode mode = SeccompMode::Disabled;
  std::optional<FilterId> filter;  ///< the newest; its ancestors follow
  bool no_new_privs = false;
  bool sys_admin = false;  ///< CAP_SYS_ADMIN in its own user namespace
  bool alive = true;
};

/// The state of one process.
struct Process {
  std::vector<TaskId> threads;  ///< the leader first, those that have ended included
  SigsysAction sigsys = SigsysAction::Default;
  bool descriptors_left = true;           ///< NEW_LISTENER gives EMFILE where there are none
  std::uint32_t descriptor_limit = 1024;  ///< RLIMIT_NOFILE: SETFD may not choose one from there on
};

/// A filter, once attached.
struct AttachedFilter {
  std::optional<FilterId> parent;
  std::shared_ptr<const CheckedProgram> program;
  bool log = false;
  bool wait_killable = false;
  std::size_t depth = 1;            ///< filters up to and with this one
  std::size_t attached_cost = 0;    ///< towards the limit, of all up to and with this one
  std::set<ProcessId> listener_in;  ///< processes that hold a descriptor of the listener
  bool listener_elsewhere = false;  ///< so does somebody outside

  [[nodiscard]] bool listened() const noexcept {
    return listener_elsewhere || !listener_in.empty();
  }
};

/// A world of tasks under one kernel: what seccomp keeps of them, and what each operation returns
/// and changes. Errnos come in the kernel's order (kernel/seccomp.c of 6.18; older kernels where
/// they differ and how is known, else the reply is Unknown and nothing changes).
///
/// The operations are what the kernel does once a call is let in; whether it is, call() says.
/// All but the observers must be given a task that is alive.
class Tasks {
 public:
  /// One process with one thread (task 0), without filters.
  explicit Tasks(const KernelModel& model, bool no_new_privs = false, bool sys_admin = false);

  [[nodiscard]] const KernelModel& model() const noexcept { return model_; }
  [[nodiscard]] std::size_t size() const noexcept { return tasks_.size(); }
  [[nodiscard]] const Task& task(TaskId id) const { return tasks_.at(id); }
  [[nodiscard]] const Process& process(ProcessId id) const { return processes_.at(id); }
  [[nodiscard]] const AttachedFilter& filter(FilterId id) const { return filters_.at(id); }
  /// How many filters there are, of all tasks.
  [[nodiscard]] std::size_t filters() const noexcept { return filters_.size(); }
  /// How many filters a task has, inherited ones included.
  [[nodiscard]] std::size_t filter_count(TaskId id) const;
  /// The mode as /proc shows it: before 5.17 there is no Dead.
  [[nodiscard]] SeccompMode shown_mode(TaskId id) const;
  [[nodiscard]] bool is_alone(TaskId id) const;  ///< the last living thread of its process

  /// prctl(PR_SET_SECCOMP, mode, argument). All bits of `mode` count on a 64-bit kernel.
  Reply prctl_set_seccomp(TaskId id, std::uint64_t mode, const FilterArgument& argument = {});
  /// prctl(PR_GET_SECCOMP)
  [[nodiscard]] Reply prctl_get_seccomp(TaskId id) const;
  /// prctl(PR_SET_NO_NEW_PRIVS, value, the others)
  Reply prctl_set_no_new_privs(TaskId id, std::uint64_t value,
                               const std::array<std::uint64_t, 3>& others = {});
  /// prctl(PR_GET_NO_NEW_PRIVS, the arguments)
  [[nodiscard]] Reply prctl_get_no_new_privs(
      TaskId id, const std::array<std::uint64_t, 4>& arguments = {}) const;

  /// seccomp(SECCOMP_SET_MODE_STRICT, flags, args); `has_args`: args is not NULL.
  Reply set_mode_strict(TaskId id, std::uint64_t flags = 0, bool has_args = false);
  /// seccomp(SECCOMP_SET_MODE_FILTER, flags, argument)
  Reply set_mode_filter(TaskId id, std::uint64_t flags, const FilterArgument& argument);
  /// seccomp(SECCOMP_GET_ACTION_AVAIL, flags, &action); nothing: action cannot be read.
  [[nodiscard]] Reply get_action_avail(std::uint64_t flags,
                                       std::optional<std::uint32_t> action) const;
  /// seccomp(SECCOMP_GET_NOTIF_SIZES, flags, &sizes). On success `sizes` are 80, 24 and 64.
  [[nodiscard]] Reply get_notif_sizes(std::uint64_t flags, bool writable) const;
  /// seccomp() with an operation that is none of the above.
  [[nodiscard]] Reply unknown_operation() const;

  /// clone(2): a new process with one thread, or a thread of the same process.
  TaskId fork(TaskId id);
  TaskId spawn_thread(TaskId id);
  /// exit(2): this thread ends, with the last one the process.
  void exit_thread(TaskId id);
  /// execve(2): the other threads end, listeners (close-on-exec) are closed, a handler of SIGSYS is
  /// reset. Capabilities stay as they are; set_sys_admin() says otherwise.
  void exec(TaskId id);

  void set_sys_admin(TaskId id, bool has) { tasks_.at(id).sys_admin = has; }
  void set_sigsys(TaskId id, SigsysAction action);
  void set_descriptors_left(TaskId id, bool left);
  /// The process closes its descriptors of that filter's listener; so does who is outside.
  void close_listener(TaskId id, FilterId filter);
  void close_listener_elsewhere(FilterId filter);
  /// Somebody outside is handed a descriptor.
  void share_listener(FilterId filter) { filters_.at(filter).listener_elsewhere = true; }

  /// Makes a call: what strict mode, or the filters, a tracer and a supervisor make of it. Deaths
  /// take effect.
  CallResult call(TaskId id, const SeccompData& data, const Answers& answers = {});

 private:
  Task& at(TaskId id) { return tasks_.at(id); }
  [[nodiscard]] std::optional<Reply> refused_before_program(const Task& task, std::uint32_t flags,
                                                            const FilterArgument& argument) const;
  [[nodiscard]] std::optional<Reply> refused_flags(std::uint32_t flags) const;
  [[nodiscard]] std::optional<Reply> refused_program(const FilterArgument& argument) const;
  [[nodiscard]] std::optional<Reply> refused_tsync(TaskId id, std::uint32_t flags) const;
  [[nodiscard]] Reply install(TaskId id, std::uint32_t flags, const FilterArgument& argument);
  [[nodiscard]] std::size_t attached_cost(const Task& task) const;
  [[nodiscard]] bool is_ancestor(std::optional<FilterId> older, std::optional<FilterId> of) const;
  [[nodiscard]] bool has_listener_above(const Task& task) const;

  [[nodiscard]] CallResult filtered(TaskId id, const SeccompData& data, const Answers& answers);
  void let_tracer_decide(CallResult& result, const Task& task, const Tracer& tracer,
                         const Surroundings& around, std::optional<FilterId>& winner) const;
  void let_supervisor_decide(CallResult& result, const Process& process,
                             const Supervisor& supervisor) const;
  void add_descriptor(CallResult& result, const Process& process, const AddFd& addfd) const;
  [[nodiscard]] Outcome judged(const Task& task, const SeccompData& data, Surroundings around,
                               bool rerun, std::optional<FilterId>& winner) const;
  void end_thread(TaskId id);
  void end_process(ProcessId id);

  KernelModel model_;
  std::vector<Task> tasks_;
  std::vector<Process> processes_;
  std::vector<AttachedFilter> filters_;
};

}  // namespace callgate
