// `callgate asm`, and `callgate disasm --syntax`, as a person meets them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kText =
    "A = arch\nif (A != ARCH_X86_64) goto no\nA = sys_number\nA == openat ? no : ok\n"
    "no: return KILL_PROCESS\nok: return ALLOW\n";
constexpr const char* kHex =
    "2000000004000000\n150000023e0000c0\n2000000000000000\n1500000101010000\n0600000000000080\n"
    "060000000000ff7f\n";

class AsmCommand : public CommandFixture {};

TEST_F(AsmCommand, writes_every_form_of_a_program) {
  const std::string text = file("text", kText);
  const std::vector<std::string> start = {"asm", "--arch", "x86_64", "--format"};
  const auto as = [&](const std::string& format) {
    std::vector<std::string> words = start;
    words.insert(words.end(), {format, text});
    return run(words);
  };
  EXPECT_EQ(as("hex").out, kHex);
  const Ended raw = run({"asm", "--arch", "x86_64", text});
  EXPECT_EQ(raw.code, 0) << raw.err;
  EXPECT_EQ(raw.out.size(), 48U);
  EXPECT_EQ(as("raw").out, raw.out);
  for (const char* const format : {"hex", "c", "c-string", "decimal"}) {
    EXPECT_EQ(run({"disasm", "--format", "raw", "--arch", "x86_64", "-"}, as(format).out).out,
              raw.out)
        << format;
  }
  const auto document = nlohmann::json::parse(as("json").out);
  EXPECT_EQ(document["instructions"].size(), 6U);
  EXPECT_EQ(document["instructions"][3]["text"], "if (nr != openat) goto 0005");
}

TEST_F(AsmCommand, assembles_what_disasm_writes_in_each_language) {
  const std::string hex = file("hex", kHex);
  for (const char* const language : {"callgate", "bpf_asm", "seccomp-tools", "ceccomp"}) {
    const Ended text = run({"disasm", "--arch", "x86_64", "--syntax", language, hex});
    EXPECT_EQ(text.code, 0) << text.err;
    for (const std::vector<std::string>& more :
         {std::vector<std::string>{}, std::vector<std::string>{"--syntax", language}}) {
      std::vector<std::string> words = {"asm", "--arch", "x86_64", "--format", "hex", "-"};
      words.insert(words.end(), more.begin(), more.end());
      EXPECT_EQ(run(words, text.out).out, kHex) << text.out;
    }
    EXPECT_THAT(run({"check", "--arch", "x86_64", "-"}, text.out).out, HasSubstr("accepted"));
  }
}

TEST_F(AsmCommand, writes_listings_that_those_tools_know) {
  const std::string hex = file("hex", kHex);
  EXPECT_EQ(run({"disasm", "--arch", "x86_64", "--syntax", "seccomp-tools", hex}).out,
            "0000: A = arch\n"
            "0001: if (A != ARCH_X86_64) goto 0004\n"
            "0002: A = sys_number\n"
            "0003: if (A != openat) goto 0005\n"
            "0004: return KILL_PROCESS\n"
            "0005: return ALLOW\n");
  EXPECT_THAT(
      run({"disasm", "--arch", "x86_64", "--syntax", "ceccomp", hex}).out,
      AllOf(
          StartsWith("#Label  CODE  JT   JF      K\n#---------------------------------\n L0001: "),
          HasSubstr("if ($A != ARCH_X86_64) goto L0005\n"),
          HasSubstr(" L0004: 0x15 0x00 0x01 0x00000101 if ($A != openat) goto L0006\n")));
}

TEST_F(AsmCommand, says_what_is_wrong_with_a_text_at_its_place) {
  const std::string text = file("text", "A = arch\nA = nonsense\n");
  const Ended ended = run({"asm", "--arch", "x86_64", text});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err,
              AllOf(StartsWith("callgate: " + text + ":2:5: "), HasSubstr("`nonsense`")));
  const Ended other = run({"asm", "-"}, kHex);
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("none of the languages"));
  EXPECT_EQ(run({"asm", "--syntax", "nasm", text}).code, 2);
  EXPECT_EQ(run({"asm", "/nonexistent"}).code, 2);
}

TEST_F(AsmCommand, writes_nothing_that_a_kernel_refuses_unless_asked_to) {
  const std::string text = file("text", "# a filter\n\n  ld M[3]\n  ret #0\n  mod #3\n");
  const std::string out = (folder_ / "written").string();
  const Ended ended = run({"asm", "-o", out, text});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, AllOf(HasSubstr(text + ":3: instruction 0: memory slot 3"),
                               HasSubstr(text + ":5: instruction 2: "), HasSubstr("--no-check")));
  EXPECT_FALSE(std::filesystem::exists(out));
  const Ended all_the_same = run({"asm", "--no-check", "-o", out, text});
  EXPECT_EQ(all_the_same.code, 0) << all_the_same.err;
  EXPECT_EQ(content(out).size(), 24U);
  EXPECT_EQ(all_the_same.out, "");
  // What a kernel refuses depends on its version.
  const std::string xor_text = file("xor", "ld [0]\nxor #1\nret a\n");
  EXPECT_EQ(run({"asm", "--kernel", "3.9", "--arch", "x86_64", xor_text}).code, 1);
  EXPECT_EQ(run({"asm", "--check", "--kernel", "3.10", "--arch", "x86_64", xor_text}).code, 0);
}

TEST_F(AsmCommand, writes_no_raw_bytes_to_a_terminal) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  const std::string other_end = ptsname(terminal);
  const std::string text = file("text", kText);
  const std::string err = (folder_ / "err").string();
  const auto run_there = [&](std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& each : words) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, other_end.c_str(), O_WRONLY | O_NOCTTY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (error != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(run_there({CALLGATE_COMMAND, "asm", "--arch", "x86_64", text}), 2);
  EXPECT_THAT(content(err), AllOf(HasSubstr("-o FILE"), HasSubstr("--format hex")));
  EXPECT_EQ(run_there({CALLGATE_COMMAND, "asm", "--arch", "x86_64", "--format", "hex", text}), 0);
  const std::string out = (folder_ / "written").string();
  EXPECT_EQ(run_there({CALLGATE_COMMAND, "asm", "--arch", "x86_64", "-o", out, text}), 0);
  EXPECT_EQ(content(out).size(), 48U);
  close(terminal);
}

TEST_F(AsmCommand, says_where_a_listing_was_changed_in_its_text_alone) {
  const std::string listing =
      "# mine\n0000  20 00 00 00000000  A = nr\n0001  15 00 01 00000027  if (nr != getppid) goto "
      "0003\n0002  06 00 00 7fff0000\n0003  06 00 00 00050001  return ERRNO(1)\n";
  const std::string text = file("text", listing);
  const Ended ended = run({"asm", "--arch", "x86_64", "--format", "hex", text});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, StartsWith(text + ":3: the columns say `if (nr != getpid) goto 0003`, the "
                                           "text behind them `if (nr != getppid) goto 0003`\n"));
  EXPECT_EQ(run({"asm", "--arch", "x86_64", "--no-check", "--format", "decimal", text}).out,
            "4\n32 0 0 0\n21 0 1 39\n6 0 0 2147418112\n6 0 0 327681\n");
}

TEST_F(AsmCommand, disasm_says_what_a_language_has_no_words_for) {
  const std::string filter =
      file("rows", "{0x94, 0, 0, 3}, {0x81, 0, 0, 0}, {0x15, 2, 2, 0}, {6, 1, 2, 0}");
  const Ended tools = run({"disasm", "--syntax", "seccomp-tools", filter});
  EXPECT_EQ(tools.code, 1);
  EXPECT_THAT(tools.out, StartsWith("# 0000: code 0x0094 jt 0 jf 0 k 0x00000003\n# 0001: "));
  EXPECT_THAT(tools.err,
              AllOf(HasSubstr("instruction 0: seccomp-tools: there are no words for code 0x0094"),
                    HasSubstr("instruction 1: seccomp-tools: there are no words"),
                    HasSubstr("instruction 2: seccomp-tools: a jump beyond the end"),
                    HasSubstr("instruction 3: seccomp-tools: fields that it does not use"),
                    HasSubstr("own listing can")));
  const Ended whole = run({"disasm", "--syntax", "callgate", filter});
  EXPECT_EQ(whole.code, 0);
  EXPECT_EQ(whole.err, "");
  // The meaning is kept: no more than a word on standard error.
  const std::string unused = file("unused", "{0x15, 0, 0, 5}, {6, 1, 2, 0}");
  const Ended meant = run({"disasm", "--syntax", "seccomp-tools", unused});
  EXPECT_EQ(meant.code, 0);
  EXPECT_THAT(meant.err, AllOf(HasSubstr("instruction 0"), HasSubstr("becomes a jump"),
                               HasSubstr("instruction 1"), Not(HasSubstr("can\n"))));
}

}  // namespace
}  // namespace callgate
