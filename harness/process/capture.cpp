#include "harness/process/capture.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vm/syscalls.hpp"

namespace callgate::process {
namespace {

// <linux/prctl.h>, <linux/seccomp.h>
constexpr std::uint64_t kPrSetSeccomp = 22;
constexpr std::uint64_t kModeStrict = 1;
constexpr std::uint64_t kModeFilter = 2;
constexpr std::uint64_t kSetModeStrict = 0;
constexpr std::uint64_t kSetModeFilter = 1;
constexpr std::uint64_t kTsync = 1;

// More tasks with filters than are worth listing.
constexpr std::size_t kMostTasks = 100'000;

// The installation that a call asks for, without what is read from the process.
std::optional<Install> install_of(const SeccompData& call, std::uint64_t& address) {
  const auto arch = arch_of_call(call.arch, static_cast<std::uint32_t>(call.nr));
  if (!arch) return std::nullopt;
  const auto nr = static_cast<std::uint32_t>(call.nr);
  Install out;
  out.arch = arch;
  // Both take 32 bits of what chooses the operation on a 32-bit ABI, prctl's `int option` always;
  // mode is an unsigned long.
  const bool narrow = info(*arch).bits == 32;
  const auto word = [&](std::size_t i) {
    return narrow ? call.args[i] & 0xffffffffU : call.args[i];
  };
  address = word(2);
  if (nr == syscall_number(*arch, "prctl")) {
    if ((call.args[0] & 0xffffffffU) != kPrSetSeccomp) return std::nullopt;
    if (word(1) != kModeStrict && word(1) != kModeFilter) return std::nullopt;
    out.how = Install::How::Prctl;
    out.strict = word(1) == kModeStrict;
    return out;
  }
  if (nr == syscall_number(*arch, "seccomp")) {
    const std::uint64_t operation = call.args[0] & 0xffffffffU;
    if (operation != kSetModeStrict && operation != kSetModeFilter) return std::nullopt;
    out.how = Install::How::Seccomp;
    out.strict = operation == kSetModeStrict;
    out.flags = call.args[1] & 0xffffffffU;  // an unsigned int
    return out;
  }
  return std::nullopt;
}

// Which task has which filters.
class Catcher final : public Observer {
 public:
  Catcher(std::span<const std::string> command, const CaptureLimits& limits) : limits_(limits) {
    capture_.command.assign(command.begin(), command.end());
    if (const auto own = task_status(getpid())) capture_.inherited = own->filters.value_or(0);
  }

  void started(pid_t tid, pid_t creator) override {
    CapturedTask task;
    task.tid = tid;
    task.creator = creator;
    if (const auto parent = tasks_.find(creator); parent != tasks_.end()) {
      task.filters = parent->second.filters;
      task.strict = parent->second.strict;
    }
    describe(task);
    tasks_[tid] = std::move(task);
  }

  void entered(pid_t tid, const SeccompData& call) override {
    std::uint64_t address = 0;
    auto install = install_of(call, address);
    if (!install) return;
    install->tid = tid;
    if (const auto status = task_status(tid)) {
      install->pid = status->pid;
      install->comm = status->comm;
    }
    if (!install->strict) {
      install->program = read_sock_fprog(tid, address, info(*install->arch).bits);
    }
    install->backtrace = backtrace(tid, call);
    pending_[tid] = capture_.installs.size();
    capture_.installs.push_back(std::move(*install));
  }

  void left(pid_t tid, std::int64_t result) override {
    const auto found = pending_.find(tid);
    if (found == pending_.end()) return;
    const std::size_t at = found->second;
    pending_.erase(found);
    Install& install = capture_.installs[at];
    install.result = result;
    ++returned_;
    if (!install.installed()) return;
    CapturedTask& task = tasks_[tid];
    if (install.strict) {
      task.strict = true;
      return;
    }
    // What the kernel took, where it tells: another thread may have changed the memory meanwhile.
    if (const auto status = task_status(tid); status && status->filters && *status->filters > 0) {
      FilterOrError taken = get_filter(tid, *status->filters - 1);
      if (taken.error == 0) install.program = std::move(taken.program);
    }
    task.filters.push_back(at);
    if ((install.flags & kTsync) == 0) return;
    for (auto& [other, each] : tasks_) {
      if (each.pid == task.pid) each.filters = task.filters;
    }
  }

  void executed(pid_t tid, pid_t former) override {
    if (former != tid) {
      CapturedTask moved = std::move(tasks_[former]);
      tasks_.erase(former);
      keep(tid);
      moved.tid = tid;
      tasks_[tid] = std::move(moved);
    }
    describe(tasks_[tid]);
    order_[tid] = ++clock_;
  }

  void ending(pid_t tid) override {
    CapturedTask& task = tasks_[tid];
    describe(task);
    const auto status = task_status(tid);
    if (!status || !status->filters) return;
    const std::size_t own = *status->filters - std::min(capture_.inherited, *status->filters);
    if (own != task.filters.size()) task.counted = own;
  }

  void ended(pid_t tid, const TaskEnd& /*end*/) override { keep(tid); }

  [[nodiscard]] bool wants_results() const override { return true; }
  [[nodiscard]] bool wants_endings() const override { return true; }
  [[nodiscard]] bool has_enough() const override { return returned_ >= limits_.installs; }

  Capture take() {
    while (!tasks_.empty()) {
      const pid_t tid = tasks_.begin()->first;
      if (has_enough()) ending(tid);  // let go, and alive perhaps
      keep(tid);
    }
    choose();
    return std::move(capture_);
  }

 private:
  static void describe(CapturedTask& task) {
    if (const auto status = task_status(task.tid)) {
      task.comm = status->comm;
      task.pid = status->pid;
    }
  }

  // A task that is no more.
  void keep(pid_t tid) {
    pending_.erase(tid);
    const auto found = tasks_.find(tid);
    if (found == tasks_.end()) return;
    const bool listed = !found->second.filters.empty() || found->second.strict ||
                        found->second.creator == 0 || found->second.counted;
    if (listed && capture_.tasks.size() < kMostTasks) {
      executed_.push_back(order_[tid]);
      capture_.tasks.push_back(std::move(found->second));
    }
    order_.erase(tid);
    tasks_.erase(found);
  }

  // The deepest stack; of equal ones that of the task that called execve(2) last.
  void choose() {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < capture_.tasks.size(); ++i) {
      const std::size_t depth = capture_.tasks[i].filters.size();
      if (depth == 0) continue;
      const auto weight = [&](std::size_t at) {
        return std::pair(capture_.tasks[at].filters.size(), executed_[at]);
      };
      if (!best || weight(i) > weight(*best)) best = i;
    }
    if (best) capture_.default_task = capture_.tasks[*best].tid;
  }

  const CaptureLimits& limits_;
  Capture capture_;
  std::map<pid_t, CapturedTask> tasks_;
  std::map<pid_t, std::size_t> pending_;  // installs that have not returned
  std::map<pid_t, std::uint64_t> order_;  // when it called execve(2) last
  std::vector<std::uint64_t> executed_;   // the same, for capture_.tasks
  std::uint64_t clock_ = 0;
  std::size_t returned_ = 0;
};

}  // namespace

std::expected<CommandCapture, ProcessError> capture_command(std::span<const std::string> command,
                                                            const CaptureLimits& limits) {
  Catcher catcher(command, limits);
  const auto end = run_traced(command, limits.session, catcher);
  if (!end) return std::unexpected(end.error());
  return CommandCapture{catcher.take(), *end};
}

std::expected<Capture, ProcessError> capture_thread(pid_t tid) {
  const auto stopped = StoppedThread::stop(tid);
  if (!stopped) return std::unexpected(stopped.error());
  const auto status = task_status(tid);
  if (!status) return std::unexpected(ProcessError{fmt::format("{}: it has ended", tid)});
  Capture out;
  CapturedTask task;
  task.tid = tid;
  task.pid = status->pid;
  task.comm = status->comm;
  task.strict = status->mode == 1;
  for (std::size_t i = 0; status->mode == 2; ++i) {
    FilterOrError read = get_filter(tid, i);
    if (read.error == ENOENT) break;
    if (read.error == EACCES) {
      return std::unexpected(ProcessError{
          fmt::format("{}: the kernel does not show its filters: reading them needs CAP_SYS_ADMIN "
                      "outside of any user namespace (root), and a reader that is under no filter "
                      "itself; or start the program by `callgate capture -- COMMAND`",
                      tid)});
    }
    if (read.error == EINVAL) {
      return std::unexpected(ProcessError{
          fmt::format("{}: this kernel does not show filters (CONFIG_CHECKPOINT_RESTORE is off); "
                      "start the program by `callgate capture -- COMMAND`",
                      tid)});
    }
    if (read.error != 0) {
      return std::unexpected(
          ProcessError{fmt::format("{}: filter {}: {}", tid, i, std::strerror(read.error))});
    }
    Install install;
    install.how = Install::How::GetFilter;
    install.program = std::move(read.program);
    const auto log = has_log_flag(tid, i);
    install.flags = log.value_or(false) ? 2 : 0;
    install.flags_known = false;
    install.tid = tid;
    install.pid = status->pid;
    install.comm = status->comm;
    task.filters.push_back(out.installs.size());
    out.installs.push_back(std::move(install));
  }
  if (!task.filters.empty()) out.default_task = tid;
  out.tasks.push_back(std::move(task));
  return out;
}

}  // namespace callgate::process
