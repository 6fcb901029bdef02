#include "harness/live/outcome_oracle.hpp"

#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <algorithm>
#include <optional>

#include "harness/live/asker.hpp"
#include "harness/live/traced_child.hpp"
#include "vm/actions.hpp"
#include "vm/arches.hpp"

namespace callgate::live {
namespace {

// The message of our own filter's stops, unless the stack has it.
constexpr std::uint16_t kMagic = 0x7e57;
// orig_rax of a call that was dropped.
constexpr unsigned long long kNoCall = ~0ULL;

// A stack, oldest first, our guard before all; and the same as it is installed where filters are
// asked about the installation of the next.
struct Stack {
  Stack(std::uint32_t guard, std::span<const Program> oldest_first,
        std::optional<std::size_t> listener) {
    programs.push_back({{0x06, 0, 0, guard}});
    programs.insert(programs.end(), oldest_first.begin(), oldest_first.end());
    for (const Program& program : programs) passing_programs.push_back(passing(program));
    passing_programs.back() = programs.back();
    for (const Program& each : programs) filters.push_back({each.data(), each.size()});
    for (const Program& each : passing_programs) {
      passing_filters.push_back({each.data(), each.size()});
      // One that is too long already is refused as it should be.
      const std::size_t i = passing_filters.size() - 1;
      if (each.size() > kMaxProgramLength && programs[i].size() <= kMaxProgramLength) {
        can_pass = false;
      }
    }
    if (!listener) return;
    filters.at(*listener + 1).listener = true;
    passing_filters.at(*listener + 1).listener = true;
  }

  std::vector<Program> programs;
  std::vector<Program> passing_programs;
  std::vector<Filter> filters;
  std::vector<Filter> passing_filters;
  bool can_pass = true;
};

// The calls that can be made.
struct Reachable {
  std::vector<raw::Registers> registers;
  std::vector<const SeccompData*> asked;
  std::vector<Seen*> seen;
};

Reachable reach(std::span<const Call> calls, CallSites& sites, std::vector<Seen>& seen) {
  Reachable out;
  seen.assign(calls.size(), {});
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto reached = sites.reach(calls[i]);
    seen[i].data = reached ? reached->data : calls[i].data;
    if (!reached) {
      seen[i].kind = Seen::Kind::NotReachable;
      seen[i].why = reached.error();
      continue;
    }
    out.registers.push_back(reached->registers);
    out.asked.push_back(&seen[i].data);
    out.seen.push_back(&seen[i]);
  }
  return out;
}

std::int64_t result_of(const Seen& seen, std::int64_t rax) {
  return seen.data.arch == info(Arch::X86).token ? static_cast<std::int32_t>(rax) : rax;
}

// Filters installed, our guard not counted.
std::size_t without_ours(std::uint64_t installed) { return installed == 0 ? 0 : installed - 1; }

// A message for our guard that no constant of the stack has for its data. A program that computes
// its data may still hit it, one time in 65,536.
std::uint16_t magic_for(std::span<const Program> programs) {
  std::uint16_t magic = kMagic;
  const auto taken = [&](const Program& program) {
    return std::ranges::any_of(
        program, [&](const Instruction& i) { return (i.k & kDataMask) == std::uint32_t{magic}; });
  };
  for (int tries = 0; tries < 1000 && std::ranges::any_of(programs, taken); ++tries) ++magic;
  return magic;
}

// Drops the call that the thread has stopped at.
void drop_call(pid_t thread) {
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0) return;
  registers.orig_rax = kNoCall;
  registers.rax = 0;
  ptrace(PTRACE_SETREGS, thread, 0, &registers);
}

SigsysInfo sigsys_of(const siginfo_t& info) {
  return {.signo = info.si_signo,
          .code = info.si_code,
          .error = info.si_errno,
          .call_addr = reinterpret_cast<std::uint64_t>(info.si_call_addr),
          .syscall = info.si_syscall,
          .arch = info.si_arch};
}

// What supervisors note, in shared memory: see Supervision.
struct Notes {
  static std::size_t bytes(std::size_t calls) { return calls * (sizeof(SeccompData) + 1); }

  Notes(const SharedMemory& memory, std::size_t at, std::size_t count)
      : notified(memory.as<SeccompData>(at)),
        times(memory.as<std::uint8_t>(at + count * sizeof(SeccompData))),
        calls(count) {}

  [[nodiscard]] Supervision supervision(const volatile std::uint64_t* at) const {
    return {.listener = -1, .at = at, .calls = calls, .notified = notified, .times = times};
  }

  // Whether a call's result is an answer to a notification; `seen` becomes what it was.
  void apply(std::size_t call, Seen& seen) const {
    if (times[call] == 0) return;
    if (times[call] == 1 && seen.kind == Seen::Kind::Returned && seen.value == kSupervised) {
      seen.kind = Seen::Kind::Notified;
      seen.notified = notified[call];
      return;
    }
    seen.kind = Seen::Kind::Lost;
    seen.why = times[call] == 1 ? "what the supervisor answered did not come back"
                                : "the supervisor was told more than once";
  }

  SeccompData* notified;
  volatile std::uint8_t* times;
  std::size_t calls;
};

// One traced child and what is seen of it.
class Watch {
 public:
  Watch(TracedWork& work, std::byte* stack, std::vector<Seen*>& seen, std::uint16_t magic,
        int patience_milliseconds)
      : work_(work),
        seen_(seen),
        magic_(magic),
        decided_(seen.size()),
        child_(work, stack, patience_milliseconds) {}

  // Lets the child make its calls until it is done or dead. Returns the first call not answered, or
  // the error that ends it all.
  std::expected<std::size_t, LiveError> run() {
    if (auto wrong = child_.attach()) return std::unexpected(std::move(*wrong));
    for (;;) {
      const std::optional<int> status = child_.wait();
      const std::size_t at = work_.shared->at;
      if (!status) return timed_out(at);
      if (WIFSIGNALED(*status) || WIFEXITED(*status)) return ended(at, *status);
      int deliver = 0;
      if (*status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
        stopped_by_filter(at);
      } else if (WSTOPSIG(*status) == SIGSYS) {
        signalled(at);
      } else if (WSTOPSIG(*status) != SIGTRAP) {
        deliver = WSTOPSIG(*status);
      } else if (!stands_ && work_.shared->install_error == 0) {
        stands_ = true;
        child_.ask_filters();
      } else {
        collect(at);
        return at;  // it has ended as it should, or could not install a filter
      }
      child_.go_on(deliver);
    }
  }

 private:
  // The values that the calls before `end` returned.
  void collect(std::size_t end) {
    for (std::size_t i = work_.first; i < end; ++i) {
      if (decided_[i]) continue;
      seen_[i]->kind = Seen::Kind::Returned;
      seen_[i]->value = result_of(*seen_[i], work_.results[i]);
    }
  }

  std::expected<std::size_t, LiveError> timed_out(std::size_t at) {
    if (!stands_) {
      return std::unexpected(LiveError{"the running kernel installs no filter within the deadline",
                                       LiveFault::Deadline});
    }
    collect(at);
    for (std::size_t i = at; i < seen_.size(); ++i) seen_[i]->kind = Seen::Kind::Deadline;
    return seen_.size();
  }

  std::expected<std::size_t, LiveError> ended(std::size_t at, int status) {
    if (!stands_) {
      return std::unexpected(LiveError{"the asking child died while it installed the filters"});
    }
    collect(at);
    if (at >= seen_.size()) return at;
    const std::optional<bool> lives = child_.process_lives();
    Seen& seen = *seen_[at];
    seen.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (!lives) {
      seen.why = "whether the process lives on is not to be found out";
    } else if (seen.signal == 0) {
      seen.why = "the asking child ended by itself";
    } else if (seen.signal != SIGSYS) {
      seen.why = "the asking child was killed, not by a filter";
    } else {
      seen.kind = *lives ? Seen::Kind::ThreadDied : Seen::Kind::ProcessDied;
    }
    return at + 1;
  }

  void stopped_by_filter(std::size_t at) {
    unsigned long message = 0;
    ptrace(PTRACE_GETEVENTMSG, child_.thread(), 0, &message);
    if (at < seen_.size()) {
      decided_[at] = true;
      const bool ours = message == magic_;
      seen_[at]->kind = ours ? Seen::Kind::Allowed : Seen::Kind::TracerStop;
      seen_[at]->message = ours ? 0 : static_cast<std::uint32_t>(message);
    }
    drop_call(child_.thread());
  }

  // The signal is not delivered, so that the child goes on.
  void signalled(std::size_t at) {
    siginfo_t info{};
    ptrace(PTRACE_GETSIGINFO, child_.thread(), 0, &info);
    if (at >= seen_.size()) return;
    decided_[at] = true;
    seen_[at]->kind = Seen::Kind::Sigsys;
    seen_[at]->signal = SIGSYS;
    seen_[at]->siginfo = sigsys_of(info);
  }

  TracedWork& work_;
  std::vector<Seen*>& seen_;
  std::uint16_t magic_;
  std::vector<bool> decided_;  // a stop has said what the return value cannot
  bool stands_ = false;        // the whole stack is installed
  TracedChild child_;
};

std::expected<StackSeen, LiveError> traced_outcomes(std::span<const Program> oldest_first,
                                                    std::span<const Call> calls, CallSites& sites,
                                                    const OutcomeOptions& options) {
  StackSeen out;
  Reachable reachable = reach(calls, sites, out.calls);
  const std::uint16_t magic = magic_for(oldest_first);
  const Stack stack(static_cast<std::uint32_t>(Action::Trace) | magic, oldest_first,
                    options.listener);

  const std::size_t count = reachable.seen.size();
  const std::size_t results_at = sizeof(TracedShared);
  const std::size_t notes_at = results_at + count * sizeof(std::int64_t);
  const std::size_t stack_at = (notes_at + Notes::bytes(count) + 15) / 16 * 16;
  const SharedMemory memory(stack_at + kAskerStack);
  TracedWork work{.filters = stack.filters.data(),
                  .passing = stack.can_pass ? stack.passing_filters.data() : nullptr,
                  .filter_count = stack.filters.size(),
                  .registers = reachable.registers.data(),
                  .calls = reachable.registers.size(),
                  .first = 0,
                  .results = memory.as<std::int64_t>(results_at),
                  .shared = memory.as<TracedShared>()};
  const Notes notes(memory, notes_at, count);
  do {
    *work.shared = {};
    work.shared->at = work.first;
    work.shared->supervision = notes.supervision(&work.shared->at);
    Watch watch(work, memory.as<std::byte>(stack_at), reachable.seen, magic,
                options.patience_milliseconds);
    const auto next = watch.run();
    if (!next) return std::unexpected(next.error());
    out.install_error = work.shared->install_error;
    out.installed = without_ours(work.shared->installed);
    if (out.install_error != 0) {
      out.calls.clear();
      return out;
    }
    work.first = *next;
  } while (work.first < count);
  for (std::size_t i = 0; i < count; ++i) notes.apply(i, *reachable.seen[i]);
  return out;
}

// The filter that stops allowed calls where there is no tracer, and what they return then. It must
// be weaker than a notification where there is a listener: a notification that nobody listens to.
struct UntracedGuard {
  std::uint32_t filter;
  std::int64_t result;
};

UntracedGuard untraced_guard(bool listener) {
  if (listener) return {static_cast<std::uint32_t>(Action::UserNotif), -38};
  return {static_cast<std::uint32_t>(Action::Errno) | 4095U, -4095};
}

// The second thread of the serving child, which ends with the process.
CALLGATE_IN_CHILD void keep_supervising(void* supervision) {
  for (;;) supervise(*static_cast<Supervision*>(supervision));
}

Seen::Kind untraced_kind(Reply reply, std::int64_t value, const UntracedGuard& guard) {
  switch (reply) {
    case Reply::NotAsked:
    case Reply::DiedOtherwise:
      return Seen::Kind::Lost;
    case Reply::DiedBySigsys:
      return Seen::Kind::Died;
    case Reply::Returned:
      return value == guard.result ? Seen::Kind::NotRefused : Seen::Kind::Returned;
  }
  return Seen::Kind::Lost;
}

std::expected<StackSeen, LiveError> untraced_outcomes(std::span<const Program> oldest_first,
                                                      std::span<const Call> calls, CallSites& sites,
                                                      const OutcomeOptions& options) {
  struct Shared {
    volatile std::uint64_t progress;
    volatile std::uint64_t at;
    volatile std::uint64_t installed;
    volatile std::int32_t setup;
    volatile std::int32_t install_error;
    Supervision supervision;
  };
  StackSeen out;
  const Reachable reachable = reach(calls, sites, out.calls);
  const UntracedGuard guard = untraced_guard(options.listener.has_value());
  const Stack stack(guard.filter, oldest_first, options.listener);
  if (!stack.can_pass) {
    return std::unexpected(LiveError{
        "untraced, only a stack's newest filter may have more than 4088 instructions: the others "
        "are installed with some in front of them"});
  }
  const std::size_t count = reachable.registers.size();
  const std::size_t results_at = sizeof(Shared);
  const std::size_t replies_at = results_at + count * sizeof(std::int64_t);
  const std::size_t notes_at = (replies_at + count + 15) / 16 * 16;
  const std::size_t stack_at = (notes_at + Notes::bytes(count) + 15) / 16 * 16;
  const SharedMemory memory(stack_at + 2 * kAskerStack);
  auto* const shared = memory.as<Shared>();
  const Notes notes(memory, notes_at, count);
  shared->supervision = notes.supervision(&shared->at);
  const Questions questions{.filters = stack.passing_filters.data(),
                            .filter_count = stack.passing_filters.size(),
                            .asked = reachable.asked.data(),
                            .calls = count,
                            .group = 1,
                            .results = memory.as<std::int64_t>(results_at),
                            .replies = memory.as<Reply>(replies_at),
                            .install_error = &shared->install_error,
                            .installed = &shared->installed,
                            .at = &shared->at,
                            .progress = &shared->progress,
                            .supervision = options.listener ? &shared->supervision : nullptr};
  const ChildEnd end = run_child(
      [&] {
        shared->setup = allow_filters();
        if (shared->setup != 0) return;
        // Its children share its memory: a dump of one of them would take it along.
        raw::call(SYS_prctl, PR_SET_DUMPABLE, 0);
        Pace pace;
        if (options.listener) {
          const long id = raw::callgate_live_clone(
              CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
              memory.as<std::byte>(stack_at) + 2 * kAskerStack, keep_supervising,
              &shared->supervision);
          if (id < 0) shared->setup = static_cast<std::int32_t>(-id);
        }
        ask_in_children(&questions, 1, memory.as<std::byte>(stack_at), pace);
      },
      &shared->progress, options.patience_milliseconds);
  if (auto wrong = what_went_wrong(end, shared->setup)) return std::unexpected(std::move(*wrong));
  out.install_error = shared->install_error;
  out.installed = without_ours(shared->installed);
  if (out.install_error != 0) {
    out.calls.clear();
    return out;
  }
  for (std::size_t i = 0; i < count; ++i) {
    Seen& seen = *reachable.seen[i];
    seen.value = result_of(seen, questions.results[i]);
    seen.kind = untraced_kind(questions.replies[i], seen.value, guard);
    if (seen.kind == Seen::Kind::Died) seen.signal = SIGSYS;
    if (seen.kind == Seen::Kind::Lost) seen.why = "the asking child died before it had an answer";
    notes.apply(i, seen);
  }
  return out;
}

}  // namespace

std::expected<StackSeen, LiveError> outcomes(std::span<const Program> oldest_first,
                                             std::span<const Call> calls, CallSites& sites,
                                             const OutcomeOptions& options) {
  if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0) {
    return std::unexpected(LiveError{
        "this process runs under filters already: what they refuse would be taken for the stack's "
        "answer",
        LiveFault::UnderFilters});
  }
  if (options.listener && *options.listener >= oldest_first.size()) {
    return std::unexpected(LiveError{"the filter that shall have a listener is not in the stack"});
  }
  std::string untraced = "as asked for";
  if (options.traced) {
    auto traced = traced_outcomes(oldest_first, calls, sites, options);
    if (traced || traced.error().fault != LiveFault::TracingDenied) return traced;
    untraced = std::move(traced.error().message);
  }
  auto seen = untraced_outcomes(oldest_first, calls, sites, options);
  if (seen) seen->untraced = std::move(untraced);
  return seen;
}

}  // namespace callgate::live
