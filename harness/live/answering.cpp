#include "harness/live/answering.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>

#include "harness/live/surrounded.hpp"
#include "vm/arches.hpp"

namespace callgate::live {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSeccompStop = SIGTRAP | PTRACE_EVENT_SECCOMP << 8;
constexpr unsigned kPidfdThread = O_EXCL;  // PIDFD_THREAD, since 6.9

bool may_execute(std::int32_t nr) {
  return nr < 0 || is_harmless({.nr = nr, .arch = info(Arch::X86_64).token});
}

}  // namespace

int AnsweringTracer::attach() {
  if (ptrace(PTRACE_SEIZE, thread_, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) != 0) {
    return errno;
  }
  attached_ = true;
  return 0;
}

// The next change of the thread, if there is one.
std::optional<int> AnsweringTracer::next() {
  int status = 0;
  if (!attached_) return std::nullopt;
  const pid_t got = waitpid(thread_, &status, WNOHANG | __WALL);
  if (got < 0) attached_ = false;
  if (got != thread_) return std::nullopt;
  return status;
}

std::optional<int> AnsweringTracer::look() {
  const auto status = next();
  if (!status) return std::nullopt;
  if (WIFSTOPPED(*status)) {
    stopped(*status);
    return std::nullopt;
  }
  attached_ = false;
  return status;
}

void AnsweringTracer::stopped(int status) {
  if (status >> 8 == kSeccompStop) {
    answer_stop();
    ptrace(PTRACE_CONT, thread_, 0, 0);
    return;
  }
  const bool of_signal = status >> 16 == 0;
  const long signal = of_signal ? WSTOPSIG(status) : 0;
  // At a signal's stop too the thread may be let go: it meets the signal then.
  if (letting_go_) {
    if (ptrace(PTRACE_DETACH, thread_, 0, signal) == 0) attached_ = false;
    return;
  }
  ptrace(PTRACE_CONT, thread_, 0, signal);
}

void AnsweringTracer::answer_stop() {
  asked_ = true;
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, thread_, 0, &registers) != 0) return;
  const auto own = static_cast<std::int32_t>(registers.orig_rax);
  const std::int32_t becomes = answer_.nr.value_or(own);
  harmful_ = (becomes != own || answer_.args) && !may_execute(becomes);
  // Of all 64 bits the kernel takes the lower 32, as a signed number.
  registers.orig_rax = static_cast<unsigned long long>(std::int64_t{harmful_ ? -1 : becomes});
  if (answer_.value) registers.rax = static_cast<unsigned long long>(*answer_.value);
  if (answer_.args) {
    const auto& args = *answer_.args;
    registers.rdi = args[0];
    registers.rsi = args[1];
    registers.rdx = args[2];
    registers.r10 = args[3];
    registers.r8 = args[4];
    registers.r9 = args[5];
  }
  ptrace(PTRACE_SETREGS, thread_, 0, &registers);
}

std::optional<int> AnsweringTracer::detach(int milliseconds) {
  letting_go_ = true;
  const auto start = Clock::now();
  if (attached_) ptrace(PTRACE_INTERRUPT, thread_, 0, 0);
  while (attached_ && Clock::now() - start < std::chrono::milliseconds(milliseconds)) {
    if (const auto status = look()) return status;
    if (attached_) usleep(20);
  }
  return std::nullopt;
}

AnsweringSupervisor::~AnsweringSupervisor() {
  if (listener_ >= 0) close(listener_);
}

int AnsweringSupervisor::take(pid_t process, pid_t thread, int descriptor) {
  // The first thread of a process may have ended, and holds nothing then.
  auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, thread, kPidfdThread));
  if (pidfd < 0) pidfd = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  if (pidfd < 0) return errno;
  listener_ = static_cast<int>(syscall(SYS_pidfd_getfd, pidfd, descriptor, 0));
  const int error = listener_ < 0 ? errno : 0;
  close(pidfd);
  return error;
}

GivenFd AnsweringSupervisor::give(const AddFd& addfd, std::uint64_t id) const {
  // The struct may be said to be larger than it is: what follows is zero.
  union {
    seccomp_notif_addfd fields;
    std::array<std::byte, 1U << _IOC_SIZEBITS> bytes{};
  } request;
  request.fields.id = addfd.right_id ? id : ~id;
  request.fields.flags = addfd.flags;
  request.fields.newfd = addfd.new_fd;
  request.fields.newfd_flags = addfd.new_fd_flags;
  const int source = eventfd(0, EFD_CLOEXEC);
  if (source < 0) return {.error = errno};
  request.fields.srcfd = addfd.source_open ? static_cast<std::uint32_t>(source) : ~0U;
  const unsigned long number = _IOC(_IOC_WRITE, SECCOMP_IOC_MAGIC, 3, addfd.size);
  const int got = ioctl(listener_, number, &request);
  const GivenFd given = got < 0 ? GivenFd{.error = errno} : GivenFd{.descriptor = got};
  close(source);
  return given;
}

void AnsweringSupervisor::look() {
  if (listener_ < 0) return;
  pollfd readable{listener_, POLLIN, 0};
  if (poll(&readable, 1, 0) != 1 || (readable.revents & POLLIN) == 0) return;
  seccomp_notif notification{};
  if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0) return;
  notified_ = notification.data.nr;
  seccomp_notif_resp response{};
  response.id = notification.id;
  if (answer_ && answer_->addfd) {
    given_ = give(*answer_->addfd, notification.id);
    const bool replied = given_->error == 0 && (answer_->addfd->flags & addfd_flag::kSend) != 0;
    if (replied) return;
  }
  if (answer_ && answer_->replies) {
    response.val = answer_->value;
    response.error = answer_->error;
    response.flags = answer_->continues ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
    if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0) return;
    send_error_ = errno;
  }
  waited_ = true;
  response = {};
  response.id = notification.id;
  ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

}  // namespace callgate::live
