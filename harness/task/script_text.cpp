// Scripts written as text.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <optional>

#include "harness/task/live_runner.hpp"

namespace callgate::task {
namespace {

std::string text_of(const ScriptFilter& filter) {
  std::string length = filter.length ? fmt::format(" length={}", *filter.length) : "";
  switch (filter.state) {
    case FilterArgument::State::NullHeader:
      return "header=null";
    case FilterArgument::State::UnreadableHeader:
      return "header=unreadable";
    case FilterArgument::State::NullInstructions:
      return "program=null" + length;
    case FilterArgument::State::UnreadableInstructions:
      return "program=unreadable" + length;
    case FilterArgument::State::Readable:
      break;
  }
  std::string out = "program={";
  const Program& program = filter.instructions;
  for (std::size_t i = 0; i < program.size();) {
    std::size_t same = 1;
    while (i + same < program.size() && program[i + same] == program[i]) ++same;
    const Instruction& each = program[i];
    out += fmt::format("{}{}{{ 0x{:x}, {}, {}, 0x{:x} }}", i == 0 ? "" : "; ",
                       same > 1 ? fmt::format("repeat {}: ", same) : "", each.code, each.jt,
                       each.jf, each.k);
    i += same;
  }
  return out + "}" + length;
}

// The architecture is said where its name is known to stand for the token.
std::string text_of(const SeccompData& data) {
  std::string out = fmt::format("call {}", data.nr);
  if (const auto arch = arch_from_token(data.arch))
    out += fmt::format(" arch={}", info(*arch).name);
  if (data.instruction_pointer != 0) out += fmt::format(" ip=0x{:x}", data.instruction_pointer);
  std::size_t count = data.args.size();
  while (count > 0 && data.args[count - 1] == 0) --count;
  for (std::size_t i = 0; i < count; ++i) {
    out += fmt::format("{}0x{:x}", i == 0 ? " args=" : ",", data.args[i]);
  }
  return out;
}

// The smallest number has no decimal form that could be read.
std::string text_of(std::int64_t value) {
  return value == std::numeric_limits<std::int64_t>::min() ? "0x8000000000000000"
                                                           : fmt::format("{}", value);
}

std::string text_of(const std::optional<callgate::Tracer>& tracer) {
  if (!tracer) return "tracer: none";
  std::string out = "tracer: continue";
  if (tracer->nr) out = fmt::format("tracer: number={}", *tracer->nr);
  if (tracer->value) out += fmt::format(" value={}", text_of(*tracer->value));
  if (tracer->args) out += fmt::format(" args=0x{:x}", fmt::join(*tracer->args, ",0x"));
  return out;
}

std::string text_of(const std::optional<callgate::Supervisor>& supervisor) {
  if (!supervisor) return "supervisor: none";
  std::string out = "supervisor:";
  if (const auto& addfd = supervisor->addfd) {
    out += fmt::format(" addfd flags=0x{:x} newfd={} newfd-flags=0x{:x} size={}", addfd->flags,
                       addfd->new_fd, addfd->new_fd_flags, addfd->size);
    if (!addfd->source_open) out += " source=closed";
    if (!addfd->right_id) out += " id=wrong";
  }
  if (!supervisor->replies) return out;
  return out + fmt::format("{} value={} error={}", supervisor->continues ? " continue" : "",
                           text_of(supervisor->value), supervisor->error);
}

std::string_view sigsys_word(SigsysAction action) {
  switch (action) {
    case SigsysAction::Default:
      return "default";
    case SigsysAction::Handled:
      return "handled";
    case SigsysAction::BlockedOrIgnored:
      return "blocked";
  }
  return "";
}

std::string text_of(const Step& step) {
  switch (step.kind) {
    case StepKind::SetSeccomp:
      return fmt::format("prctl mode=0x{:x}{}", step.a,
                         step.a == 2 ? " " + text_of(step.filter) : std::string{});
    case StepKind::GetSeccomp:
      return "prctl get";
    case StepKind::SetNnp:
      return fmt::format("nnp value={}", step.a);
    case StepKind::GetNnp:
      return fmt::format("nnp get value={}", step.a);
    case StepKind::Strict:
      return fmt::format("seccomp strict flags=0x{:x} args={}", step.flags, step.a);
    case StepKind::Filter:
      return fmt::format("seccomp filter flags=0x{:x} {}", step.flags, text_of(step.filter));
    case StepKind::ActionAvail:
      if (step.bad_pointer)
        return fmt::format("seccomp action-avail unreadable flags={}", step.flags);
      return fmt::format("seccomp action-avail 0x{:x} flags={}", step.a, step.flags);
    case StepKind::NotifSizes:
      return fmt::format("seccomp notif-sizes{} flags=0x{:x}",
                         step.bad_pointer ? " unwritable" : "", step.flags);
    case StepKind::OtherOperation:
      return fmt::format("seccomp op={} flags={}", step.a, step.flags);
    case StepKind::Fork:
      return "fork";
    case StepKind::Thread:
      return "thread";
    case StepKind::Exit:
      return "exit";
    case StepKind::Exec:
      return "exec";
    case StepKind::Call:
      return text_of(step.data);
    case StepKind::CloseListener:
    case StepKind::CloseOutside:
    case StepKind::ShareListener:
    case StepKind::SysAdmin:
    case StepKind::Sigsys:
    case StepKind::Descriptors:
      break;
    case StepKind::Tracer:
      return text_of(step.tracer);
    case StepKind::Supervisor:
      return text_of(step.supervisor);
  }
  return step.text;
}

}  // namespace

std::string text_of(const Script& script) {
  std::string out = fmt::format("process nnp={} cap={} sigsys={} descriptors={}\n",
                                script.no_new_privs ? "yes" : "no", script.sys_admin ? "yes" : "no",
                                sigsys_word(script.sigsys), script.descriptors_left ? "yes" : "no");
  for (const Step& step : script.steps) {
    out += fmt::format("as {}: {}\n", step.task + 1, text_of(step));
  }
  return out;
}

}  // namespace callgate::task
