#include "vm/task.hpp"

#include <algorithm>
#include <utility>

#include "vm/task_errors.hpp"

namespace callgate {

using task_errors::error;

namespace {

constexpr Version kFirstNullCheck{4, 2, 0};  // of the pointer to the instructions
constexpr Version kEbusyAfterDescriptor{5, 10, 0};

Reply unknown(std::string_view reason) {
  return {.kind = Reply::Kind::Unknown, .value = 0, .filter = {}, .task = 0, .reason = reason};
}

Reply value(std::int64_t value) {
  return {.kind = Reply::Kind::Value, .value = value, .filter = {}, .task = 0, .reason = {}};
}

}  // namespace

FilterArgument FilterArgument::of(CheckedProgram program) {
  FilterArgument argument;
  argument.state = State::Readable;
  argument.length = static_cast<std::uint16_t>(program.instructions().size());
  argument.program = std::make_shared<const CheckedProgram>(std::move(program));
  return argument;
}

FilterArgument FilterArgument::refused(std::uint16_t length, InstallError error) {
  FilterArgument argument;
  argument.state = State::Readable;
  argument.length = length;
  argument.refusal = error;
  return argument;
}

Tasks::Tasks(const KernelModel& model, bool no_new_privs, bool sys_admin) : model_(model) {
  tasks_.push_back(Task{.process = 0,
                        .mode = SeccompMode::Disabled,
                        .filter = {},
                        .no_new_privs = no_new_privs,
                        .sys_admin = sys_admin,
                        .alive = true});
  processes_.push_back(Process{.threads = {0}});
}

std::size_t Tasks::filter_count(TaskId id) const {
  const auto& newest = task(id).filter;
  return newest ? filter(*newest).depth : 0;
}

SeccompMode Tasks::shown_mode(TaskId id) const {
  const Task& of = task(id);
  if (of.mode != SeccompMode::Dead || model_.has(Feature::DeadMode)) return of.mode;
  return of.filter ? SeccompMode::Filter : SeccompMode::Strict;
}

bool Tasks::is_alone(TaskId id) const {
  const auto& threads = process(task(id).process).threads;
  return std::ranges::none_of(threads,
                              [&](TaskId other) { return other != id && task(other).alive; });
}

// ------------------------------------------------------------------ prctl(2)

Reply Tasks::prctl_set_seccomp(TaskId id, std::uint64_t mode, const FilterArgument& argument) {
  if (info(model_.arch).bits == 32) mode &= 0xffffffffU;
  if (mode == 1) return set_mode_strict(id);
  if (mode != 2 || !model_.has(Feature::FilterMode)) return error(Errno::Invalid, model_);
  return install(id, 0, argument);
}

Reply Tasks::prctl_get_seccomp(TaskId id) const {
  return value(static_cast<std::int64_t>(task(id).mode));
}

Reply Tasks::prctl_set_no_new_privs(TaskId id, std::uint64_t set,
                                    const std::array<std::uint64_t, 3>& others) {
  if (set != 1 || others != std::array<std::uint64_t, 3>{}) return error(Errno::Invalid, model_);
  at(id).no_new_privs = true;
  return value(0);
}

Reply Tasks::prctl_get_no_new_privs(TaskId id,
                                    const std::array<std::uint64_t, 4>& arguments) const {
  if (arguments != std::array<std::uint64_t, 4>{}) return error(Errno::Invalid, model_);
  return value(task(id).no_new_privs ? 1 : 0);
}

// ---------------------------------------------------------------- seccomp(2)

Reply Tasks::unknown_operation() const {
  if (!model_.has(Feature::SeccompSyscall)) return error(Errno::NoSyscall, model_);
  return error(Errno::Invalid, model_);
}

Reply Tasks::set_mode_strict(TaskId id, std::uint64_t flags, bool has_args) {
  const bool by_seccomp = static_cast<std::uint32_t>(flags) != 0 || has_args;
  if (by_seccomp) return unknown_operation();  // EINVAL, where there is seccomp(2)
  Task& task = at(id);
  if (task.mode != SeccompMode::Disabled && task.mode != SeccompMode::Strict) {
    return error(Errno::Invalid, model_);
  }
  task.mode = SeccompMode::Strict;
  return value(0);
}

Reply Tasks::set_mode_filter(TaskId id, std::uint64_t flags, const FilterArgument& argument) {
  if (!model_.has(Feature::SeccompSyscall)) return error(Errno::NoSyscall, model_);
  return install(id, static_cast<std::uint32_t>(flags), argument);
}

Reply Tasks::get_action_avail(std::uint64_t flags, std::optional<std::uint32_t> action) const {
  // It came with 4.14, as the log flag did.
  if (!model_.has(Feature::FlagLog)) return unknown_operation();
  if (static_cast<std::uint32_t>(flags) != 0) return error(Errno::Invalid, model_);
  if (!action) return error(Errno::Fault, model_);
  const ActionInfo* row = (*action & kDataMask) == 0 ? find_action(*action) : nullptr;
  if (row == nullptr || model_.version < Version{row->since_major, row->since_minor, 0}) {
    return error(Errno::NotSupported, model_);
  }
  return value(0);
}

Reply Tasks::get_notif_sizes(std::uint64_t flags, bool writable) const {
  if (!model_.has(Feature::FlagNewListener)) return unknown_operation();
  if (static_cast<std::uint32_t>(flags) != 0) return error(Errno::Invalid, model_);
  return writable ? value(0) : error(Errno::Fault, model_);
}

// ------------------------------------------------------ SECCOMP_SET_MODE_FILTER

std::optional<Reply> Tasks::refused_flags(std::uint32_t flags) const {
  struct Row {
    std::uint32_t bit;
    Feature since;
  };
  constexpr std::array kRows = {Row{filter_flag::kTsync, Feature::FlagTsync},
                                Row{filter_flag::kLog, Feature::FlagLog},
                                Row{filter_flag::kSpecAllow, Feature::FlagSpecAllow},
                                Row{filter_flag::kNewListener, Feature::FlagNewListener},
                                Row{filter_flag::kTsyncEsrch, Feature::FlagTsyncEsrch},
                                Row{filter_flag::kWaitKillableRecv, Feature::FlagWaitKillable}};
  std::uint32_t known = 0;
  for (const Row& row : kRows) {
    if (model_.has(row.since)) known |= row.bit;
  }
  if ((flags & ~known) != 0) return error(Errno::Invalid, model_);
  const bool listener = (flags & filter_flag::kNewListener) != 0;
  const bool tsync = (flags & filter_flag::kTsync) != 0;
  if (tsync && listener && (flags & filter_flag::kTsyncEsrch) == 0) {
    if (model_.version < Version{5, 1, 0}) {
      return unknown("Linux 5.0 takes TSYNC with NEW_LISTENER; what it returns is not modelled");
    }
    return error(Errno::Invalid, model_);
  }
  if ((flags & filter_flag::kWaitKillableRecv) != 0 && !listener) {
    return error(Errno::Invalid, model_);
  }
  return std::nullopt;
}

// Up to and with the copy of the instructions.
std::optional<Reply> Tasks::refused_before_program(const Task& task, std::uint32_t flags,
                                                   const FilterArgument& argument) const {
  if (auto refused = refused_flags(flags)) return refused;
  using State = FilterArgument::State;
  if (argument.state == State::NullHeader || argument.state == State::UnreadableHeader) {
    return error(Errno::Fault, model_);
  }
  if (argument.length == 0 || argument.length > kMaxProgramLength) {
    return error(Errno::Invalid, model_);
  }
  // Before 3.17 the limit came before the privileges, and counted classic instructions.
  if (!model_.has(Feature::EbpfLimit) &&
      argument.length + attached_cost(task) > kMaxInstructionsPerTask) {
    return error(Errno::NoMemory, model_);
  }
  if (!task.no_new_privs && !task.sys_admin) return error(Errno::Access, model_);
  if (argument.state == State::NullInstructions) {
    if (model_.version < kFirstNullCheck) return error(Errno::Fault, model_);
    if (model_.version < Version{4, 3, 0}) {
      return unknown("whether Linux 4.2 gives EFAULT or EINVAL for a NULL pointer");
    }
    return error(Errno::Invalid, model_);
  }
  if (argument.state == State::UnreadableInstructions) return error(Errno::Fault, model_);
  return std::nullopt;
}

std::optional<Reply> Tasks::refused_program(const FilterArgument& argument) const {
  if (argument.program != nullptr) return std::nullopt;
  switch (argument.refusal) {
    case InstallError::NoMemory:
      return error(Errno::NoMemory, model_);
    case InstallError::Invalid:
      return error(Errno::Invalid, model_);
  }
  return error(Errno::Invalid, model_);
}

// seccomp_can_sync_threads(): the first thread, the leader before those it made, that is strict or
// whose filters are no beginning of the caller's.
std::optional<Reply> Tasks::refused_tsync(TaskId id, std::uint32_t flags) const {
  const Task& caller = task(id);
  for (const TaskId other : process(caller.process).threads) {
    if (other == id) continue;
    const Task& thread = task(other);
    const bool leader = other == process(caller.process).threads.front();
    // A thread that has ended is gone, but for a leader, which stays until the process ends.
    if (!thread.alive && (!leader || model_.version >= Version{6, 11, 0})) continue;
    if (thread.mode == SeccompMode::Disabled) continue;
    if (thread.mode == SeccompMode::Filter && is_ancestor(thread.filter, caller.filter)) continue;
    if (!thread.alive) {
      return unknown("before Linux 6.11 an ended leader's filters may or may not hinder TSYNC");
    }
    if ((flags & filter_flag::kTsyncEsrch) != 0) return error(Errno::NoThread, model_);
    return Reply{
        .kind = Reply::Kind::Thread, .value = 0, .filter = {}, .task = other, .reason = {}};
  }
  return std::nullopt;
}

Reply Tasks::install(TaskId id, std::uint32_t flags, const FilterArgument& argument) {
  Task& caller = at(id);
  // Before 3.17 one function served both modes and looked at the old one first; a strict task
  // cannot get here at all.
  if (auto refused = refused_before_program(caller, flags, argument)) return *refused;
  if (auto refused = refused_program(argument)) return *refused;
  const bool listener = (flags & filter_flag::kNewListener) != 0;
  Process& process = processes_.at(caller.process);
  const bool busy = listener && has_listener_above(caller);
  if (listener && !process.descriptors_left) {
    if (busy && model_.version < kEbusyAfterDescriptor) {
      return unknown("whether EBUSY or EMFILE comes first before Linux 5.10");
    }
    return error(Errno::NoDescriptor, model_);
  }
  if (caller.mode == SeccompMode::Strict) return error(Errno::Invalid, model_);
  if (busy) return error(Errno::Busy, model_);
  const LimitCost& cost = argument.program->limit_cost();
  const std::size_t before = attached_cost(caller);
  if (cost.as_new + before > kMaxInstructionsPerTask) return error(Errno::NoMemory, model_);
  const bool tsync = (flags & filter_flag::kTsync) != 0;
  if (tsync) {
    if (auto refused = refused_tsync(id, flags)) return *refused;
  }

  constexpr std::size_t kPenaltyPerFilter = 4;  // seccomp_attach_filter()
  AttachedFilter attached;
  attached.parent = caller.filter;
  attached.program = argument.program;
  attached.log = (flags & filter_flag::kLog) != 0;
  attached.wait_killable = (flags & filter_flag::kWaitKillableRecv) != 0;
  attached.depth = filter_count(id) + 1;
  attached.attached_cost = before + cost.as_attached + kPenaltyPerFilter;
  if (listener) attached.listener_in.insert(caller.process);
  const FilterId added = filters_.size();
  filters_.push_back(std::move(attached));
  caller.filter = added;
  caller.mode = SeccompMode::Filter;
  if (tsync) {
    for (const TaskId other : process.threads) {
      Task& thread = at(other);
      if (!thread.alive) continue;
      thread.filter = added;
      thread.mode = SeccompMode::Filter;
      thread.no_new_privs = thread.no_new_privs || caller.no_new_privs;
    }
  }
  Reply reply = value(0);
  if (listener) reply.kind = Reply::Kind::Listener;
  reply.filter = added;
  return reply;
}

std::size_t Tasks::attached_cost(const Task& task) const {
  return task.filter ? filter(*task.filter).attached_cost : 0;
}

bool Tasks::is_ancestor(std::optional<FilterId> older, std::optional<FilterId> of) const {
  if (!older) return true;
  while (of && *of > *older) of = filter(*of).parent;
  return of == older;
}

bool Tasks::has_listener_above(const Task& task) const {
  for (auto each = task.filter; each; each = filter(*each).parent) {
    if (filter(*each).listened()) return true;
  }
  return false;
}

// -------------------------------------------------------------- life of tasks

TaskId Tasks::fork(TaskId id) {
  Task child = task(id);
  const ProcessId from = child.process;
  child.process = processes_.size();
  Process process{.threads = {tasks_.size()},
                  .sigsys = processes_.at(from).sigsys,
                  .descriptors_left = processes_.at(from).descriptors_left};
  // The child has copies of all descriptors.
  for (AttachedFilter& each : filters_) {
    if (each.listener_in.contains(from)) each.listener_in.insert(child.process);
  }
  processes_.push_back(std::move(process));
  tasks_.push_back(child);
  return tasks_.size() - 1;
}

TaskId Tasks::spawn_thread(TaskId id) {
  const Task thread = task(id);
  tasks_.push_back(thread);
  processes_.at(thread.process).threads.push_back(tasks_.size() - 1);
  return tasks_.size() - 1;
}

void Tasks::exit_thread(TaskId id) { end_thread(id); }

void Tasks::exec(TaskId id) {
  Process& process = processes_.at(task(id).process);
  for (const TaskId other : process.threads) {
    if (other != id) at(other).alive = false;
  }
  process.threads = {id};
  if (process.sigsys == SigsysAction::Handled) process.sigsys = SigsysAction::Default;
  for (AttachedFilter& each : filters_) each.listener_in.erase(task(id).process);
}

void Tasks::set_sigsys(TaskId id, SigsysAction action) {
  processes_.at(task(id).process).sigsys = action;
}

void Tasks::set_descriptors_left(TaskId id, bool left) {
  processes_.at(task(id).process).descriptors_left = left;
}

void Tasks::close_listener(TaskId id, FilterId filter) {
  filters_.at(filter).listener_in.erase(task(id).process);
}

void Tasks::close_listener_elsewhere(FilterId filter) {
  filters_.at(filter).listener_elsewhere = false;
}

void Tasks::end_thread(TaskId id) {
  const bool last = is_alone(id);
  at(id).alive = false;
  if (last) end_process(task(id).process);
}

void Tasks::end_process(ProcessId id) {
  for (const TaskId each : process(id).threads) at(each).alive = false;
  for (AttachedFilter& each : filters_) each.listener_in.erase(id);
}

}  // namespace callgate
