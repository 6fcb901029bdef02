#include "harness/task/live_tasks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "harness/live/raw.hpp"

namespace callgate::task {
namespace {

using Clock = std::chrono::steady_clock;
using live::raw::call;

constexpr std::size_t kStack = 32 * 1024;
// One more than there are tasks: for a thread that is asked for and not to come.
constexpr std::size_t kAllStacks = (kMostLiveTasks + 1) * kStack;

// The life of every task: it waits to be woken, makes the call, and tells that it has. Reads and
// writes only, which filters and strict mode let pass.
CALLGATE_IN_CHILD void serve(void* argument) {
  const auto* const place = static_cast<const Place*>(argument);
  const Wiring* const wiring = place->wiring;
  Shared* const shared = wiring->shared;
  std::size_t task = place->task;
  for (;;) {
    char byte = 0;
    const long got = call(SYS_read, static_cast<unsigned long>(wiring->wake[task]),
                          reinterpret_cast<unsigned long>(&byte), 1);
    if (got == -EINTR) continue;
    if (got != 1) live::raw::callgate_live_end();  // the controller is gone
    long result = 0;
    const unsigned long flags = shared->args[0];
    // A new process may run only when the next step has been written.
    const std::size_t created = shared->created;
    const long nr = shared->nr;
    // A 0 that a filter, a tracer or a supervisor gives is no new task: none is to come then.
    const bool makes_task = nr == SYS_clone && created < kMostLiveTasks;
    if (makes_task && (flags & CLONE_THREAD) != 0) {
      // The place lies at the bottom of the new stack.
      std::byte* const stack = wiring->stacks + created * kStack;
      auto* const next = reinterpret_cast<Place*>(stack);
      next->wiring = wiring;
      next->task = created;
      result = live::raw::callgate_live_clone(flags, stack + kStack, serve, next);
    } else {
      result = call(nr, shared->args[0], shared->args[1], shared->args[2], shared->args[3],
                    shared->args[4], shared->args[5]);
      if (makes_task && result == 0) {
        task = created;  // the new process
        continue;
      }
    }
    shared->result = result;
    call(SYS_write, static_cast<unsigned long>(wiring->answer),
         reinterpret_cast<unsigned long>(&byte), 1);
  }
}

// capget(2) and capset(2), as <linux/capability.h> has them.
struct CapabilityHeader {
  std::uint32_t version = 0x20080522;  // _LINUX_CAPABILITY_VERSION_3
  std::int32_t pid = 0;                // the caller
};
struct CapabilityWords {
  std::uint32_t effective;
  std::uint32_t permitted;
  std::uint32_t inheritable;
};
constexpr std::uint32_t kSysAdminBit = 1U << 21U;  // of the first word

// Gives up CAP_SYS_ADMIN; 0 or an errno.
CALLGATE_IN_CHILD int drop_sys_admin() {
  CapabilityHeader header;
  CapabilityWords words[2] = {{0, 0, 0}, {0, 0, 0}};
  long result = call(SYS_capget, reinterpret_cast<unsigned long>(&header),
                     reinterpret_cast<unsigned long>(words));
  if (result != 0) return static_cast<int>(-result);
  if ((words[0].effective & kSysAdminBit) == 0) return 0;
  words[0].effective &= ~kSysAdminBit;
  words[0].permitted &= ~kSysAdminBit;
  result = call(SYS_capset, reinterpret_cast<unsigned long>(&header),
                reinterpret_cast<unsigned long>(words));
  return static_cast<int>(-result);
}

// How the first task starts.
struct First {
  Place place;
  const int* closes;  // the ends of pipes that are the controller's
  std::size_t close_count;
  long parent;
  bool sys_admin;
  bool no_new_privs;
  std::uint32_t descriptor_limit;
};

CALLGATE_IN_CHILD int prepare(const First& first) {
  if (!first.sys_admin) {
    if (const int error = drop_sys_admin(); error != 0) return error;
  }
  if (!first.no_new_privs) return 0;
  return static_cast<int>(-call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1));
}

// The first task. It comes by a clone(2) of our own, not by fork(): ThreadSanitizer gives forked
// processes a thread more, and a killed task would not be the last of its process.
CALLGATE_IN_CHILD void begin(void* argument) {
  auto* const first = static_cast<First*>(argument);
  call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (call(SYS_getppid) != first->parent) call(SYS_exit_group, 1);
  const rlimit none{0, 0};
  call(SYS_setrlimit, RLIMIT_CORE, reinterpret_cast<unsigned long>(&none));
  // Without the writing ends the tasks see the end of the controller, those to come too.
  for (std::size_t i = 0; i < first->close_count; ++i) {
    call(SYS_close, static_cast<unsigned long>(first->closes[i]));
  }
  const rlimit limit{first->descriptor_limit, first->descriptor_limit};
  const long limited = call(SYS_setrlimit, RLIMIT_NOFILE, reinterpret_cast<unsigned long>(&limit));
  first->place.wiring->shared->setup = limited != 0 ? static_cast<int>(-limited) : prepare(*first);
  serve(&first->place);
}

// A thread's state in /proc: 'R', 'S', 'Z', …, or 0 where it is gone.
char thread_state(pid_t process, pid_t thread) {
  std::ifstream file(fmt::format("/proc/{}/task/{}/stat", process, thread));
  std::string text;
  if (!std::getline(file, text)) return 0;
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos || end + 2 >= text.size()) return 0;
  return text[end + 2];
}

std::optional<ShownState> shown_state(pid_t process, pid_t thread) {
  std::ifstream file(fmt::format("/proc/{}/task/{}/status", process, thread));
  ShownState state;
  std::string line;
  const auto field = [&](std::string_view name, long& into) {
    if (line.starts_with(name)) into = std::strtol(line.c_str() + name.size(), nullptr, 10);
  };
  while (std::getline(file, line)) {
    field("Seccomp:", state.mode);
    field("Seccomp_filters:", state.filters);
    field("NoNewPrivs:", state.no_new_privs);
  }
  if (state.mode < 0) return std::nullopt;
  return state;
}

}  // namespace

Descriptors::~Descriptors() {
  for (const int each : all_) close(each);
}

bool Descriptors::make_pipe(int& reads, int& writes) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  all_.insert(all_.end(), {ends[0], ends[1]});
  reads = ends[0];
  writes = ends[1];
  return true;
}

Stacks::Stacks() {
  void* const data =
      mmap(nullptr, kAllStacks, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data != MAP_FAILED) data_ = static_cast<std::byte*>(data);
}

Stacks::~Stacks() {
  if (data_ != nullptr) munmap(data_, kAllStacks);
}

LiveTasks::~LiveTasks() {
  for (const auto& [process, pid] : pids_) {
    if (!ends_.contains(process)) kill(pid, SIGKILL);
  }
  // The last one's processor time may be long in coming where all others have more.
  for (const auto& [process, pid] : pids_) await_burial(process);
}

std::string LiveTasks::start(const Script& script) {
  wiring_.shared = shared_;
  wiring_.stacks = stacks_.data();
  if (wiring_.stacks == nullptr) return "no memory for stacks";
  for (std::size_t i = 0; i < kMostLiveTasks; ++i) {
    if (!descriptors_.make_pipe(wiring_.wake[i], wake_[i])) return "no pipes";
  }
  if (!descriptors_.make_pipe(answer_, wiring_.answer)) return "no pipes";
  shared_->setup = -1;
  std::array<int, kMostLiveTasks + 1> closes{};
  std::ranges::copy(wake_, closes.begin());
  closes.back() = answer_;
  First first{.place = {&wiring_, 0},
              .closes = closes.data(),
              .close_count = closes.size(),
              .parent = getpid(),
              .sys_admin = script.sys_admin,
              .no_new_privs = script.no_new_privs,
              .descriptor_limit = script.descriptors_left ? Process{}.descriptor_limit : 0};
  const auto pid = static_cast<pid_t>(
      live::raw::callgate_live_clone(SIGCHLD, stacks_.data() + kStack, begin, &first));
  if (pid < 0) return fmt::format("no process can be started: errno {}", -pid);
  pids_[0] = pid;
  tids_[0] = pid;
  const auto start = Clock::now();
  while (shared_->setup == -1) {
    if (ended(0)) return "the first task died";
    if (Clock::now() - start > std::chrono::milliseconds(live::kPatience)) return "no start";
    usleep(100);
  }
  if (shared_->setup != 0) {
    return fmt::format("the first task cannot be prepared: errno {}",
                       static_cast<int>(shared_->setup));
  }
  return {};
}

std::expected<Made, live::LiveError> LiveTasks::make(TaskId task, ProcessId process,
                                                     const LiveAnswers& answers) {
  const auto failed = [](std::string why, live::LiveFault fault = live::LiveFault::Failed) {
    return std::unexpected(live::LiveError{std::move(why), fault});
  };
  live::AnsweringSupervisor supervisor(answers.answers.supervisor);
  if (const auto& listener = answers.listener) {
    const int error = supervisor.take(pids_.at(listener->process), tids_.at(listener->holder),
                                      listeners_.at(listener->filter));
    if (error != 0) {
      // pidfd_getfd(2) asks for what tracing asks for, and came with 5.6.
      const bool denied = error == EPERM || error == ENOSYS;
      return failed(fmt::format("a listener cannot be had: errno {}", error),
                    denied ? live::LiveFault::TracingDenied : live::LiveFault::Failed);
    }
  }
  std::optional<live::AnsweringTracer> tracer;
  if (answers.answers.tracer) {
    tracer.emplace(tids_.at(task), *answers.answers.tracer);
    if (const int error = tracer->attach(); error != 0) {
      return failed(fmt::format("a task cannot be traced: errno {}", error),
                    error == EPERM ? live::LiveFault::TracingDenied : live::LiveFault::Failed);
    }
    tracer_ = &*tracer;
    traced_ = tids_.at(task);
  }
  const char byte = 'w';
  const bool woken = write(wake_[task], &byte, 1) == 1;
  const auto answer = woken ? await_answer(task, process, supervisor)
                            : std::unexpected(live::LiveError{"a task cannot be woken"});
  if (tracer) {
    // The first thread of a process stays traced where it has ended before the others.
    const bool gone = answer && !*answer && traced_ == pids_.at(process);
    if (!gone) note_end(task, process, tracer->detach(patience_));
    tracer_ = nullptr;
    if (traced_ != pids_.at(process)) left_traced_ = tracer->attached() ? traced_ : 0;
  }
  if (!answer) return std::unexpected(answer.error());
  return Made{.result = *answer,
              .tracer_stop = tracer && tracer->asked(),
              .harmful = tracer && tracer->harmful(),
              .notified = supervisor.notified(),
              .waited = supervisor.waited(),
              .send_error = supervisor.send_error(),
              .given = supervisor.given()};
}

// The end of a traced task, which its tracer got to know.
void LiveTasks::note_end(TaskId task, ProcessId process, std::optional<int> status) {
  if (status && tids_.at(task) == pids_.at(process)) ends_[process] = *status;
}

// What the task answers, or nothing where it dies. Its tracer and its supervisor answer meanwhile.
std::expected<std::optional<std::int64_t>, live::LiveError> LiveTasks::await_answer(
    TaskId task, ProcessId process, live::AnsweringSupervisor& supervisor) {
  const auto start = Clock::now();
  for (;;) {
    std::array<pollfd, 2> waits{{{answer_, POLLIN, 0}, {supervisor.descriptor(), POLLIN, 0}}};
    const timespec moment{0, tracer_ != nullptr ? 50'000 : 2'000'000};
    ppoll(waits.data(), waits.size(), &moment, nullptr);
    if ((waits[0].revents & POLLIN) != 0) {
      char got = 0;
      if (read(answer_, &got, 1) != 1)
        return std::unexpected(live::LiveError{"a task is not heard"});
      return shared_->result;
    }
    if (tracer_ != nullptr) note_end(task, process, tracer_->look());
    supervisor.look();
    if (!lives(task, process)) {
      // It may have answered just before something else ended it.
      if (poll(waits.data(), 1, 0) != 1) return std::nullopt;
      continue;
    }
    if (Clock::now() - start > std::chrono::milliseconds(patience_)) {
      return std::unexpected(
          live::LiveError{"no answer within the deadline", live::LiveFault::Deadline});
    }
  }
}

// As await_end(), for a process that was killed. A thread that is traced still keeps its process
// from ending until it is reaped by itself.
void LiveTasks::await_burial(ProcessId process) {
  const auto start = Clock::now();
  while (!ended(process) && Clock::now() - start < std::chrono::milliseconds(live::kPatience)) {
    if (left_traced_ != 0) waitpid(left_traced_, nullptr, WNOHANG | __WALL);
    usleep(200);
  }
}

bool LiveTasks::lives(TaskId task, ProcessId process) {
  if (ended(process)) return false;
  const char state = thread_state(pids_.at(process), tids_.at(task));
  return state != 0 && state != 'Z' && state != 'X';
}

std::optional<ShownState> LiveTasks::state(TaskId task, ProcessId process) const {
  return shown_state(pids_.at(process), tids_.at(task));
}

bool LiveTasks::dies(TaskId task, ProcessId process) {
  const auto start = Clock::now();
  while (lives(task, process)) {
    if (Clock::now() - start > std::chrono::milliseconds(live::kPatience)) return false;
    usleep(200);
  }
  return true;
}

std::optional<int> LiveTasks::await_end(ProcessId process, int milliseconds) {
  const auto start = Clock::now();
  while (!ended(process)) {
    if (Clock::now() - start > std::chrono::milliseconds(milliseconds)) return std::nullopt;
    usleep(200);
  }
  return ends_.at(process);
}

void LiveTasks::add(TaskId task, ProcessId process, pid_t id, bool new_process) {
  tids_[task] = id;
  if (new_process) pids_[process] = id;
}

void LiveTasks::add_stray(pid_t id) {
  if (id <= 0 || waitpid(id, nullptr, WNOHANG) != 0) return;  // none of ours
  pids_.try_emplace(kMostLiveTasks, id);
}

bool LiveTasks::ended(ProcessId process) {
  if (ends_.contains(process)) return true;
  int status = 0;
  const pid_t reaped = waitpid(pids_.at(process), &status, WNOHANG);
  if (reaped == 0) return false;
  if (reaped > 0 && WIFSTOPPED(status)) {
    // Of the first thread, traced: its tracer's business.
    if (tracer_ != nullptr && reaped == traced_) tracer_->stopped(status);
    return false;
  }
  ends_[process] = reaped > 0 ? status : 0;
  return true;
}

bool has_sys_admin() {
  CapabilityHeader header;
  CapabilityWords words[2]{};
  if (syscall(SYS_capget, &header, words) != 0) return false;
  return (words[0].effective & kSysAdminBit) != 0;
}

}  // namespace callgate::task
