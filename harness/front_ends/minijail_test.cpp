// Policies of minijail, as libminijail and as compile_seccomp_policy read them.

#include "harness/front_ends/profile_reader_test.hpp"

namespace callgate::front_ends {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string wrong(std::string_view format, std::string_view text,
                  const Deployment& deployment = {}) {
  Read read(format, deployment);
  read.text(text);
  return read.error().empty() ? "read; notes: " + read.notes() : read.error();
}

TEST(Minijail, allows_what_is_named_and_ends_the_thread_for_the_rest) {
  Read read("minijail");
  read.text("# a comment\n\nread: 1\n  write :\t1\nexit_group: 1");
  EXPECT_EQ(read.error(), "");
  EXPECT_EQ(read.says("read"), "ALLOW");
  EXPECT_EQ(read.says("write"), "ALLOW");
  EXPECT_EQ(read.says("exit_group"), "ALLOW");
  EXPECT_EQ(read.says("openat"), "KILL_THREAD");
  EXPECT_EQ(read.says("read", {}, Arch::X86), "KILL_THREAD");
  // x32 calls are numbers as others.
  EXPECT_EQ(read.says_of(0x40000000, {}, 0xc000003e), "KILL_THREAD");
  EXPECT_THAT(read.notes(), HasSubstr("KILL_PROCESS by TSYNC"));
}

TEST(Minijail, allows_calls_that_pass_some_conjunction) {
  Read read("minijail");
  read.text(
      "ioctl: arg1 == 0x5401 && arg0 <= 2 || arg1 == TCGETS2; return EACCES\n"
      "mmap: arg2 in PROT_READ|PROT_WRITE\n"
      "clone: arg0 & 0x10000\n"
      "personality: arg0 == -1 || arg0 < 8; return\n"
      "open: return 0x1000d\n");
  EXPECT_THAT(read.error(), HasSubstr("TCGETS2"));
  read.text(
      "ioctl: arg1 == 0x5401 && arg0 <= 2 || arg1 == TCGETS; return EACCES\n"
      "mmap: arg2 in PROT_READ|PROT_WRITE\n"
      "clone: arg0 & 0x10000\n"
      "personality: arg0 == -1 || arg0 < 8; return\n"
      "open: return 0x1000d\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("ioctl", {9, 0x5401}), "ALLOW");
  EXPECT_EQ(read.says("ioctl", {9, 0x5402}), "ERRNO(13)");
  EXPECT_EQ(read.says("ioctl", {9, 0x100005401}), "ERRNO(13)");
  EXPECT_EQ(read.says("mmap", {0, 0, 3}), "ALLOW");
  EXPECT_EQ(read.says("mmap", {0, 0, 0}), "ALLOW");
  EXPECT_EQ(read.says("mmap", {0, 0, 4}), "KILL_THREAD");
  EXPECT_EQ(read.says("mmap", {0, 0, 0x100000000}), "KILL_THREAD");
  EXPECT_EQ(read.says("clone", {0x10011}), "ALLOW");
  EXPECT_EQ(read.says("clone", {0x11}), "KILL_THREAD");
  EXPECT_EQ(read.says("personality", {kAllBits}), "ALLOW");
  EXPECT_EQ(read.says("personality", {0xffffffff}), "KILL_THREAD");
  EXPECT_EQ(read.says("personality", {7}), "ALLOW");
  EXPECT_EQ(read.says("open"), "ERRNO(13)");
}

TEST(Minijail, compares_low_words_where_a_long_has_32_bits) {
  Read read("minijail", on(Arch::Arm));
  read.text("read: arg0 == 0xffffffff\nwrite: arg0 in 1\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("read", {0xffffffff}), "ALLOW");
  EXPECT_EQ(read.says("write", {1}), "ALLOW");
  EXPECT_EQ(read.says("write", {2}), "KILL_THREAD");
  EXPECT_THAT(wrong("minijail", "read: arg0 == 0x100000000", on(Arch::Arm)),
              StartsWith("line 1, column 15: 0x100000000: "));
  EXPECT_THAT(wrong("minijail", "read: 1", on(Arch::S390x)), HasSubstr("little-endian"));
}

TEST(Minijail, goes_on_after_a_backslash) {
  Read read("minijail");
  read.text(
      "ioctl: arg1 == 1 || \\\n  arg1 == 2\n# a comment that goes on \\\nread: 1\nwrite: 1\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("ioctl", {0, 2}), "ALLOW");
  EXPECT_EQ(read.says("read"), "KILL_THREAD");
  EXPECT_EQ(read.says("write"), "ALLOW");
  read.text("read: 1\nwrite: 1 \\\n");
  EXPECT_EQ(read.says("write"), "KILL_THREAD");
  EXPECT_THAT(read.notes(), HasSubstr("2: the last line ends in a backslash"));
  EXPECT_THAT(wrong("minijail", "ioctl: arg1 == 1 || \\\n  arg7 == 2\n"),
              StartsWith("line 2, column 3: arg7: no argument"));
}

TEST(Minijail, takes_what_libminijail_takes_and_notes_it) {
  EXPECT_THAT(wrong("minijail", "read: arg0 == 5abc"), HasSubstr("its first 1 characters"));
  EXPECT_THAT(wrong("minijail", "read: return 5 6"), HasSubstr("what follows the errno"));
  EXPECT_THAT(wrong("minijail", "read: arg0 == 1; return 5; 6"), HasSubstr("second semicolon"));
  EXPECT_THAT(wrong("minijail", "@frequency ./no_such_file\nread: 1"), HasSubstr("passes over it"));
}

TEST(Minijail, that_libminijail_refuses_is_refused_with_the_place) {
  const auto at = [](std::string_view text) { return wrong("minijail", text); };
  EXPECT_THAT(at("read: 1\nraed: 1"), StartsWith("line 2, column 1: raed: no call of x86_64"));
  EXPECT_THAT(at("read 1"), StartsWith("line 1, column 1: read 1: a colon is missing"));
  EXPECT_THAT(at("read:  "), HasSubstr("write 1 to allow"));
  EXPECT_THAT(at("read: 1\nwrite: 1\nread: arg0 == 1"),
              StartsWith("line 3, column 1: read stands twice, first at line 1, column 1"));
  EXPECT_THAT(at("read: arg0 == 1 2"), StartsWith("line 1, column 17: "));
  EXPECT_THAT(at("read: arg0==1"), HasSubstr("three words"));
  EXPECT_THAT(at("read: arg6 == 1"), HasSubstr("arg0 to arg5"));
  EXPECT_THAT(at("read: arg0 = 1"), StartsWith("line 1, column 12: =: no operator"));
  EXPECT_THAT(at("read: arg0 == FOO"), HasSubstr("FOO is neither a number"));
  EXPECT_THAT(at("read: arg0 == 99999999999999999999"), HasSubstr("neither a number"));
  EXPECT_THAT(at("read: return -1"), HasSubstr("no errno of -1"));
  EXPECT_THAT(at("read: arg0 == 1; go"), HasSubstr("\"return ERRNO\""));
  EXPECT_THAT(at("read: 1 # why"), HasSubstr("comments on lines of their own"));
  EXPECT_THAT(at("read: 1\r\n"), HasSubstr("carriage return"));
  EXPECT_THAT(at("@default kill\nread: 1"), HasSubstr("minijail-compiler"));
  EXPECT_THAT(at("@include x.policy"), HasSubstr("wants ./ before it"));
  EXPECT_THAT(at("@include ./x.policy"), HasSubstr("no further files are read here"));
  EXPECT_THAT(at(std::string_view("read\0: 1", 8)), HasSubstr("\\x00"));
  std::string many = "read: ";
  for (int i = 0; i < 600; ++i) many += "arg0 == " + std::to_string(i) + " || ";
  EXPECT_THAT(at(many), HasSubstr("room for 512"));
}

TEST(Minijail, takes_complements_and_parentheses) {
  Read read("minijail");
  read.text(
      "mmap: arg2 in ~PROT_EXEC || arg2 in ~PROT_WRITE\n"
      "lseek: arg1 == ~(1|(2|4))|1\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("mmap", {0, 0, 3}), "ALLOW");
  EXPECT_EQ(read.says("mmap", {0, 0, 5}), "ALLOW");
  EXPECT_EQ(read.says("mmap", {0, 0, 7}), "KILL_THREAD");
  EXPECT_EQ(read.says("lseek", {0, 0xfffffffffffffff9U}), "ALLOW");
  EXPECT_EQ(read.says("lseek", {0, 0xfffffffffffffff8U}), "KILL_THREAD");
  const auto at = [](std::string_view text) { return wrong("minijail", text); };
  EXPECT_THAT(at("read: arg0 == (1"), HasSubstr(") is missing"));
  EXPECT_THAT(at("read: arg0 == (1)2"), HasSubstr("behind ) comes | and a constant"));
  EXPECT_THAT(at("read: arg0 == (1)|"), HasSubstr("behind ) comes | and a constant"));
  EXPECT_THAT(at("read: arg0 == ()"), HasSubstr("no constant"));
  EXPECT_THAT(at("read: arg0 == ~"), HasSubstr("neither a number"));
  EXPECT_THAT(at("read: arg0 == " + std::string(1000, '(') + "1" + std::string(1000, ')')),
              HasSubstr("nested too deeply"));
}

TEST(Minijail, includes_one_level_of_files) {
  const std::string common = test_file("common.policy", "write: 1\n");
  const std::string name = common.substr(common.rfind('/') + 1);
  const std::string main = test_file("main.policy", "");
  Read read("minijail");
  read.text("@include ./" + name + "\nread: 1", main);
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("write"), "ALLOW");
  read.text("@include " + common + "\nwrite: 1", main);
  EXPECT_THAT(read.error(), HasSubstr("write stands twice, first at " + common + ", line 1"));
  const std::string nested = test_file("nested.policy", "@include ./" + name + "\n");
  read.text("@include " + nested, main);
  EXPECT_THAT(read.error(), HasSubstr("does not let an included file include others"));
  read.text("@include ./no_such_file", main);
  EXPECT_THAT(read.error(), HasSubstr("No such file"));
  read.text("@include " + main, main);
  EXPECT_THAT(read.error(), HasSubstr("being read already"));
}

TEST(MinijailCompiler, takes_actions_groups_and_architectures) {
  Read read("minijail-compiler");
  read.text(
      "@default trap\n"
      "read: allow  # a comment\n"
      "{ write, writev[arch=x86_64,arm64], pread64[arch=arm] }: 1\n"
      "kill: kill\nopen: kill-process\nopenat: kill-thread\nstat: trap\nlstat: trace\n"
      "fstat: log\npoll: user-notify\nlseek: return EBADF\n");
  ASSERT_EQ(read.error(), "");
  for (const auto& [call, verdict] :
       {std::pair("read", "ALLOW"), std::pair("write", "ALLOW"), std::pair("writev", "ALLOW"),
        std::pair("pread64", "TRAP"), std::pair("kill", "KILL_THREAD"),
        std::pair("open", "KILL_PROCESS"), std::pair("openat", "KILL_THREAD"),
        std::pair("stat", "TRAP"), std::pair("lstat", "TRACE"), std::pair("fstat", "LOG"),
        std::pair("poll", "USER_NOTIF"), std::pair("lseek", "ERRNO(9)"),
        std::pair("close", "TRAP")}) {
    EXPECT_EQ(read.says(call), verdict) << call;
  }
  EXPECT_EQ(read.says("read", {}, Arch::X86), "KILL_THREAD");
}

TEST(MinijailCompiler, means_by_the_action_what_passes_the_tests) {
  const std::string_view text = "ioctl: arg1 == 0x5401; return EPERM\n";
  Read compiled("minijail-compiler");
  compiled.text(text);
  EXPECT_EQ(compiled.says("ioctl", {0, 0x5401}), "ERRNO(1)");
  EXPECT_EQ(compiled.says("ioctl", {0, 1}), "KILL_THREAD");
  Read library("minijail");
  library.text(text);
  EXPECT_EQ(library.says("ioctl", {0, 0x5401}), "ALLOW");
  EXPECT_EQ(library.says("ioctl", {0, 1}), "ERRNO(1)");
}

TEST(MinijailCompiler, tries_the_filters_of_a_list_in_order) {
  Read read("minijail-compiler");
  read.text(
      "ioctl: { arg1 == 1; return 1, arg1 == 1 || arg1 == 2 && arg0 > 0x100000000; trap, \\\n"
      "         return 2 }\n"
      "socket: arg0 == AF_UNIX\nsocket: arg0 == AF_INET; return EACCES\nsocket: kill-process\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("ioctl", {0, 1}), "ERRNO(1)");
  EXPECT_EQ(read.says("ioctl", {0x100000001, 2}), "TRAP");
  EXPECT_EQ(read.says("ioctl", {0x100000000, 2}), "ERRNO(2)");
  EXPECT_EQ(read.says("socket", {1}), "ALLOW");
  EXPECT_EQ(read.says("socket", {2}), "ERRNO(13)");
  EXPECT_EQ(read.says("socket", {3}), "KILL_PROCESS");
}

TEST(MinijailCompiler, drops_tests_before_an_action_that_allows) {
  Read read("minijail-compiler");
  read.text("ioctl: { arg1 == 1; return 1, allow }\n");
  EXPECT_EQ(read.says("ioctl", {0, 1}), "ALLOW");
  EXPECT_THAT(read.notes(), HasSubstr("1: ioctl: its last action allows"));
}

TEST(MinijailCompiler, computes_constants) {
  Read read("minijail-compiler");
  read.text(
      "mmap: arg2 in ~(PROT_EXEC|(PROT_WRITE)) && arg3 == 010|0x10 && arg4 != -1\n"
      "read: arg0 == 08; return 012\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("mmap", {0, 0, 1, 0x18, 3}), "ALLOW");
  EXPECT_EQ(read.says("mmap", {0, 0, 1, 0x18, kAllBits}), "KILL_THREAD");
  EXPECT_EQ(read.says("mmap", {0, 0, 5, 0x18, 3}), "KILL_THREAD");
  EXPECT_EQ(read.says("read", {8}), "ERRNO(10)");
}

TEST(MinijailCompiler, reads_denylists_where_asked_for) {
  Deployment deployment;
  deployment.denylist = true;
  Read read("minijail-compiler", deployment);
  read.text("@denylist\nptrace: return EPERM\nioctl: arg1 == 1; return EACCES\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("ptrace"), "ERRNO(1)");
  EXPECT_EQ(read.says("ioctl", {0, 1}), "ERRNO(13)");
  EXPECT_EQ(read.says("ioctl", {0, 2}), "ALLOW");
  EXPECT_EQ(read.says("read"), "ALLOW");
  EXPECT_EQ(read.says("read", {}, Arch::X86), "KILL_THREAD");
  EXPECT_THAT(wrong("minijail-compiler", "ptrace: return 1", deployment),
              HasSubstr("wants @denylist"));
  EXPECT_THAT(wrong("minijail-compiler", "@denylist\nptrace: kill", deployment),
              HasSubstr("\"return ERRNO\""));
  EXPECT_THAT(wrong("minijail-compiler", "@denylist\nptrace: return 1"), HasSubstr("--denylist"));
}

TEST(MinijailCompiler, that_is_wrong_is_refused_with_the_place) {
  const auto at = [](std::string_view text) { return wrong("minijail-compiler", text); };
  EXPECT_THAT(at("read: allow\nraed: allow"),
              StartsWith("line 2, column 1: raed: no call of x86_64"));
  EXPECT_THAT(at("read allow"), StartsWith("line 1, column 6: allow: a colon is missing"));
  EXPECT_THAT(at("read:"), StartsWith("line 1, column 6: an action is missing"));
  EXPECT_THAT(at("read: allow\nread: kill"),
              StartsWith("line 2, column 5: read: an action without tests stands before this, at "
                         "line 1, column 5"));
  EXPECT_THAT(at("read: arg6 == 1"), HasSubstr("the kernel refuses"));
  EXPECT_THAT(at("read: arg7 == 1"), HasSubstr("arg0 to arg5"));
  EXPECT_THAT(at("read: arg0 = 1"), StartsWith("line 1, column 12: =: no operator"));
  EXPECT_THAT(at("read: arg0 == "), HasSubstr("a constant is missing"));
  EXPECT_THAT(at("read: arg0 == ~~1"), HasSubstr("twice ~"));
  EXPECT_THAT(at("read: arg0 == (1"), HasSubstr(") is missing"));
  EXPECT_THAT(at("read: arg0 == FOO"), HasSubstr("FOO is neither a number"));
  EXPECT_THAT(at("read: arg0 == 0x10000000000000000"), HasSubstr("64 bits"));
  EXPECT_THAT(at("read: { allow"), HasSubstr("} is missing"));
  EXPECT_THAT(at("{ read: allow"), HasSubstr("} is missing"));
  EXPECT_THAT(at("read[arch]: allow"), HasSubstr("= is missing"));
  EXPECT_THAT(at("read[arch=arm; arch=x86]: allow"), HasSubstr("stands twice"));
  EXPECT_THAT(at("@default allow"), HasSubstr("not a default"));
  EXPECT_THAT(at("base@systemd: allow"), HasSubstr("constants.json"));
  EXPECT_THAT(at("read: allow allow"), StartsWith("line 1, column 13: allow: too much"));
  EXPECT_THAT(at("read: arg0 == 1 ^ 2"), HasSubstr("^: not a word"));
  EXPECT_THAT(at("@include common.policy"), HasSubstr("begins with / or ./"));
  EXPECT_THAT(at("read: arg0 == " + std::string(1000, '(')), HasSubstr("nested more than 64"));
  EXPECT_THAT(at("read: allow \\\n"), HasSubstr("passes over this statement"));
}

TEST(MinijailCompiler, includes_files_and_reads_frequencies) {
  const std::string frequencies = test_file("cat.frequency", "read: 100\n{\n");
  Read read("minijail-compiler");
  const std::string main = test_file("py.policy", "");
  read.text("@frequency " + frequencies + "\nread: allow\n", main);
  EXPECT_THAT(read.error(), StartsWith(frequencies + ", line 2, column 1: {: no name"));
  std::ofstream(frequencies) << "read: 100\nwrite: 5 # often\n";
  const std::string inner = test_file("inner.policy", "write: allow\n");
  const std::string outer =
      test_file("outer.policy", "@include ./" + inner.substr(inner.rfind('/') + 1) + "\n");
  read.text("@frequency " + frequencies + "\n@include " + outer + "\n@default kill-process\n",
            main);
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("write"), "ALLOW");
  EXPECT_EQ(read.says("read"), "KILL_PROCESS");
  EXPECT_THAT(read.notes(), HasSubstr("2 frequencies"));
  const std::string cycle = test_file("cycle.policy", "");
  std::ofstream(cycle) << "@include " << cycle << "\n";
  read.text("@include " + cycle, main);
  EXPECT_THAT(read.error(), HasSubstr("being read already"));
}

TEST(MinijailPolicies, are_told_apart_by_their_content) {
  EXPECT_EQ(detected("# x\nread: 1\n"), "minijail");
  EXPECT_EQ(detected("ioctl: arg1 == 1; return 5\n"), "minijail");
  EXPECT_EQ(detected("read: allow\n"), "minijail-compiler");
  EXPECT_EQ(detected("read: 1\nwrite: 1 # why\n"), "minijail-compiler");
  EXPECT_EQ(detected("@denylist\nread: return 1\n"), "minijail-compiler");
  EXPECT_EQ(detected("{ read, write }: 1\n"), "minijail-compiler");
  EXPECT_EQ(detected("version: 1\n"), "");
}

}  // namespace
}  // namespace callgate::front_ends
