#include "harness/live/child.hpp"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>

namespace callgate::live {
namespace {

using Clock = std::chrono::steady_clock;

// After SIGKILL a child that the kernel does not hold is gone at once; milliseconds.
constexpr int kBurial = 5'000;
constexpr int kSlice = 200;

struct FilterProgram {  // struct sock_fprog
  std::uint16_t length;
  const Instruction* filter;
};

// Waits for the child's end, a slice of time at most.
bool ended(pid_t pid, int pidfd, int milliseconds, int& status) {
  if (pidfd >= 0) {
    pollfd descriptor{pidfd, POLLIN, 0};
    poll(&descriptor, 1, milliseconds);
  } else {
    usleep(1000);
  }
  const pid_t reaped = waitpid(pid, &status, WNOHANG);
  return reaped == pid || (reaped < 0 && errno == ECHILD);
}

}  // namespace

SharedMemory::SharedMemory(std::size_t size, Descriptor descriptor) : size_(size) {
  int flags = MAP_SHARED | MAP_ANONYMOUS;
  if (descriptor == Descriptor::Yes) {
    flags = MAP_SHARED;
    descriptor_ = memfd_create("callgate", MFD_CLOEXEC);
    if (descriptor_ < 0 || ftruncate(descriptor_, static_cast<off_t>(size)) != 0) {
      if (descriptor_ >= 0) close(descriptor_);
      throw std::bad_alloc();
    }
  }
  data_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, descriptor_, 0);
  if (data_ != MAP_FAILED) return;
  if (descriptor_ >= 0) close(descriptor_);
  throw std::bad_alloc();
}

SharedMemory::~SharedMemory() {
  munmap(data_, size_);
  if (descriptor_ >= 0) close(descriptor_);
}

ChildEnd run_child(const std::function<void()>& work, const volatile std::uint64_t* progress,
                   int patience_milliseconds) {
  const pid_t parent = getpid();
  // Read before the child is there: a busy machine may run it first for a good while.
  auto moved_at = Clock::now();
  std::uint64_t last = *progress;
  const pid_t pid = fork();
  if (pid < 0) return {.status = -1};
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    work();
    raw::call(SYS_exit_group, 0);
    _exit(0);
  }
  const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  ChildEnd end;
  for (;;) {
    if (ended(pid, pidfd, kSlice, end.status)) {
      end.exited = WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0;
      break;
    }
    const std::uint64_t now = *progress;
    if (now != last) {
      last = now;
      moved_at = Clock::now();
      continue;
    }
    if (Clock::now() - moved_at < std::chrono::milliseconds(patience_milliseconds)) continue;
    end.deadline = true;
    kill(pid, SIGKILL);
    for (int waited = 0; waited < kBurial && !ended(pid, pidfd, kSlice, end.status);) {
      waited += kSlice;
    }
    break;
  }
  if (pidfd >= 0) close(pidfd);
  return end;
}

std::optional<LiveError> what_went_wrong(const ChildEnd& end, int setup_error) {
  if (setup_error != 0) {
    const char* const name = strerrorname_np(setup_error);
    return LiveError{fmt::format("this process may not install filters: {}",
                                 name != nullptr ? name : fmt::format("errno {}", setup_error)),
                     LiveFault::FiltersDenied};
  }
  if (end.exited) return std::nullopt;
  if (end.deadline) {
    return LiveError{"the running kernel gives no answer within the deadline", LiveFault::Deadline};
  }
  if (end.status == -1) return LiveError{"no process can be started"};
  return LiveError{fmt::format("the asking child died (wait status 0x{:x})", end.status)};
}

int allow_filters() noexcept {
  // A program that no check refuses, from an address that cannot be read: EFAULT where filters are
  // allowed, EACCES where they are not.
  const FilterProgram probe{1, reinterpret_cast<const Instruction*>(8)};
  const long may =
      raw::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, reinterpret_cast<unsigned long>(&probe));
  if (may != -EACCES) return may == -EFAULT ? 0 : static_cast<int>(-may);
  return static_cast<int>(-raw::call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1));
}

long install(const Instruction* program, std::size_t length, unsigned long flags,
             unsigned long sixth) noexcept {
  const FilterProgram given{static_cast<std::uint16_t>(length), program};
  return raw::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags,
                   reinterpret_cast<unsigned long>(&given), 0, 0, sixth);
}

Pace::Pace(Priority priority) noexcept {
  if (priority == Priority::Lowest) raw::call(SYS_setpriority, PRIO_PROCESS, 0, 19);
}

void Pace::step(std::uint64_t filters) noexcept {
  constexpr std::uint64_t kEvery = 64;
  const bool pause = (made_ + filters) / kEvery != made_ / kEvery;
  made_ += filters;
  if (!pause) return;
  const timespec nap{0, 20'000};
  raw::call(SYS_nanosleep, reinterpret_cast<unsigned long>(&nap), 0);
}

}  // namespace callgate::live
