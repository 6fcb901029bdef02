#include "harness/live/asker.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace callgate::live {
namespace {

struct Asking {
  const Questions* questions;
  std::size_t first;
};

// Runs in a child that shares its memory: installs, calls, ends by a trap.
CALLGATE_IN_CHILD void ask(void* argument) {
  const auto* const asking = static_cast<const Asking*>(argument);
  const Questions& q = *asking->questions;
  raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  for (std::size_t i = 0; i < q.filter_count; ++i) {
    const long result = install(q.filters[i].instructions, q.filters[i].length, 0, kPass);
    if (result != 0) {
      *q.install_error = static_cast<std::int32_t>(-result);
      raw::callgate_live_end();
    }
    *q.installed = i + 1;
  }
  for (std::size_t i = asking->first; i < q.calls; ++i) {
    *q.at = i;
    q.results[i] = static_cast<std::int64_t>(raw::callgate_live_call(&q.registers[i]));
    q.replies[i] = Reply::Returned;
  }
  *q.at = q.calls;
  raw::callgate_live_end();
}

}  // namespace

void ask_in_children(const Questions& questions, std::byte* stack, Pace& pace) {
  // A call that kills by anything but a filter is a fault of ours: not tried for ever.
  constexpr int kMaxLost = 8;
  int lost = 0;
  Asking asking{&questions, 0};
  do {  // once at least: whether the filters are taken is an answer too
    *questions.at = asking.first;
    const long pid = raw::callgate_live_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, stack + kAskerStack,
                                              ask, &asking);
    if (pid < 0) return;
    int status = 0;
    raw::call(SYS_wait4, static_cast<unsigned long>(pid), reinterpret_cast<unsigned long>(&status),
              __WALL);
    *questions.progress = *questions.progress + 1;
    pace.step(questions.filter_count);
    const std::size_t at = *questions.at;
    if (*questions.install_error != 0 || at >= questions.calls) return;
    const bool by_sigsys = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    if (!by_sigsys) ++lost;
    const std::size_t group = at / questions.group * questions.group;
    for (std::size_t i = group; i < group + questions.group; ++i) {
      questions.replies[i] = by_sigsys ? Reply::DiedBySigsys : Reply::DiedOtherwise;
    }
    asking.first = group + questions.group;
  } while (asking.first < questions.calls && lost < kMaxLost);
}

}  // namespace callgate::live
