// What processes see of stacks of filters, on the running kernel and in our model.

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/live/live_test.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/random/generator.hpp"
#include "harness/report/words.hpp"
#include "verifier/check.hpp"

namespace callgate::live {
namespace {

constexpr Surroundings kAround = {.tracer = true,
                                  .listener = false,
                                  .only_thread = false,
                                  .sigsys_blocked_or_ignored = false,
                                  .log_flag = false};

Program returns(std::uint32_t value) { return {{0x06, 0, 0, value}}; }

Call call(std::int32_t nr, std::uint32_t arch = kX86_64) {
  return {{.nr = nr, .arch = arch, .instruction_pointer = 0, .args = {1, 2, 3, 4, 5, 6}}, true};
}

class LiveOutcome : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    if (IsSkipped()) return;
    if (!available_.outcomes.empty()) GTEST_SKIP() << available_.outcomes;
  }

  // Asks the kernel and us, and compares every call.
  void expect_agreement(const std::vector<Program>& oldest_first, const std::vector<Call>& calls,
                        const OutcomeOptions& options = {}) {
    if (options.traced && !available_.tracing.empty()) GTEST_SKIP() << available_.tracing;
    FilterStack stack(model_);
    for (const Program& each : oldest_first) {
      const auto checked = verifier::check(each, model_);
      ASSERT_TRUE(checked.has_value());
      ASSERT_TRUE(stack.push(*checked).has_value());
    }
    CallSites sites;
    const auto seen = outcomes(oldest_first, calls, sites, options);
    ASSERT_TRUE(seen.has_value()) << seen.error().message;
    ASSERT_EQ(seen->install_error, 0);
    EXPECT_EQ(seen->untraced.empty(), options.traced);
    ASSERT_EQ(seen->calls.size(), calls.size());
    for (const Seen& each : seen->calls) {
      const Verdict verdict = stack.run(each.data);
      Surroundings around = kAround;
      around.listener = options.listener && verdict.winner == options.listener;
      const Outcome ours = outcome_of(stack, verdict, each.data, around);
      const Agreement agreement = compare(ours, verdict.value, each);
      if (agreement == Agreement::Agrees) ++agreed_;
      ++kinds_[static_cast<std::size_t>(each.kind)];
      EXPECT_NE(agreement, Agreement::Differs)
          << "nr " << each.data.nr << " arch " << each.data.arch << ": the verdict is "
          << report::verdict_words(verdict.value, model_)
          << ", we say: " << report::outcome_words(ours, "it")
          << "; the kernel: " << words(each, "it");
    }
  }

  // How many calls were seen to end so.
  [[nodiscard]] std::size_t seen(Seen::Kind kind) const {
    return kinds_[static_cast<std::size_t>(kind)];
  }

  std::size_t agreed_ = 0;
  std::array<std::size_t, 16> kinds_{};
};

TEST_F(LiveOutcome, of_every_action_is_ours) {
  constexpr std::size_t kData = 6;
  constexpr std::size_t kCalls = 3;
  for (const ActionInfo& row : actions()) {
    const auto action = static_cast<std::uint32_t>(row.action);
    for (const std::uint32_t data : {0U, 1U, 38U, 4095U, 4096U, 65535U}) {
      expect_agreement({returns(action | data)}, {call(39), call(20, kI386), call(0x40000027)});
    }
  }
  EXPECT_EQ(agreed_, actions().size() * kData * kCalls);
  EXPECT_EQ(seen(Seen::Kind::ProcessDied), kData * kCalls);   // KILL_PROCESS
  EXPECT_EQ(seen(Seen::Kind::ThreadDied), kData * kCalls);    // KILL_THREAD
  EXPECT_EQ(seen(Seen::Kind::Sigsys), kData * kCalls);        // TRAP
  EXPECT_EQ(seen(Seen::Kind::TracerStop), kData * kCalls);    // TRACE
  EXPECT_EQ(seen(Seen::Kind::Returned), 2 * kData * kCalls);  // ERRNO, USER_NOTIF
  EXPECT_EQ(seen(Seen::Kind::Allowed), 2 * kData * kCalls);   // LOG, ALLOW
}

TEST_F(LiveOutcome, of_every_action_is_among_ours_without_a_tracer) {
  for (const ActionInfo& row : actions()) {
    const auto action = static_cast<std::uint32_t>(row.action);
    for (const std::uint32_t data : {0U, 1U, 38U, 4094U, 4095U, 65535U}) {
      expect_agreement({returns(action | data)}, {call(39), call(20, kI386), call(0x40000027)},
                       {.patience_milliseconds = kPatience, .traced = false});
    }
  }
  EXPECT_EQ(agreed_, actions().size() * 6 * 3);
  EXPECT_EQ(seen(Seen::Kind::Died), 3U * 6 * 3);
  EXPECT_EQ(seen(Seen::Kind::Returned), 4U * 3);
}

TEST_F(LiveOutcome, differs_where_the_answer_is_made_up) {
  CallSites sites;
  for (const bool traced : {true, false}) {
    if (traced && !available_.tracing.empty()) continue;
    const auto seen = outcomes(std::vector<Program>{returns(0x00050001)},
                               std::vector<Call>{call(39)}, sites, {.traced = traced});
    ASSERT_TRUE(seen.has_value()) << seen.error().message;
    for (const std::uint32_t value : {0x00050002U, 0x7fff0000U, 0x00030001U, 0U, 0x7ff00000U}) {
      const Outcome ours = outcome_of(value, seen->calls[0].data, model_, kAround);
      EXPECT_EQ(compare(ours, value, seen->calls[0]), Agreement::Differs) << value;
    }
  }
}

TEST_F(LiveOutcome, of_unknown_actions_is_ours) {
  for (const std::uint32_t value : {0x00010000U, 0x00020001U, 0x00040000U, 0x00060000U, 0x7fbf0000U,
                                    0x7fc10000U, 0x7ff10000U, 0x7ffb0000U, 0x7ffd0000U, 0x7ffe0000U,
                                    0x80010000U, 0x80050001U, 0xffff0000U, 0xffffffffU}) {
    expect_agreement({returns(value)}, {call(39)});
  }
}

TEST_F(LiveOutcome, of_stacks_goes_by_the_strictest_and_the_newest) {
  random::Source source(99);
  const auto any = [&] {
    const auto& row = actions()[source.below(static_cast<std::uint32_t>(actions().size()))];
    const std::uint32_t unknown = source.one_in(8) ? source.below(0x10000) << 16U : 0;
    return (unknown != 0 ? unknown : static_cast<std::uint32_t>(row.action)) | source.below(5000);
  };
  const int stacks = kSanitized ? 30 : 150;
  for (int i = 0; i < stacks; ++i) {
    std::vector<Program> programs;
    const std::uint32_t count = 2 + source.below(3);
    for (std::uint32_t f = 0; f < count; ++f) {
      // Returns one of two values by the number's lowest bit.
      programs.push_back(
          {{0x20, 0, 0, 0}, {0x45, 0, 1, 1}, {0x06, 0, 0, any()}, {0x06, 0, 0, any()}});
    }
    expect_agreement(programs, {call(38), call(39), call(21, kI386)});
  }
}

TEST_F(LiveOutcome, of_stacks_is_among_ours_without_a_tracer) {
  random::Source source(100);
  const auto any = [&] {
    const auto& row = actions()[source.below(static_cast<std::uint32_t>(actions().size()))];
    return static_cast<std::uint32_t>(row.action) | source.below(5000);
  };
  for (int i = 0; i < (kSanitized ? 20 : 100); ++i) {
    const std::vector<Program> programs = {returns(any()), returns(any()), returns(any())};
    expect_agreement(programs, {call(38), call(21, kI386)}, {.traced = false});
  }
  EXPECT_GT(agreed_, 0U);
}

TEST_F(LiveOutcome, of_user_notif_is_told_to_the_listener) {
  if (!available_.notification.empty()) GTEST_SKIP() << available_.notification;
  for (const bool traced : {true, false}) {
    if (traced && !available_.tracing.empty()) continue;
    const std::size_t before = seen(Seen::Kind::Notified);
    expect_agreement({returns(0x7fc00007)}, {call(39), call(20, kI386), call(0x40000027), call(-1)},
                     {.traced = traced, .listener = 0});
    EXPECT_EQ(seen(Seen::Kind::Notified), before + 4);
    // The newest decides, and it has none.
    expect_agreement({returns(0x7fc00000), returns(0x7fc00000)}, {call(39)},
                     {.traced = traced, .listener = 0});
    expect_agreement({returns(0x7fc00000), returns(0x7fc00000)}, {call(39)},
                     {.traced = traced, .listener = 1});
    EXPECT_EQ(seen(Seen::Kind::Notified), before + 5);
    // What is stricter is never told.
    for (const std::uint32_t value : {0x00050001U, 0x00030001U, 0U, 0x80000000U}) {
      expect_agreement({returns(0x7fc00000), returns(value)}, {call(39)},
                       {.traced = traced, .listener = 0});
    }
    EXPECT_EQ(seen(Seen::Kind::Notified), before + 5);
  }
}

TEST_F(LiveOutcome, of_stacks_with_a_listener_goes_by_the_strictest_and_the_newest) {
  if (!available_.notification.empty()) GTEST_SKIP() << available_.notification;
  random::Source source(101);
  const auto any = [&] {
    const auto& row = actions()[source.below(static_cast<std::uint32_t>(actions().size()))];
    const auto action = source.one_in(2) ? 0x7fc00000U : static_cast<std::uint32_t>(row.action);
    return action | source.below(5000);
  };
  for (int i = 0; i < (kSanitized ? 20 : 80); ++i) {
    const bool traced = available_.tracing.empty() && source.one_in(2);
    expect_agreement({returns(any()), returns(any()), returns(any())}, {call(38), call(21, kI386)},
                     {.traced = traced, .listener = source.below(3)});
  }
  EXPECT_GT(seen(Seen::Kind::Notified), 0U);
}

TEST_F(LiveOutcome, of_a_tie_has_the_newest_filters_data) {
  expect_agreement({returns(0x00050001), returns(0x00050002)}, {call(39)});
  expect_agreement({returns(0x00030001), returns(0x00030002)}, {call(39)});
  expect_agreement({returns(0x7ff00001), returns(0x7ff00002)}, {call(39)});
}

TEST_F(LiveOutcome, is_never_an_execution_of_what_is_allowed) {
  // exit_group, kill of everything that may be killed, reboot: allowed by the filter, and dropped.
  Call kill_all = call(62);
  kill_all.data.args = {static_cast<std::uint64_t>(-1), 9, 0, 0, 0, 0};
  expect_agreement({returns(kAllow)}, {call(231), call(60), kill_all, call(169), call(39)});
  EXPECT_EQ(agreed_, 5U);
}

TEST_F(LiveOutcome, says_which_filter_the_kernel_refused) {
  CallSites sites;
  const std::vector<Program> programs = {returns(kAllow), {{0x00, 0, 0, 0}}};
  const auto seen = outcomes(programs, std::vector<Call>{call(39)}, sites);
  ASSERT_TRUE(seen.has_value()) << seen.error().message;
  EXPECT_EQ(seen->install_error, EINVAL);
  EXPECT_EQ(seen->installed, 1U);
}

// What follows needs a child without a tracer; it makes only getppid (110, i386 64), whose
// execution would do no harm.
std::int64_t untraced(const Program& program, const Call& asked) {
  CallSites sites;
  const auto reached = sites.reach(asked);
  const SharedMemory memory(sizeof(std::int64_t) + sizeof(std::uint64_t));
  auto* const result = memory.as<std::int64_t>();
  volatile auto* const progress = memory.as<std::uint64_t>(8);
  *result = 1;
  const ChildEnd end = run_child(
      [&] {
        if (allow_filters() != 0 || install(program.data(), program.size()) != 0) {
          raw::callgate_live_end();
        }
        *result = static_cast<std::int64_t>(raw::callgate_live_call(&reached->registers));
        raw::callgate_live_end();
      },
      progress);
  EXPECT_FALSE(end.deadline);
  return *result;
}

TEST_F(LiveOutcome, of_unknown_actions_weaker_than_trace_is_death_too) {
  for (const std::uint32_t value : {0x7ff10000U, 0x7ffb0001U, 0x7ffd0000U, 0x7ffe0000U}) {
    EXPECT_EQ(untraced(returns(value), call(110)), 1) << "it lived to see a result";
  }
}

TEST_F(LiveOutcome, of_trace_without_a_tracer_is_enosys) {
  EXPECT_EQ(untraced(returns(0x7ff00007), call(110)), -38);
}

TEST_F(LiveOutcome, of_user_notif_without_a_listener_is_enosys) {
  EXPECT_EQ(untraced(returns(0x7fc00000), call(110)), -38);
}

// What a call does in strict mode. Asked in a process of one thread, which what fork(2) gives is
// not: ThreadSanitizer starts a second one there.
struct Strict {
  raw::Registers registers;
  std::int64_t result = 1;
  int status = 0;
  alignas(16) std::byte stack[16 * 1024];
};

CALLGATE_IN_CHILD void ask_in_strict_mode(void* argument) {
  auto* const strict = static_cast<Strict*>(argument);
  if (raw::call(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, 0) == 0) {
    strict->result = static_cast<std::int64_t>(raw::callgate_live_call(&strict->registers));
    raw::call(SYS_exit, 0);
  }
  raw::callgate_live_end();
}

TEST_F(LiveOutcome, of_strict_mode_is_ours) {
  struct Case {
    std::int32_t nr;
    std::uint32_t arch;
  };
  // Reads and writes of no bytes, and what kills.
  for (const Case& each :
       {Case{0, kX86_64}, Case{1, kX86_64}, Case{3, kI386}, Case{4, kI386}, Case{39, kX86_64},
        Case{231, kX86_64}, Case{-1, kX86_64}, Case{0x40000000, kX86_64}, Case{20, kI386},
        Case{0, kI386}, Case{173, kI386}}) {
    Call asked = call(each.nr, each.arch);
    asked.data.args = {};
    asked.data.args[0] = static_cast<std::uint64_t>(-1);  // no file: what passes gives EBADF
    CallSites sites;
    const auto reached = sites.reach(asked);
    ASSERT_TRUE(reached.has_value());
    const SharedMemory memory(sizeof(Strict) + sizeof(std::uint64_t));
    auto* const strict = memory.as<Strict>();
    strict->registers = reached->registers;
    strict->result = 1;
    const ChildEnd end = run_child(
        [&] {
          const long pid = raw::callgate_live_clone(CLONE_VM | CLONE_VFORK | SIGCHLD,
                                                    strict->stack + sizeof(strict->stack),
                                                    ask_in_strict_mode, strict);
          waitpid(static_cast<pid_t>(pid), &strict->status, __WALL);
        },
        memory.as<std::uint64_t>(sizeof(Strict)));
    EXPECT_TRUE(end.exited) << each.nr;
    const Outcome ours = strict_outcome(reached->data, model_, true);
    if (ours.kind == OutcomeKind::Executes) {
      EXPECT_EQ(static_cast<std::int32_t>(strict->result), -EBADF) << each.nr;
      EXPECT_TRUE(WIFEXITED(strict->status)) << each.nr;
    } else {
      EXPECT_EQ(ours.kind, OutcomeKind::ProcessDies);
      ASSERT_TRUE(WIFSIGNALED(strict->status)) << each.nr;
      EXPECT_EQ(WTERMSIG(strict->status), ours.signal) << each.nr;
      EXPECT_EQ(strict->result, 1) << each.nr;
    }
  }
}

TEST_F(LiveOutcome, of_firejails_filters_is_ours) {
  std::size_t filters = 0;
  for (const std::string folder : {"/usr/lib/x86_64-linux-gnu/firejail", "/usr/lib/firejail"}) {
    if (!std::filesystem::is_directory(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("seccomp")) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
      ASSERT_EQ(bytes.size() % sizeof(Instruction), 0U) << name;
      Program program(bytes.size() / sizeof(Instruction));
      std::memcpy(static_cast<void*>(program.data()), bytes.data(), bytes.size());
      ASSERT_TRUE(verifier::check(program, model_).has_value()) << name;
      ++filters;
      std::vector<Call> calls;
      for (std::int32_t nr = 0; nr <= 600; ++nr) {
        calls.push_back(call(nr));
        calls.push_back(call(nr, kI386));
        calls.push_back(call(0x40000000 + nr));
      }
      SCOPED_TRACE(name);
      expect_agreement({program}, calls);
    }
  }
  if (filters == 0) GTEST_SKIP() << "firejail's filters are not here: install the package firejail";
  EXPECT_GT(agreed_, filters * 1700);
}

}  // namespace
}  // namespace callgate::live
