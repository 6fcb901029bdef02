#include "harness/task/live_runner.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "harness/task/exec_file.hpp"
#include "harness/task/live_tasks.hpp"

namespace callgate::task {
namespace {

constexpr unsigned long kThreadFlags =
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
constexpr std::uint64_t kUnreadable = 8;  // the first page is never mapped

// Writes the call that a step makes, with pointers of the process that makes it.
class Writer {
 public:
  Writer(LiveTasks& real, ProcessId process)
      : real_(real), shared_(real.shared()), base_(real.shared_in(process)) {}

  void write(const Step& step, TaskId created) {
    const SeccompData data = data_of(step, Arch::X86_64);
    shared_.nr = data.nr;
    shared_.created = created;
    for (std::size_t i = 0; i < data.args.size(); ++i) shared_.args[i] = data.args[i];
    if (step.kind == StepKind::Fork) {
      shared_.args[0] = CLONE_PARENT | SIGCHLD;  // each process is the controller's child
    }
    if (step.kind == StepKind::Thread) shared_.args[0] = kThreadFlags;
    if (step.kind == StepKind::ActionAvail) {
      shared_.action = static_cast<std::uint32_t>(step.a);
      shared_.args[2] = step.bad_pointer ? kUnreadable : address(&shared_.action);
    }
    if (step.kind == StepKind::NotifSizes) {
      shared_.args[2] = step.bad_pointer ? kUnreadable : address(shared_.sizes);
    }
    if (step.kind == StepKind::Filter || step.kind == StepKind::SetSeccomp) write(step.filter);
    if (step.kind == StepKind::Exec) write_exec(step.task);
  }

 private:
  [[nodiscard]] std::uint64_t address(const volatile void* of) const {
    return base_ +
           (reinterpret_cast<std::uint64_t>(of) - reinterpret_cast<std::uint64_t>(&shared_));
  }

  void write(const ScriptFilter& filter) {
    using State = FilterArgument::State;
    std::ranges::copy(filter.instructions, shared_.instructions);
    const std::size_t length = filter.length ? *filter.length : filter.instructions.size();
    shared_.header.length = static_cast<std::uint16_t>(length);
    shared_.header.instructions = address(shared_.instructions);
    shared_.args[2] = address(&shared_.header);
    switch (filter.state) {
      case State::NullHeader:
        shared_.args[2] = 0;
        break;
      case State::UnreadableHeader:
        shared_.args[2] = kUnreadable;
        break;
      case State::NullInstructions:
        shared_.header.instructions = 0;
        break;
      case State::UnreadableInstructions:
        shared_.header.instructions = kUnreadable;
        break;
      case State::Readable:
        break;
    }
  }

  void write_exec(TaskId task) {
    ExecArguments& exec = shared_.exec;
    // Not /proc/self: that is the first thread, which may have ended.
    *fmt::format_to_n(exec.path, sizeof exec.path - 1, "/proc/thread-self/fd/{}", exec_file()).out =
        0;
    *fmt::format_to_n(exec.memory, sizeof exec.memory - 1, "{}", real_.shared_descriptor()).out = 0;
    exec.argv[0] = address(exec.path);
    exec.argv[1] = address(exec.memory);
    exec.argv[2] = 0;
    exec.environment[0] = 0;
    shared_.executing = task;
    shared_.args[0] = address(exec.path);
    shared_.args[1] = address(exec.argv);
    shared_.args[2] = address(exec.environment);
  }

  LiveTasks& real_;
  Shared& shared_;
  std::uint64_t base_;
};

// What the model says of a result that the kernel gave.
class Comparison {
 public:
  Comparison(LiveTasks& real, const Tasks& tasks) : real_(real), tasks_(tasks) {}

  // Empty where a step's result is the model's; else what the kernel did.
  std::string differs(const Step& step, const StepResult& ours, const Made& made) {
    if (std::string other = answers_differ(ours, made); !other.empty()) return other;
    const auto& got = made.result;
    const ProcessId process = tasks_.task(step.task).process;
    const OutcomeKind kind = ours.call.outcome.kind;
    const bool dies = ours.kind == StepResult::Kind::Ended ||
                      (ours.kind == StepResult::Kind::Met &&
                       (kind == OutcomeKind::ThreadDies || kind == OutcomeKind::ProcessDies));
    if (!got) return dies ? after_death(ours, process) : "the task dies";
    if (dies) return fmt::format("returns {}", *got);
    if (made.waited) return {};  // what it returned is of the runner
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
  // Who was asked, and what became of the answers.
  static std::string answers_differ(const StepResult& ours, const Made& made) {
    if (made.no_listener) return "the listener is not where it should be";
    if (made.tracer_stop != ours.call.tracer_stop) {
      return made.tracer_stop ? "the tracer is asked" : "the tracer is not asked";
    }
    const bool waits = ours.kind == StepResult::Kind::Met &&
                       ours.call.outcome.kind == OutcomeKind::ListenerDecides;
    if (made.waited != waits) return made.waited ? "waits for a supervisor" : "does not wait";
    if (made.send_error != ours.call.send_error) {
      return fmt::format("the supervisor's answer: errno {}", made.send_error);
    }
    if (std::string other = given_differs(ours.call.added, made); !other.empty()) return other;
    if (made.notified && *made.notified != ours.call.data.nr) {
      return fmt::format("the supervisor is told of call {}", *made.notified);
    }
    return {};
  }

  static std::string given_differs(const std::optional<AddedFd>& ours, const Made& made) {
    const auto& given = made.given;
    if (ours.has_value() != given.has_value()) {
      return given ? "the supervisor gives a descriptor" : "the supervisor gives no descriptor";
    }
    if (!given) return {};
    if (ours->error != given->error) return fmt::format("ADDFD: errno {}", given->error);
    if (given->error != 0) return {};
    const bool other = ours->descriptor && static_cast<int>(*ours->descriptor) != given->descriptor;
    if (other || (ours->is_reply && made.result != given->descriptor)) {
      return fmt::format("ADDFD: descriptor {}, the call returns {}", given->descriptor,
                         made.result.value_or(-1));
    }
    return {};
  }

  // Calls that may be executed, and what they return to the task.
  std::int64_t id_of(const Step& step, std::int32_t nr) {
    if (nr == SYS_getppid) return getpid();
    return real_.pid(tasks_.task(step.task).process);
  }

  bool value_differs(const Step& step, const StepResult& ours, std::int64_t got) {
    switch (ours.kind) {
      case StepResult::Kind::Met:
        return ours.call.outcome.kind != OutcomeKind::Returns || ours.call.outcome.value != got;
      case StepResult::Kind::Descriptor:
        return false;  // seen by given_differs()
      case StepResult::Kind::Executes:
        return got != id_of(step, ours.call.data.nr);
      case StepResult::Kind::Created: {
        if (got <= 0) return true;
        const ProcessId process = tasks_.task(ours.created).process;
        real_.add(ours.created, process, static_cast<pid_t>(got), tasks_.task(step.task).process);
        return false;
      }
      case StepResult::Kind::Replied:
        switch (ours.reply.kind) {
          case Reply::Kind::Value:
            return ours.reply.value != got ||
                   (step.kind == StepKind::NotifSizes && got == 0 && !sizes_are_right());
          case Reply::Kind::Listener:
            if (got < 0) return true;
            real_.add_listener(*ours.reply.filter, static_cast<int>(got));
            return false;
          case Reply::Kind::Thread:
            return real_.tid(ours.reply.task) != got;
          case Reply::Kind::Unknown:
            return true;
        }
        return true;
      case StepResult::Kind::Execs: {
        // A filter's 0 looks the same.
        const bool begun = real_.shared().executions == ++executions_;
        const ProcessId process = tasks_.task(step.task).process;
        if (got == 0 && begun) real_.execute(step.task, process, gone_by_exec(step.task));
        return got != 0 || !begun;
      }
      case StepResult::Kind::NotMade:
      case StepResult::Kind::Set:
      case StepResult::Kind::Ended:
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

  // The others of its process, in this life and the ones before.
  [[nodiscard]] std::vector<TaskId> gone_by_exec(TaskId task) const {
    std::vector<TaskId> gone;
    for (TaskId each = 0; each < tasks_.size(); ++each) {
      if (each != task && tasks_.task(each).process == tasks_.task(task).process) {
        gone.push_back(each);
      }
    }
    return gone;
  }

  LiveTasks& real_;
  const Tasks& tasks_;
  std::uint64_t executions_ = 0;
};

// Why a task that executes cannot be followed; nothing where it can.
std::string why_not_followed(const Step& step, const LiveTasks& real, const Tasks& tasks,
                             bool traced) {
  const Task& task = tasks.task(step.task);
  if (exec_file() < 0) return "there is no file in memory that it could execute";
  if (traced && real.tid(step.task) != real.pid(task.process)) {
    return "it is traced, executes, and is not the first thread";
  }
  if (task.sys_admin && geteuid() != 0) return "who is not root loses capabilities by execve(2)";
  // What the image does for itself, and goes on doing.
  const auto passes = [&](std::int32_t nr, const std::array<std::uint64_t, 6>& args) {
    Tasks copy = tasks;
    const SeccompData data{.nr = nr, .arch = info(Arch::X86_64).token, .args = args};
    return copy.call(step.task, data).outcome.kind == OutcomeKind::Executes;
  };
  const auto memory = static_cast<std::uint64_t>(real.shared_descriptor());
  const bool serves = passes(SYS_mmap, {kSharedInImage, sizeof(Shared), PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_FIXED, memory, 0});
  return serves ? "" : "its filters do not let mmap(2) pass, which what it executes needs";
}

// The listener that may be asked about a call of the task, and a living task that holds it.
std::optional<LiveAnswers::Listener> listener_of(const Tasks& tasks, TaskId task) {
  for (auto each = tasks.task(task).filter; each; each = tasks.filter(*each).parent) {
    for (const ProcessId process : tasks.filter(*each).listener_in) {
      for (const TaskId holder : tasks.process(process).threads) {
        if (tasks.task(holder).alive) return LiveAnswers::Listener{*each, holder, process};
      }
    }
  }
  return std::nullopt;
}

bool is_harmless(std::int32_t nr) { return nr == SYS_getppid || nr == SYS_getpid; }

}  // namespace

bool can_be_made(const Step& step) noexcept {
  if (step.kind == StepKind::Supervisor) {
    // The lower ones are the tasks' own pipes.
    constexpr std::uint32_t kLowestChosen = 200;
    const bool chooses = step.supervisor && step.supervisor->addfd &&
                         (step.supervisor->addfd->flags & addfd_flag::kSetFd) != 0;
    return !chooses || step.supervisor->addfd->new_fd >= kLowestChosen;
  }
  if (step.kind == StepKind::Tracer) {
    return !step.tracer || !step.tracer->nr || *step.tracer->nr < 0 ||
           is_harmless(*step.tracer->nr);
  }
  if (!is_call(step.kind)) return false;
  return step.kind != StepKind::Call ||
         (is_harmless(step.data.nr) && step.data.arch == 0xc000003eU);
}

std::expected<LiveRun, live::LiveError> run_live(const Script& script, const KernelModel& model,
                                                 live::Pace& pace, int patience) {
  const auto failed = [](std::string why, live::LiveFault fault = live::LiveFault::Failed) {
    return std::unexpected(live::LiveError{std::move(why), fault});
  };
  LiveTasks real(patience);
  if (std::string wrong = real.start(script); !wrong.empty()) return failed(std::move(wrong));
  Player player(script, model);
  Comparison comparison(real, player.tasks());
  LiveAnswers answers;
  LiveRun run;
  for (std::size_t i = 0; i < script.steps.size(); ++i) {
    const Step& step = script.steps[i];
    if (!can_be_made(step)) return failed(fmt::format("step {} cannot be made here", i + 1));
    const Tasks& tasks = player.tasks();
    answers.listener.reset();
    if (step.task < tasks.size()) answers.listener = listener_of(tasks, step.task);
    const auto ours = player.play(step);
    if (!ours) return failed(fmt::format("step {}: {}", i + 1, ours.error().message));
    if (step.kind == StepKind::Tracer) answers.answers.tracer = step.tracer;
    if (step.kind == StepKind::Supervisor) answers.answers.supervisor = step.supervisor;
    if (ours->kind == StepResult::Kind::NotMade || ours->kind == StepResult::Kind::Set) continue;
    if (ours->kind == StepResult::Kind::Unknown) {
      return failed(fmt::format("step {}: {}", i + 1, ours->reason));
    }
    if (ours->kind == StepResult::Kind::Met && ours->call.outcome.kind == OutcomeKind::Unknown) {
      run.cut = fmt::format("step {}: the model cannot tell: {}", i + 1, ours->call.outcome.reason);
      return run;
    }
    if (tasks.size() > kMostLiveTasks) return failed("too many tasks");
    const ProcessId process = tasks.task(step.task).process;
    const TaskId created = ours->kind == StepResult::Kind::Created ? ours->created : kMostLiveTasks;
    answers.executes = ours->kind == StepResult::Kind::Execs;
    if (answers.executes) {
      const bool traced = answers.answers.tracer.has_value();
      if (const auto why = why_not_followed(step, real, tasks, traced); !why.empty()) {
        run.cut = fmt::format("step {}: {}", i + 1, why);
        return run;
      }
    }
    Writer(real, process).write(step, created);
    if (step.kind == StepKind::Filter || step.kind == StepKind::SetSeccomp) pace.step();
    const auto made = real.make(step.task, process, answers);
    if (!made && made.error().fault == live::LiveFault::TracingDenied) {
      run.cut = fmt::format("step {}: {}", i + 1, made.error().message);
      return run;
    }
    if (!made) {
      return failed(
          fmt::format("step {}: {}, of\n{}", i + 1, made.error().message, text_of(script)),
          made.error().fault);
    }
    if (made->harmful && ours->call.tracer_stop) {
      run.cut = fmt::format("step {}: its tracer would let a call through that may do harm", i + 1);
      return run;
    }
    ++run.made;
    std::string kernel = comparison.differs(step, *ours, *made);
    for (TaskId each = 0; kernel.empty() && each < tasks.size(); ++each) {
      kernel = comparison.state_differs(each);
    }
    if (kernel.empty()) continue;
    if (step.kind == StepKind::Fork && created == kMostLiveTasks) {
      real.add_stray(static_cast<pid_t>(made->result.value_or(0)));
    }
    run.difference = LiveDifference{i, words(*ours, step), std::move(kernel)};
    return run;
  }
  return run;
}

}  // namespace callgate::task
