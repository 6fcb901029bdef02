#include "harness/lab/probes.hpp"

#include "verifier/check.hpp"
#include "vm/outcome.hpp"
#include "vm/task.hpp"

namespace callgate::lab {
namespace {

constexpr Probe kProbes[] = {
#define PROBE_KIND(...)
#define PROBE(kind, argument, name) {ProbeKind::kind, argument, name},
#include "harness/lab/probes.def"
#undef PROBE
#undef PROBE_KIND
};

// Errnos that have one number on all architectures of the lab.
constexpr std::int64_t kNoEntry = -2;
constexpr std::int64_t kInterrupted = -4;
constexpr std::int64_t kInvalid = -22;

constexpr Instruction kAllow{0x06, 0, 0, 0x7fff0000U};

std::optional<std::int64_t> number(const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::Value:
      return reply.value;
    case Reply::Kind::Listener:
      return 0;
    case Reply::Kind::Thread:
    case Reply::Kind::Unknown:
      return std::nullopt;
  }
  return std::nullopt;
}

FilterArgument argument_of(const Program& program, const KernelModel& model) {
  auto checked = verifier::check(program, model);
  if (checked) return FilterArgument::of(std::move(*checked));
  return FilterArgument::refused(static_cast<std::uint16_t>(program.size()), checked.error().error);
}

std::optional<std::int64_t> set_filter(std::uint32_t bits, const KernelModel& model) {
  using State = FilterArgument::State;
  Tasks tasks(model, false, (bits & 1U) == 0);
  if ((bits & 4U) != 0) {
    (void)tasks.set_mode_filter(0, filter_flag::kNewListener, argument_of({kAllow}, model));
  }
  tasks.set_descriptors_left(0, (bits & 2U) == 0);
  FilterArgument argument;
  switch (bits >> 4U & 15U) {
    case 0:
      argument = argument_of({kAllow}, model);
      break;
    case 1:
      argument = argument_of({{0x0e, 0, 0, 0}}, model);
      break;
    case 2:
      argument = FilterArgument::refused(0);
      break;
    case 3:
      argument = FilterArgument::refused(4097);
      break;
    case 4:
      argument.state = State::NullInstructions;
      argument.length = 1;
      break;
    case 5:
      argument.state = State::UnreadableInstructions;
      argument.length = 1;
      break;
    case 6:
      argument.state = State::NullHeader;
      break;
    default:
      argument.state = State::UnreadableHeader;
      break;
  }
  return number(tasks.set_mode_filter(0, bits >> 8U, argument));
}

// The agent's programs: RET K, `count` of one instruction, RET K twice.
std::int64_t limit(std::uint32_t bits, const KernelModel& model) {
  Instruction fill{static_cast<std::uint16_t>(bits & 255U),
                   static_cast<std::uint8_t>(bits >> 8U & 1U),
                   static_cast<std::uint8_t>(bits >> 9U & 1U), 5};
  if ((bits >> 10U & 1U) != 0) fill.k = 0x80000000U;
  Program big(4096, Instruction{0x00, 0, 0, 5});
  big.front() = big.back() = kAllow;
  Tasks seven(model, true, true);
  for (int i = 0; i < 7; ++i) (void)seven.set_mode_filter(0, 0, argument_of(big, model));
  std::size_t low = 0;
  std::size_t high = 4094;
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    Program program(middle + 3, fill);
    program.front() = program[middle + 1] = program[middle + 2] = kAllow;
    Tasks tasks = seven;
    const auto got = number(tasks.set_mode_filter(0, 0, argument_of(program, model)));
    (got == 0 ? low : high) = middle;
  }
  return static_cast<std::int64_t>(low);
}

SeccompData call_of(Arch calls) {
  SeccompData data;
  data.arch = info(calls).token;
  data.nr = static_cast<std::int32_t>(info(calls).number_base);
  return data;
}

// What a return value does to one of two threads.
Outcome killed(std::uint32_t value, const KernelModel& model, Arch calls) {
  return outcome_of(value, call_of(calls), model, {.only_thread = false});
}

std::optional<std::int64_t> returned(std::uint32_t value, const KernelModel& model, Arch calls) {
  const Outcome outcome = outcome_of(value, call_of(calls), model, {});
  switch (outcome.kind) {
    case OutcomeKind::Executes:
      return 1;
    case OutcomeKind::Returns:
      return outcome.value;
    case OutcomeKind::Sigsys:
    case OutcomeKind::ThreadDies:
    case OutcomeKind::ProcessDies:
      return kProbeDied -
             (outcome.kind == OutcomeKind::Sigsys ? outcome.siginfo.signo : outcome.signal);
    case OutcomeKind::TracerDecides:
    case OutcomeKind::ListenerDecides:
    case OutcomeKind::Unknown:
      return std::nullopt;
  }
  return std::nullopt;
}

// Where every number is refused: 1 for one that passes all the same, else EPERM.
std::int64_t refused_number(std::uint32_t nr, const KernelModel& model, Arch calls) {
  SeccompData data = call_of(calls);
  data.nr = static_cast<std::int32_t>(nr);
  return is_exempt(data, model) ? 1 : -1;
}

// What the caller of getppid gets of a supervisor that replies so.
std::optional<std::int64_t> replied(std::uint32_t bits, const KernelModel& model, Arch calls) {
  Tasks tasks(model, true, true);
  const Instruction notify{0x06, 0, 0, 0x7fc00000U};
  (void)tasks.set_mode_filter(0, filter_flag::kNewListener, argument_of({notify}, model));
  const auto number = static_cast<std::int16_t>(bits & 0xffffU);
  Supervisor supervisor;
  if (bits >> 16U != 0) {
    supervisor.error = number;
  } else {
    supervisor.value = number;
  }
  const Outcome outcome =
      tasks.call(0, call_of(calls), {.tracer = {}, .supervisor = supervisor}).outcome;
  if (outcome.kind != OutcomeKind::Returns) return std::nullopt;
  return outcome.value;
}

}  // namespace

std::span<const Probe> probes() noexcept { return kProbes; }

std::optional<std::int64_t> expected(const Probe& probe, const KernelModel& model, Arch calls) {
  const Tasks tasks(model, true, true);
  switch (probe.kind) {
    case ProbeKind::SetFilter:
      return set_filter(probe.argument, model);
    case ProbeKind::ActionAvail:
      return number(tasks.get_action_avail(0, probe.argument));
    case ProbeKind::NotifSizes: {
      const auto got = number(tasks.get_notif_sizes(probe.argument, true));
      return got == 0 ? 80'024'064 : got;
    }
    case ProbeKind::Operation:
      if (probe.argument == seccomp_op::kGetActionAvail) {
        return number(tasks.get_action_avail(0, std::nullopt));
      }
      if (probe.argument == seccomp_op::kGetNotifSizes) {
        return number(tasks.get_notif_sizes(0, false));
      }
      return number(tasks.unknown_operation());
    case ProbeKind::Limit:
      return limit(probe.argument, model);
    case ProbeKind::Returned:
      return returned(probe.argument, model, calls);
    case ProbeKind::Number:
      return refused_number(probe.argument, model, calls);
    case ProbeKind::HighNumber:
      if (calls != Arch::X86_64) return std::nullopt;
      return model.has(Feature::HighNumberBits) ? 1 : -38;
    case ProbeKind::DeadMode:
      return model.has(Feature::DeadMode) ? 3 : 2;
    case ProbeKind::LeaderStatus:
      return model.has(Feature::LeaderStatus) ? 7 : kProbeDied - killed(0, model, calls).signal;
    case ProbeKind::Thread: {
      const Outcome outcome = killed(probe.argument, model, calls);
      return outcome.kind == OutcomeKind::ThreadDies ? 7 : kProbeDied - outcome.signal;
    }
    case ProbeKind::Core:
      return model.has(Feature::CoreOfLastThread) ? 1 : 0;
    case ProbeKind::AddFd:
      if (probe.argument == 0) return 0;
      return probe.argument == 2 && model.has(Feature::AddfdSend) ? 0 : kInvalid;
    case ProbeKind::ListenerFlags:
      return probe.argument == 1 && model.has(Feature::SyncWakeUp) ? 0 : kInvalid;
    case ProbeKind::ReceiveFromNobody:
      return model.has(Feature::ReceiveEnds) ? kNoEntry : kInterrupted;
    case ProbeKind::ReceiveInto:
      return probe.argument == 0 ? 0 : kInvalid;
    case ProbeKind::Reply:
      return replied(probe.argument, model, calls);
  }
  return std::nullopt;
}

}  // namespace callgate::lab
