#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The filter of FilterCommandFixture as raw bytes, as ceccomp's text, and one that looks at the
// instruction pointer.
class EmuFixture : public FilterCommandFixture {
 protected:
  void SetUp() override {
    FilterCommandFixture::SetUp();
    const Ended assembled = run({"disasm", "--format", "raw", filter_});
    raw_ = file("raw", assembled.out);
    text_ = file("text",
                 "$A = $syscall_nr\n"
                 "if ($A == getpid) goto ok\n"
                 "if ($A != write) goto no\n"
                 "$A = $low_args[0]\n"
                 "if ($A != 1) goto no\n"
                 "ok: return ALLOW\n"
                 "no: return ERRNO(1)\n");
    pointer_ = file("pointer",
                    "$A = $low_pc\n"
                    "if ($A == 0x1234) goto ok\n"
                    "return KILL\n"
                    "ok: return ALLOW\n");
  }

  std::string raw_;
  std::string text_;
  std::string pointer_;
};

TEST_F(EmuFixture, as_seccomp_tools_is_called) {
  const Ended quiet = run({"emu", "-q", "-a", "amd64", raw_, "39"});
  EXPECT_EQ(quiet.code, 0) << quiet.err;
  EXPECT_EQ(quiet.out, "return ALLOW at line 0005\n");
  EXPECT_EQ(run({"emu", "--quiet", raw_, "1", "1"}).out, "return ALLOW at line 0005\n");
  EXPECT_EQ(run({"emu", raw_, "1", "0x2", "-q"}).out, "return ERRNO(1) at line 0006\n");
  EXPECT_THAT(run({"emu", "--no-quiet", raw_, "1", "2"}).out,
              EndsWith("\n\nreturn ERRNO(1) at line 0006\n"));
}

TEST_F(EmuFixture, as_ceccomp_is_called) {
  EXPECT_EQ(run({"emu", "-q", "-c", "never", "-a", "x86_64", text_, "getpid"}).out,
            "return ALLOW at line 0005\n");
  EXPECT_EQ(run({"emu", "-q", text_, "write", "1"}).out, "return ALLOW at line 0005\n");
  EXPECT_EQ(run({"emu", "-q", text_, "write", "2", "0", "0", "0", "0", "0"}).out,
            "return ERRNO(1) at line 0006\n");
  EXPECT_EQ(run({"emu", "-q", "-", "getpid"}, content(text_)).out, "return ALLOW at line 0005\n");
  // Without a file the text is on standard input.
  EXPECT_EQ(run({"emu", "-q", "write", "1"}, content(text_)).out, "return ALLOW at line 0005\n");
}

TEST_F(EmuFixture, the_other_tools_names_are_links_to_it) {
  for (const char* const name : {"seccomp-tools", "ceccomp"}) {
    std::filesystem::create_symlink(CALLGATE_COMMAND, folder_ / name);
    const std::string line =
        "cd '" + folder_.string() + "' && ./" + name + " emu -q text getpid > by_name.out";
    EXPECT_EQ(std::system(line.c_str()), 0);
    EXPECT_EQ(content(folder_ / "by_name.out"), "return ALLOW at line 0005\n");
  }
}

TEST_F(EmuFixture, without_words_it_waits_for_nothing) {
  const Ended ended = run({"emu"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("name a filter and a call"));
}

TEST_F(EmuFixture, the_instruction_pointer_is_an_option_or_the_last_word) {
  EXPECT_THAT(run({"emu", "-q", pointer_, "0"}).out, StartsWith("return KILL"));
  EXPECT_THAT(run({"emu", "-q", "-i", "0x1234", pointer_, "0"}).out, StartsWith("return ALLOW"));
  EXPECT_THAT(run({"emu", "-q", "--ip=0x1234", pointer_}).out, StartsWith("return ALLOW"));
  EXPECT_THAT(run({"emu", "-q", pointer_, "0", "1", "2", "3", "4", "5", "6", "0x1234"}).out,
              StartsWith("return ALLOW"));
  EXPECT_EQ(run({"emu", "-i", "1", pointer_, "0", "1", "2", "3", "4", "5", "6", "7"}).code, 2);
  EXPECT_EQ(run({"emu", pointer_, "0", "1", "2", "3", "4", "5", "6", "7", "8"}).code, 2);
}

TEST_F(EmuFixture, executed_lines_are_marked) {
  const Ended ended = run({"emu", raw_, "39"});
  EXPECT_THAT(ended.out, StartsWith("> 0000: A = nr\n> 0001: if "));
  EXPECT_THAT(ended.out, HasSubstr("\n  0002: "));
  EXPECT_THAT(ended.out, HasSubstr("\n  0004: "));
  EXPECT_THAT(ended.out, HasSubstr("\n> 0005: return ALLOW\n  0006: "));
  EXPECT_THAT(ended.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(run({"emu", "-c", "always", raw_, "39"}).out, HasSubstr("\x1b[2m  0002: "));
}

TEST_F(EmuFixture, a_filter_that_asks_for_the_call_needs_one) {
  const Ended ended = run({"emu", raw_});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("put its name or number after the file"));
}

TEST_F(EmuFixture, a_filter_that_the_kernel_refuses_is_not_run) {
  const std::string unwritten = file("unwritten", "$A = $mem[3]\nreturn $A\n");
  const Ended ended = run({"emu", unwritten, "0"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("refused"));
  EXPECT_EQ(run({"emu", (folder_ / "nothing").string(), "0"}).code, 2);
  EXPECT_EQ(run({"emu", text_, "no_such_call"}).code, 2);
  EXPECT_EQ(run({"emu", "-a", "vax", text_, "0"}).code, 2);
}

TEST_F(EmuFixture, other_byte_orders_go_by_the_architecture) {
  const Ended big = run({"disasm", "--format", "raw", "--arch", "s390x", filter_});
  const std::string raw = file("big", big.out);
  EXPECT_EQ(run({"emu", "-q", "-a", "s390x", raw, "39"}).out, "return ALLOW at line 0005\n");
}

}  // namespace
}  // namespace callgate
