#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/task/live_runner.hpp"

namespace callgate::task {
namespace {

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kRead = 0;
constexpr std::uint32_t kWrite = 1;
constexpr std::uint32_t kClone = 56;
constexpr std::uint32_t kExit = 60;
constexpr std::uint32_t kGetppid = 110;
constexpr std::uint32_t kPrctl = 157;
constexpr std::uint32_t kSeccomp = 317;
constexpr std::size_t kMostTasks = 9;
constexpr std::uint32_t kUserNotif = 0x7fc00000U;

class Generator {
 public:
  Generator(random::Source& source, bool may_have_cap, const KernelModel& model)
      : source_(source), model_(model) {
    script_.sys_admin = may_have_cap && !source_.one_in(3);
    script_.no_new_privs = source_.one_in(3);
    script_.descriptors_left = !source_.one_in(10);
    large_ = source_.one_in(8);
  }

  Script make(std::size_t longest) {
    const std::size_t length = 3 + source_.below(static_cast<std::uint32_t>(longest) - 2);
    Player player(script_, model_);
    for (std::size_t i = 0; i < length; ++i) {
      const auto task = living_task(player.tasks());
      if (!task) break;
      Step step = any_step(player.tasks());
      step.line = i + 1;
      step.task = *task;
      static_cast<void>(player.play(step));
      script_.steps.push_back(std::move(step));
    }
    return std::move(script_);
  }

 private:
  std::optional<TaskId> living_task(const Tasks& tasks) {
    std::vector<TaskId> living;
    for (TaskId each = 0; each < tasks.size(); ++each) {
      if (tasks.task(each).alive) living.push_back(each);
    }
    if (living.empty()) return std::nullopt;
    return living[source_.below(static_cast<std::uint32_t>(living.size()))];
  }

  // Deaths are rare: they end scripts.
  std::uint32_t any_value() {
    const std::uint32_t errno_data = 1 + source_.below(source_.one_in(4) ? 65535 : 200);
    switch (source_.below(16)) {
      case 0:
        return source_.below(0x10000);  // KILL_THREAD
      case 1:
        return 0x80000000U;
      case 2:
        return 0x00030000U | source_.below(100);
      case 3:
        return (source_.below(0x10000) << 16U | 1) | 0x00010000U;  // unknown, most of them
      case 4:
      case 5:
        return 0x7ff00000U | source_.below(100);
      case 6:
      case 7:
        return kUserNotif;
      case 8:
        return 0x7ffc0000U;
      case 9:
      case 10:
        return kAllow | source_.below(100);
      default:
        return 0x00050000U | errno_data;
    }
  }

  // A filter that lets the tasks be heard. With a listener it has no notification: nobody would
  // answer.
  Program filter(bool listener) {
    Program program = {{0x20, 0, 0, 0},
                       {0x15, 0, 1, kRead},
                       {0x06, 0, 0, kAllow},
                       {0x15, 0, 1, kWrite},
                       {0x06, 0, 0, kAllow}};
    const auto value = [&] {
      const std::uint32_t any = any_value();
      return listener && (any & 0xffff0000U) == kUserNotif ? kAllow : any;
    };
    const auto rule = [&](std::uint32_t nr, std::uint32_t result) {
      program.push_back({0x15, 0, 1, nr});
      program.push_back({0x06, 0, 0, result});
    };
    if (!source_.one_in(4)) rule(kGetppid, source_.one_in(10) ? 0x00050000U : value());
    for (const std::uint32_t nr : {kClone, kExit, kPrctl, kSeccomp}) {
      if (source_.one_in(14)) rule(nr, value());
    }
    // The rest of a large program is never reached, and counted all the same.
    if (large_ && !source_.one_in(3)) {
      program.push_back({0x06, 0, 0, kAllow});
      while (program.size() < 4095) program.push_back({0x06, 0, 0, 0});
    }
    program.push_back({0x06, 0, 0, source_.one_in(16) ? value() : kAllow});
    return program;
  }

  ScriptFilter any_filter(bool listener) {
    using State = FilterArgument::State;
    ScriptFilter out;
    out.state = State::Readable;
    switch (source_.below(24)) {
      case 0:
        out.state = State::NullHeader;
        return out;
      case 1:
        out.state = State::UnreadableHeader;
        return out;
      case 2:
      case 3:
        out.state = source_.one_in(2) ? State::NullInstructions : State::UnreadableInstructions;
        out.length = std::array<std::uint16_t, 5>{0, 1, 4096, 4097, 65535}[source_.below(5)];
        return out;
      case 4:
        out.instructions = filter(listener);
        out.instructions.push_back({0x94, 0, 0, 3});  // MOD
        out.instructions.push_back({0x06, 0, 0, kAllow});
        return out;
      case 5:
        out.instructions = filter(listener);
        out.length = std::array<std::uint16_t, 3>{0, 2, 4097}[source_.below(3)];
        return out;
      default:
        out.instructions = filter(listener);
        return out;
    }
  }

  std::uint64_t any_flags() {
    switch (source_.below(8)) {
      case 0:
        return source_.below(64);
      case 1:
        return source_.next();
      case 2:
        return 1ULL << source_.below(7);
      case 3:
      case 4:
        return filter_flag::kTsync | (source_.one_in(2) ? filter_flag::kTsyncEsrch : 0U);
      case 5:
        return filter_flag::kNewListener;
      default:
        return 0;
    }
  }

  Step any_step(const Tasks& tasks) {
    Step step;
    switch (source_.below(32)) {
      case 0:
        step.kind = StepKind::SetNnp;
        step.a = source_.one_in(4) ? source_.below(3) : 1;
        return step;
      case 1:
        step.kind = StepKind::GetNnp;
        step.a = source_.one_in(6) ? 1 : 0;
        return step;
      case 2:
      case 3:
        step.kind = StepKind::GetSeccomp;
        return step;
      case 4:
        step.kind = StepKind::SetSeccomp;
        step.a =
            std::array<std::uint64_t, 6>{0, 1, 2, 3, 0x100000001U, 0x100000002U}[source_.below(6)];
        if (step.a == 2) step.filter = any_filter(false);
        return step;
      case 5:
        if (!source_.one_in(2)) break;
        step.kind = StepKind::Strict;
        step.flags = source_.one_in(3) ? source_.next() : 0;
        step.a = source_.one_in(3) ? 1 : 0;
        return step;
      case 6:
        step.kind = StepKind::ActionAvail;
        step.a = source_.one_in(2) ? any_value() : any_value() & 0xffff0000U;
        step.flags = source_.one_in(5) ? 1 : 0;
        step.bad_pointer = source_.one_in(5);
        return step;
      case 7:
        step.kind = StepKind::NotifSizes;
        step.flags = source_.one_in(4) ? source_.next() : 0;
        step.bad_pointer = source_.one_in(4);
        return step;
      case 8:
        step.kind = StepKind::OtherOperation;
        step.a = 4 + source_.below(5);
        return step;
      case 9:
      case 10:
        if (tasks.size() >= kMostTasks) break;
        step.kind = StepKind::Fork;
        return step;
      case 11:
      case 12:
      case 13:
        if (tasks.size() >= kMostTasks) break;
        step.kind = StepKind::Thread;
        return step;
      case 14:
        if (source_.one_in(2)) break;
        step.kind = StepKind::Exit;
        return step;
      case 15:
      case 16:
      case 17:
      case 18:
      case 19:
      case 20:
      case 21:
      case 22:
        step.kind = StepKind::Filter;
        step.flags = any_flags();
        step.filter = any_filter((step.flags & filter_flag::kNewListener) != 0);
        return step;
      case 23:
        step.kind = StepKind::SetSeccomp;
        step.a = 2;
        step.filter = any_filter(false);
        return step;
      default:
        break;
    }
    step.kind = StepKind::Call;
    step.data = {.nr = static_cast<std::int32_t>(kGetppid), .arch = info(Arch::X86_64).token};
    return step;
  }

  random::Source& source_;
  KernelModel model_;
  Script script_;
  bool large_ = false;
};

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
    case StepKind::Call:
      return text_of(step.data);
    case StepKind::Exec:
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
  return step.text;
}

}  // namespace

Script random_script(random::Source& source, std::size_t longest, bool may_have_cap,
                     const KernelModel& model) {
  return Generator(source, may_have_cap, model).make(std::max<std::size_t>(longest, 3));
}

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
