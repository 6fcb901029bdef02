#include "harness/task/live_runner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
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
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>

#include "harness/live/raw.hpp"

namespace callgate::task {
namespace {

using Clock = std::chrono::steady_clock;
using live::raw::call;

constexpr std::size_t kMostTasks = 12;
constexpr std::size_t kStack = 32 * 1024;
constexpr std::size_t kMostInstructions = 65536;
constexpr unsigned long kThreadFlags =
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
constexpr std::uint64_t kUnreadable = 8;  // the first page is never mapped

// struct sock_fprog
struct Header {
  std::uint16_t length;
  const Instruction* instructions;
};

// What the task whose turn it is shall do. The controller writes it before it wakes the task.
struct Shared {
  volatile std::int64_t nr;
  volatile std::uint64_t args[6];
  volatile std::uint64_t created;  // the place of the task that clone(2) shall make
  volatile std::int64_t result;
  volatile std::int32_t setup;  // errno of the first task's preparation, -1 before
  volatile std::uint32_t action;
  std::uint16_t sizes[4];
  Header header;
  Instruction instructions[kMostInstructions];
};

// What all tasks of a script share, in plain pointers and numbers.
struct Wiring {
  Shared* shared;
  int wake[kMostTasks];  // each task reads its own
  int answer;            // all write here
  std::byte* stacks;     // private: a process has its own copy
};

struct Place {
  const Wiring* wiring;
  std::size_t task;
};

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
    if (nr == SYS_clone && (flags & CLONE_THREAD) != 0) {
      // The place lies at the bottom of the new stack.
      std::byte* const stack = wiring->stacks + created * kStack;
      auto* const next = reinterpret_cast<Place*>(stack);
      next->wiring = wiring;
      next->task = created;
      result = live::raw::callgate_live_clone(flags, stack + kStack, serve, next);
    } else {
      result = call(nr, shared->args[0], shared->args[1], shared->args[2], shared->args[3],
                    shared->args[4], shared->args[5]);
      if (nr == SYS_clone && result == 0) {
        task = created;  // the new process
        continue;
      }
    }
    shared->result = result;
    call(SYS_write, static_cast<unsigned long>(wiring->answer),
         reinterpret_cast<unsigned long>(&byte), 1);
  }
}

// Gives up CAP_SYS_ADMIN; 0 or an errno.
CALLGATE_IN_CHILD int drop_sys_admin() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  for (auto& each : data) each = {};
  long result = call(SYS_capget, reinterpret_cast<unsigned long>(&header),
                     reinterpret_cast<unsigned long>(data));
  if (result != 0) return static_cast<int>(-result);
  constexpr std::uint32_t kBit = 1U << static_cast<unsigned>(CAP_SYS_ADMIN);
  if ((data[0].effective & kBit) == 0) return 0;
  data[0].effective &= ~kBit;
  data[0].permitted &= ~kBit;
  result = call(SYS_capset, reinterpret_cast<unsigned long>(&header),
                reinterpret_cast<unsigned long>(data));
  return static_cast<int>(-result);
}

CALLGATE_IN_CHILD int prepare(const Script& script) {
  if (!script.sys_admin) {
    if (const int error = drop_sys_admin(); error != 0) return error;
  }
  if (!script.no_new_privs) return 0;
  return static_cast<int>(-call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1));
}

// A file descriptor, or several, closed with the object.
class Descriptors {
 public:
  Descriptors() = default;
  ~Descriptors() {
    for (const int each : all_) close(each);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  bool make_pipe(int& reads, int& writes) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    all_.insert(all_.end(), {ends[0], ends[1]});
    reads = ends[0];
    writes = ends[1];
    return true;
  }

 private:
  std::vector<int> all_;
};

// Stacks that a forked process gets its own copy of.
class Stacks {
 public:
  Stacks()
      : data_(mmap(nullptr, kMostTasks * kStack, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  ~Stacks() {
    if (data_ != MAP_FAILED) munmap(data_, kMostTasks * kStack);
  }
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;
  [[nodiscard]] std::byte* data() const {
    return data_ == MAP_FAILED ? nullptr : static_cast<std::byte*>(data_);
  }

 private:
  void* data_;
};

// A thread's state in /proc: 'R', 'S', 'Z', …, or 0 where it is gone.
char thread_state(pid_t process, pid_t thread) {
  std::ifstream file(fmt::format("/proc/{}/task/{}/stat", process, thread));
  std::string text;
  if (!std::getline(file, text)) return 0;
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos || end + 2 >= text.size()) return 0;
  return text[end + 2];
}

// What /proc shows of a task: mode, filters, no_new_privs; nothing where it is gone.
struct ShownState {
  long mode = -1;
  long filters = -1;  // -1: not shown by this kernel
  long no_new_privs = -1;
};

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

// The processes of one script, with the ids that the kernel gave.
class Controller {
 public:
  Controller() : memory_(sizeof(Shared)), shared_(memory_.as<Shared>()) {}
  ~Controller() {
    for (const auto& [process, pid] : pids_) {
      if (!ends_.contains(process)) kill(pid, SIGKILL);
    }
    for (const auto& [process, pid] : pids_) await_end(process, 5'000);
  }
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  std::string start(const Script& script) {
    wiring_.shared = shared_;
    wiring_.stacks = stacks_.data();
    if (wiring_.stacks == nullptr) return "no memory for stacks";
    for (std::size_t i = 0; i < kMostTasks; ++i) {
      if (!descriptors_.make_pipe(wiring_.wake[i], wake_[i])) return "no pipes";
    }
    if (!descriptors_.make_pipe(answer_, wiring_.answer)) return "no pipes";
    shared_->setup = -1;
    place_ = {&wiring_, 0};
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) return fmt::format("no process can be started: errno {}", errno);
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);
      const rlimit no_core{0, 0};
      setrlimit(RLIMIT_CORE, &no_core);
      // Without the writing ends the tasks see the end of the controller, forked ones too.
      for (const int each : wake_) close(each);
      close(answer_);
      // What a campaign has at its disposal must not have SIGSYS handled.
      signal(SIGSYS, SIG_DFL);
      if (!script.descriptors_left) {
        const rlimit none{0, 0};
        setrlimit(RLIMIT_NOFILE, &none);
      }
      shared_->setup = prepare(script);
      serve(&place_);
      _exit(0);
    }
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

  // What a step's task got; nothing where it died of it.
  std::expected<std::optional<std::int64_t>, std::string> make(TaskId task, ProcessId process) {
    const char byte = 'w';
    if (write(wake_[task], &byte, 1) != 1) return std::unexpected("a task cannot be woken");
    const auto start = Clock::now();
    for (;;) {
      pollfd answered{answer_, POLLIN, 0};
      if (poll(&answered, 1, 2) == 1) {
        char got = 0;
        if (read(answer_, &got, 1) != 1) return std::unexpected("a task is not heard");
        return shared_->result;
      }
      if (!lives(task, process)) {
        // It may have answered just before something else ended it.
        if (poll(&answered, 1, 0) != 1) return std::nullopt;
        continue;
      }
      if (Clock::now() - start > std::chrono::milliseconds(live::kPatience)) {
        return std::unexpected("no answer within the deadline");
      }
    }
  }

  bool lives(TaskId task, ProcessId process) {
    if (ended(process)) return false;
    const char state = thread_state(pids_.at(process), tids_.at(task));
    return state != 0 && state != 'Z' && state != 'X';
  }

  [[nodiscard]] std::optional<ShownState> state(TaskId task, ProcessId process) const {
    return shown_state(pids_.at(process), tids_.at(task));
  }

  // Waits for a task to end, and whether it did.
  bool dies(TaskId task, ProcessId process) {
    const auto start = Clock::now();
    while (lives(task, process)) {
      if (Clock::now() - start > std::chrono::milliseconds(live::kPatience)) return false;
      usleep(200);
    }
    return true;
  }

  // The wait status of a process that has ended or is about to.
  std::optional<int> await_end(ProcessId process, int milliseconds = live::kPatience) {
    const auto start = Clock::now();
    while (!ended(process)) {
      if (Clock::now() - start > std::chrono::milliseconds(milliseconds)) return std::nullopt;
      usleep(200);
    }
    return ends_.at(process);
  }

  void add(TaskId task, ProcessId process, pid_t id, bool new_process) {
    tids_[task] = id;
    if (new_process) pids_[process] = id;
  }
  [[nodiscard]] pid_t tid(TaskId task) const { return tids_.at(task); }
  [[nodiscard]] Shared& shared() { return *shared_; }

 private:
  bool ended(ProcessId process) {
    if (ends_.contains(process)) return true;
    int status = 0;
    const pid_t reaped = waitpid(pids_.at(process), &status, WNOHANG);
    if (reaped == 0) return false;
    ends_[process] = reaped > 0 ? status : 0;
    return true;
  }

  live::SharedMemory memory_;
  Shared* shared_;
  Stacks stacks_;
  Descriptors descriptors_;
  Wiring wiring_{};
  Place place_{};
  int wake_[kMostTasks]{};
  int answer_ = -1;
  std::map<ProcessId, pid_t> pids_;
  std::map<TaskId, pid_t> tids_;
  std::map<ProcessId, int> ends_;
};

// Writes the call that a step makes, with real pointers.
void write_call(Shared& shared, const Step& step, TaskId created) {
  const SeccompData data = data_of(step, Arch::X86_64);
  shared.nr = data.nr;
  shared.created = created;
  for (std::size_t i = 0; i < data.args.size(); ++i) shared.args[i] = data.args[i];
  if (step.kind == StepKind::Fork) {
    shared.args[0] = CLONE_PARENT | SIGCHLD;  // each process is the controller's child
  }
  if (step.kind == StepKind::Thread) shared.args[0] = kThreadFlags;
  if (step.kind == StepKind::ActionAvail) {
    shared.action = static_cast<std::uint32_t>(step.a);
    shared.args[2] =
        step.bad_pointer ? kUnreadable : reinterpret_cast<std::uint64_t>(&shared.action);
  }
  if (step.kind == StepKind::NotifSizes) {
    shared.args[2] = step.bad_pointer ? kUnreadable : reinterpret_cast<std::uint64_t>(shared.sizes);
  }
  const bool filters = step.kind == StepKind::Filter || step.kind == StepKind::SetSeccomp;
  if (!filters) return;
  using State = FilterArgument::State;
  const ScriptFilter& filter = step.filter;
  std::ranges::copy(filter.instructions, shared.instructions);
  const std::size_t length = filter.length ? *filter.length : filter.instructions.size();
  shared.header.length = static_cast<std::uint16_t>(length);
  shared.header.instructions = shared.instructions;
  shared.args[2] = reinterpret_cast<std::uint64_t>(&shared.header);
  switch (filter.state) {
    case State::NullHeader:
      shared.args[2] = 0;
      break;
    case State::UnreadableHeader:
      shared.args[2] = kUnreadable;
      break;
    case State::NullInstructions:
      shared.header.instructions = nullptr;
      break;
    case State::UnreadableInstructions:
      shared.header.instructions = reinterpret_cast<const Instruction*>(kUnreadable);
      break;
    case State::Readable:
      break;
  }
}

// What the model says of a result that the kernel gave.
class Comparison {
 public:
  Comparison(Controller& controller, const Tasks& tasks) : real_(controller), tasks_(tasks) {}

  // Empty where a step's result is the model's; else what the kernel did.
  std::string differs(const Step& step, const StepResult& ours,
                      const std::optional<std::int64_t>& got) {
    const ProcessId process = tasks_.task(step.task).process;
    const OutcomeKind kind = ours.call.outcome.kind;
    const bool dies = ours.kind == StepResult::Kind::Ended ||
                      (ours.kind == StepResult::Kind::Met &&
                       (kind == OutcomeKind::ThreadDies || kind == OutcomeKind::ProcessDies));
    if (!got) return dies ? after_death(ours, process) : "the task dies";
    if (dies) return fmt::format("returns {}", *got);
    return value_differs(step, ours, *got) ? fmt::format("returns {}", *got) : std::string{};
  }

  // Whether a task lives, and what /proc shows of it: empty where all is as in the model.
  std::string state_differs(TaskId id) {
    const Task& task = tasks_.task(id);
    if (!task.alive) {
      return real_.dies(id, task.process) ? "" : fmt::format("task {} lives on", id + 1);
    }
    if (!real_.lives(id, task.process)) return fmt::format("task {} dies", id + 1);
    const auto shown = real_.state(id, task.process);
    if (!shown) return "";
    const bool counted = shown->filters >= 0;
    if (shown->mode == static_cast<long>(task.mode) &&
        shown->no_new_privs == (task.no_new_privs ? 1 : 0) &&
        (!counted || shown->filters == static_cast<long>(tasks_.filter_count(id)))) {
      return "";
    }
    return fmt::format("task {}: mode {}, {} filters, no_new_privs {}", id + 1, shown->mode,
                       shown->filters, shown->no_new_privs);
  }

 private:
  bool value_differs(const Step& step, const StepResult& ours, std::int64_t got) {
    switch (ours.kind) {
      case StepResult::Kind::Met:
        return ours.call.outcome.kind != OutcomeKind::Returns || ours.call.outcome.value != got;
      case StepResult::Kind::Executes:
        return got < 0;  // of a harmless call
      case StepResult::Kind::Created: {
        if (got <= 0) return true;
        const ProcessId process = tasks_.task(ours.created).process;
        real_.add(ours.created, process, static_cast<pid_t>(got), step.kind == StepKind::Fork);
        return false;
      }
      case StepResult::Kind::Replied:
        switch (ours.reply.kind) {
          case Reply::Kind::Value:
            return ours.reply.value != got ||
                   (step.kind == StepKind::NotifSizes && got == 0 && !sizes_are_right());
          case Reply::Kind::Listener:
            return got < 0;
          case Reply::Kind::Thread:
            return real_.tid(ours.reply.task) != got;
          case Reply::Kind::Unknown:
            return true;
        }
        return true;
      case StepResult::Kind::NotMade:
      case StepResult::Kind::Set:
      case StepResult::Kind::Ended:
      case StepResult::Kind::Execs:
      case StepResult::Kind::Unknown:
        return true;
    }
    return true;
  }

  bool sizes_are_right() {
    const auto& sizes = real_.shared().sizes;
    return sizes[0] == 80 && sizes[1] == 24 && sizes[2] == 64;
  }

  // How the process ended, where it did.
  std::string after_death(const StepResult& ours, ProcessId process) {
    const bool process_ends = std::ranges::none_of(
        tasks_.process(process).threads, [&](TaskId each) { return tasks_.task(each).alive; });
    if (!process_ends) return {};
    const auto status = real_.await_end(process);
    if (!status) return "the process does not end";
    const int signal = WIFSIGNALED(*status) ? WTERMSIG(*status) : 0;
    const int expected = ours.kind == StepResult::Kind::Ended ? 0 : ours.call.outcome.signal;
    return signal == expected ? "" : fmt::format("the process ends by signal {}", signal);
  }

  Controller& real_;
  const Tasks& tasks_;
};

}  // namespace

bool can_be_made(const Step& step) noexcept {
  if (!is_call(step.kind) || step.kind == StepKind::Exec) return false;
  return step.kind != StepKind::Call ||
         (step.data.nr == SYS_getppid && step.data.arch == 0xc000003eU);
}

std::expected<LiveRun, live::LiveError> run_live(const Script& script, const KernelModel& model,
                                                 live::Pace& pace) {
  const auto failed = [](std::string why) {
    return std::unexpected(live::LiveError{std::move(why)});
  };
  Controller real;
  if (std::string wrong = real.start(script); !wrong.empty()) return failed(std::move(wrong));
  Player player(script, model);
  Comparison comparison(real, player.tasks());
  LiveRun run;
  for (std::size_t i = 0; i < script.steps.size(); ++i) {
    const Step& step = script.steps[i];
    if (!can_be_made(step)) return failed(fmt::format("step {} cannot be made here", i));
    const auto ours = player.play(step);
    if (!ours) return failed(fmt::format("step {}: {}", i, ours.error().message));
    if (ours->kind == StepResult::Kind::NotMade) continue;
    const Tasks& tasks = player.tasks();
    if (tasks.size() > kMostTasks) return failed("too many tasks");
    const ProcessId process = tasks.task(step.task).process;
    const TaskId created = ours->kind == StepResult::Kind::Created ? ours->created : kMostTasks;
    write_call(real.shared(), step, created);
    if (step.kind == StepKind::Filter || step.kind == StepKind::SetSeccomp) pace.step();
    const auto got = real.make(step.task, process);
    if (!got) return failed(fmt::format("step {}: {}", i, got.error()));
    ++run.made;
    std::string kernel = comparison.differs(step, *ours, *got);
    for (TaskId each = 0; kernel.empty() && each < tasks.size(); ++each) {
      kernel = comparison.state_differs(each);
    }
    if (kernel.empty()) continue;
    run.difference = LiveDifference{i, words(*ours, step), std::move(kernel)};
    return run;
  }
  return run;
}

bool has_sys_admin() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  return (data[0].effective >> static_cast<unsigned>(CAP_SYS_ADMIN) & 1U) != 0;
}

}  // namespace callgate::task
