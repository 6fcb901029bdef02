// LXC's seccomp policies.

#include "harness/front_ends/profile_reader_test.hpp"

namespace callgate::front_ends {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string wrong(std::string_view text, const Deployment& deployment = {}) {
  Read read("lxc", deployment);
  read.text(text);
  return read.error().empty() ? "read; notes: " + read.notes() : read.error();
}

TEST(Lxc, version_1_allows_numbers_of_the_machine) {
  Read read("lxc");
  read.text("1\nallowlist\n0\n1\n 39 getpid\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("read"), "ALLOW");
  EXPECT_EQ(read.says("getpid"), "ALLOW");
  EXPECT_EQ(read.says("openat"), "KILL_THREAD");
  EXPECT_EQ(read.says("read", {}, Arch::X86), "KILL_THREAD");
  EXPECT_EQ(read.notes(), "5: LXC passes over what follows the number\n");
}

TEST(Lxc, version_2_has_names_on_all_that_the_machine_runs) {
  Read read("lxc");
  read.text(
      "2\ndenylist\n# a comment\nreject_force_umount  # comment\n\n[all]\n"
      "kexec_load errno 1\nopen_by_handle_at\ninit_module trap\nfork notify\nwaitpid errno 5\n");
  ASSERT_EQ(read.error(), "");
  for (const Arch arch : {Arch::X86_64, Arch::X86, Arch::X32}) {
    EXPECT_EQ(read.says("kexec_load", {}, arch), "ERRNO(1)") << info(arch).name;
    EXPECT_EQ(read.says("open_by_handle_at", {}, arch), "KILL_THREAD");
    EXPECT_EQ(read.says("init_module", {}, arch), "TRAP");
    EXPECT_EQ(read.says("fork", {}, arch), "USER_NOTIF");
    EXPECT_EQ(read.says("umount2", {0, 1}, arch), "ERRNO(13)");
    EXPECT_EQ(read.says("umount2", {0, 2}, arch), "ALLOW");
    EXPECT_EQ(read.says("read", {}, arch), "ALLOW");
  }
  EXPECT_EQ(read.says("waitpid", {}, Arch::X86), "ERRNO(5)");
  EXPECT_EQ(read.says("read", {}, Arch::AArch64), "KILL_THREAD");
  EXPECT_TRUE(read.profile().layers.front().flags.new_listener);
}

TEST(Lxc, tests_arguments_through_libseccomp) {
  Read read("lxc");
  read.text(
      "2\nallowlist errno 38\nread\n"
      "ioctl allow [1,0x5401,SCMP_CMP_EQ]\n"
      "clone allow [0,0,SCMP_CMP_MASKED_EQ,0x10000000]\n"
      "personality kill [0,8,>=][1,0,!=]\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("ioctl", {0, 0x5401}), "ALLOW");
  EXPECT_EQ(read.says("ioctl", {0, 0x100005401}), "ERRNO(38)");
  EXPECT_EQ(read.says("ioctl", {0, 0x100005401}, Arch::X86), "ALLOW");
  EXPECT_EQ(read.says("clone", {0x10}), "ALLOW");
  EXPECT_EQ(read.says("clone", {0x10000010}), "ERRNO(38)");
  EXPECT_EQ(read.says("personality", {8, 1}), "KILL_THREAD");
  EXPECT_EQ(read.says("personality", {8, 0}), "ERRNO(38)");
  EXPECT_EQ(read.says("openat"), "ERRNO(38)");
}

TEST(Lxc, leaves_out_what_libseccomp_has_behind_a_multiplexer) {
  Read read("lxc");
  read.text("2\ndenylist\nsocket errno 1\nsemop errno 2\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("socket"), "ERRNO(1)");
  EXPECT_EQ(read.says("socket", {}, Arch::X32), "ERRNO(1)");
  EXPECT_EQ(read.says("socket", {}, Arch::X86), "ALLOW");
  EXPECT_EQ(read.says("socketcall", {1}, Arch::X86), "ALLOW");
  EXPECT_EQ(read.says("semop"), "ERRNO(2)");
  EXPECT_EQ(read.says("ipc", {1}, Arch::X86), "ALLOW");
  EXPECT_THAT(read.notes(), HasSubstr("3: socket: LXC leaves it out for x86, which has it"));
}

TEST(Lxc, hands_exact_rules_to_libseccomp) {
  Read read("lxc");
  read.text("2\ndenylist\nread allow\n");
  EXPECT_THAT(read.says("read"), HasSubstr("EACCES"));
  read.text("2\ndenylist\nread kill [0,1,==][0,2,==]\n");
  EXPECT_THAT(read.says("read"), HasSubstr("EINVAL"));
}

TEST(Lxc, puts_sections_into_every_architecture_that_the_machine_runs) {
  Read read("lxc");
  read.text("2\nallowlist\n[x86]\nread\n[arm]\nwrite\n[X86_64]\nopen\n");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("read"), "ALLOW");
  EXPECT_EQ(read.says("open", {}, Arch::X86), "ALLOW");
  EXPECT_EQ(read.says("write"), "KILL_THREAD");
  EXPECT_THAT(read.notes(), HasSubstr("5: x86_64 runs no arm: LXC passes over this section"));
  Read on_arm("lxc", on(Arch::AArch64));
  on_arm.text("2\nwhitelist\nread\n");
  EXPECT_EQ(on_arm.says("read"), "ALLOW");
  EXPECT_EQ(on_arm.says("read", {}, Arch::Arm), "ALLOW");
  Read on_riscv("lxc", on(Arch::Riscv64));
  on_riscv.text("2\nallowlist\nread\n[all]\nwrite\n");
  EXPECT_EQ(on_riscv.profile().layers.front().policy.rules.size(), 1U);
}

TEST(Lxc, passes_over_names_that_libseccomp_does_not_know) {
  EXPECT_THAT(wrong("2\nallowlist\nraed\n"), HasSubstr("3: raed: libseccomp"));
  EXPECT_THAT(wrong("2\nallowlist\n kill\n"), HasSubstr("3: a blank at the line's beginning"));
  EXPECT_THAT(wrong("2\nallowlist\n read\n"), HasSubstr("read: no action"));
  EXPECT_THAT(wrong("2\nallowlist\nread\tallow\n"), HasSubstr("read\\x09allow"));
}

TEST(Lxc, that_is_wrong_is_refused_with_the_place) {
  EXPECT_THAT(wrong(""), HasSubstr("the version: 1 or 2"));
  EXPECT_THAT(wrong("3\nallowlist"), HasSubstr("the version: 1 or 2"));
  EXPECT_THAT(wrong("2\n"), HasSubstr("allowlist or denylist"));
  EXPECT_THAT(wrong("2\nlist\n"), StartsWith("line 2, column 1: list: allowlist or denylist"));
  EXPECT_THAT(wrong("2\nallowlist debug\n"), HasSubstr("debug: LXC refuses"));
  EXPECT_THAT(wrong("2\nallowlist foo\n"), StartsWith("line 2, column 11: foo: no action"));
  EXPECT_THAT(wrong("2\nallowlist \n"), HasSubstr("a blank without an action"));
  EXPECT_THAT(wrong("2\nallowlist errno\n"), HasSubstr("write errno 1"));
  EXPECT_THAT(wrong("1\ndenylist\n"), HasSubstr("allowlist alone"));
  EXPECT_THAT(wrong("1\nallowlist\nread\n"), StartsWith("line 3, column 1: read: version 1 has"));
  EXPECT_THAT(wrong("1\nallowlist\n-1\n"), HasSubstr("below 0"));
  EXPECT_THAT(wrong("2\nallowlist\n[vax]\n"), HasSubstr("no section that LXC knows"));
  EXPECT_THAT(wrong("2\nallowlist\nread [0,1,==]\n"), HasSubstr("tests come after one of them"));
  EXPECT_THAT(wrong("2\nallowlist\nread allow [6,1,==]\n"), HasSubstr("no index from 0 to 5"));
  EXPECT_THAT(wrong("2\nallowlist\nread allow [0,x,==]\n"), HasSubstr("no value"));
  EXPECT_THAT(wrong("2\nallowlist\nread allow [0,1,=]\n"), HasSubstr("no operator"));
  EXPECT_THAT(wrong("2\nallowlist\nread allow [0,1]\n"), HasSubstr("a comma is missing"));
  EXPECT_THAT(wrong("2\nallowlist\nread allow [0,1,&=,y]\n"), HasSubstr("no mask"));
  EXPECT_THAT(wrong("2\nallowlist\nread allow [0,1,==] # why\n"), HasSubstr("no test"));
}

TEST(Lxc, is_told_by_its_first_lines) {
  EXPECT_EQ(detected("2\nblacklist\n"), "lxc");
  EXPECT_EQ(detected("1\nallowlist\n5\n"), "lxc");
  EXPECT_EQ(detected("2\n32 0 0 4\n"), "");
}

}  // namespace
}  // namespace callgate::front_ends
