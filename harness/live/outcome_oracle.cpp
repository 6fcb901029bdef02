#include "harness/live/outcome_oracle.hpp"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>

#include "harness/report/words.hpp"

namespace callgate::live {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kStack = 64 * 1024;
// Where seccomp cannot be suspended while the stack is installed, every filter but the newest lets
// pass a call of seccomp(2) whose unused sixth argument is this; what the filter says of any other
// stays as it is.
constexpr std::uint64_t kPass = 0x9d1f6a3b52c7e084U;
// The message of our own filter's stops: told from the stack's by a number that none of its
// constants has.
constexpr std::uint32_t kMagic = 0x7e57;
// orig_rax of a call that was dropped.
constexpr unsigned long long kNoCall = ~0ULL;

// Shared by the tracer (the caller's thread), the child's first thread (which only lives) and its
// second (which asks).
struct Shared {
  volatile std::int32_t setup;          // errno of preparing the second thread
  volatile std::int32_t install_error;  // errno of the first refused filter
  volatile std::uint64_t installed;
  volatile std::uint64_t at;    // the call being made
  volatile std::uint64_t ping;  // the first thread answers a ping, while it lives
  volatile std::uint64_t pong;
  volatile std::int64_t second;   // id of the second thread
  volatile std::uint64_t passes;  // install the filters that let kPass through
  volatile std::uint64_t go;      // the second thread may start
};

// Plain pointers: the second thread must touch nothing that a sanitizer has an eye on.
struct Filter {
  const Instruction* instructions;
  std::size_t length;
};

struct Asking {
  const Filter* filters;  // ours first
  const Filter* passing;  // the same, letting kPass through
  std::size_t filter_count;
  const raw::Registers* registers;
  std::size_t calls;
  std::size_t first;
  std::int64_t* results;  // shared
  Shared* shared;
};

// The second thread of the child: installs the stack, makes the calls, ends by a trap.
CALLGATE_IN_CHILD void ask(void* argument) {
  const auto* const asking = static_cast<const Asking*>(argument);
  Shared* const shared = asking->shared;
  while (shared->go == 0) raw::call(SYS_sched_yield);
  const Filter* const filters = shared->passes != 0 ? asking->passing : asking->filters;
  for (std::size_t i = 0; i < asking->filter_count; ++i) {
    const long result = install(filters[i].instructions, filters[i].length, 0, kPass);
    if (result != 0) {
      shared->install_error = static_cast<std::int32_t>(-result);
      raw::callgate_live_end();
    }
    shared->installed = i;  // without ours
  }
  raw::callgate_live_stop();
  for (std::size_t i = asking->first; i < asking->calls; ++i) {
    shared->at = i;
    asking->results[i] = static_cast<std::int64_t>(raw::callgate_live_call(&asking->registers[i]));
  }
  shared->at = asking->calls;
  raw::callgate_live_end();
}

// The first thread: starts the second and answers pings until it is killed.
CALLGATE_IN_CHILD void live_on(Asking& asking, std::byte* stack) {
  Shared* const shared = asking.shared;
  shared->setup = allow_filters();
  if (shared->setup != 0) return;
  const long id = raw::callgate_live_clone(
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
      stack + kStack, ask, &asking);
  shared->second = id;
  if (id < 0) shared->setup = static_cast<std::int32_t>(-id);
  const timespec nap{0, 100'000};
  while (id >= 0) {
    shared->pong = shared->ping;
    raw::call(SYS_nanosleep, reinterpret_cast<unsigned long>(&nap), 0);
  }
}

void nap() {
  const timespec pause{0, 20'000};
  nanosleep(&pause, nullptr);
}

// A child process with its tracer's view of it.
class Traced {
 public:
  Traced(Asking& asking, std::byte* stack) : shared_(asking.shared) {
    const pid_t parent = getpid();
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);
      const rlimit no_core{0, 0};
      setrlimit(RLIMIT_CORE, &no_core);
      live_on(asking, stack);
      _exit(0);
    }
  }
  ~Traced() {
    if (process_ <= 0 || process_gone_) return;
    kill(process_, SIGKILL);
    // Reap the traced thread first, then the process; what the kernel itself holds is left.
    const auto start = Clock::now();
    while (!patience_is_over(start, 5'000)) {
      int status = 0;
      if (!thread_gone_ && thread_ > 0 && waitpid(thread_, &status, WNOHANG | __WALL) != 0) {
        // a stop before the end, or the end
      }
      const pid_t reaped = waitpid(process_, &status, WNOHANG | __WALL);
      if (reaped == process_ && (WIFEXITED(status) || WIFSIGNALED(status))) return;
      if (reaped < 0 && errno == ECHILD) return;
      nap();
    }
  }
  Traced(const Traced&) = delete;
  Traced& operator=(const Traced&) = delete;

  // Attaches to the second thread and lets it go; what went wrong, or nothing.
  std::string attach() {
    if (process_ < 0) return fmt::format("no process can be started: errno {}", errno);
    const auto start = Clock::now();
    while (shared_->second == 0 && shared_->setup == 0) {
      if (patience_is_over(start, kPatience)) return "the asking child did not start in time";
      nap();
    }
    if (shared_->setup != 0) {
      return fmt::format("filters cannot be installed: errno {}", static_cast<int>(shared_->setup));
    }
    thread_ = static_cast<pid_t>(shared_->second);
    // Root may have the filters not asked until they all stand.
    if (ptrace(PTRACE_SEIZE, thread_, 0, kOptions | PTRACE_O_SUSPEND_SECCOMP) != 0) {
      if (ptrace(PTRACE_SEIZE, thread_, 0, kOptions) != 0) {
        return fmt::format("the asking child cannot be traced: errno {}", errno);
      }
      shared_->passes = 1;
    }
    shared_->go = 1;
    return {};
  }

  // All filters stand: from here they are asked.
  void ask_filters() { ptrace(PTRACE_SETOPTIONS, thread_, 0, kOptions); }

  // The thread's next stop or end; nothing when it does not come in time.
  std::optional<int> wait() {
    auto start = Clock::now();
    std::uint64_t at = shared_->at;
    for (int spins = 0;; ++spins) {
      int status = 0;
      const pid_t reaped = waitpid(thread_, &status, WNOHANG | __WALL);
      if (reaped == thread_) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) thread_gone_ = true;
        return status;
      }
      if (reaped < 0 && errno == ECHILD) {
        thread_gone_ = true;
        return std::nullopt;
      }
      if (spins < 200) {
        sched_yield();
        continue;
      }
      if (shared_->at != at) {
        at = shared_->at;
        start = Clock::now();
      }
      if (patience_is_over(start, kPatience)) return std::nullopt;
      nap();
    }
  }

  // Whether the process lives on after its second thread has ended: it answers a ping, or it is
  // reaped.
  std::optional<bool> process_lives() {
    const auto start = Clock::now();
    const std::uint64_t asked = shared_->ping + 1;
    shared_->ping = asked;
    while (!patience_is_over(start, kPatience)) {
      if (process_ended()) return false;
      if (shared_->pong == asked) {
        // The end of the whole process may still be on its way to its first thread.
        for (int i = 0; i < 100; ++i) {
          nap();
          if (process_ended()) return false;
        }
        return true;
      }
      nap();
    }
    return std::nullopt;
  }

  [[nodiscard]] pid_t thread() const { return thread_; }

 private:
  static constexpr long kOptions = PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;

  static bool patience_is_over(Clock::time_point start, int milliseconds) {
    return Clock::now() - start >= std::chrono::milliseconds(milliseconds);
  }

  bool process_ended() {
    int status = 0;
    const pid_t reaped = waitpid(process_, &status, WNOHANG | __WALL);
    process_gone_ = process_gone_ || reaped == process_ || (reaped < 0 && errno == ECHILD);
    return process_gone_;
  }

  Shared* shared_;
  pid_t process_ = -1;
  pid_t thread_ = -1;
  bool thread_gone_ = false;
  bool process_gone_ = false;
};

// The program, but that it allows seccomp(2) with kPass.
Program passing(const Program& program) {
  constexpr auto kLow = static_cast<std::uint32_t>(kPass);
  constexpr auto kHigh = static_cast<std::uint32_t>(kPass >> 32U);
  Program out = {
      {0x20, 0, 0, 0},  {0x15, 0, 5, SYS_seccomp}, {0x20, 0, 0, 56},          {0x15, 0, 3, kLow},
      {0x20, 0, 0, 60}, {0x15, 0, 1, kHigh},       {0x06, 0, 0, 0x7fff0000U}, {0x00, 0, 0, 0}};
  out.insert(out.end(), program.begin(), program.end());
  return out;
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

// Lets one child make its calls until it is done or dead. Returns the first call not answered, or
// the error that ends it all.
std::expected<std::size_t, LiveError> watch(Asking& asking, std::byte* stack,
                                            std::vector<Seen*>& seen) {
  Shared* const shared = asking.shared;
  *shared = {};
  shared->at = asking.first;
  Traced child(asking, stack);
  if (std::string wrong = child.attach(); !wrong.empty()) {
    return std::unexpected(LiveError{std::move(wrong)});
  }
  std::vector<bool> decided(seen.size());  // a stop has said what the return value cannot
  const auto collect = [&](std::size_t end) {
    for (std::size_t i = asking.first; i < end; ++i) {
      if (decided[i]) continue;
      seen[i]->kind = Seen::Kind::Returned;
      seen[i]->value = seen[i]->data.arch == 0x40000003U
                           ? static_cast<std::int32_t>(asking.results[i])
                           : asking.results[i];
    }
  };
  bool stands = false;  // the whole stack is installed
  for (;;) {
    const std::optional<int> status = child.wait();
    const std::size_t at = shared->at;
    if (!status) {
      collect(at);
      if (at < seen.size()) seen[at]->why = "no answer within the deadline";
      return at + 1;
    }
    if (WIFSIGNALED(*status) || WIFEXITED(*status)) {
      collect(at);
      if (at >= seen.size()) return at;
      const std::optional<bool> lives = child.process_lives();
      const int signal = WIFSIGNALED(*status) ? WTERMSIG(*status) : 0;
      seen[at]->signal = signal;
      if (!lives) {
        seen[at]->why = "whether the process lives on is not to be found out";
      } else if (signal == 0) {
        seen[at]->why = "the asking child ended by itself";
      } else {
        seen[at]->kind = *lives ? Seen::Kind::ThreadDied : Seen::Kind::ProcessDied;
      }
      return at + 1;
    }
    long deliver = 0;
    if (*status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
      unsigned long message = 0;
      ptrace(PTRACE_GETEVENTMSG, child.thread(), 0, &message);
      if (at < seen.size()) {
        decided[at] = true;
        const bool ours = message == kMagic;
        seen[at]->kind = ours ? Seen::Kind::Allowed : Seen::Kind::TracerStop;
        seen[at]->message = ours ? 0 : static_cast<std::uint32_t>(message);
      }
      drop_call(child.thread());
    } else if (WSTOPSIG(*status) == SIGSYS) {
      siginfo_t info{};
      ptrace(PTRACE_GETSIGINFO, child.thread(), 0, &info);
      if (at < seen.size()) {
        decided[at] = true;
        seen[at]->kind = Seen::Kind::Sigsys;
        seen[at]->signal = SIGSYS;
        seen[at]->siginfo = sigsys_of(info);
      }
    } else if (WSTOPSIG(*status) == SIGTRAP && !stands && shared->install_error == 0) {
      stands = true;
      child.ask_filters();
    } else if (WSTOPSIG(*status) == SIGTRAP) {
      collect(at);
      return at;  // it has ended as it should, or could not install a filter
    } else {
      deliver = WSTOPSIG(*status);
    }
    ptrace(PTRACE_CONT, child.thread(), 0, deliver);
  }
}

}  // namespace

std::expected<StackSeen, LiveError> outcomes(std::span<const Program> oldest_first,
                                             std::span<const Call> calls, CallSites& sites) {
  StackSeen out;
  out.calls.resize(calls.size());
  std::vector<raw::Registers> registers;
  std::vector<Seen*> seen;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto reached = sites.reach(calls[i]);
    out.calls[i].data = reached ? reached->data : calls[i].data;
    if (!reached) {
      out.calls[i].kind = Seen::Kind::NotReachable;
      out.calls[i].why = reached.error();
      continue;
    }
    registers.push_back(reached->registers);
    seen.push_back(&out.calls[i]);
  }
  // Ours is the oldest: it stops what all others allow.
  std::vector<Program> programs = {{{0x06, 0, 0, 0x7ff00000U | kMagic}}};
  programs.insert(programs.end(), oldest_first.begin(), oldest_first.end());
  std::vector<Program> that_pass;
  for (const Program& program : programs) that_pass.push_back(passing(program));
  that_pass.back() = programs.back();
  const auto pointers = [](const std::vector<Program>& of) {
    std::vector<Filter> filters;
    for (const Program& each : of) filters.push_back({each.data(), each.size()});
    return filters;
  };
  const std::vector<Filter> filters = pointers(programs);
  const std::vector<Filter> passing_filters = pointers(that_pass);

  const std::size_t results_at = sizeof(Shared);
  const std::size_t stack_at = results_at + (seen.size() + 8) * sizeof(std::int64_t);
  const SharedMemory memory((stack_at + 15) / 16 * 16 + kStack);
  Asking asking{.filters = filters.data(),
                .passing = passing_filters.data(),
                .filter_count = filters.size(),
                .registers = registers.data(),
                .calls = registers.size(),
                .first = 0,
                .results = memory.as<std::int64_t>(results_at),
                .shared = memory.as<Shared>()};
  std::byte* const stack = memory.as<std::byte>((stack_at + 15) / 16 * 16);
  do {
    const auto next = watch(asking, stack, seen);
    if (!next) return std::unexpected(next.error());
    out.install_error = asking.shared->install_error;
    out.installed = asking.shared->installed;
    if (out.install_error != 0) {
      out.calls.clear();
      return out;
    }
    asking.first = *next;
  } while (asking.first < seen.size());
  return out;
}

std::string_view why_not_asked(std::uint32_t value, const Seen& seen) {
  if (seen.kind == Seen::Kind::NotReachable) return seen.why;
  const auto rank = static_cast<std::int32_t>(value & kActionMask);
  const bool hidden = rank > static_cast<std::int32_t>(Action::Trace) &&
                      find_action(value & kActionMask) == nullptr;
  if (seen.kind == Seen::Kind::Allowed && hidden) {
    return "an unknown action weaker than TRACE is hidden by the filter that stops allowed calls";
  }
  return {};
}

Agreement compare(const Outcome& ours, std::uint32_t value, const Seen& seen) {
  if (!why_not_asked(value, seen).empty()) return Agreement::NotAsked;
  const auto same = [](bool is) { return is ? Agreement::Agrees : Agreement::Differs; };
  switch (seen.kind) {
    case Seen::Kind::NotReachable:
      return Agreement::NotAsked;
    case Seen::Kind::Lost:
      return Agreement::Differs;
    case Seen::Kind::Allowed:
      return same(ours.kind == OutcomeKind::Executes);
    case Seen::Kind::Returned:
      return same(ours.kind == OutcomeKind::Returns && ours.value == seen.value);
    case Seen::Kind::Sigsys:
      return same(ours.kind == OutcomeKind::Sigsys && ours.siginfo == seen.siginfo);
    case Seen::Kind::ThreadDied:
      return same(ours.kind == OutcomeKind::ThreadDies && ours.signal == seen.signal);
    case Seen::Kind::ProcessDied:
      return same(ours.kind == OutcomeKind::ProcessDies && ours.signal == seen.signal);
    case Seen::Kind::TracerStop:
      return same(ours.kind == OutcomeKind::TracerDecides && ours.data == seen.message);
  }
  return Agreement::Differs;
}

std::string words(const Seen& seen, std::string_view call) {
  Outcome outcome;
  switch (seen.kind) {
    case Seen::Kind::NotReachable:
    case Seen::Kind::Lost:
      return fmt::format("no answer: {}", seen.why);
    case Seen::Kind::Allowed:
      break;
    case Seen::Kind::Returned:
      outcome.kind = OutcomeKind::Returns;
      outcome.value = seen.value;
      break;
    case Seen::Kind::Sigsys:
      outcome.kind = OutcomeKind::Sigsys;
      outcome.siginfo = seen.siginfo;
      break;
    case Seen::Kind::ThreadDied:
      outcome.kind = OutcomeKind::ThreadDies;
      break;
    case Seen::Kind::ProcessDied:
      outcome.kind = OutcomeKind::ProcessDies;
      outcome.signal = seen.signal;
      break;
    case Seen::Kind::TracerStop:
      outcome.kind = OutcomeKind::TracerDecides;
      outcome.data = static_cast<std::uint16_t>(seen.message);
      break;
  }
  return report::outcome_words(outcome, call);
}

}  // namespace callgate::live
