#include "harness/live/asker.hpp"

#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness/live/call_sites.hpp"

namespace callgate::live {
namespace {

struct Asking {
  const Questions* questions;
  std::size_t count;
  std::size_t begin;           // the question to begin with
  std::size_t first;           // its call to begin with
  volatile std::uint64_t now;  // the question being asked; `count` when all are done
  long parent;                 // who reaps the asking process
};

CALLGATE_IN_CHILD raw::Registers registers_of(const Questions& q, std::size_t call) {
  constexpr std::uint64_t kLowWord = 0xffffffffU;
  if (q.selector == nullptr) return registers_for(*q.asked[call]);
  SeccompData data = *q.asked[call / q.group];
  std::uint64_t& selector = data.args[*q.selector];
  selector = (selector & ~kLowWord) | 12 * (call % q.group);
  return registers_for(data);
}

CALLGATE_IN_CHILD void ask_one(const Questions& q, std::size_t first) {
  for (std::size_t i = 0; i < q.filter_count; ++i) {
    const long result = install(q.filters[i], q.supervision);
    if (result != 0) {
      *q.install_error = static_cast<std::int32_t>(-result);
      raw::callgate_live_end();
    }
    *q.installed = i + 1;
  }
  for (std::size_t i = first; i < q.calls; ++i) {
    *q.at = i;
    const raw::Registers registers = registers_of(q, i);
    q.results[i] = static_cast<std::int64_t>(raw::callgate_live_call(&registers));
    q.replies[i] = Reply::Returned;
  }
}

// Runs in a child that shares its memory: installs, calls, ends by a trap.
CALLGATE_IN_CHILD void ask(void* argument) {
  auto* const asking = static_cast<Asking*>(argument);
  raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before; then nobody would answer a notification, ever.
  if (raw::call(SYS_getppid) != asking->parent) raw::callgate_live_end();
  for (std::size_t i = asking->begin; i < asking->count; ++i) {
    asking->now = i;
    ask_one(asking->questions[i], i == asking->begin ? asking->first : 0);
  }
  asking->now = asking->count;
  raw::callgate_live_end();
}

}  // namespace

long install(const Filter& filter, Supervision* supervision) {
  const long result = install(filter.instructions, filter.length,
                              filter.listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, kPass);
  if (!filter.listener || result < 0) return result;
  supervision->listener = result;
  return 0;
}

// A is 0 again at its end by `and #0`: the kernel's cache of constant actions knows no `ld #0`.
Program passing(const Program& program) {
  constexpr auto kLow = static_cast<std::uint32_t>(kPass);
  constexpr auto kHigh = static_cast<std::uint32_t>(kPass >> 32U);
  Program out = {
      {0x20, 0, 0, 0},  {0x15, 0, 5, SYS_seccomp}, {0x20, 0, 0, 56},          {0x15, 0, 3, kLow},
      {0x20, 0, 0, 60}, {0x15, 0, 1, kHigh},       {0x06, 0, 0, 0x7fff0000U}, {0x54, 0, 0, 0}};
  out.insert(out.end(), program.begin(), program.end());
  return out;
}

bool may_pass(const SeccompData& data) { return data.nr == SYS_seccomp && data.args[5] == kPass; }

void ask_in_children(const Questions* questions, std::size_t count, std::byte* stack, Pace& pace) {
  // A call that kills by anything but a filter is a fault of ours: not tried for ever.
  constexpr int kMaxLost = 8;
  int lost = 0;
  Asking asking{questions, count, 0, 0, 0, raw::call(SYS_getpid)};
  while (asking.begin < count && lost < kMaxLost) {
    const Questions& first = questions[asking.begin];
    *first.at = asking.first;
    asking.now = asking.begin;
    // The supervisor finds a listener in the table of descriptors that they share.
    const unsigned long shared = first.supervision != nullptr ? CLONE_FILES : 0;
    const long pid = raw::callgate_live_clone(CLONE_VM | CLONE_VFORK | SIGCHLD | shared,
                                              stack + kAskerStack, ask, &asking);
    if (pid < 0) return;
    int status = 0;
    raw::call(SYS_wait4, static_cast<unsigned long>(pid), reinterpret_cast<unsigned long>(&status),
              __WALL);
    if (first.supervision != nullptr && first.supervision->listener >= 0) {
      const auto listener = static_cast<unsigned long>(first.supervision->listener);
      first.supervision->listener = -1;
      raw::call(SYS_close, listener);
    }
    *first.progress = *first.progress + 1;
    const std::size_t now = asking.now;
    for (std::size_t i = asking.begin; i < count && i <= now; ++i) {
      pace.step(questions[i].filter_count);
    }
    if (now >= count) return;
    if (now != asking.begin) {  // again, with nothing below it
      *questions[now].install_error = 0;
      asking.begin = now;
      asking.first = 0;
      continue;
    }
    const Questions& q = questions[now];
    if (*q.install_error != 0) {
      asking.begin = now + 1;
      asking.first = 0;
      continue;
    }
    const bool by_sigsys = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    if (!by_sigsys) ++lost;
    const std::size_t at = *q.at;
    if (at >= q.calls) {  // dead before its first call, if it has any
      asking.begin = now + 1;
      asking.first = 0;
      continue;
    }
    const std::size_t group = at / q.group * q.group;
    for (std::size_t i = group; i < group + q.group; ++i) {
      q.replies[i] = by_sigsys ? Reply::DiedBySigsys : Reply::DiedOtherwise;
    }
    asking.first = group + q.group;
    if (asking.first >= q.calls) {
      asking.begin = now + 1;
      asking.first = 0;
    }
  }
}

}  // namespace callgate::live
