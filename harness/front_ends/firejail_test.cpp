// Profiles of firejail.

#include <array>
#include <cstdio>
#include <filesystem>

#include "harness/front_ends/profile_reader_test.hpp"

namespace callgate::front_ends {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string wrong(std::string_view text, const Deployment& deployment = {}) {
  Read read("firejail", deployment);
  read.text(text);
  return read.error().empty() ? "read; notes: " + read.notes() : read.error();
}

std::string layers(const Read& read) {
  std::string out;
  for (const Layer& each : read.profile().layers) out += each.name + "\n";
  return out;
}

TEST(Firejail, drops_the_default_calls_of_both_architectures) {
  Read read("firejail");
  read.text("# a comment\nquiet\ncaps.drop all\n  seccomp\nnoroot\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(layers(read), "seccomp\nseccomp.32\n");
  EXPECT_EQ(read.says("ptrace"), "ERRNO(1)");
  EXPECT_EQ(read.says("read"), "ALLOW");
  EXPECT_EQ(read.says("ptrace", {}, Arch::X86), "ALLOW");
  EXPECT_EQ(read.says("kexec_load", {}, Arch::X86, 1), "ERRNO(1)");
  EXPECT_EQ(read.says("kexec_load", {}, Arch::X86_64, 1), "ALLOW");
  EXPECT_EQ(read.says_of(0x40000000, {}, 0xc000003e), "ERRNO(1)");
  EXPECT_EQ(read.says_of(0xffffffff, {}, 0xc000003e), "ERRNO(1)");
  read.text("seccomp\nallow-debuggers\n");
  EXPECT_EQ(read.says("ptrace"), "ALLOW");
}

TEST(Firejail, takes_lists_with_exceptions_and_errnos) {
  Read read("firejail");
  read.text(
      "seccomp !chroot,@swap,open:EACCES,fork:kill,creat:eperm,$57,$999,!read,nosuch,dup:13\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("chroot"), "ALLOW");
  EXPECT_EQ(read.says("swapon"), "ERRNO(1)");
  EXPECT_EQ(read.says("open"), "ERRNO(13)");
  EXPECT_EQ(read.says("creat"), "ERRNO(1)");
  EXPECT_EQ(read.says("fork"), "KILL_THREAD");
  EXPECT_EQ(read.says("dup"), "ALLOW");
  EXPECT_EQ(read.says("read"), "ERRNO(1)");
  EXPECT_EQ(read.says_of(999, {}, 0xc000003e), "ALLOW");
  EXPECT_THAT(read.notes(), HasSubstr("nosuch: not among firejail 0.9.72's calls"));
  EXPECT_THAT(read.notes(), HasSubstr("dup:13: no name of an errno"));
  EXPECT_THAT(read.notes(), HasSubstr("!read: the call's number is 0"));
  EXPECT_THAT(read.notes(), HasSubstr("$999: firejail knows no name of it"));
}

TEST(Firejail, drops_or_keeps_a_list_alone) {
  Read read("firejail");
  read.text("seccomp fork\nseccomp.drop write,execve\nseccomp-error-action log\n");
  EXPECT_EQ(layers(read), "seccomp\n");
  EXPECT_EQ(read.says("write"), "LOG");
  EXPECT_EQ(read.says("ptrace"), "ALLOW");
  EXPECT_EQ(read.says("execve"), "ALLOW");
  EXPECT_THAT(read.notes(), HasSubstr("2: execve: firejail still needs it"));
  read.text("seccomp.keep read,!write,write,@swap\nseccomp.drop read\nseccomp-error-action kill\n");
  EXPECT_EQ(layers(read), "seccomp.keep\n");
  EXPECT_EQ(read.says("read"), "ALLOW");
  EXPECT_EQ(read.says("execve"), "ALLOW");
  EXPECT_EQ(read.says("swapoff"), "ALLOW");
  EXPECT_EQ(read.says("write"), "KILL_THREAD");
  EXPECT_EQ(read.says("open"), "KILL_THREAD");
  EXPECT_EQ(read.says("open", {}, Arch::X86), "ALLOW");
}

TEST(Firejail, makes_filters_of_other_commands_too) {
  Read read("firejail");
  read.text(
      "protocol unix,inet\nprotocol inet6\nmemory-deny-write-execute\nseccomp\n"
      "seccomp.block-secondary\nrestrict-namespaces user,time\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(layers(read),
            "restrict-namespaces.32\nrestrict-namespaces\nmemory-deny-write-execute.32\n"
            "memory-deny-write-execute\nseccomp\nseccomp.block-secondary\nprotocol\n");
  EXPECT_EQ(read.says("socket", {10}, Arch::X86_64, 6), "ALLOW");
  EXPECT_EQ(read.says("socket", {16}, Arch::X86_64, 6), "ERRNO(95)");
  EXPECT_EQ(read.says("socket", {16}, Arch::X86, 6), "ERRNO(95)");
  EXPECT_EQ(read.says("personality", {0xffffffff}, Arch::X86_64, 5), "ALLOW");
  EXPECT_EQ(read.says("personality", {8}, Arch::X86_64, 5), "ERRNO(1)");
  EXPECT_EQ(read.says("read", {}, Arch::X86, 5), "ERRNO(1)");
  EXPECT_EQ(read.says("mmap", {0, 0, 7}, Arch::X86_64, 3), "ERRNO(1)");
  EXPECT_EQ(read.says("mmap", {0, 0, 3}, Arch::X86_64, 3), "ALLOW");
  EXPECT_EQ(read.says("mmap2", {0, 0, 6}, Arch::X86, 2), "ERRNO(1)");
  EXPECT_EQ(read.says("clone", {0x10000080}, Arch::X86_64, 1), "ERRNO(1)");
  EXPECT_EQ(read.says("clone", {0x80}, Arch::X86_64, 1), "ALLOW");
  EXPECT_EQ(read.says("unshare", {0x80}, Arch::X86, 0), "ERRNO(1)");
  EXPECT_EQ(read.says("setns", {3, 0}, Arch::X86_64, 1), "ERRNO(1)");
  EXPECT_EQ(read.says("clone3", {}, Arch::X86_64, 1), "ERRNO(38)");
}

TEST(Firejail, ignores_what_it_is_told_to_and_includes_files) {
  const std::string inner = test_file("inner.inc", "seccomp.drop read\n");
  const std::string main = test_file("main.profile", "");
  Read read("firejail");
  read.text("ignore seccomp\ninclude " + inner.substr(inner.rfind('/') + 1) + "\nseccomp\n", main);
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("read"), "ERRNO(1)");
  EXPECT_EQ(read.says("ptrace"), "ALLOW");
  read.text("include no_such.local\nseccomp\n", main);
  EXPECT_THAT(read.notes(), HasSubstr("1: no_such.local: not read"));
  EXPECT_THAT(wrong("ignore seccomp\nseccomp\n"), HasSubstr("no command in it makes a filter"));
}

TEST(Firejail, that_is_wrong_is_refused_with_the_place) {
  EXPECT_THAT(wrong("noroot\n"), HasSubstr("no command in it makes a filter"));
  EXPECT_THAT(wrong("noroot\nseccomp read, write\n"),
              StartsWith("line 2, column 14:  : firejail takes no such character"));
  EXPECT_THAT(wrong("seccomp @nosuch"), StartsWith("line 1, column 9: @nosuch: no group"));
  EXPECT_THAT(wrong("seccomp ,"), HasSubstr("an empty list"));
  EXPECT_THAT(wrong("seccomp :EPERM"), HasSubstr("a call's name is missing"));
  EXPECT_THAT(wrong("seccomp $0x40000000"), HasSubstr("no number of a call"));
  EXPECT_THAT(wrong("seccomp.keep"), HasSubstr("a list of calls is wanted"));
  EXPECT_THAT(wrong("seccomp.foo read"), HasSubstr("no command of firejail's"));
  EXPECT_THAT(wrong("seccomp.32 read"), HasSubstr("not told here"));
  EXPECT_THAT(wrong("seccomp-error-action 13"), HasSubstr("an errno's name is wanted"));
  EXPECT_THAT(wrong("protocol ipx"), HasSubstr("no protocol"));
  EXPECT_THAT(wrong("restrict-namespaces foo"), HasSubstr("no namespace"));
  EXPECT_THAT(wrong("seccomp", on(Arch::AArch64)), HasSubstr("x86_64 alone"));
}

TEST(Firejail, is_told_by_its_commands_or_its_name) {
  EXPECT_EQ(detected("caps.drop all\nseccomp\n"), "firejail");
  EXPECT_EQ(detected("caps.drop all\n", "/etc/firejail/vlc.profile"), "firejail");
  EXPECT_EQ(detected("caps.drop all\n"), "");
}

// What fseccomp writes, beside what a profile leads to.
class BesideFseccomp : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string_view folder :
         {"/usr/lib/x86_64-linux-gnu/firejail", "/usr/lib/firejail", "/usr/lib64/firejail"}) {
      const std::string tool = std::string(folder) + "/fseccomp";
      if (std::filesystem::exists(tool)) tool_ = tool;
    }
    if (tool_.empty()) GTEST_SKIP() << "firejail is not installed";
  }

  // A layer of a profile, and a command that makes the same filter.
  void compare(std::string_view profile, std::size_t layer, const std::string& command,
               std::size_t output, const std::string& error_action = "EPERM") {
    const std::array files = {test_file("fseccomp_1", ""), test_file("fseccomp_2", "")};
    const std::string line = "FIREJAIL_QUIET=yes FIREJAIL_SECCOMP_ERROR_ACTION=" + error_action +
                             " " + tool_ + " " + command.substr(0, command.find('>')) +
                             files.at(0) + (output == 2 ? " " + files.at(1) : "") +
                             command.substr(command.find('>') + 1) + " >/dev/null";
    ASSERT_EQ(std::system(line.c_str()), 0) << line;
    const auto bytes = read_file(files.at(0));
    ASSERT_TRUE(bytes);
    const auto made = read_program(*bytes, {.format = InputFormat::Raw});
    ASSERT_TRUE(made) << to_string(made.error());
    Read read("firejail");
    read.text(profile);
    ASSERT_EQ(read.error(), "");
    const KernelModel model;
    const auto program = lower(read.profile().layers.at(layer), model);
    ASSERT_TRUE(program);
    for (const Arch arch : {Arch::X86_64, Arch::X86}) {
      for (std::int64_t number = -2; number <= 600; ++number) {
        for (const std::int64_t base : {0, 0x40000000}) {
          for (const std::uint64_t argument :
               {0x0U, 0x1U, 0x2U, 0x4U, 0x6U, 0x80U, 0x8000U, 0x10000000U, 0x40000000U}) {
            SeccompData data{.nr = static_cast<std::int32_t>(base + number),
                             .arch = info(arch).token,
                             .args = {argument, argument, argument}};
            ASSERT_EQ(reference::run(*program, data, model).value,
                      reference::run(made->program, data, model).value)
                << profile << ": " << data.nr << " of " << info(arch).name << " with " << argument;
          }
        }
      }
    }
  }

  std::string tool_;
};

TEST_F(BesideFseccomp, every_filter_says_the_same) {
  compare("seccomp", 0, "default >", 1);
  compare("seccomp\nseccomp-error-action EACCES", 0, "default >", 1, "EACCES");
  compare("seccomp", 1, "secondary 32 >", 1);
  compare("seccomp\nseccomp.block-secondary", 1, "secondary block >", 1);
  const std::string list =
      "'!chroot,execve,open:EACCES,fork:kill,$999,$57,@clock,nosuch,!nosuch,"
      "!read,write,!open:EPERM,@network-io,dup:13'";
  const std::string plain = list.substr(1, list.size() - 2);
  compare("seccomp " + plain, 0, "default drop > " + list, 2);
  compare("seccomp " + plain + "\nallow-debuggers", 0,
          "default drop > " + list + " allow-debuggers", 2);
  compare("seccomp.drop " + plain, 0, "drop > " + list, 2, "EPERM");
  compare("seccomp.drop " + plain + "\nseccomp-error-action log", 0, "drop > " + list, 2, "log");
  compare("seccomp.keep " + plain, 0, "keep > " + list, 2);
  compare("seccomp.keep " + plain + "\nseccomp-error-action kill", 0, "keep > " + list, 2, "kill");
  for (const std::string group : {"aio",
                                  "basic-io",
                                  "chown",
                                  "clock",
                                  "cpu-emulation",
                                  "debug",
                                  "default",
                                  "default-keep",
                                  "default-nodebuggers",
                                  "file-system",
                                  "io-event",
                                  "ipc",
                                  "keyring",
                                  "memlock",
                                  "module",
                                  "mount",
                                  "network-io",
                                  "obsolete",
                                  "privileged",
                                  "process",
                                  "raw-io",
                                  "reboot",
                                  "resources",
                                  "setuid",
                                  "signal",
                                  "swap",
                                  "sync",
                                  "system-service",
                                  "timer"}) {
    compare("seccomp.keep @" + group, 0, "keep > @" + group, 2);
  }
  compare("protocol unix,inet6", 0, "protocol build unix,inet6 >", 1);
  compare("memory-deny-write-execute", 1, "memory-deny-write-execute >", 1);
  compare("memory-deny-write-execute", 0, "memory-deny-write-execute.32 >", 1);
  compare("restrict-namespaces", 1, "restrict-namespaces > cgroup,ipc,net,mnt,pid,time,user,uts",
          1);
  compare("restrict-namespaces net,time", 1, "restrict-namespaces > net,time", 1);
  compare("restrict-namespaces net,time", 0, "restrict-namespaces.32 > net,time", 1);
}

}  // namespace
}  // namespace callgate::front_ends
