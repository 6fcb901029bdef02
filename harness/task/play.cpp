#include "harness/task/play.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

#include "harness/report/words.hpp"
#include "verifier/check.hpp"
#include "vm/syscalls.hpp"

namespace callgate::task {
namespace {

// Calls that change what the model keeps, in ways that a `call` does not follow.
constexpr std::array<std::string_view, 10> kChanging = {"prctl",      "seccomp", "clone", "clone3",
                                                        "fork",       "vfork",   "exit",  "execve",
                                                        "exit_group", "execveat"};

bool changes_tasks(const SeccompData& data) {
  const std::string name = report::call_name(data);
  return std::ranges::find(kChanging, name) != kChanging.end();
}

// Whether what the step names is there; if not, what is wrong.
std::string wrong_names(const Step& step, const Tasks& tasks) {
  if (step.task >= tasks.size()) return fmt::format("there is no task {} here", step.task + 1);
  const bool names_filter = step.kind == StepKind::CloseListener ||
                            step.kind == StepKind::CloseOutside ||
                            step.kind == StepKind::ShareListener;
  if (names_filter && step.a >= tasks.filters()) {
    return fmt::format("there is no filter {} here", step.a + 1);
  }
  return {};
}

void set_scene(const Step& step, Tasks& tasks, Answers& answers) {
  switch (step.kind) {
    case StepKind::CloseListener:
      tasks.close_listener(step.task, step.a);
      return;
    case StepKind::CloseOutside:
      tasks.close_listener_elsewhere(step.a);
      return;
    case StepKind::ShareListener:
      tasks.share_listener(step.a);
      return;
    case StepKind::SysAdmin:
      tasks.set_sys_admin(step.task, step.yes);
      return;
    case StepKind::Sigsys:
      tasks.set_sigsys(step.task, step.sigsys);
      return;
    case StepKind::Descriptors:
      tasks.set_descriptors_left(step.task, step.yes);
      return;
    case StepKind::Tracer:
      answers.tracer = step.tracer;
      return;
    case StepKind::Supervisor:
      answers.supervisor = step.supervisor;
      return;
    case StepKind::SetSeccomp:
    case StepKind::GetSeccomp:
    case StepKind::SetNnp:
    case StepKind::GetNnp:
    case StepKind::Strict:
    case StepKind::Filter:
    case StepKind::ActionAvail:
    case StepKind::NotifSizes:
    case StepKind::OtherOperation:
    case StepKind::Fork:
    case StepKind::Thread:
    case StepKind::Exit:
    case StepKind::Exec:
    case StepKind::Call:
      return;
  }
}

StepResult replied(Reply reply) {
  StepResult result;
  result.kind = StepResult::Kind::Replied;
  result.reply = reply;
  return result;
}

StepResult of_kind(StepResult::Kind kind, TaskId created = 0, std::string_view reason = {}) {
  StepResult result;
  result.kind = kind;
  result.created = created;
  result.reason = reason;
  return result;
}

// What the kernel does with a call that was let in as it is.
StepResult carry_out(const Step& step, Tasks& tasks) {
  const TaskId id = step.task;
  switch (step.kind) {
    case StepKind::SetSeccomp:
      return replied(tasks.prctl_set_seccomp(id, step.a, argument_of(step.filter, tasks.model())));
    case StepKind::GetSeccomp:
      return replied(tasks.prctl_get_seccomp(id));
    case StepKind::SetNnp:
      return replied(tasks.prctl_set_no_new_privs(id, step.a));
    case StepKind::GetNnp:
      return replied(tasks.prctl_get_no_new_privs(id, {step.a, 0, 0, 0}));
    case StepKind::Strict:
      if (!tasks.model().has(Feature::SeccompSyscall)) return replied(tasks.unknown_operation());
      return replied(tasks.set_mode_strict(id, step.flags, step.a != 0));
    case StepKind::Filter:
      return replied(
          tasks.set_mode_filter(id, step.flags, argument_of(step.filter, tasks.model())));
    case StepKind::ActionAvail: {
      std::optional<std::uint32_t> action;
      if (!step.bad_pointer) action = static_cast<std::uint32_t>(step.a);
      return replied(tasks.get_action_avail(step.flags, action));
    }
    case StepKind::NotifSizes:
      return replied(tasks.get_notif_sizes(step.flags, !step.bad_pointer));
    case StepKind::OtherOperation:
      return replied(tasks.unknown_operation());
    case StepKind::Fork:
      return of_kind(StepResult::Kind::Created, tasks.fork(id));
    case StepKind::Thread:
      return of_kind(StepResult::Kind::Created, tasks.spawn_thread(id));
    case StepKind::Exit:
      tasks.exit_thread(id);
      return of_kind(StepResult::Kind::Ended);
    case StepKind::Exec:
      tasks.exec(id);
      return of_kind(StepResult::Kind::Execs);
    case StepKind::Call:
    case StepKind::CloseListener:
    case StepKind::CloseOutside:
    case StepKind::ShareListener:
    case StepKind::SysAdmin:
    case StepKind::Sigsys:
    case StepKind::Descriptors:
    case StepKind::Tracer:
    case StepKind::Supervisor:
      return of_kind(StepResult::Kind::Executes);
  }
  return {};
}

// By SEND, without SETFD.
bool returns_new_descriptor(const CallResult& call) {
  return call.added && call.added->is_reply && !call.added->descriptor;
}

StepResult make_call(const Step& step, Tasks& tasks, const Answers& answers) {
  const SeccompData data = data_of(step, tasks.model().arch);
  StepResult result;
  result.call = tasks.call(step.task, data, answers);
  if (result.call.outcome.kind != OutcomeKind::Executes) {
    result.kind =
        returns_new_descriptor(result.call) ? StepResult::Kind::Descriptor : StepResult::Kind::Met;
    return result;
  }
  // A tracer may have made another call of it.
  const bool same = result.call.data == data;
  if (same && step.kind != StepKind::Call) {
    StepResult done = carry_out(step, tasks);
    done.call = result.call;
    return done;
  }
  if (changes_tasks(result.call.data)) {
    result.kind = StepResult::Kind::Unknown;
    result.reason = "it executes, and what it changes here is not modelled: use its own step";
    return result;
  }
  result.kind = StepResult::Kind::Executes;
  return result;
}

}  // namespace

bool is_call(StepKind kind) noexcept { return kind <= StepKind::Call; }

SeccompData data_of(const Step& step, Arch arch) {
  if (step.kind == StepKind::Call) return step.data;
  SeccompData data;
  data.arch = info(arch).token;
  const auto set = [&](std::string_view name, std::span<const std::uint64_t> args) {
    // Every architecture of the table has these calls.
    data.nr = static_cast<std::int32_t>(syscall_number(arch, name).value_or(0xffffffffU));
    std::ranges::copy(args, data.args.begin());
  };
  const std::uint64_t header =
      step.filter.state == FilterArgument::State::NullHeader ? 0 : kPointer;
  constexpr std::uint64_t kThreadFlags = 0x50f00;  // VM FS FILES SIGHAND THREAD SYSVSEM
  constexpr std::uint64_t kSigchld = 17;
  switch (step.kind) {
    case StepKind::SetSeccomp:
      set("prctl", std::array<std::uint64_t, 3>{22, step.a, header});
      break;
    case StepKind::GetSeccomp:
      set("prctl", std::array<std::uint64_t, 1>{21});
      break;
    case StepKind::SetNnp:
      set("prctl", std::array<std::uint64_t, 2>{38, step.a});
      break;
    case StepKind::GetNnp:
      set("prctl", std::array<std::uint64_t, 2>{39, step.a});
      break;
    case StepKind::Strict:
      set("seccomp", std::array<std::uint64_t, 3>{0, step.flags, step.a});
      break;
    case StepKind::Filter:
      set("seccomp", std::array<std::uint64_t, 3>{1, step.flags, header});
      break;
    case StepKind::ActionAvail:
      set("seccomp", std::array<std::uint64_t, 3>{2, step.flags, kPointer});
      break;
    case StepKind::NotifSizes:
      set("seccomp", std::array<std::uint64_t, 3>{3, step.flags, kPointer});
      break;
    case StepKind::OtherOperation:
      set("seccomp", std::array<std::uint64_t, 2>{step.a, step.flags});
      break;
    case StepKind::Fork:
      set("clone", std::array<std::uint64_t, 1>{kSigchld});
      break;
    case StepKind::Thread:
      set("clone", std::array<std::uint64_t, 2>{kThreadFlags, kPointer});
      break;
    case StepKind::Exit:
      set("exit", std::array<std::uint64_t, 1>{0});
      break;
    case StepKind::Exec:
      set("execve", std::array<std::uint64_t, 3>{kPointer, kPointer, kPointer});
      break;
    case StepKind::Call:
    case StepKind::CloseListener:
    case StepKind::CloseOutside:
    case StepKind::ShareListener:
    case StepKind::SysAdmin:
    case StepKind::Sigsys:
    case StepKind::Descriptors:
    case StepKind::Tracer:
    case StepKind::Supervisor:
      break;
  }
  return data;
}

FilterArgument argument_of(const ScriptFilter& filter, const KernelModel& model) {
  FilterArgument argument;
  argument.state = filter.state;
  const std::size_t given = filter.instructions.size();
  const std::size_t length = filter.length ? *filter.length : given;
  argument.length = static_cast<std::uint16_t>(length);
  if (filter.state != FilterArgument::State::Readable) return argument;
  const auto read = std::span(filter.instructions).first(std::min(length, given));
  auto checked = verifier::check(read, model);
  // The length stays the header's: one beyond the limits is refused whatever lies there.
  if (checked) {
    argument.program = std::make_shared<const CheckedProgram>(std::move(*checked));
  } else {
    argument.refusal = checked.error().error;
  }
  return argument;
}

Player::Player(const Script& script, const KernelModel& model)
    : tasks_(model, script.no_new_privs, script.sys_admin) {
  tasks_.set_sigsys(0, script.sigsys);
  tasks_.set_descriptors_left(0, script.descriptors_left);
}

std::expected<StepResult, ScriptError> Player::play(const Step& step) {
  if (std::string wrong = wrong_names(step, tasks_); !wrong.empty()) {
    return std::unexpected(ScriptError{step.line, std::move(wrong)});
  }
  const bool of_nobody = step.kind == StepKind::Tracer || step.kind == StepKind::Supervisor ||
                         step.kind == StepKind::CloseOutside;
  if (!of_nobody && !tasks_.task(step.task).alive) return of_kind(StepResult::Kind::NotMade);
  if (is_call(step.kind)) return make_call(step, tasks_, answers_);
  set_scene(step, tasks_, answers_);
  return StepResult{};
}

std::expected<Played, ScriptError> play(const Script& script, const KernelModel& model) {
  Player player(script, model);
  std::vector<StepResult> results;
  for (const Step& step : script.steps) {
    auto result = player.play(step);
    if (!result) return std::unexpected(std::move(result.error()));
    results.push_back(*result);
  }
  return Played{player.tasks(), std::move(results)};
}

namespace {

std::string supervision_words(const CallResult& call) {
  const auto named = [](int error) { return report::errno_name(error).value_or("an error"); };
  std::string out;
  if (const auto& added = call.added) {
    if (added->error != 0) {
      out += fmt::format(" (the supervisor's descriptor is refused: {})", named(added->error));
    } else if (added->descriptor) {
      out += fmt::format(" (the process was given descriptor {})", *added->descriptor);
    } else if (!added->is_reply) {
      out += " (the process was given a descriptor)";
    }
  }
  if (call.send_error != 0) {
    out += fmt::format(" (the supervisor's answer is refused: {})", named(call.send_error));
  }
  return out;
}

}  // namespace

std::string words(const StepResult& result, const Step& step) {
  switch (result.kind) {
    case StepResult::Kind::NotMade:
      return fmt::format("not made: task {} has ended", step.task + 1);
    case StepResult::Kind::Set:
      return "";
    case StepResult::Kind::Met:
    case StepResult::Kind::Executes: {
      const std::string name = report::call_name(result.call.data);
      std::string out = report::outcome_words(result.call.outcome, name);
      if (step.kind != StepKind::Call && result.kind == StepResult::Kind::Executes) {
        out += " (the tracer made another call of it)";
      }
      return out + supervision_words(result.call);
    }
    case StepResult::Kind::Descriptor:
      return "returns a new descriptor, the lowest that is free" + supervision_words(result.call);
    case StepResult::Kind::Replied: {
      switch (result.reply.kind) {
        case Reply::Kind::Value:
          break;
        case Reply::Kind::Listener:
          return fmt::format("returns a listener, of filter {}", *result.reply.filter + 1);
        case Reply::Kind::Thread:
          return fmt::format("returns the id of task {}: it cannot come along",
                             result.reply.task + 1);
        case Reply::Kind::Unknown:
          return fmt::format("unknown: {}", result.reply.reason);
      }
      Outcome outcome;
      outcome.kind = OutcomeKind::Returns;
      outcome.value = result.reply.value;
      std::string out = report::outcome_words(outcome, "");
      if (result.reply.filter) out += fmt::format(", filter {}", *result.reply.filter + 1);
      return out;
    }
    case StepResult::Kind::Created:
      return fmt::format("task {}", result.created + 1);
    case StepResult::Kind::Ended:
      return "the thread ends";
    case StepResult::Kind::Execs:
      return "executes";
    case StepResult::Kind::Unknown:
      return fmt::format("unknown: {}", result.reason);
  }
  return "";
}

std::string_view kind_word(const StepResult& result) {
  switch (result.kind) {
    case StepResult::Kind::NotMade:
      return "not-made";
    case StepResult::Kind::Set:
      return "set";
    case StepResult::Kind::Met:
      return to_string(result.call.outcome.kind);
    case StepResult::Kind::Descriptor:
      return "descriptor";
    case StepResult::Kind::Executes:
    case StepResult::Kind::Execs:
      return "executes";
    case StepResult::Kind::Replied:
      switch (result.reply.kind) {
        case Reply::Kind::Value:
          return "returns";
        case Reply::Kind::Listener:
          return "listener-fd";
        case Reply::Kind::Thread:
          return "thread-id";
        case Reply::Kind::Unknown:
          return "unknown";
      }
      return "";
    case StepResult::Kind::Created:
      return "task";
    case StepResult::Kind::Ended:
      return "ends";
    case StepResult::Kind::Unknown:
      return "unknown";
  }
  return "";
}

}  // namespace callgate::task
