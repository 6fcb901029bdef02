#include "harness/task/live_runner.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "harness/task/live_tasks.hpp"

namespace callgate::task {
namespace {

constexpr unsigned long kThreadFlags =
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
constexpr std::uint64_t kUnreadable = 8;  // the first page is never mapped

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
  Comparison(LiveTasks& real, const Tasks& tasks) : real_(real), tasks_(tasks) {}

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

  LiveTasks& real_;
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
  LiveTasks real;
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
    if (tasks.size() > kMostLiveTasks) return failed("too many tasks");
    const ProcessId process = tasks.task(step.task).process;
    const TaskId created = ours->kind == StepResult::Kind::Created ? ours->created : kMostLiveTasks;
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

}  // namespace callgate::task
