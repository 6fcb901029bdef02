// What this machine lets tests ask, and that nobody waits for ever for it.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "harness/live/acceptor.hpp"
#include "harness/live/live_test.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/live/traced_child.hpp"
#include "harness/live/value_oracle.hpp"

namespace callgate::live {
namespace {

TEST(Availability, says_why_for_each_thing_or_nothing) {
  const Availability found = availability();
  RecordProperty("filters", found.filters);
  RecordProperty("tracing", found.tracing);
  RecordProperty("outcomes", found.outcomes);
  RecordProperty("notification", found.notification);
  if (!found.filters.empty()) {
    EXPECT_FALSE(found.tracing.empty());
    EXPECT_FALSE(found.outcomes.empty());
    EXPECT_FALSE(found.notification.empty());
  }
}

// Runs `look` in a child that is under a filter already; whether it said yes.
template <typename Look>
bool holds_under(const Program& filter, const Look& look) {
  const SharedMemory memory(2 * sizeof(std::uint64_t));
  auto* const yes = memory.as<int>(8);
  const ChildEnd end = run_child(
      [&] {
        if (allow_filters() != 0 || install(filter.data(), filter.size()) != 0) return;
        *yes = look() ? 1 : 0;
      },
      memory.as<std::uint64_t>());
  EXPECT_TRUE(end.exited) << end.status;
  return *yes == 1;
}

TEST_F(Live, notices_that_filters_are_denied) {
  // seccomp(2) gives EPERM, as container runtimes have it.
  const Program no_seccomp = {
      {0x20, 0, 0, 0}, {0x15, 0, 1, SYS_seccomp}, {0x06, 0, 0, 0x00050001}, {0x06, 0, 0, kAllow}};
  EXPECT_TRUE(holds_under(no_seccomp, [] {
    const Availability found = availability();
    return found.filters.find("EPERM") != std::string::npos && !found.notification.empty();
  }));
  EXPECT_TRUE(holds_under(no_seccomp, [] {
    const auto errors = accepted(std::vector<Program>{{{0x06, 0, 0, kAllow}}});
    return !errors && errors.error().fault == LiveFault::FiltersDenied;
  }));
}

TEST_F(Live, notices_that_tracing_is_denied) {
  const Program no_ptrace = {
      {0x20, 0, 0, 0}, {0x15, 0, 1, SYS_ptrace}, {0x06, 0, 0, 0x00050001}, {0x06, 0, 0, kAllow}};
  EXPECT_TRUE(holds_under(no_ptrace, [] {
    const Availability found = availability();
    return found.filters.empty() && found.tracing.find("EPERM") != std::string::npos &&
           found.outcomes.find("under filters") != std::string::npos;
  }));
}

// What is there under a filter that denies something else.
bool values_are_there() {
  CallSites sites;
  const Program program = {{0x20, 0, 0, 16}, {0x16, 0, 0, 0}};
  Call asked{{.nr = SYS_getpid, .arch = kX86_64}, true};
  asked.data.args[0] = 0xabcdef01;
  const auto answers = values(std::vector<ValueJob>{{program, {asked}}}, sites);
  return answers && answers->front().values.front().state == Value::State::Known &&
         answers->front().values.front().value == 0xabcdef01;
}

bool outcomes_are_said_not_to_be_there() {
  CallSites sites;
  for (const bool traced : {true, false}) {
    const auto seen = outcomes(std::vector<Program>{{{0x06, 0, 0, 0x7fc00000}}},
                               std::vector<Call>{{{.nr = SYS_getpid, .arch = kX86_64}, true}},
                               sites, {.traced = traced, .listener = 0});
    if (seen || seen.error().fault != LiveFault::UnderFilters) return false;
    if (seen.error().message.find("under filters") == std::string::npos) return false;
  }
  return true;
}

TEST_F(Live, goes_on_with_what_is_there_where_tracing_is_denied) {
  const Program no_ptrace = {
      {0x20, 0, 0, 0}, {0x15, 0, 1, SYS_ptrace}, {0x06, 0, 0, 0x00050001}, {0x06, 0, 0, kAllow}};
  EXPECT_TRUE(holds_under(no_ptrace, values_are_there));
  EXPECT_TRUE(holds_under(no_ptrace, [] {
    const auto errors = accepted(std::vector<Program>{{{0x06, 0, 0, kAllow}}, {{0x28, 0, 0, 0}}});
    return errors && *errors == std::vector<int>{0, 22};
  }));
  EXPECT_TRUE(holds_under(no_ptrace, outcomes_are_said_not_to_be_there));
  EXPECT_TRUE(holds_under(no_ptrace, [] {
    const Availability found = availability();
    return found.notification.empty() && found.tracing.find("PTRACE") != std::string::npos &&
           found.tracing.find("EPERM") != std::string::npos;
  }));
}

TEST_F(Live, goes_on_with_what_is_there_where_listeners_are_denied) {
  // EPERM for SECCOMP_FILTER_FLAG_NEW_LISTENER (8) alone.
  const Program no_listener = {{0x20, 0, 0, 0}, {0x15, 0, 3, SYS_seccomp}, {0x20, 0, 0, 24},
                               {0x45, 0, 1, 8}, {0x06, 0, 0, 0x00050001},  {0x06, 0, 0, kAllow}};
  EXPECT_TRUE(holds_under(no_listener, values_are_there));
  EXPECT_TRUE(holds_under(no_listener, [] {
    const auto errors = accepted(std::vector<Program>{{{0x06, 0, 0, kAllow}}});
    return !errors && errors.error().fault == LiveFault::FiltersDenied &&
           errors.error().message.find("listener") != std::string::npos;
  }));
  EXPECT_TRUE(holds_under(no_listener, outcomes_are_said_not_to_be_there));
  EXPECT_TRUE(holds_under(no_listener, [] {
    const Availability found = availability();
    return found.filters.empty() && found.tracing.empty() &&
           found.notification.find("listener") != std::string::npos &&
           found.notification.find("EPERM") != std::string::npos;
  }));
}

TEST_F(Live, refuses_to_take_other_filters_answers_for_the_stacks) {
  EXPECT_TRUE(holds_under({{0x06, 0, 0, kAllow}}, [] {
    CallSites sites;
    const auto seen =
        outcomes(std::vector<Program>{{{0x06, 0, 0, kAllow}}}, std::vector<Call>{}, sites);
    return !seen && seen.error().fault == LiveFault::UnderFilters;
  }));
}

// A listener that nobody serves makes installing calls wait for ever, as a kernel does whose
// installations hang.
TEST_F(Live, notices_installations_that_hang) {
  if (!available_.notification.empty()) GTEST_SKIP() << available_.notification;
  constexpr int kPatient = 400;
  const Program waits = {
      {0x20, 0, 0, 0}, {0x15, 0, 1, SYS_seccomp}, {0x06, 0, 0, 0x7fc00000}, {0x06, 0, 0, kAllow}};
  const auto under_listener = [&](const auto& look) {
    const SharedMemory memory(2 * sizeof(std::uint64_t));
    auto* const yes = memory.as<int>(8);
    const ChildEnd end = run_child(
        [&] {
          // SECCOMP_FILTER_FLAG_NEW_LISTENER
          if (allow_filters() != 0 || install(waits.data(), waits.size(), 8) < 0) return;
          *yes = look() ? 1 : 0;
        },
        memory.as<std::uint64_t>());
    EXPECT_TRUE(end.exited) << end.status;
    return *yes == 1;
  };
  EXPECT_TRUE(under_listener(
      [] { return availability(kPatient).filters.find("hang") != std::string::npos; }));
  EXPECT_TRUE(under_listener([] {
    const auto errors = accepted(std::vector<Program>{{{0x06, 0, 0, kAllow}}}, kPatient);
    return !errors && errors.error().fault == LiveFault::Deadline;
  }));
  EXPECT_TRUE(under_listener([] {
    CallSites sites;
    const std::vector<ValueJob> jobs = {{{{0x06, 0, 0, kAllow}}, {}}};
    const auto answers = values(jobs, sites, kPatient);
    return !answers && answers.error().fault == LiveFault::Deadline;
  }));
  EXPECT_TRUE(under_listener([] {
    const SharedMemory memory(sizeof(TracedShared) + kAskerStack);
    TracedWork work{};
    work.shared = memory.as<TracedShared>(kAskerStack);
    TracedChild child(work, memory.as<std::byte>(), kPatient);
    const auto wrong = child.attach();
    return wrong && wrong->fault == LiveFault::Deadline;
  }));
}

}  // namespace
}  // namespace callgate::live
