// Units: what their lists come to, and which programs are made of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/front_ends/profile.hpp"
#include "harness/front_ends/profile_formats.hpp"
#include "harness/testing/folder_test.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kLogged = 0x7ffc0000U;
constexpr std::uint32_t kKill = 0x80000000U;
constexpr std::uint32_t error(std::uint32_t number) { return 0x00050000U | number; }

ReadProfile read_service(std::string_view options, const Deployment& deployment = {}) {
  return read_systemd("[Service]\n" + std::string(options), "", deployment);
}

Profile profile_of(std::string_view options, Arch arch = Arch::X86_64) {
  Deployment deployment;
  deployment.model.arch = arch;
  auto profile = read_service(options, deployment);
  EXPECT_TRUE(profile) << to_string(profile.error());
  return profile ? std::move(*profile) : Profile{};
}

std::vector<std::string> names_of(const Profile& profile) {
  std::vector<std::string> out;
  for (const Layer& layer : profile.layers) out.push_back(layer.name);
  return out;
}

std::vector<std::string> notes_of(const Profile& profile) {
  std::vector<std::string> out;
  for (const Note& note : profile.notes) {
    out.push_back(std::to_string(note.place.line) + ":" + std::to_string(note.place.column) + " " +
                  note.message);
  }
  return out;
}

// What the strictest of a profile's programs says: their policies and what they are lowered to.
std::uint32_t verdict(const Profile& profile, std::string_view name,
                      std::array<std::uint64_t, 6> args = {}, Arch abi = Arch::X86_64) {
  const auto nr = syscall_number(abi, name);
  EXPECT_TRUE(nr) << name;
  const SeccompData data{
      .nr = static_cast<std::int32_t>(nr.value_or(0)), .arch = info(abi).token, .args = args};
  std::uint32_t strictest = kAllow;
  for (const Layer& layer : profile.layers) {
    const std::uint32_t said = evaluate(layer.policy, data).value;
    const auto program = lower(layer, KernelModel{});
    EXPECT_TRUE(program) << layer.name;
    if (!program) continue;
    EXPECT_EQ(reference::run(*program, data, KernelModel{}).value, said) << layer.name;
    const auto rank = [](std::uint32_t value) {
      return static_cast<std::int32_t>(value & 0xffff0000U);
    };
    if (rank(said) < rank(strictest)) strictest = said;
  }
  return strictest;
}

TEST(SystemdSetsOfVersions, that_are_neither_in_a_table_nor_installed_are_unknown) {
  Deployment deployment;
  deployment.systemd = "999";
  const auto profile = read_service("ProtectClock=yes\n", deployment);
  ASSERT_FALSE(profile);
  EXPECT_THAT(profile.error().message, HasSubstr("the sets of systemd 999 are not known"));
}

TEST(SystemdUnits, have_the_options_of_their_own_section_alone) {
  const Profile profile = profile_of("[Unit]\nProtectClock=yes\n[X-Mine]\nProtectClock=yes\n");
  EXPECT_THAT(profile.layers, IsEmpty());
  EXPECT_THAT(notes_of(profile),
              ElementsAre("3:1 ProtectClock= stands in [Unit], not in [Service]: "
                          "systemd ignores it"));
}

TEST(SystemdFilters, are_one_for_each_option_and_abi_in_the_order_of_systemd) {
  EXPECT_THAT(
      names_of(profile_of("SystemCallFilter=@system-service\nLockPersonality=yes\n"
                          "RestrictRealtime=yes\nProtectHostname=yes\n")),
      ElementsAre("ProtectHostname= (x86)", "ProtectHostname= (x32)", "ProtectHostname= (x86-64)",
                  "RestrictRealtime= (x86)", "RestrictRealtime= (x32)",
                  "RestrictRealtime= (x86-64)", "LockPersonality= (x86)", "LockPersonality= (x32)",
                  "LockPersonality= (x86-64)", "SystemCallFilter= (x86)", "SystemCallFilter= (x32)",
                  "SystemCallFilter= (x86-64)"));
  EXPECT_THAT(
      names_of(profile_of("ProtectClock=yes\nProtectKernelTunables=yes\n", Arch::AArch64)),
      ElementsAre("ProtectKernelTunables= (arm)", "ProtectClock= (arm)", "ProtectClock= (arm64)"));
}

TEST(SystemdFilters, of_every_machine_become_programs_that_say_the_same) {
  for (const Arch machine : {Arch::X86_64, Arch::X86, Arch::AArch64, Arch::Arm, Arch::Riscv64,
                             Arch::S390x, Arch::S390}) {
    const Profile profile = profile_of(
        "SystemCallFilter=@system-service\nRestrictSUIDSGID=yes\n"
        "RestrictNamespaces=~user\nMemoryDenyWriteExecute=yes\nPrivateDevices=yes\n",
        machine);
    EXPECT_GE(profile.layers.size(), 5U);
    KernelModel model;
    model.arch = machine;
    for (const Layer& layer : profile.layers) {
      const auto program = lower(layer, model);
      ASSERT_TRUE(program) << layer.name << program.error().message;
      const Arch abi = layer.policy.arches.front();
      for (const SyscallRow& row : syscalls(abi)) {
        const SeccompData data{.nr = static_cast<std::int32_t>(row.nr),
                               .arch = info(abi).token,
                               .args = {1, 0x10000100, 06106, 02000}};
        EXPECT_EQ(reference::run(*program, data, model).value, evaluate(layer.policy, data).value)
            << layer.name << ' ' << row.name;
      }
    }
  }
}

TEST(SystemdFilters, of_machines_that_are_not_modelled_are_refused) {
  Deployment deployment;
  deployment.model.arch = Arch::Mips;
  EXPECT_FALSE(read_service("ProtectClock=yes\n", deployment));
}

TEST(SystemCallFilter, that_allows_always_allows_the_default_set) {
  const Profile profile = profile_of("SystemCallFilter=uname\n");
  EXPECT_EQ(verdict(profile, "uname"), kAllow);
  EXPECT_EQ(verdict(profile, "execve"), kAllow);
  EXPECT_EQ(verdict(profile, "open"), kKill);
  EXPECT_EQ(verdict(profile, "open", {}, Arch::X86), kKill);
  EXPECT_EQ(verdict(profile, "open", {}, Arch::X32), kKill);
  EXPECT_EQ(verdict(profile, "openat", {}, Arch::AArch64), kAllow);  // no ABI of this machine
}

TEST(SystemCallFilter, takes_the_sign_of_its_first_line) {
  const Profile denying = profile_of(
      "SystemCallFilter=~@clock acct\nSystemCallFilter=acct uname\n"
      "SystemCallErrorNumber=EPERM\n");
  EXPECT_EQ(verdict(denying, "acct"), kAllow);
  EXPECT_EQ(verdict(denying, "settimeofday"), error(1));
  EXPECT_EQ(verdict(denying, "open"), kAllow);
  const Profile allowing = profile_of(
      "SystemCallFilter=@file-system\nSystemCallFilter=~openat\n"
      "SystemCallFilter=~open:ENOENT stat:kill lstat:0\n"
      "SystemCallErrorNumber=EPERM\n");
  EXPECT_EQ(verdict(allowing, "openat"), error(1));
  EXPECT_EQ(verdict(allowing, "open"), error(2));
  EXPECT_EQ(verdict(allowing, "stat"), kKill);
  EXPECT_EQ(verdict(allowing, "lstat"), error(0));
  EXPECT_EQ(verdict(allowing, "access"), kAllow);
}

TEST(SystemCallFilter, that_is_empty_begins_anew) {
  EXPECT_THAT(profile_of("SystemCallFilter=uname\nSystemCallFilter=\n").layers, IsEmpty());
  const Profile profile = profile_of(
      "SystemCallFilter=uname\nSystemCallFilter=\n"
      "SystemCallFilter=~uname:EIO\n");
  EXPECT_EQ(verdict(profile, "uname"), error(5));
  EXPECT_EQ(verdict(profile, "open"), kAllow);
  EXPECT_THAT(profile_of("SystemCallFilter=~\n").layers, IsEmpty());
}

TEST(SystemCallFilter, passes_over_what_systemd_does_not_know) {
  const Profile profile = profile_of(
      "SystemCallFilter=~open:EPERM nonsense @nonsense \\\n"
      "  read:ENONSENSE :EPERM write:4096\n"
      "SystemCallFilter=close:EPERM\n");
  EXPECT_EQ(verdict(profile, "open"), error(1));
  EXPECT_EQ(verdict(profile, "read"), kAllow);
  EXPECT_EQ(verdict(profile, "write"), kAllow);
  const auto notes = notes_of(profile);
  ASSERT_EQ(notes.size(), 6U);
  EXPECT_THAT(notes[0], HasSubstr("2:30 libseccomp"));
  EXPECT_THAT(notes[1], HasSubstr("2:39 no set @nonsense"));
  EXPECT_THAT(notes[2], HasSubstr("3:3 'read:ENONSENSE'"));
  EXPECT_THAT(notes[3], HasSubstr("3:18 ':EPERM'"));
  EXPECT_THAT(notes[4], HasSubstr("3:25 'write:4096'"));
  EXPECT_THAT(notes[5], HasSubstr("4:18 'close:EPERM': only lists with ~"));
}

TEST(SystemCallFilter, that_libseccomp_refuses_stops_the_service) {
  const auto refused = [](std::string_view options) {
    const auto profile = read_service(options);
    return profile ? "not refused" : to_string(profile.error());
  };
  EXPECT_THAT(refused("SystemCallErrorNumber=EPERM\nSystemCallFilter=@system-service\n"
                      "SystemCallFilter=~uname acct:1\n"),
              HasSubstr("line 4, column 25: SystemCallFilter=: acct gets what calls that are not "
                        "listed get"));
  EXPECT_THAT(refused("SystemCallFilter=read\nSystemCallFilter=~vm86:kill\n"),
              HasSubstr("228/SECCOMP"));
  EXPECT_EQ(refused("SystemCallErrorNumber=EPERM\nSystemCallFilter=~uname:EPERM\n"), "not refused");
  EXPECT_THAT(refused("SystemCallFilter=~acct uname:4095\n"), HasSubstr("line 2, column 24"));
  EXPECT_THAT(refused("SystemCallErrorNumber=4095\nSystemCallFilter=acct\n"),
              HasSubstr("libseccomp refuses the errno 4095 (EINVAL)"));
  EXPECT_EQ(refused("SystemCallErrorNumber=4095\nSystemCallFilter=~acct:1\n"), "not refused");
}

// The same units beside a running systemd 252: corpus/filters/README.md.
TEST(SystemCallFilter, of_services_that_did_not_start_are_refused) {
  for (const std::string name : {"refuseda", "refusedb", "nullx"}) {
    const std::string path =
        std::string(CALLGATE_SOURCE_DIR) + "/corpus/profiles/systemd/" + name + ".service";
    const auto text = read_file(path);
    ASSERT_TRUE(text);
    Deployment deployment;
    deployment.systemd = "252";
    const auto profile = read_systemd(*text, path, deployment);
    ASSERT_FALSE(profile) << name;
    EXPECT_THAT(profile.error().message, HasSubstr("228/SECCOMP"));
  }
}

TEST(SystemCallFilter, kills_threads_where_a_kernel_cannot_kill_processes) {
  Deployment deployment;
  deployment.model.version = {4, 13, 0};
  const auto profile = read_service("SystemCallFilter=uname\n", deployment);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->layers.at(0).policy.default_value, 0U);
  EXPECT_FALSE(read_service("SystemCallLog=uname\n", deployment));
}

TEST(SystemCallErrorNumber, is_an_errno_or_kill) {
  const auto denied_with = [](std::string_view lines) {
    return verdict(profile_of("SystemCallFilter=~acct\n" + std::string(lines)), "acct");
  };
  EXPECT_EQ(denied_with(""), kKill);
  EXPECT_EQ(denied_with("SystemCallErrorNumber=EUCLEAN\n"), error(117));
  EXPECT_EQ(denied_with("SystemCallErrorNumber=0B10000\n"), error(16));
  EXPECT_EQ(denied_with("SystemCallErrorNumber=0b \\\n +101\n"), error(5));
  EXPECT_EQ(denied_with("SystemCallErrorNumber=1\nSystemCallErrorNumber=0\n"), error(1));
  EXPECT_EQ(denied_with("SystemCallErrorNumber=1\nSystemCallErrorNumber=EPOLL_CTL_ADD\n"),
            error(1));
  EXPECT_EQ(denied_with("SystemCallErrorNumber=1\nSystemCallErrorNumber=kill\n"), kKill);
  EXPECT_EQ(denied_with("SystemCallErrorNumber=1\nSystemCallErrorNumber=\n"), kKill);
}

TEST(SystemCallLog, logs_what_it_lists_or_all_else) {
  EXPECT_EQ(verdict(profile_of("SystemCallLog=acct\n"), "acct"), kLogged);
  EXPECT_EQ(verdict(profile_of("SystemCallLog=acct\n"), "read"), kAllow);
  EXPECT_EQ(verdict(profile_of("SystemCallLog=~acct\n"), "acct"), kAllow);
  EXPECT_EQ(verdict(profile_of("SystemCallLog=~acct\n"), "read"), kLogged);
  EXPECT_THAT(profile_of("SystemCallLog=acct\nSystemCallLog=\n").layers, IsEmpty());
}

TEST(SystemCallArchitectures, blocks_abis_and_their_later_programs) {
  const std::string options =
      "ProtectClock=yes\nLockPersonality=yes\nSystemCallArchitectures=native x86\n";
  const Profile profile = profile_of(options);
  EXPECT_THAT(names_of(profile),
              ElementsAre("ProtectClock= (x86)", "ProtectClock= (x32)", "ProtectClock= (x86-64)",
                          "SystemCallArchitectures=", "LockPersonality= (x86)",
                          "LockPersonality= (x86-64)"));
  EXPECT_EQ(verdict(profile, "read", {}, Arch::X32), 0U);
  EXPECT_EQ(verdict(profile, "read", {}, Arch::X86), kAllow);
  EXPECT_EQ(verdict(profile, "read", {}, Arch::AArch64), 0U);
  EXPECT_THAT(profile_of("SystemCallArchitectures=x86 x32\n").layers, IsEmpty());
  EXPECT_THAT(profile_of("SystemCallArchitectures=native\nSystemCallArchitectures=\n").layers,
              IsEmpty());
  EXPECT_THAT(profile_of("SystemCallArchitectures=vax\n").layers, IsEmpty());
}

TEST(RestrictAddressFamilies, refuses_sockets_where_arguments_can_be_seen) {
  const Profile allowing = profile_of("RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n");
  EXPECT_THAT(names_of(allowing),
              ElementsAre("RestrictAddressFamilies= (x32)", "RestrictAddressFamilies= (x86-64)"));
  EXPECT_THAT(notes_of(allowing), ElementsAre(HasSubstr("does nothing for x86 calls")));
  EXPECT_EQ(verdict(allowing, "socket", {1}), kAllow);
  EXPECT_EQ(verdict(allowing, "socket", {10}), kAllow);
  EXPECT_EQ(verdict(allowing, "socket", {16}), error(97));
  EXPECT_EQ(verdict(allowing, "socket", {0}), error(97));
  EXPECT_EQ(verdict(allowing, "socket", {5000}), error(97));
  EXPECT_EQ(verdict(allowing, "socket", {16}, Arch::X86), kAllow);
  const Profile denying = profile_of(
      "RestrictAddressFamilies=~AF_NETLINK AF_PACKET\n"
      "RestrictAddressFamilies=AF_PACKET\n");
  EXPECT_EQ(verdict(denying, "socket", {16}), error(97));
  EXPECT_EQ(verdict(denying, "socket", {17}), kAllow);
  EXPECT_EQ(verdict(profile_of("RestrictAddressFamilies=none\n"), "socket", {1}), error(97));
  EXPECT_THAT(profile_of("RestrictAddressFamilies=none\nRestrictAddressFamilies=\n").layers,
              IsEmpty());
}

TEST(RestrictAddressFamilies, that_denies_makes_the_same_program_in_any_order) {
  const auto program = [](std::string_view options) {
    return lower(profile_of(options).layers.at(1), KernelModel{}).value();
  };
  EXPECT_EQ(program("RestrictAddressFamilies=~AF_NETLINK AF_PACKET AF_UNIX AF_KEY\n"),
            program("RestrictAddressFamilies=~AF_KEY AF_UNIX AF_PACKET AF_NETLINK\n"));
}

TEST(MemoryDenyWriteExecute, denies_mappings_that_are_written_and_executed) {
  const Profile profile = profile_of("MemoryDenyWriteExecute=yes\n");
  EXPECT_EQ(verdict(profile, "mmap", {0, 0, 6}), error(1));
  EXPECT_EQ(verdict(profile, "mmap", {0, 0, 5}), kAllow);
  EXPECT_EQ(verdict(profile, "mprotect", {0, 0, 4}), error(1));
  EXPECT_EQ(verdict(profile, "pkey_mprotect", {0, 0, 5}), error(1));
  EXPECT_EQ(verdict(profile, "shmat", {0, 0, 0100000}), error(1));
  EXPECT_EQ(verdict(profile, "mmap2", {0, 0, 7}, Arch::X86), error(1));
  EXPECT_EQ(verdict(profile, "mmap", {}, Arch::X86), error(1));
}

TEST(RestrictRealtime, lets_three_policies_through) {
  const Profile profile = profile_of("RestrictRealtime=yes\n");
  for (const std::uint64_t policy : {0U, 3U, 5U}) {
    EXPECT_EQ(verdict(profile, "sched_setscheduler", {0, policy}), kAllow);
  }
  for (const std::uint64_t policy : {1U, 2U, 4U, 6U, 0x40000000U}) {
    EXPECT_EQ(verdict(profile, "sched_setscheduler", {0, policy}), error(1));
  }
}

TEST(RestrictSUIDSGID, denies_modes_with_these_bits) {
  for (const std::string_view options : {"RestrictSUIDSGID=yes\n", "DynamicUser=yes\n"}) {
    const Profile profile = profile_of(options);
    EXPECT_EQ(verdict(profile, "chmod", {0, 04755}), error(1));
    EXPECT_EQ(verdict(profile, "fchmodat", {0, 0, 02755}), error(1));
    EXPECT_EQ(verdict(profile, "mkdir", {0, 01777}), kAllow);
    EXPECT_EQ(verdict(profile, "open", {0, 0100, 04000}), error(1));
    EXPECT_EQ(verdict(profile, "open", {0, 0, 04000}), kAllow);
    EXPECT_EQ(verdict(profile, "openat2"), error(38));
  }
}

TEST(RestrictNamespaces, denies_making_and_entering_them) {
  const Profile all = profile_of("RestrictNamespaces=yes\n");
  EXPECT_EQ(verdict(all, "clone3"), error(38));
  EXPECT_EQ(verdict(all, "setns", {3, 0x10000000}), error(1));
  EXPECT_EQ(verdict(all, "unshare", {0x20000}), error(1));
  EXPECT_EQ(verdict(all, "clone", {0x11}), kAllow);
  EXPECT_EQ(verdict(all, "clone", {0x80}), error(1));  // CLONE_NEWTIME is in no list of all
  const Profile some = profile_of("RestrictNamespaces=~user\nRestrictNamespaces=~net\n");
  EXPECT_EQ(verdict(some, "unshare", {0x10000000}), error(1));
  EXPECT_EQ(verdict(some, "unshare", {0x40000000}), error(1));
  EXPECT_EQ(verdict(some, "unshare", {0x20000}), kAllow);
  EXPECT_EQ(verdict(some, "setns", {3, 0}), error(1));
  EXPECT_EQ(verdict(some, "setns", {3, 0x20000}), kAllow);
  EXPECT_EQ(verdict(profile_of("RestrictNamespaces=user\n"), "unshare", {0x10000000}), kAllow);
  EXPECT_THAT(profile_of("RestrictNamespaces=no\n").layers, IsEmpty());
  EXPECT_THAT(profile_of("RestrictNamespaces=yes\nRestrictNamespaces=\n").layers, IsEmpty());
  EXPECT_THAT(notes_of(profile_of("RestrictNamespaces=user moon\n")),
              ElementsAre("2:25 no namespace 'moon': systemd ignores the line"));
}

TEST(LockPersonality, keeps_the_personality_that_the_unit_has) {
  EXPECT_EQ(verdict(profile_of("LockPersonality=yes\n"), "personality", {8}), error(1));
  EXPECT_EQ(verdict(profile_of("LockPersonality=yes\n"), "personality", {0}), kAllow);
  const Profile x86 = profile_of("LockPersonality=yes\nPersonality=x86\nPersonality=arm\n");
  EXPECT_EQ(verdict(x86, "personality", {8}), kAllow);
  EXPECT_EQ(verdict(x86, "personality", {0xffffffff}), error(1));
}

TEST(Protections, deny_the_calls_of_their_sets) {
  EXPECT_EQ(verdict(profile_of("ProtectKernelModules=yes\n"), "init_module"), error(1));
  EXPECT_EQ(verdict(profile_of("ProtectKernelLogs=yes\n"), "syslog"), error(1));
  EXPECT_EQ(verdict(profile_of("ProtectClock=yes\n"), "clock_settime64", {}, Arch::X86), error(1));
  EXPECT_EQ(verdict(profile_of("ProtectHostname=yes\n"), "setdomainname"), error(1));
  EXPECT_EQ(verdict(profile_of("PrivateDevices=yes\n"), "iopl"), error(1));
  EXPECT_EQ(verdict(profile_of("ProtectKernelTunables=yes\n"), "_sysctl"), error(1));
  EXPECT_THAT(profile_of("ProtectClock=yes\nProtectClock=no\n").layers, IsEmpty());
  const Profile unclear = profile_of("ProtectClock=on\nProtectClock=perhaps\nProtectClock=\n");
  EXPECT_EQ(unclear.layers.size(), 3U);
  EXPECT_THAT(notes_of(unclear), ElementsAre(HasSubstr("3:14"), HasSubstr("4:14")));
}

TEST(RestrictFileSystems, is_no_seccomp_filter) {
  const Profile profile = profile_of("RestrictFileSystems=ext4\nExecStart=+/bin/true\n");
  EXPECT_THAT(profile.layers, IsEmpty());
  EXPECT_THAT(notes_of(profile), ElementsAre(HasSubstr("2:1 RestrictFileSystems="),
                                             HasSubstr("3:11 a command with +")));
}

TEST(DropIns, are_applied_in_order_after_the_unit) {
  const TestFolder made;
  const std::filesystem::path& folder = made.path();
  Deployment deployment;
  deployment.systemd = "252";
  deployment.extra = {
      made.file("1.conf", "[Service]\nSystemCallFilter=~uname:EIO nonsense\n"),
      made.file("2.conf", "[Service]\nProtectClock=no\n[broken\nProtectClock=yes\n")};
  const std::string unit = "[Service]\nSystemCallFilter=@file-system\nProtectClock=yes\n";
  const auto profile = read_systemd(unit, (folder / "a.service").string(), deployment);
  deployment.extra.push_back((folder / "missing.conf").string());
  const auto missing = read_systemd(unit, (folder / "a.service").string(), deployment);
  const auto nameless = read_systemd(unit, "", deployment);
  ASSERT_TRUE(profile) << to_string(profile.error());
  EXPECT_EQ(profile->layers.size(), 3U);
  EXPECT_EQ(verdict(*profile, "uname"), error(5));
  EXPECT_THAT(notes_of(*profile),
              ElementsAre(HasSubstr("1.conf: line 2, column 29: libseccomp"),
                          HasSubstr("2.conf: line 3, column 1: a section's header")));
  EXPECT_FALSE(missing);
  EXPECT_FALSE(nameless);
}

TEST(SystemdFilters, take_any_bytes) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = "[Service]\nSystemCallFilter=~" +
                             std::string(3, static_cast<char>(byte)) + "\n" +
                             std::string(1, static_cast<char>(byte));
    static_cast<void>(read_systemd(text, "", {}));
    static_cast<void>(detect_systemd(text, ""));
  }
}

}  // namespace
}  // namespace callgate::front_ends
