// What becomes of the calls of a task.

#include <algorithm>

#include "vm/reference.hpp"
#include "vm/task.hpp"
#include "vm/task_errors.hpp"

namespace callgate {
namespace {

constexpr Version kFirstContinue{5, 5, 0};  // SECCOMP_USER_NOTIF_FLAG_CONTINUE
constexpr Version kFirstAddFd{5, 9, 0};     // SECCOMP_IOCTL_NOTIF_ADDFD

bool is_x86(Arch arch) { return arch == Arch::X86_64 || arch == Arch::X86 || arch == Arch::X32; }

bool is_powerpc(Arch arch) {
  return arch == Arch::Ppc || arch == Arch::Ppc64 || arch == Arch::Ppc64le;
}

Outcome returns(std::int64_t value) { return {.kind = OutcomeKind::Returns, .value = value}; }

Outcome unknown(std::string_view reason) {
  return {.kind = OutcomeKind::Unknown, .reason = reason};
}

}  // namespace

namespace task_errors {

std::int64_t number(Errno error, const KernelModel& model) noexcept {
  const SystemNumbers& numbers = info(model.arch).numbers;
  switch (error) {
    case Errno::NoEntry:
      return 2;
    case Errno::NoThread:
      return 3;
    case Errno::BadDescriptor:
      return 9;
    case Errno::NoMemory:
      return 12;
    case Errno::Access:
      return 13;
    case Errno::Fault:
      return 14;
    case Errno::Busy:
      return 16;
    case Errno::Invalid:
      return 22;
    case Errno::NoDescriptor:
      return 24;
    case Errno::NoSyscall:
      return numbers.enosys;
    case Errno::NotSupported:
      return numbers.eopnotsupp;
  }
  return 22;
}

Reply error(Errno error, const KernelModel& model) noexcept {
  return {.kind = Reply::Kind::Value,
          .value = -number(error, model),
          .filter = {},
          .task = 0,
          .reason = {}};
}

}  // namespace task_errors

// The stack's outcome for a call. With `rerun`, after a tracer's stop, TRACE allows.
Outcome Tasks::judged(const Task& task, const SeccompData& data, Surroundings around, bool rerun,
                      std::optional<FilterId>& winner) const {
  winner.reset();
  if (is_exempt(data, model_)) return {};
  std::vector<FilterResult> results;
  for (auto each = task.filter; each; each = filter(*each).parent) {
    const auto run = reference::run(filter(*each).program->instructions(), data, model_,
                                    reference::NoObserver{});
    if (run.fault != reference::Fault::None) return unknown(reference::to_string(run.fault));
    results.push_back({*each, run.value});
  }
  const Verdict verdict = combine(results, model_);
  winner = verdict.winner;
  if (winner) {
    around.log_flag = filter(*winner).log;
    around.listener = filter(*winner).listened();
  }
  const Outcome outcome = outcome_of(verdict.value, data, model_, around);
  if (rerun && outcome.kind == OutcomeKind::TracerDecides) return {};
  return outcome;
}

void Tasks::let_tracer_decide(CallResult& result, const Task& task, const Tracer& tracer,
                              const Surroundings& around, std::optional<FilterId>& winner) const {
  result.tracer_stop = true;
  if (tracer.nr) result.data.nr = *tracer.nr;
  if (tracer.args) result.data.args = *tracer.args;
  if (result.data.nr < 0) {
    const bool log = winner && filter(*winner).log && model_.has(Feature::FlagLog);
    if (tracer.value) {
      result.outcome = returns(*tracer.value);
    } else if (is_x86(model_.arch)) {
      result.outcome = returns(-task_errors::number(Errno::NoSyscall, model_));
    } else {
      result.outcome = unknown("the value of a skipped call that the tracer has not set");
      return;
    }
    result.outcome.logged = log;
    return;
  }
  if (!model_.has(Feature::RecheckAfterTrace)) {
    result.outcome = {};
    return;
  }
  result.outcome = judged(task, result.data, around, true, winner);
}

// seccomp_notify_addfd(), and __receive_fd() by the one who waits.
void Tasks::add_descriptor(CallResult& result, const Process& process, const AddFd& addfd) const {
  AddedFd& added = result.added.emplace();
  const auto fails = [&](Errno error) {
    added.error = static_cast<int>(task_errors::number(error, model_));
  };
  constexpr std::uint32_t kSmallest = 24;
  constexpr std::uint32_t kPage = 4096;
  if (model_.version < kFirstAddFd || addfd.size < kSmallest) return fails(Errno::Invalid);
  if (addfd.size >= kPage) {
    if (is_x86(model_.arch)) return fails(Errno::Invalid);
    result.outcome =
        unknown("the limit of ADDFD's size is a page, which is larger on some kernels");
    return;
  }
  const bool chosen = (addfd.flags & addfd_flag::kSetFd) != 0;
  std::uint32_t known = addfd_flag::kSetFd;
  if (model_.has(Feature::AddfdSend)) known |= addfd_flag::kSend;
  if ((addfd.new_fd_flags & ~info(model_.arch).numbers.o_cloexec) != 0 ||
      (addfd.flags & ~known) != 0 || (addfd.new_fd != 0 && !chosen)) {
    return fails(Errno::Invalid);
  }
  if (!addfd.source_open) return fails(Errno::BadDescriptor);
  if (!addfd.right_id) return fails(Errno::NoEntry);
  if (chosen) {
    if (addfd.new_fd >= 0x80000000U && model_.version < Version{5, 14, 0}) {
      result.outcome = unknown("before Linux 5.14 a negative number may stand for none at all");
      return;
    }
    if (addfd.new_fd >= process.descriptor_limit) return fails(Errno::BadDescriptor);
    if (!process.descriptors_left) {
      result.outcome = unknown("whether the process may still choose this descriptor");
      return;
    }
    added.descriptor = addfd.new_fd;
  } else if (!process.descriptors_left) {
    return fails(Errno::NoDescriptor);
  }
  if ((addfd.flags & addfd_flag::kSend) == 0) return;
  added.is_reply = true;
  result.outcome = added.descriptor
                       ? returns(*added.descriptor)
                       : unknown("the call returns the lowest descriptor that is free");
}

void Tasks::let_supervisor_decide(CallResult& result, const Process& process,
                                  const Supervisor& supervisor) const {
  // What is refused leaves the call waiting: the outcome stays as it is.
  if (supervisor.addfd) {
    add_descriptor(result, process, *supervisor.addfd);
    if (result.outcome.kind != OutcomeKind::ListenerDecides) return;
  }
  if (!supervisor.replies) return;
  if (supervisor.continues) {
    if (model_.version < kFirstContinue || supervisor.value != 0 || supervisor.error != 0) {
      result.send_error = static_cast<int>(task_errors::number(Errno::Invalid, model_));
      return;
    }
    result.outcome = {};
    return;
  }
  if (supervisor.error > 0 && !is_x86(model_.arch) && model_.arch != Arch::AArch64) {
    result.outcome = unknown("how this architecture returns a positive error of a supervisor");
    return;
  }
  if (supervisor.error == 0 && supervisor.value > 0 && is_powerpc(model_.arch) &&
      model_.version >= Version{6, 2, 0}) {
    // Seen on ppc64el by callgate lab: 6.1.176 returns it, 7.2.13 returns 0.
    if (model_.arch == Arch::Ppc64le && model_.version >= Version{7, 2, 0}) {
      result.outcome = returns(0);
      return;
    }
    result.outcome = unknown("since when PowerPC returns 0 for a positive value of a supervisor");
    return;
  }
  result.outcome = returns(supervisor.error != 0 ? supervisor.error : supervisor.value);
}

CallResult Tasks::filtered(TaskId id, const SeccompData& data, const Answers& answers) {
  const Task& caller = task(id);
  const SigsysAction sigsys = process(caller.process).sigsys;
  const Surroundings around = {
      .tracer = answers.tracer.has_value(),
      .listener = false,  // the winner's, see judged()
      .only_thread = is_alone(id),
      .sigsys_blocked_or_ignored = false,  // looked at below
      .log_flag = false,
  };
  CallResult result;
  result.data = data;
  std::optional<FilterId> winner;
  result.outcome = judged(caller, data, around, false, winner);
  if (result.outcome.kind == OutcomeKind::TracerDecides && answers.tracer) {
    let_tracer_decide(result, caller, *answers.tracer, around, winner);
  }
  if (result.outcome.kind == OutcomeKind::ListenerDecides && answers.supervisor) {
    const bool log = winner && filter(*winner).log;
    let_supervisor_decide(result, process(caller.process), *answers.supervisor);
    if (result.outcome.kind == OutcomeKind::Returns) result.outcome.logged = log;
  }
  // TRAP's signal kills whom no handler saves; unlike a kill it leaves the mode as it is.
  if (result.outcome.kind == OutcomeKind::Sigsys && sigsys != SigsysAction::Handled) {
    result.outcome.kind = OutcomeKind::ProcessDies;
    result.outcome.core_dump = true;
    result.by_trap = true;
  }
  return result;
}

CallResult Tasks::call(TaskId id, const SeccompData& data, const Answers& answers) {
  CallResult result;
  result.data = data;
  switch (task(id).mode) {
    case SeccompMode::Disabled:
      return result;
    case SeccompMode::Strict:
      result.outcome = strict_outcome(data, model_, is_alone(id));
      break;
    case SeccompMode::Filter:
      result = filtered(id, data, answers);
      break;
    case SeccompMode::Dead:
      result.outcome = unknown("a dead task makes no calls");
      return result;
  }
  const OutcomeKind kind = result.outcome.kind;
  if (kind == OutcomeKind::ProcessDies || kind == OutcomeKind::ThreadDies) {
    if (!result.by_trap) at(id).mode = SeccompMode::Dead;
    if (kind == OutcomeKind::ProcessDies) {
      end_process(task(id).process);
    } else {
      end_thread(id);
    }
  }
  return result;
}

}  // namespace callgate
