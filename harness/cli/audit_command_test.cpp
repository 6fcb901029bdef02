// `callgate audit` as a person meets it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AuditCommand : public CommandFixture {
 protected:
  [[nodiscard]] static std::string corpus(const std::string& name) {
    return std::string(CALLGATE_SOURCE_DIR) + "/corpus/audit/" + name;
  }
  [[nodiscard]] Ended audit(const std::string& name,
                            const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"audit", "-f", corpus(name), "--arch", "x86_64"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
};

TEST_F(AuditCommand, says_what_is_wrong_and_shows_the_calls) {
  const Ended ended = audit("int_bypass.asm");
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("[int-argument-bypass]"));
  EXPECT_THAT(ended.out, HasSubstr("socket(0x100000028, 0, …) of x86_64, number 0x29, gets ALLOW"));
  EXPECT_THAT(ended.out, HasSubstr("socket(0x28, 0, …) of x86_64, number 0x29, gets KILL_PROCESS"));
  EXPECT_THAT(ended.out, HasSubstr("instruction 11"));
  EXPECT_THAT(ended.out, HasSubstr("remedy: Compare the lower half only"));
  EXPECT_THAT(ended.out, HasSubstr("1 error, 0 warnings, 0 notes; for Linux 6.18 x86_64"));
}

TEST_F(AuditCommand, is_content_with_a_clean_filter) {
  const Ended ended = audit("clean.asm", {"--fail-on", "note"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out, "0 errors, 0 warnings, 0 notes; for Linux 6.18 x86_64\n");
}

TEST_F(AuditCommand, ends_with_1_from_the_severity_that_is_asked_for) {
  EXPECT_EQ(audit("int_high.asm").code, 0);  // a note
  EXPECT_EQ(audit("int_high.asm", {"--fail-on", "note"}).code, 1);
  EXPECT_EQ(audit("half.asm").code, 1);  // a warning
  EXPECT_EQ(audit("half.asm", {"--fail-on", "error"}).code, 0);
  EXPECT_EQ(audit("int_bypass.asm", {"--fail-on", "error"}).code, 1);
  EXPECT_EQ(audit("int_bypass.asm", {"--fail-on", "never"}).code, 0);
}

TEST_F(AuditCommand, counts_nothing_that_is_suppressed_with_a_reason) {
  const std::string config =
      file("config",
           R"({"suppress": [{"id": "dangerous-call", "syscall": "ptrace", "reason": "gdb"}]})");
  const Ended ended = audit("dangerous.asm", {"--config", config});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("suppressed: gdb"));
  EXPECT_THAT(ended.out, HasSubstr("0 errors, 0 warnings, 0 notes, 1 suppressed"));
  // Of another call, it is not this one.
  const std::string other =
      file("other",
           R"({"suppress": [{"id": "dangerous-call", "syscall": "bpf", "reason": "tracing"}]})");
  EXPECT_EQ(audit("dangerous.asm", {"--config", other}).code, 1);
}

TEST_F(AuditCommand, refuses_a_configuration_that_it_does_not_understand) {
  const auto error = [&](const std::string& text) {
    const Ended ended = audit("clean.asm", {"--config", file("config", text)});
    EXPECT_EQ(ended.code, 2) << text;
    EXPECT_EQ(ended.out, "");
    return ended.err;
  };
  EXPECT_THAT(error("{"), HasSubstr("config: line 1"));
  EXPECT_THAT(error("{\n \"suppress\": [{\"id\": \"kill-thread\"}]}"),
              HasSubstr("line 2, column 15: a suppression needs a reason"));
  EXPECT_THAT(error(R"({"suppress": [{"id": "kill-thread", "reason": ""}]})"),
              HasSubstr("reason has to be a text, and not an empty one"));
  EXPECT_THAT(error(R"({"suppress": [{"id": "kil-thread", "reason": "x"}]})"),
              HasSubstr("kil-thread: no such finding"));
  EXPECT_THAT(error(R"({"suppress": [{"reason": "x"}]})"), HasSubstr("needs an id"));
  EXPECT_THAT(error(R"({"suppress": 1})"), HasSubstr("has to be an array"));
  EXPECT_THAT(error(R"({"ignore": []})"), HasSubstr("only `suppress` is known"));
}

TEST_F(AuditCommand, judges_for_the_kernel_and_what_is_said_to_be_there) {
  EXPECT_THAT(audit("trace.asm").out, HasSubstr("[trace-without-tracer]"));
  EXPECT_THAT(audit("trace.asm", {"--tracer"}).out, Not(HasSubstr("[trace-without-tracer]")));
  EXPECT_THAT(audit("notify.asm", {"--listener"}).out, HasSubstr("0 warnings"));
  EXPECT_THAT(audit("log.asm", {"--kernel", "4.4"}).out,
              HasSubstr("getpid gets LOG, which came with 4.14: Linux 4.4 does not know it"));
}

TEST_F(AuditCommand, writes_json_with_null_for_what_is_not_known) {
  const auto document = nlohmann::json::parse(audit("clean.asm", {"--format", "json"}).out);
  EXPECT_EQ(document.at("callgate"), 1);
  EXPECT_TRUE(document.at("findings").empty());
  EXPECT_TRUE(document.at("incomplete").empty());
  const auto found =
      nlohmann::json::parse(audit("half.asm", {"--format", "json"}).out).at("findings");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at("id"), "half-compared");
  EXPECT_EQ(found[0].at("syscall"), "read");
  EXPECT_TRUE(found[0].at("line").is_null());
  EXPECT_EQ(found[0].at("calls")[0].at("args")[2], "0x100000004");
  EXPECT_EQ(found[0].at("calls")[1].at("args")[2], "0x4");
  EXPECT_EQ(found[0].at("calls")[0].at("verdict"), "ALLOW");
}

TEST_F(AuditCommand, says_which_checks_are_not_complete) {
  // A product of two arguments decides: no more than a call for each side is known.
  const std::string filter =
      file("product",
           "  ld [4]\n  jne #0xc000003e, bad\n  ld [0]\n  jge #0x40000000, bad\n"
           "  jne #0, bad\n  ld [16]\n  tax\n  ld [24]\n  mul x\n"
           "  jeq #0x12345679, good\nbad: ret #0x80000000\n"
           "good: ret #0x7fff0000\n");
  const Ended ended = run({"audit", "-f", filter, "--arch", "x86_64"});
  EXPECT_THAT(ended.out, HasSubstr("not complete: ")) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("could not be told apart into bits"));
}

TEST_F(AuditCommand, lists_what_can_be_found) {
  const Ended ended = run({"audit", "--list"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, HasSubstr("x32-not-excluded (error)\n"));
}

TEST_F(AuditCommand, ends_with_2_for_wrong_use_and_with_1_for_what_no_kernel_takes) {
  EXPECT_EQ(run({"audit"}).code, 2);
  EXPECT_EQ(audit("clean.asm", {"--fail-on", "everything"}).code, 2);
  EXPECT_EQ(run({"audit", "-f", "/no/such/file"}).code, 2);
  const std::string refused = file("refused", "{0x06, 0, 0, 0}, {0x05, 0, 0, 9}");
  EXPECT_EQ(run({"audit", "-f", refused}).code, 1);
}

}  // namespace
}  // namespace callgate
