// `callgate record` and `callgate replay` as a person meets them, on processes of the test's own.
#include <gmock/gmock.h>
#include <sys/syscall.h>

#include <nlohmann/json.hpp>

#include "harness/cli/command_test.hpp"
#include "harness/live/live_test.hpp"
#include "harness/trace/trace.hpp"

namespace callgate {
namespace {

using ::testing::HasSubstr;

class Recording : public FilterCommandFixture {
 protected:
  void SetUp() override {
    FilterCommandFixture::SetUp();
    const auto available = live::availability();
    if (!available.tracing.empty()) GTEST_SKIP() << available.tracing;
  }

  std::string trace() const { return (folder_ / "trace").string(); }

  Ended record(const std::string& what, std::vector<std::string> options = {}) const {
    std::vector<std::string> words = {"record", "-o", trace(), "--timeout", "60"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", CALLGATE_SUBJECT, what});
    return run(words);
  }

  std::vector<trace::Call> calls() const {
    std::vector<trace::Call> out;
    trace::Sink sink;
    sink.call = [&](const trace::Call& call) { out.push_back(call); };
    EXPECT_TRUE(trace::read(content(trace()), "callgate", {}, sink));
    return out;
  }
};

TEST_F(Recording, the_command_gets_its_words_as_they_are) {
  const Ended ended = run({"record", "-o", trace(), "--", "/bin/echo", "[a,b]", "[x]", "[]", "y",
                           "", "\x1f[", "--format", "[-z]"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out, "[a,b] [x] [] y  \x1f[ --format [-z]\n");
}

TEST_F(Recording, calls_have_all_their_registers_and_the_exit_code_is_kept) {
  const Ended ended = record("");
  EXPECT_EQ(ended.code, 7) << ended.err;
  EXPECT_EQ(ended.out, "");
  const auto all = calls();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all.front().data.nr, SYS_execve);
  EXPECT_EQ(all.back().data.nr, SYS_exit_group);
  EXPECT_EQ(all.back().data.args[0], 7U);
  bool seen = false;
  for (const trace::Call& each : all) {
    if (each.data.nr != SYS_getpid || each.data.args[0] != 0x1122334455667788) continue;
    seen = true;
    EXPECT_EQ(each.data.args[1], 2U);
    EXPECT_EQ(each.data.args[5], ~std::uint64_t{5});
    EXPECT_EQ(each.data.arch, info(host_arch()).token);
    EXPECT_NE(each.data.instruction_pointer, 0U);
  }
  EXPECT_TRUE(seen);
}

TEST_F(Recording, children_are_recorded_with_their_own_tid) {
  EXPECT_EQ(record("child").code, 7);
  const auto all = calls();
  bool seen = false;
  for (const trace::Call& each : all) {
    if (each.data.nr != SYS_getppid || each.data.args[0] != 0x1122334455667788) continue;
    seen = each.tid != all.front().tid;
  }
  EXPECT_TRUE(seen);
}

TEST_F(Recording, death_by_a_signal_is_kept_and_the_trace_is_whole) {
  const pid_t pid = start({"record", "-o", trace(), "--", CALLGATE_SUBJECT, "dies"});
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGUSR1);
  EXPECT_FALSE(calls().empty());
}

TEST_F(Recording, the_number_of_calls_can_be_limited) {
  EXPECT_EQ(record("", {"--limit", "3"}).code, 7);
  EXPECT_EQ(calls().size(), 3U);
}

TEST_F(Recording, results_are_listed) {
  EXPECT_EQ(record("", {"--results"}).code, 7);
  const Ended listed = run({"replay", "--list", trace()});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("getpid(0x1122334455667788, 0x2, 0x3, 0x4, 0x5, "));
  EXPECT_THAT(listed.out, HasSubstr("] = -9\n"));  // close(-1)
}

TEST_F(FilterCommandFixture, replay_says_what_would_have_been_stopped) {
  const std::string log =
      file("log",
           "getpid() = 5\nwrite(1, \"x\", 1) = 1\nwrite(2, \"x\", 1) = 1\nclose(3) = 0\n"
           "write(\"?\", \"x\", 1) = 1\n");
  const Ended text = run({"replay", "--arch", "x86_64", "-f", filter_, "--explain", log});
  EXPECT_EQ(text.code, 1) << text.err;
  EXPECT_THAT(text.out, HasSubstr("5 calls: 2 stopped, 1 unknown, 0 logged, 2 allowed"));
  EXPECT_THAT(text.out, HasSubstr("because argument 0 is not in the log"));
  const Ended json = run({"replay", "--arch", "x86_64", "-f", filter_, "--format", "json", log});
  const auto document = nlohmann::json::parse(json.out);
  EXPECT_EQ(document["stopped"], 2);
  EXPECT_EQ(document["calls"][0]["syscall"], "write");
  EXPECT_EQ(document["calls"][0]["verdict"], "ERRNO(1)");
  EXPECT_EQ(document["calls"][0]["first"]["line"], 3);
  const std::string allowed = file("allowed", "getpid() = 5\n");
  EXPECT_EQ(run({"replay", "--arch", "x86_64", "-f", filter_, allowed}).code, 0);
}

TEST_F(FilterCommandFixture, replay_and_record_say_what_they_cannot_do) {
  EXPECT_EQ(run({"record"}).code, 2);
  EXPECT_EQ(run({"record", "-o", "-", "--", "/bin/true"}).code, 2);
  const Ended nothing = run({"record", "-o", (folder_ / "t").string(), "--", "/no/such/command"});
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("ENOENT"));
  const std::string bad = file("bad", "hello\n");
  EXPECT_EQ(run({"replay", bad}).code, 2);
  const Ended unread = run({"replay", "-f", filter_, bad});
  EXPECT_EQ(unread.code, 2);
  EXPECT_THAT(unread.err, HasSubstr("not a trace"));
}

}  // namespace
}  // namespace callgate
