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
constexpr std::uint32_t kGetpid = 39;
constexpr std::uint32_t kGetppid = 110;
constexpr std::uint32_t kPrctl = 157;
constexpr std::uint32_t kSeccomp = 317;
constexpr std::size_t kMostTasks = 9;
constexpr std::uint32_t kTrace = 0x7ff00000U;
constexpr std::uint32_t kUserNotif = 0x7fc00000U;

class Generator {
 public:
  Generator(random::Source& source, bool may_have_cap, const KernelModel& model)
      : source_(source), model_(model) {
    script_.sys_admin = may_have_cap && !source_.one_in(3);
    script_.no_new_privs = source_.one_in(3);
    script_.descriptors_left = !source_.one_in(10);
    large_ = source_.one_in(8);
    answered_ = !source_.one_in(3);
  }

  Script make(std::size_t longest) {
    const std::size_t length = 3 + source_.below(static_cast<std::uint32_t>(longest) - 2);
    Player player(script_, model_);
    for (std::size_t i = 0; i < length; ++i) {
      const auto task = living_task(player.tasks());
      if (!task) break;
      Step step = answered_ && source_.one_in(6) ? any_answer() : any_step(player.tasks());
      step.line = script_.steps.size() + 1;
      step.task = *task;
      // A call whose arguments a tracer changes, and which then is made all the same, is left out:
      // what it does is not known.
      Player before = player;
      const auto result = player.play(step);
      if (!result || result->kind == StepResult::Kind::Unknown) {
        player = std::move(before);
        continue;
      }
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
    if (answered_ && source_.one_in(2)) {
      return source_.one_in(2) ? kTrace | source_.below(0x10000) : kUserNotif;
    }
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
        return kTrace | source_.below(100);
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

  // What a tracer or a supervisor leaves as a result. Not the kernel's own errnos of restarting.
  std::int64_t any_answer_value() {
    constexpr std::array<std::int64_t, 8> kValues = {
        0, 1, -1, -4095, -4096, 0x7fffffff, -0x80000000LL, 0x123456789abcdefLL};
    if (source_.one_in(2)) return kValues[source_.below(kValues.size())];
    return static_cast<std::int64_t>(source_.below(300)) - 150;
  }

  // Numbers that it may choose are above all that the tasks use themselves.
  AddFd any_descriptor() {
    constexpr std::uint32_t kCloexec = 0x80000;
    const std::uint32_t limit = Process{}.descriptor_limit;
    constexpr std::uint32_t kLowest = 200;
    AddFd addfd;
    addfd.flags = source_.one_in(8) ? source_.below(16) : source_.below(4);
    const bool chosen = (addfd.flags & addfd_flag::kSetFd) != 0;
    if (chosen || source_.one_in(10)) {
      const std::array<std::uint32_t, 6> ends = {kLowest,   limit - 1,   limit,
                                                 limit + 1, 0x7fffffffU, 0xffffffffU};
      addfd.new_fd = source_.one_in(2) ? kLowest + source_.below(50) : ends[source_.below(6)];
      addfd.new_fd = std::max(addfd.new_fd, kLowest);
    }
    if (source_.one_in(3))
      addfd.new_fd_flags = source_.one_in(3) ? 1U << source_.below(32) : kCloexec;
    if (source_.one_in(4)) addfd.source_open = false;
    if (source_.one_in(4)) addfd.right_id = false;
    if (source_.one_in(6)) {
      constexpr std::array<std::uint32_t, 7> kSizes = {0, 16, 23, 25, 32, 4095, 4096};
      addfd.size = kSizes[source_.below(kSizes.size())];
    }
    return addfd;
  }

  // Who answers from here. What calls become is harmless.
  Step any_answer() {
    Step step;
    const std::uint32_t what = source_.below(16);
    if (what >= 8) {
      step.kind = StepKind::Supervisor;
      if (what == 8) return step;
      callgate::Supervisor& supervisor = step.supervisor.emplace();
      supervisor.continues = what >= 12;
      // With a value or an error it cannot be let on, and waits.
      const bool plain = supervisor.continues && !source_.one_in(2);
      if (!plain && source_.one_in(2)) {
        supervisor.error = static_cast<std::int32_t>(source_.below(300)) - 250;
      }
      if (!plain && (supervisor.error == 0 || source_.one_in(4))) {
        supervisor.value = any_answer_value();
      }
      if (source_.one_in(3)) {
        supervisor.addfd = any_descriptor();
        supervisor.replies = !source_.one_in(4);
      }
      return step;
    }
    step.kind = StepKind::Tracer;
    if (what == 0) return step;
    callgate::Tracer& tracer = step.tracer.emplace();
    if (what <= 2) {
      tracer.nr = source_.one_in(4) ? -2 - static_cast<std::int32_t>(source_.below(1000)) : -1;
    } else if (what <= 5) {
      tracer.nr = static_cast<std::int32_t>(source_.one_in(3) ? kGetppid : kGetpid);
    }
    if (tracer.nr && !source_.one_in(3)) tracer.value = any_answer_value();
    if (source_.one_in(4)) {
      for (std::uint64_t& arg : tracer.args.emplace()) arg = source_.below(3);
    }
    return step;
  }

  // A filter that lets the tasks be heard.
  Program filter() {
    Program program = {{0x20, 0, 0, 0},
                       {0x15, 0, 1, kRead},
                       {0x06, 0, 0, kAllow},
                       {0x15, 0, 1, kWrite},
                       {0x06, 0, 0, kAllow}};
    const auto rule = [&](std::uint32_t nr, std::uint32_t result) {
      program.push_back({0x15, 0, 1, nr});
      program.push_back({0x06, 0, 0, result});
    };
    if (!source_.one_in(4)) rule(kGetppid, source_.one_in(10) ? 0x00050000U : any_value());
    if (source_.one_in(3)) rule(kGetpid, any_value());
    for (const std::uint32_t nr : {kClone, kExit, kPrctl, kSeccomp}) {
      if (source_.one_in(answered_ ? 8 : 14)) rule(nr, any_value());
    }
    // Of the first argument, which a tracer may have changed.
    if (answered_ && source_.one_in(4)) {
      program.push_back({0x20, 0, 0, 16});
      rule(source_.below(3), any_value());
    }
    // The rest of a large program is never reached, and counted all the same.
    if (large_ && !source_.one_in(3)) {
      program.push_back({0x06, 0, 0, kAllow});
      while (program.size() < 4095) program.push_back({0x06, 0, 0, 0});
    }
    program.push_back({0x06, 0, 0, source_.one_in(16) ? any_value() : kAllow});
    return program;
  }

  ScriptFilter any_filter() {
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
        out.instructions = filter();
        out.instructions.push_back({0x94, 0, 0, 3});  // MOD
        out.instructions.push_back({0x06, 0, 0, kAllow});
        return out;
      case 5:
        out.instructions = filter();
        out.length = std::array<std::uint16_t, 3>{0, 2, 4097}[source_.below(3)];
        return out;
      default:
        out.instructions = filter();
        return out;
    }
  }

  std::uint64_t any_flags() {
    if (answered_ && source_.one_in(4)) return filter_flag::kNewListener;
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
        if (step.a == 2) step.filter = any_filter();
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
        step.kind = source_.one_in(2) ? StepKind::Exit : StepKind::Exec;
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
        step.filter = any_filter();
        return step;
      case 23:
        step.kind = StepKind::SetSeccomp;
        step.a = 2;
        step.filter = any_filter();
        return step;
      default:
        break;
    }
    step.kind = StepKind::Call;
    const std::uint32_t nr = source_.one_in(6) ? kGetpid : kGetppid;
    step.data = {.nr = static_cast<std::int32_t>(nr), .arch = info(Arch::X86_64).token};
    return step;
  }

  random::Source& source_;
  KernelModel model_;
  Script script_;
  bool large_ = false;
  bool answered_ = false;  // by a tracer and a supervisor, here and there
};

}  // namespace

Script random_script(random::Source& source, std::size_t longest, bool may_have_cap,
                     const KernelModel& model) {
  return Generator(source, may_have_cap, model).make(std::max<std::size_t>(longest, 3));
}

}  // namespace callgate::task
