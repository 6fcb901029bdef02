#include "harness/live/value_oracle.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>

#include "vm/arches.hpp"

namespace callgate::live {
namespace {

constexpr std::array<std::uint32_t, 3> kShifts = {0, 12, 24};
constexpr std::uint16_t kNotAsked = 0xffff;
constexpr std::uint16_t kNoErrno = 0xfffe;  // the call gave something that no errno is
constexpr std::uint16_t kDied = 0xfffd;     // by SIGSYS: the program returned 0

constexpr std::uint16_t kLdAbs = 0x20;
constexpr std::uint16_t kLdImm = 0x00;
constexpr std::uint16_t kLdMem = 0x60;
constexpr std::uint16_t kSt = 0x02;
constexpr std::uint16_t kTax = 0x07;
constexpr std::uint16_t kRshX = 0x7c;
constexpr std::uint16_t kRshK = 0x74;
constexpr std::uint16_t kAndK = 0x54;
constexpr std::uint16_t kOrK = 0x44;
constexpr std::uint16_t kJa = 0x05;
constexpr std::uint16_t kRetK = 0x06;
constexpr std::uint16_t kRetA = 0x16;

// The argument whose low word (little endian: the first) the program does not read, or -1.
int unread_argument(std::span<const Instruction> program) {
  std::uint32_t read = 0;
  for (const Instruction& i : program) {
    if (i.code == kLdAbs && i.k < kSeccompDataSize) read |= 1U << (i.k / 4);
  }
  for (int argument = 5; argument >= 0; --argument) {
    if ((read >> (4 + 2 * argument) & 1U) == 0) return argument;
  }
  return -1;
}

// One program in the form that the child installs, and its calls.
struct Prepared {
  std::array<Program, 3> programs;  // one, or one for each shift
  int selector = -1;
  std::vector<raw::Registers> registers;
  std::uint16_t* codes = nullptr;  // shared: three for each call
  volatile std::int32_t* install_error = nullptr;
};

std::uint64_t* selector_register(raw::Registers& r, int argument, bool int80) {
  const std::array<std::uint64_t*, 6> by_syscall = {&r.rdi, &r.rsi, &r.rdx, &r.r10, &r.r8, &r.r9};
  const std::array<std::uint64_t*, 6> by_int80 = {&r.rbx, &r.rcx, &r.rdx, &r.rsi, &r.rdi, &r.rbp};
  return (int80 ? by_int80 : by_syscall)[static_cast<std::size_t>(argument)];
}

struct Shared {
  volatile std::uint64_t progress;
  volatile int setup;
  volatile std::uint64_t at;  // the call that the asking child is at
};

// What the asking child needs; it lives on the server's stack.
struct Asking {
  const Instruction* program;
  std::size_t length;
  const raw::Registers* registers;  // one for each call and shift
  std::size_t calls;
  std::size_t first;
  std::size_t shift_from;  // which of the three codes: all, or one
  std::size_t shift_to;
  std::uint16_t* codes;
  volatile std::int32_t* install_error;
  Shared* shared;
};

// Runs in a child that shares its memory: installs, calls, ends by a trap.
CALLGATE_IN_CHILD void ask(void* argument) {
  const auto* const asking = static_cast<const Asking*>(argument);
  raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  const long error = install(asking->program, asking->length);
  *asking->install_error = static_cast<std::int32_t>(-error);
  if (error == 0) {
    for (std::size_t i = asking->first; i < asking->calls; ++i) {
      asking->shared->at = i;
      for (std::size_t shift = asking->shift_from; shift < asking->shift_to; ++shift) {
        const auto result =
            static_cast<std::int64_t>(raw::callgate_live_call(&asking->registers[3 * i + shift]));
        // By int 0x80 only the low half is the result.
        const std::int64_t code = -static_cast<std::int64_t>(static_cast<std::int32_t>(result));
        asking->codes[3 * i + shift] =
            code >= 0 && code <= 4095 ? static_cast<std::uint16_t>(code) : kNoErrno;
      }
    }
  }
  asking->shared->at = asking->calls;
  raw::callgate_live_end();
}

constexpr std::size_t kStack = 64 * 1024;

// Asks one rewritten program about all calls; a new child after each one that died.
void serve(Asking asking, std::byte* stack, Pace& pace) {
  constexpr int kMaxLost = 8;
  int lost = 0;
  while (asking.first < asking.calls && lost < kMaxLost) {
    asking.shared->at = asking.first;
    const long pid =
        raw::callgate_live_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, stack + kStack, ask, &asking);
    if (pid < 0) return;
    int status = 0;
    raw::call(SYS_wait4, static_cast<unsigned long>(pid), reinterpret_cast<unsigned long>(&status),
              __WALL);
    asking.shared->progress = asking.shared->progress + 1;
    pace.step();
    const std::size_t at = asking.shared->at;
    if (*asking.install_error != 0 || at >= asking.calls) return;
    const bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    if (!died) ++lost;
    for (std::size_t shift = asking.shift_from; shift < asking.shift_to; ++shift) {
      asking.codes[3 * at + shift] = died ? kDied : kNotAsked;
    }
    asking.first = at + 1;
  }
}

// What the three codes of a call say.
void decode(const std::uint16_t* codes, Value& value) {
  if (codes[0] == kDied && codes[1] == kDied && codes[2] == kDied) {
    value.state = Value::State::Known;
    value.value = 0;
    return;
  }
  for (std::size_t shift = 0; shift < kShifts.size(); ++shift) {
    if (codes[shift] > 4095) {
      value.state = Value::State::Lost;
      value.why = codes[shift] == kNoErrno ? "the call returned what no errno is"
                                           : "the asking child died before it had an answer";
      return;
    }
  }
  value.state = Value::State::Known;
  value.value = static_cast<std::uint32_t>(codes[0]) | static_cast<std::uint32_t>(codes[1]) << 12U |
                static_cast<std::uint32_t>(codes[2]) << 24U;
}

}  // namespace

Rewritten rewrite(std::span<const Instruction> program, std::uint32_t shift) {
  Rewritten out;
  out.selector = unread_argument(program);
  Program& body = out.program;
  body.assign(program.begin(), program.end());
  // Each return jumps to the common end; one of a constant by way of a load of it.
  std::size_t constants = 0;
  for (const Instruction& i : program) constants += i.code == kRetK ? 1 : 0;
  const std::size_t end = program.size() + 2 * constants;
  std::size_t next = program.size();
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Instruction i = program[at];
    if (i.code == kRetK) {
      body[at] = {kJa, 0, 0, static_cast<std::uint32_t>(next - at - 1)};
      body.push_back({kLdImm, 0, 0, i.k});
      body.push_back({kJa, 0, 0, static_cast<std::uint32_t>(end - next - 2)});
      next += 2;
    } else if (i.code == kRetA) {
      body[at] = {kJa, 0, 0, static_cast<std::uint32_t>(end - at - 1)};
    }
  }
  if (out.selector >= 0) {
    const auto offset = static_cast<std::uint32_t>(16 + 8 * out.selector);
    body.insert(body.end(), {{kSt, 0, 0, 15},
                             {kLdAbs, 0, 0, offset},
                             {kTax, 0, 0, 0},
                             {kLdMem, 0, 0, 15},
                             {kRshX, 0, 0, 0}});
  } else {
    body.push_back({kRshK, 0, 0, shift});
  }
  body.insert(body.end(), {{kAndK, 0, 0, 0xfff}, {kOrK, 0, 0, 0x50000}, {kRetA, 0, 0, 0}});
  if (body.size() > kMaxProgramLength) body.clear();
  return out;
}

std::expected<std::vector<ValueAnswer>, LiveError> values(std::span<const ValueJob> jobs,
                                                          CallSites& sites) {
  std::vector<ValueAnswer> answers(jobs.size());
  std::vector<Prepared> prepared(jobs.size());
  std::size_t calls = 0;
  for (const ValueJob& job : jobs) calls += job.calls.size();
  // Shared: counters, an errno for each program, three codes for each call.
  const std::size_t errors_at = sizeof(Shared);
  const std::size_t codes_at = errors_at + jobs.size() * sizeof(std::int32_t);
  const SharedMemory memory(codes_at + 3 * calls * sizeof(std::uint16_t) + kStack);
  auto* const shared = memory.as<Shared>();
  auto* codes = memory.as<std::uint16_t>(codes_at);
  for (std::size_t i = 0; i < 3 * calls; ++i) codes[i] = kNotAsked;

  for (std::size_t j = 0; j < jobs.size(); ++j) {
    Prepared& here = prepared[j];
    ValueAnswer& answer = answers[j];
    here.install_error = memory.as<std::int32_t>(errors_at) + j;
    for (std::size_t s = 0; s < kShifts.size(); ++s) {
      Rewritten rewritten = rewrite(jobs[j].program, kShifts[s]);
      here.selector = rewritten.selector;
      here.programs[s] = std::move(rewritten.program);
      if (here.selector >= 0) break;
    }
    if (here.programs[0].empty()) {
      answer.why = "the rewritten program has no room in 4096 instructions";
      continue;
    }
    here.codes = codes;
    for (const Call& call : jobs[j].calls) {
      const auto reached = sites.reach(call);
      Value& value = answer.values.emplace_back();
      if (!reached) {
        value.state = Value::State::NotReachable;
        value.data = call.data;
        value.why = reached.error();
        continue;
      }
      value.data = reached->data;
      const bool int80 = call.data.arch == info(Arch::X86).token;
      for (const std::uint32_t shift : kShifts) {
        raw::Registers registers = reached->registers;
        if (here.selector >= 0) {
          std::uint64_t& selector = *selector_register(registers, here.selector, int80);
          selector = (selector & ~std::uint64_t{0xffffffffU}) | shift;
        }
        here.registers.push_back(registers);
      }
      codes += 3;
    }
  }

  std::byte* const stack = memory.as<std::byte>(codes_at + 3 * calls * sizeof(std::uint16_t));
  const ChildEnd end = run_child(
      [&] {
        shared->setup = allow_filters();
        if (shared->setup != 0) return;
        // Its children share its memory: a dump of one of them would take the server along.
        raw::call(SYS_prctl, PR_SET_DUMPABLE, 0);
        Pace pace;
        for (const Prepared& here : prepared) {
          if (here.codes == nullptr) continue;
          Asking asking{.program = here.programs[0].data(),
                        .length = here.programs[0].size(),
                        .registers = here.registers.data(),
                        .calls = here.registers.size() / 3,
                        .first = 0,
                        .shift_from = 0,
                        .shift_to = kShifts.size(),
                        .codes = here.codes,
                        .install_error = here.install_error,
                        .shared = shared};
          if (here.selector >= 0) {
            serve(asking, stack, pace);
            continue;
          }
          for (std::size_t shift = 0; shift < kShifts.size(); ++shift) {
            asking.program = here.programs[shift].data();
            asking.length = here.programs[shift].size();
            asking.shift_from = shift;
            asking.shift_to = shift + 1;
            serve(asking, stack, pace);
          }
        }
      },
      &shared->progress);
  if (shared->setup != 0) {
    return std::unexpected(LiveError{
        fmt::format("filters cannot be installed: errno {}", static_cast<int>(shared->setup))});
  }
  if (!end.exited) {
    return std::unexpected(LiveError{
        end.deadline ? "the kernel does not answer within its deadline"
                     : fmt::format("the serving child died (status 0x{:x})", end.status)});
  }
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    ValueAnswer& answer = answers[j];
    if (!answer.why.empty()) continue;
    answer.install_error = *prepared[j].install_error;
    const std::uint16_t* code = prepared[j].codes;
    for (Value& value : answer.values) {
      if (value.state == Value::State::NotReachable) continue;
      if (answer.install_error == 0) {
        decode(code, value);
      } else {
        value.why = "the program was refused";
      }
      code += 3;
    }
  }
  return answers;
}

}  // namespace callgate::live
