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
#include "harness/task/exec_file.hpp"

namespace callgate::task {
namespace {

using Clock = std::chrono::steady_clock;
using live::raw::call;

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

// Gives up CAP_SYS_ADMIN, for what is executed too; 0 or an errno.
CALLGATE_IN_CHILD int drop_sys_admin() {
  CapabilityHeader header;
  CapabilityWords words[2] = {{0, 0, 0}, {0, 0, 0}};
  long result = call(SYS_capget, reinterpret_cast<unsigned long>(&header),
                     reinterpret_cast<unsigned long>(words));
  if (result != 0) return static_cast<int>(-result);
  if ((words[0].effective & kSysAdminBit) == 0) return 0;
  // Else a task of root would have it back.
  constexpr unsigned long kSysAdmin = 21;
  result = call(SYS_prctl, PR_CAPBSET_DROP, kSysAdmin);
  if (result != 0) return static_cast<int>(-result);
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
  const int* keeps;  // what is not closed by execve(2)
  std::size_t keep_count;
  int life;  // the reading end of a pipe that the controller holds open for as long as it lives
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

// Has the kernel kill all tasks of the script when the controller is gone, whatever they wait for.
// The signal for a dead parent is of the first task alone: fork(2) does not hand it on, and filters
// may forbid forked tasks to ask for it. But they all stay in one process group, which the end of a
// pipe's last writer is told to.
CALLGATE_IN_CHILD void die_with_controller(int life) {
  const auto descriptor = static_cast<unsigned long>(life);
  call(SYS_setpgid, 0, 0);
  const auto group = static_cast<unsigned long>(-call(SYS_getpid));
  call(SYS_fcntl, descriptor, F_SETSIG, SIGKILL);
  call(SYS_fcntl, descriptor, F_SETOWN, group);
  call(SYS_fcntl, descriptor, F_SETFL, O_ASYNC);
}

// The first task. It comes by a clone(2) of our own, not by fork(): ThreadSanitizer gives forked
// processes a thread more, and a killed task would not be the last of its process.
CALLGATE_IN_CHILD void begin(void* argument) {
  auto* const first = static_cast<First*>(argument);
  call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (call(SYS_getppid) != first->parent) call(SYS_exit_group, 1);
  die_with_controller(first->life);
  const rlimit none{0, 0};
  call(SYS_setrlimit, RLIMIT_CORE, reinterpret_cast<unsigned long>(&none));
  // Without the writing ends the tasks see the end of the controller, those to come too.
  for (std::size_t i = 0; i < first->close_count; ++i) {
    call(SYS_close, static_cast<unsigned long>(first->closes[i]));
  }
  for (std::size_t i = 0; i < first->keep_count; ++i) {
    call(SYS_fcntl, static_cast<unsigned long>(first->keeps[i]), F_SETFD, 0);
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

bool thread_lives(pid_t process, pid_t thread) {
  const char state = thread_state(process, thread);
  return state != 0 && state != 'Z' && state != 'X';
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
      mmap(nullptr, kAllTaskStacks, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data != MAP_FAILED) data_ = static_cast<std::byte*>(data);
}

Stacks::~Stacks() {
  if (data_ != nullptr) munmap(data_, kAllTaskStacks);
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
    if (!descriptors_.make_pipe(shared_->wake[i], wake_[i])) return "no pipes";
  }
  if (!descriptors_.make_pipe(answer_, shared_->answer)) return "no pipes";
  int life = -1;
  int living = -1;
  if (!descriptors_.make_pipe(life, living)) return "no pipes";
  shared_->setup = -1;
  std::array<int, kMostLiveTasks + 2> closes{};
  std::ranges::copy(wake_, closes.begin());
  closes[kMostLiveTasks] = answer_;
  closes[kMostLiveTasks + 1] = living;
  std::array<int, kMostLiveTasks + 4> keeps{};
  std::ranges::copy(shared_->wake, keeps.begin());
  keeps[kMostLiveTasks] = shared_->answer;
  keeps[kMostLiveTasks + 1] = memory_.descriptor();
  keeps[kMostLiveTasks + 2] = exec_file();
  keeps[kMostLiveTasks + 3] = life;
  First first{.place = {&wiring_, 0},
              .closes = closes.data(),
              .close_count = closes.size(),
              .keeps = keeps.data(),
              .keep_count = keeps.size(),
              .life = life,
              .parent = getpid(),
              .sys_admin = script.sys_admin,
              .no_new_privs = script.no_new_privs,
              .descriptor_limit = script.descriptors_left ? Process{}.descriptor_limit : 0};
  const auto pid = static_cast<pid_t>(
      live::raw::callgate_live_clone(SIGCHLD, stacks_.data() + kTaskStack, begin, &first));
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
  if (held_)
    return failed("a traced task was not let go within the deadline", live::LiveFault::Deadline);
  live::AnsweringSupervisor supervisor(answers.answers.supervisor);
  if (const auto& listener = answers.listener) {
    const int error = supervisor.take(pids_.at(listener->process), tids_.at(listener->holder),
                                      listeners_.at(listener->filter));
    if (error == EBADF) {
      Made made;
      made.no_listener = true;
      return made;
    }
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
  const auto answer = woken ? await_answer(task, process, answers.executes, supervisor)
                            : std::unexpected(live::LiveError{"a task cannot be woken"});
  if (tracer) {
    // The first thread of a process stays traced where it has ended before the others.
    const bool gone = answer && !*answer && traced_ == pids_.at(process);
    if (!gone) {
      note_end(task, process, tracer->detach(patience_));
      held_ = tracer->attached();
    }
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
    TaskId task, ProcessId process, bool executes, live::AnsweringSupervisor& supervisor) {
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
    // One that executes has its process's id at some moment: its own is gone then.
    const bool goes_on = executes && thread_lives(pids_.at(process), pids_.at(process));
    if (!lives(task, process) && (!goes_on || ended(process))) {
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
  return !ended(process) && thread_lives(pids_.at(process), tids_.at(task));
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

void LiveTasks::add(TaskId task, ProcessId process, pid_t id, ProcessId parent) {
  tids_[task] = id;
  if (process == parent) return;
  pids_[process] = id;
  if (executed_.contains(parent)) executed_.insert(process);
}

void LiveTasks::execute(TaskId task, ProcessId process, const std::vector<TaskId>& gone) {
  executed_.insert(process);
  for (const TaskId each : gone) tids_[each] = 0;  // no thread's
  tids_[task] = pids_.at(process);
}

std::uint64_t LiveTasks::shared_in(ProcessId process) const {
  return executed_.contains(process) ? kSharedInImage : reinterpret_cast<std::uint64_t>(shared_);
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
