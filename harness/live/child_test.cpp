// Children are noticed, whatever becomes of them.

#include "harness/live/child.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "harness/live/acceptor.hpp"

namespace callgate::live {
namespace {

TEST(Child, that_does_its_work_ends_well) {
  const SharedMemory memory(16);
  auto* const progress = memory.as<std::uint64_t>();
  const ChildEnd end = run_child([&] { *memory.as<int>(8) = 42; }, progress);
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(*memory.as<int>(8), 42);
}

TEST(Child, that_dies_is_reported_with_its_status) {
  const SharedMemory memory(16);
  const ChildEnd end =
      run_child([] { raw::call(SYS_kill, static_cast<unsigned long>(getpid()), SIGKILL); },
                memory.as<std::uint64_t>());
  EXPECT_FALSE(end.exited);
  EXPECT_FALSE(end.deadline);
  EXPECT_TRUE(WIFSIGNALED(end.status));
  EXPECT_EQ(WTERMSIG(end.status), SIGKILL);
}

TEST(Child, that_hangs_is_ended_at_its_deadline_and_reaped) {
  const SharedMemory memory(16);
  const auto start = std::chrono::steady_clock::now();
  const ChildEnd end = run_child(
      [] {
        for (;;) raw::call(SYS_pause);
      },
      memory.as<std::uint64_t>(), 300);
  EXPECT_TRUE(end.deadline);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(300));
  EXPECT_TRUE(WIFSIGNALED(end.status));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child was left behind";
}

TEST(Child, that_ends_by_a_trap_makes_no_call) {
  const SharedMemory memory(16);
  const ChildEnd end = run_child([] { raw::callgate_live_end(); }, memory.as<std::uint64_t>());
  EXPECT_TRUE(WIFSIGNALED(end.status));
  EXPECT_EQ(WTERMSIG(end.status), SIGTRAP);
}

}  // namespace
}  // namespace callgate::live
