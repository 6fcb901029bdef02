#include "harness/live/supervision.hpp"

#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <ctime>

namespace callgate::live {
namespace {

static_assert(sizeof(::seccomp_data) == sizeof(SeccompData));

}  // namespace

void supervise(Supervision& supervision) {
  timespec moment{0, 100'000};
  const std::int64_t listener = supervision.listener;
  if (listener < 0) {
    raw::call(SYS_nanosleep, reinterpret_cast<unsigned long>(&moment), 0);
    return;
  }
  pollfd readable{static_cast<int>(listener), POLLIN, 0};
  const long ready = raw::call(SYS_ppoll, reinterpret_cast<unsigned long>(&readable), 1,
                               reinterpret_cast<unsigned long>(&moment), 0, 0);
  if (ready <= 0) return;
  if ((readable.revents & POLLIN) == 0) {  // nobody is left who could ask
    raw::call(SYS_nanosleep, reinterpret_cast<unsigned long>(&moment), 0);
    return;
  }
  seccomp_notif notification{};
  const auto descriptor = static_cast<unsigned long>(listener);
  if (raw::call(SYS_ioctl, descriptor, SECCOMP_IOCTL_NOTIF_RECV,
                reinterpret_cast<unsigned long>(&notification)) != 0) {
    return;
  }
  if (const std::uint64_t at = *supervision.at; at < supervision.calls) {
    SeccompData& seen = supervision.notified[at];
    seen.nr = notification.data.nr;
    seen.arch = notification.data.arch;
    seen.instruction_pointer = notification.data.instruction_pointer;
    for (std::size_t i = 0; i < 6; ++i) seen.args[i] = notification.data.args[i];
    if (supervision.times[at] < 255) {
      supervision.times[at] = static_cast<std::uint8_t>(supervision.times[at] + 1);
    }
  }
  seccomp_notif_resp answer{};
  answer.id = notification.id;
  answer.val = kSupervised;
  raw::call(SYS_ioctl, descriptor, SECCOMP_IOCTL_NOTIF_SEND,
            reinterpret_cast<unsigned long>(&answer));
}

}  // namespace callgate::live
