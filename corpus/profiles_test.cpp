// Examples of profiles are told by their content, and say what is written here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <string>

#include "harness/front_ends/profile.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate {
namespace {

namespace fs = std::filesystem;

// What the layers of an example say of a call, from the oldest: the upper halves.
std::string said(const fs::path& path, std::string_view call, std::array<std::uint64_t, 3> args) {
  const auto text = front_ends::read_file(path.string());
  if (!text) return text.error().message;
  for (const front_ends::ProfileFormatRow& row : front_ends::profile_formats()) {
    if (!row.detect(*text, path.string())) continue;
    const auto profile = row.read(*text, path.string(), {});
    if (!profile) return to_string(profile.error());
    std::string out(row.name);
    for (const front_ends::Layer& layer : profile->layers) {
      const KernelModel model;
      const auto program = lower(layer, model);
      if (!program) return program.error().message;
      const SeccompData data{.nr = static_cast<std::int32_t>(*syscall_number(Arch::X86_64, call)),
                             .arch = info(Arch::X86_64).token,
                             .args = {args[0], args[1], args[2]}};
      const std::uint32_t value = reference::run(*program, data, model).value;
      const ActionInfo* action = find_action(value & kActionMask);
      out += " " + (action == nullptr ? "?" : std::string(action->name));
    }
    return out;
  }
  return "told by no format";
}

struct Example {
  std::string_view file;
  std::string_view call;
  std::array<std::uint64_t, 3> args;
  std::string_view said;
};

constexpr Example kExamples[] = {
    {"firecracker.json", "ioctl", {0, 44672, 0}, "firecracker ALLOW"},
    {"firecracker.json", "write", {0, 0, 0}, "firecracker ERRNO"},
    {"firejail.profile", "ptrace", {0, 0, 0}, "firejail ALLOW ALLOW ALLOW ALLOW ERRNO ALLOW ALLOW"},
    {"firejail.profile", "chroot", {0, 0, 0}, "firejail ALLOW ALLOW ALLOW ALLOW ALLOW ALLOW ALLOW"},
    {"firejail.profile", "mmap", {0, 0, 7}, "firejail ALLOW ALLOW ALLOW ERRNO ALLOW ALLOW ALLOW"},
    {"kafel.policy", "write", {1, 0, 9}, "kafel ALLOW"},
    {"kafel.policy", "write", {5, 0, 9}, "kafel ERRNO"},
    {"kafel.policy", "ioctl", {0, 0x5401, 0}, "kafel LOG"},
    {"kafel.policy", "fork", {0, 0, 0}, "kafel KILL_PROCESS"},
    {"libseccomp.pfc", "write", {0x31, 0, 0}, "pfc LOG"},
    {"libseccomp.pfc", "write", {0x30, 0, 0}, "pfc ERRNO"},
    {"lxc.seccomp", "umount2", {0, 3, 0}, "lxc ERRNO"},
    {"lxc.seccomp", "init_module", {0, 0, 0}, "lxc TRAP"},
    {"lxc.seccomp", "read", {0, 0, 0}, "lxc ALLOW"},
    {"minijail-compiler.policy", "ioctl", {2, 0x5401, 0}, "minijail-compiler ALLOW"},
    {"minijail-compiler.policy", "ioctl", {2, 0x10000, 0}, "minijail-compiler TRAP"},
    {"minijail-compiler.policy", "socket", {2, 0, 0}, "minijail-compiler LOG"},
    {"minijail-compiler.policy", "fork", {0, 0, 0}, "minijail-compiler KILL_PROCESS"},
    {"minijail.policy", "mmap", {0, 0, 3}, "minijail ALLOW"},
    {"minijail.policy", "mmap", {0, 0, 4}, "minijail KILL_THREAD"},
    {"minijail.policy", "ioctl", {2, 0x5413, 0}, "minijail ALLOW"},
    {"minijail.policy", "ioctl", {3, 0x5413, 0}, "minijail ERRNO"},
    {"seccompiler.json", "write", {0x100000003, 0, 0}, "seccompiler ALLOW"},
    {"seccompiler.json", "ioctl", {3, 21505, 0}, "seccompiler KILL_PROCESS"},
};

TEST(ProfileExamples, say_what_is_written_beside_them) {
  for (const Example& each : kExamples) {
    EXPECT_EQ(said(fs::path(CALLGATE_PROFILES) / each.file, each.call, each.args), each.said)
        << each.file << ": " << each.call;
  }
}

}  // namespace
}  // namespace callgate
