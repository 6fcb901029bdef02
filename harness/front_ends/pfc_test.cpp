// libseccomp's pseudo filter code, read back.

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>

#include "harness/front_ends/profile_reader_test.hpp"

namespace callgate::front_ends {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string wrong(std::string_view text) {
  Read read("pfc");
  read.text(text);
  return read.error().empty() ? "read" : read.error();
}

constexpr std::string_view kSmall =
    "# filter for arch x86_64 (3221225534)\n"
    "if ($arch == 3221225534)\n"
    "  if ($syscall > 3)\n"
    "    if ($syscall == 16)\n"
    "      if ($a1.hi32 & 0x000000f0 == 16)\n"
    "        action LOG;\n"
    "      else\n"
    "        if ($a0.lo32 >= 2)\n"
    "          action TRACE(7);\n"
    "      if ($a2.hi32 == 0)\n"
    "        action 0x7fc00000;\n"
    "  else # ($syscall <= 3)\n"
    "    if ($syscall == 0)\n"
    "      action ALLOW;\n"
    "    if ($syscall == 9)\n"
    "      action ALLOW;\n"
    "  action ERRNO(38);\n"
    "# filter for arch x32 (3221225534)\n"
    "if ($arch == 3221225534)\n"
    "  if ($syscall == 1073741824)\n"
    "    if ($a0 == 1)\n"
    "      action KILL_PROCESS;\n"
    "  action ERRNO(38);\n"
    "# invalid architecture action\n"
    "action KILL;\n";

TEST(Pfc, is_nested_ifs_in_their_order) {
  Read read("pfc");
  read.text(kSmall);
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("read"), "ALLOW");
  EXPECT_EQ(read.says("ioctl", {0, 0x1000000000, 1}), "LOG");
  EXPECT_EQ(read.says("ioctl", {0x500000002, 0, 0}), "TRACE(7)");
  EXPECT_EQ(read.says("ioctl", {0x500000001, 0, 5}), "USER_NOTIF");
  EXPECT_EQ(read.says("ioctl", {1, 0, 0x500000000}), "ERRNO(38)");
  // 9 is not at most 3: its action is never reached.
  EXPECT_EQ(read.says("mmap"), "ERRNO(38)");
  EXPECT_EQ(read.says("read", {1}, Arch::X32), "KILL_PROCESS");
  EXPECT_EQ(read.says("read", {2}, Arch::X32), "ERRNO(38)");
  EXPECT_EQ(read.says("read", {}, Arch::X86), "KILL_THREAD");
}

TEST(Pfc, that_is_wrong_is_refused_with_the_place) {
  EXPECT_THAT(wrong(""), HasSubstr("no \"if ($arch"));
  EXPECT_THAT(wrong("if ($syscall == 1)\n"), HasSubstr("is wanted around it"));
  EXPECT_THAT(wrong("if ($arch == 1)\n"), HasSubstr("no architecture of this token"));
  const std::string arch = "if ($arch == 3221225534)\n";
  EXPECT_THAT(wrong(arch + arch), HasSubstr("stands twice"));
  EXPECT_THAT(wrong(arch + "  " + arch), HasSubstr("an architecture in another one"));
  EXPECT_THAT(wrong(arch), HasSubstr("no default action"));
  EXPECT_THAT(wrong(arch + "  action ALLOW;\n"), HasSubstr("no invalid architecture action"));
  EXPECT_THAT(wrong(arch + "    action ALLOW;\n"), HasSubstr("deeper than the if"));
  EXPECT_THAT(wrong(arch + " action ALLOW;\n"), HasSubstr("odd number of blanks"));
  EXPECT_THAT(wrong(arch + "  else\n"), HasSubstr("no if before this else"));
  EXPECT_THAT(wrong(arch + "else\n"), HasSubstr("no else for architectures"));
  EXPECT_THAT(wrong(arch + "  action FOO;\n"), StartsWith("line 2, column 10: FOO: no action"));
  EXPECT_THAT(wrong(arch + "  action ERRNO(65536);\n"), HasSubstr("no action"));
  EXPECT_THAT(wrong(arch + "  allow\n"), HasSubstr("is wanted"));
  EXPECT_THAT(wrong(arch + "  if ($a0.lo32 ?? 1)\n"), HasSubstr("no condition"));
  EXPECT_THAT(wrong(arch + "  if ($a6.lo32 == 1)\n"), HasSubstr("$a0 to $a5"));
  EXPECT_THAT(wrong(arch + "  if ($a0 == 1)\n"), HasSubstr(".hi32 or .lo32"));
  EXPECT_THAT(wrong(arch + "  if ($a0.lo32 == 1)\n    action ALLOW;\n"),
              HasSubstr("no \"$syscall == ...\""));
  EXPECT_THAT(wrong("if ($arch == 1073741827)\n  if ($a0.lo32 == 1)\n"), HasSubstr("no halves"));
  EXPECT_THAT(wrong("action ALLOW;\naction ALLOW;\n"), HasSubstr("a second action"));
  EXPECT_EQ(detected(kSmall.substr(kSmall.find('\n') + 1)), "pfc");
}

// What libseccomp writes as text and as a program.
class Exported {
 public:
  explicit Exported(bool tree) : context_(seccomp_init(SCMP_ACT_ERRNO(38)), &seccomp_release) {
    void* const filter = context_.get();
    EXPECT_EQ(seccomp_arch_remove(filter, seccomp_arch_native()), 0);
    for (const char* name : {"x86_64", "x86", "x32"}) {
      const std::uint32_t arch = seccomp_arch_resolve_name(name);
      EXPECT_EQ(seccomp_arch_add(filter, arch), 0);
    }
    EXPECT_EQ(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), 0);
    EXPECT_EQ(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, tree ? 2 : 1), 0);
    add(SCMP_ACT_ALLOW, "read", {});
    add(SCMP_ACT_LOG, "write", {{0, SCMP_CMP_GE, 0x100000005, 0}});
    add(SCMP_ACT_TRAP, "ioctl", {{0, SCMP_CMP_NE, 1, 0}, {1, SCMP_CMP_LT, 9, 0}});
    add(SCMP_ACT_TRACE(7), "socket", {{0, SCMP_CMP_EQ, 2, 0}});
    add(SCMP_ACT_ALLOW, "open", {{1, SCMP_CMP_LE, 2, 0}});
    add(SCMP_ACT_KILL, "close", {{1, SCMP_CMP_GT, 2, 0}});
    add(SCMP_ACT_ALLOW, "mmap", {{2, SCMP_CMP_MASKED_EQ, 0xf0000000f0, 0x2000000010}});
    for (const char* name : {"getpid", "getuid", "getgid", "pipe", "dup", "alarm", "pause", "kill",
                             "sync", "mkdir", "rmdir", "chdir", "access", "nice"}) {
      add(SCMP_ACT_ALLOW, name, {});
    }
    text = exported(seccomp_export_pfc);
    const auto read = read_program(exported(seccomp_export_bpf), {.format = InputFormat::Raw});
    EXPECT_TRUE(read);
    if (read) program = read->program;
  }

  std::string text;
  Program program;

 private:
  void add(std::uint32_t action, const char* name, const std::vector<scmp_arg_cmp>& tests) {
    EXPECT_EQ(seccomp_rule_add_array(context_.get(), action, seccomp_syscall_resolve_name(name),
                                     static_cast<unsigned>(tests.size()), tests.data()),
              0)
        << name;
  }

  std::string exported(int (*write)(const scmp_filter_ctx, int)) {
    const int file = memfd_create("pfc", MFD_CLOEXEC);
    EXPECT_EQ(write(context_.get(), file), 0);
    std::string out;
    EXPECT_EQ(lseek(file, 0, SEEK_SET), 0);
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(file, buffer.data(), buffer.size())) > 0;) {
      out.append(buffer.data(), static_cast<std::size_t>(got));
    }
    close(file);
    return out;
  }

  std::unique_ptr<void, decltype(&seccomp_release)> context_;
};

TEST(Pfc, says_what_libseccomps_program_says) {
  for (const bool tree : {false, true}) {
    const Exported both(tree);
    Read read("pfc");
    read.text(both.text);
    ASSERT_EQ(read.error(), "") << both.text;
    const PolicyEvaluator evaluator(read.profile().layers.front().policy);
    const auto plain = lower(read.profile().layers.front(), KernelModel{});
    ASSERT_TRUE(plain);
    for (const Arch arch : {Arch::X86_64, Arch::X86, Arch::AArch64}) {
      for (std::uint32_t number = 0; number < 600; ++number) {
        for (const std::uint32_t base : {0U, kX32Bit}) {
          for (const std::uint64_t argument :
               {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{8},
                std::uint64_t{0x10}, std::uint64_t{0x100000005}, std::uint64_t{0x2000000010},
                std::uint64_t{0x200000001f}, kAllBits}) {
            const SeccompData data{.nr = static_cast<std::int32_t>(base + number),
                                   .arch = info(arch).token,
                                   .args = {argument, argument, argument}};
            const std::uint32_t wanted = reference::run(both.program, data, KernelModel{}).value;
            ASSERT_EQ(evaluator.evaluate(data).value, wanted)
                << number << " of " << info(arch).name << ", " << argument;
            ASSERT_EQ(reference::run(*plain, data, KernelModel{}).value, wanted);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace callgate::front_ends
