#pragma once

#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "harness/live/raw.hpp"
#include "vm/instruction.hpp"

/// The life of a script's tasks. It goes on in what a task executes (exec_image.cpp), which has no
/// C library: nothing here may need one.
namespace callgate::task {

/// Tasks that one script may have.
inline constexpr std::size_t kMostLiveTasks = 12;
/// Instructions that a call may hand over.
inline constexpr std::size_t kMostLiveInstructions = 65536;
/// Bytes of a thread's stack, and of all: one more than there are tasks, for a thread that is asked
/// for and not to come.
inline constexpr std::size_t kTaskStack = 32UL * 1024;
inline constexpr std::size_t kAllTaskStacks = (kMostLiveTasks + 1) * kTaskStack;
/// Where an executed image has the memory that it shares with the controller.
inline constexpr std::uint64_t kSharedInImage = 0x20000000;

/// struct sock_fprog, for any process.
struct Header {
  std::uint16_t length;
  std::uint64_t instructions;
};

/// What execve(2) is given: a file, and the number of the descriptor that the memory has.
struct ExecArguments {
  char path[48];
  char memory[16];
  std::uint64_t argv[3];
  std::uint64_t environment[1];
};

/// What the task whose turn it is shall do. The controller writes it before it wakes the task.
struct Shared {
  volatile std::int64_t nr;
  volatile std::uint64_t args[6];
  /// the place of the task that clone(2) shall make; kMostLiveTasks where none is to come of it
  volatile std::uint64_t created;
  volatile std::int64_t result;
  volatile std::int32_t setup;  ///< errno of the first task's preparation, -1 before
  volatile std::uint32_t action;
  volatile std::uint64_t executing;   ///< the task that an executed image is
  volatile std::uint64_t executions;  ///< how many images have begun
  int wake[kMostLiveTasks];           ///< each task reads its own
  int answer;                         ///< all write here
  std::uint16_t sizes[4];
  Header header;
  ExecArguments exec;
  Instruction instructions[kMostLiveInstructions];
};

/// What the tasks of a process have, in plain pointers.
struct Wiring {
  Shared* shared;
  std::byte* stacks;  ///< private: a process has its own copy
};

/// Which task one is.
struct Place {
  const Wiring* wiring;
  std::size_t task;
};

CALLGATE_IN_CHILD inline void tell(const Shared* shared) {
  const char byte = 'd';
  live::raw::call(SYS_write, static_cast<unsigned long>(shared->answer),
                  reinterpret_cast<unsigned long>(&byte), 1);
}

/// It waits to be woken, makes the call, and tells that it has. Reads and writes only, which
/// filters and strict mode let pass.
CALLGATE_IN_CHILD inline void serve(void* argument) {
  using live::raw::call;
  constexpr std::uint64_t kCloneThread = 0x10000;  // CLONE_THREAD
  const auto* const place = static_cast<const Place*>(argument);
  const Wiring* const wiring = place->wiring;
  Shared* const shared = wiring->shared;
  std::size_t task = place->task;
  for (;;) {
    char byte = 0;
    const long got = call(SYS_read, static_cast<unsigned long>(shared->wake[task]),
                          reinterpret_cast<unsigned long>(&byte), 1);
    if (got == -EINTR) continue;
    if (got != 1) live::raw::callgate_live_end();  // the controller is gone
    long result = 0;
    const unsigned long flags = shared->args[0];
    // A new process may run only when the next step has been written.
    const std::size_t created = shared->created;
    const long nr = shared->nr;
    // A 0 that a filter, a tracer or a supervisor gives is no new task: none is to come then.
    const bool makes_task = nr == SYS_clone && created < kMostLiveTasks;
    if (makes_task && (flags & kCloneThread) != 0) {
      // The place lies at the bottom of the new stack.
      std::byte* const stack = wiring->stacks + created * kTaskStack;
      auto* const next = reinterpret_cast<Place*>(stack);
      next->wiring = wiring;
      next->task = created;
      result = live::raw::callgate_live_clone(flags, stack + kTaskStack, serve, next);
    } else {
      result = call(nr, shared->args[0], shared->args[1], shared->args[2], shared->args[3],
                    shared->args[4], shared->args[5]);
      if (makes_task && result == 0) {
        task = created;  // the new process
        continue;
      }
    }
    shared->result = result;
    tell(shared);
  }
}

}  // namespace callgate::task
