#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/live/answering.hpp"
#include "harness/live/child.hpp"
#include "harness/task/script.hpp"
#include "harness/task/serving.hpp"
#include "vm/instruction.hpp"
#include "vm/task.hpp"

/// The real processes and threads of a script, which make the calls that they are told.
namespace callgate::task {

/// A file descriptor, or several, closed with the object.
class Descriptors {
 public:
  Descriptors() = default;
  ~Descriptors();
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  bool make_pipe(int& reads, int& writes);

 private:
  std::vector<int> all_;
};

/// Stacks that a forked process gets its own copy of.
class Stacks {
 public:
  Stacks();
  ~Stacks();
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;
  /// Null where there is no memory.
  [[nodiscard]] std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
};

/// What /proc shows of a task: mode, filters, no_new_privs; nothing where it is gone.
struct ShownState {
  long mode = -1;
  long filters = -1;  ///< -1: not shown by this kernel
  long no_new_privs = -1;
};

/// Who answers for a call, and the listener that may be asked.
struct LiveAnswers {
  Answers answers;
  struct Listener {
    FilterId filter;
    TaskId holder;  ///< a task that lives, of a process that holds it
    ProcessId process;
  };
  std::optional<Listener> listener;  ///< nothing: no filter of the task has one
  /// the call is execve(2) and let in: the task goes on as the first thread of its process
  bool executes = false;
};

/// What became of a call.
struct Made {
  std::optional<std::int64_t> result;  ///< nothing where the task died
  bool tracer_stop = false;
  /// the tracer shall let a call through that may do harm: it was skipped in its place
  bool harmful = false;
  std::optional<std::int32_t> notified;  ///< the number in the supervisor's notification
  bool waited = false;  ///< for a supervisor, until the runner let it go with `result`
  /// the call was not made: who shall hold the listener holds no such descriptor
  bool no_listener = false;
  int send_error = 0;                  ///< errno of the supervisor's answer
  std::optional<live::GivenFd> given;  ///< what the supervisor's ADDFD came to
};

/// The processes of one script, with the ids that the kernel gave. All are killed and reaped with
/// the object.
class LiveTasks {
 public:
  /// `patience`: milliseconds that a task may need to answer.
  explicit LiveTasks(int patience = live::kPatience)
      : patience_(patience),
        memory_(sizeof(Shared), live::SharedMemory::Descriptor::Yes),
        shared_(memory_.as<Shared>()) {}
  ~LiveTasks();
  LiveTasks(const LiveTasks&) = delete;
  LiveTasks& operator=(const LiveTasks&) = delete;

  /// Starts the first task as the script says; what went wrong, or nothing.
  [[nodiscard]] std::string start(const Script& script);

  /// Has a task make the call that stands in shared().
  [[nodiscard]] std::expected<Made, live::LiveError> make(TaskId task, ProcessId process,
                                                          const LiveAnswers& answers);

  [[nodiscard]] bool lives(TaskId task, ProcessId process);
  /// Waits for a task to end, and whether it did.
  [[nodiscard]] bool dies(TaskId task, ProcessId process);
  /// What /proc shows of it; nothing where it is gone.
  [[nodiscard]] std::optional<ShownState> state(TaskId task, ProcessId process) const;
  /// The wait status of a process that has ended or is about to.
  std::optional<int> await_end(ProcessId process, int milliseconds = live::kPatience);

  /// A task that clone(2) made, of one that is there.
  void add(TaskId task, ProcessId process, pid_t id, ProcessId parent);
  /// A task has executed: it is the first thread of its process now, and these are no more.
  void execute(TaskId task, ProcessId process, const std::vector<TaskId>& gone);
  /// A process that should not be, and is ended with the others.
  void add_stray(pid_t id);
  /// A descriptor of a filter's listener, the same in each process that inherits it.
  void add_listener(FilterId filter, int descriptor) { listeners_[filter] = descriptor; }
  [[nodiscard]] pid_t pid(ProcessId process) const { return pids_.at(process); }
  [[nodiscard]] pid_t tid(TaskId task) const { return tids_.at(task); }
  [[nodiscard]] Shared& shared() { return *shared_; }
  /// Where a process has shared().
  [[nodiscard]] std::uint64_t shared_in(ProcessId process) const;
  /// A descriptor of its memory, in each process.
  [[nodiscard]] int shared_descriptor() const { return memory_.descriptor(); }

 private:
  [[nodiscard]] bool ended(ProcessId process);
  void await_burial(ProcessId process);
  void note_end(TaskId task, ProcessId process, std::optional<int> status);
  [[nodiscard]] std::expected<std::optional<std::int64_t>, live::LiveError> await_answer(
      TaskId task, ProcessId process, bool executes, live::AnsweringSupervisor& supervisor);

  int patience_;
  live::SharedMemory memory_;
  Shared* shared_;
  Stacks stacks_;
  Descriptors descriptors_;
  Wiring wiring_{};
  int wake_[kMostLiveTasks]{};
  int answer_ = -1;
  std::map<ProcessId, pid_t> pids_;
  std::map<TaskId, pid_t> tids_;
  std::map<ProcessId, int> ends_;
  std::set<ProcessId> executed_;  // processes that are an image, not a copy of the controller
  std::map<FilterId, int> listeners_;
  live::AnsweringTracer* tracer_ = nullptr;  // of the task whose turn it is
  pid_t traced_ = 0;
  // A tracer could not let its task go in time: nothing is made after that.
  bool held_ = false;
  pid_t left_traced_ = 0;  // a thread, not the first of its process, that is traced still
};

/// Whether this process has CAP_SYS_ADMIN.
[[nodiscard]] bool has_sys_admin();

}  // namespace callgate::task
