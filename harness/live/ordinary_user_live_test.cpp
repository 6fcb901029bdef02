// Everything here works without privileges.

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "harness/live/acceptor.hpp"
#include "harness/live/live_test.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/task/live_runner.hpp"

namespace callgate::live {
namespace {

constexpr unsigned long kNobody = 65534;
constexpr std::size_t kMessage = 512;

// Runs `look` in a child of an ordinary user; what it says is wrong.
template <typename Look>
std::string wrong_for_nobody(const Look& look) {
  const SharedMemory memory(sizeof(std::uint64_t) + kMessage);
  char* const message = memory.as<char>(sizeof(std::uint64_t));
  const ChildEnd end = run_child(
      [&] {
        const auto say = [&](std::string_view what) {
          what.copy(message, std::min(what.size(), kMessage - 1));
        };
        // Every child of the group and user nobody; as a program of theirs would be, it can be
        // traced.
        if (raw::call(SYS_setgroups, 0, 0) != 0 ||
            raw::call(SYS_setresgid, kNobody, kNobody, kNobody) != 0 ||
            raw::call(SYS_setresuid, kNobody, kNobody, kNobody) != 0 ||
            raw::call(SYS_prctl, PR_SET_DUMPABLE, 1) != 0) {
          return say("cannot become an ordinary user");
        }
        say(look());
      },
      memory.as<std::uint64_t>());
  if (!end.exited) return "the child died";
  return message;
}

class LiveOrdinary : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    if (IsSkipped()) return;
    if (geteuid() != 0) {
      GTEST_SKIP() << "this is an ordinary user already: all tests of this program show it";
    }
  }
};

TEST_F(LiveOrdinary, user_has_everything_available) {
  EXPECT_EQ(wrong_for_nobody([]() -> std::string {
              const Availability found = availability();
              return found.filters + found.tracing + found.outcomes + found.notification;
            }),
            "");
}

TEST_F(LiveOrdinary, user_asks_for_values_and_acceptance) {
  EXPECT_EQ(wrong_for_nobody([]() -> std::string {
              CallSites sites;
              const Program program = {{0x20, 0, 0, 16}, {0x16, 0, 0, 0}};
              Call asked{{.nr = 39, .arch = kX86_64}, true};
              asked.data.args[0] = 0xabcdef01;
              const std::vector<ValueJob> jobs(20, {program, {asked}});
              const auto got = values(jobs, sites);
              if (!got) return got.error().message;
              for (const ValueAnswer& each : *got) {
                if (each.values[0].value != 0xabcdef01) return "another value";
              }
              const auto errors = accepted(std::vector<Program>{program, {{0x28, 0, 0, 0}}});
              if (!errors) return errors.error().message;
              return *errors == std::vector<int>{0, 22} ? "" : "other errnos";
            }),
            "");
}

TEST_F(LiveOrdinary, user_asks_for_outcomes) {
  EXPECT_EQ(
      wrong_for_nobody([]() -> std::string {
        CallSites sites;
        const std::vector<Program> stack = {
            {{0x06, 0, 0, 0x7fc00000}},
            {{0x20, 0, 0, 0}, {0x15, 0, 1, 39}, {0x06, 0, 0, 0x00050007}, {0x06, 0, 0, kAllow}}};
        const std::vector<Call> calls = {{{.nr = 39, .arch = kX86_64}, true},
                                         {{.nr = 110, .arch = kX86_64}, true}};
        for (const bool traced : {true, false}) {
          const auto seen = outcomes(stack, calls, sites, {.traced = traced, .listener = 0});
          if (!seen) return seen.error().message;
          if (traced != seen->untraced.empty()) return seen->untraced;
          if (seen->install_error != 0) return "a filter is refused";
          if (seen->calls[0].kind != Seen::Kind::Returned || seen->calls[0].value != -7) {
            return "39: " + words(seen->calls[0], "it");
          }
          if (seen->calls[1].kind != Seen::Kind::Notified) {
            return "110: " + words(seen->calls[1], "it");
          }
        }
        return "";
      }),
      "");
}

TEST_F(LiveOrdinary, user_runs_scripts_of_tasks) {
  EXPECT_EQ(wrong_for_nobody([]() -> std::string {
              const KernelModel model = KernelModel::host();
              if (task::has_sys_admin()) return "CAP_SYS_ADMIN is still there";
              random::Source source(4);
              Pace pace;
              for (int i = 0; i < 20; ++i) {
                const task::Script script = task::random_script(source, 12, false, model);
                const auto run = task::run_live(script, model, pace);
                if (!run) return run.error().message;
                if (run->difference) return run->difference->kernel;
              }
              return "";
            }),
            "");
}

// A process that is not dumpable is traced by nobody but the privileged.
TEST_F(LiveOrdinary, user_who_may_not_trace_runs_scripts_up_to_where_somebody_must_answer) {
  EXPECT_EQ(wrong_for_nobody([]() -> std::string {
              const KernelModel model = KernelModel::host();
              if (prctl(PR_SET_DUMPABLE, 0) != 0) return "dumpable";
              random::Source source(4);
              Pace pace;
              int cut = 0;
              for (int i = 0; i < 20; ++i) {
                const task::Script script = task::random_script(source, 12, false, model);
                const auto run = task::run_live(script, model, pace);
                if (!run) return run.error().message;
                if (run->difference) return run->difference->kernel;
                if (!run->cut.empty()) ++cut;
              }
              return cut > 0 && cut < 20 ? "" : fmt::format("{} are cut", cut);
            }),
            "");
}

}  // namespace
}  // namespace callgate::live
