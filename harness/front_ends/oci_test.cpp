// Profiles of containers: the filters of real containers are ours, and everything that a profile
// can say is read, deployed and lowered.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>

#include "harness/front_ends/capabilities.hpp"
#include "harness/front_ends/loader.hpp"
#include "harness/front_ends/oci_profile.hpp"
#include "verifier/check.hpp"
#include "vm/engine.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kEperm = 0x00050001U;
constexpr std::uint32_t kEnosys = 0x00050026U;

std::string file(const std::string& path) {
  std::ifstream stream(std::string(CALLGATE_SOURCE_DIR) + "/corpus/" + path, std::ios::binary);
  std::stringstream out;
  out << stream.rdbuf();
  EXPECT_TRUE(stream) << path;
  return out.str();
}

std::expected<Loaded, ReadError> loaded(std::string_view text, Deployment deployment = {}) {
  LoadOptions options;
  options.program.arch = deployment.model.arch;
  options.deployment = std::move(deployment);
  options.input_format = "oci";
  return load(text, "", options);
}

Loaded must_load(std::string_view text, Deployment deployment = {}) {
  auto out = loaded(text, std::move(deployment));
  EXPECT_TRUE(out) << to_string(out.error());
  return out ? std::move(*out) : Loaded{};
}

std::string refusal(std::string_view text, Deployment deployment = {}) {
  const auto out = loaded(text, std::move(deployment));
  return out ? "read" : to_string(out.error());
}

std::string notes(const Loaded& loaded) {
  std::string out;
  for (const Note& each : loaded.notes) {
    out += std::to_string(each.place.line) + ":" + std::to_string(each.place.column) + ": " +
           each.message + "\n";
  }
  return out;
}

std::uint32_t run(const Program& program, const SeccompData& data, const KernelModel& model = {}) {
  const reference::Result result = reference::run(program, data, model);
  EXPECT_EQ(result.fault, reference::Fault::None);
  return result.value;
}

SeccompData call(Arch arch, std::string_view name, std::array<std::uint64_t, 6> args = {}) {
  return {.nr = static_cast<std::int32_t>(*syscall_number(arch, name)),
          .arch = info(arch).token,
          .args = args};
}

std::uint32_t run_named(const Loaded& loaded, Arch arch, std::string_view name,
                        std::array<std::uint64_t, 6> args = {}) {
  KernelModel model;
  model.arch = arch;
  return run(loaded.filters.at(0).program, call(arch, name, args), model);
}

// Both on every number from 0 to 600 of each ABI, with the constants of both and their neighbours,
// in both halves, as one argument and as all. How many verdicts were compared.
std::size_t compare(const Program& ours, const Program& theirs) {
  std::set<std::uint64_t> words{0, kAllBits};
  for (const Program* program : {&ours, &theirs}) {
    for (const Instruction& each : *program) {
      if ((each.code & 7U) != 5 && each.code != 0x54) continue;
      for (const std::uint64_t near :
           {std::uint64_t{each.k} - 1, std::uint64_t{each.k}, std::uint64_t{each.k} + 1}) {
        if (near > 600 || near < 50) words.insert(near);
        if (each.k > 600) words.insert(near << 32U);
      }
    }
  }
  const auto prepared = [](const Program& program) {
    const auto checked = verifier::check(program, KernelModel{});
    EXPECT_TRUE(checked);
    auto out = default_engine().prepare(*checked);
    EXPECT_TRUE(out);
    return std::move(*out);
  };
  const auto our_verdict = prepared(ours);
  const auto their_verdict = prepared(theirs);
  std::size_t compared = 0;
  for (const std::uint32_t token :
       {info(Arch::X86_64).token, info(Arch::X86).token, info(Arch::AArch64).token}) {
    for (const std::uint32_t base : {0U, 0x40000000U, 0xfffffe00U}) {
      for (std::uint32_t nr = 0; nr <= 600; ++nr) {
        for (const std::uint64_t word : words) {
          for (unsigned index = 0; index <= 6; ++index) {
            SeccompData data{.nr = static_cast<std::int32_t>(base + nr), .arch = token};
            if (index == 6) {
              data.args.fill(word);
            } else {
              data.args[index] = word;
            }
            ++compared;
            if (our_verdict->run(data) != their_verdict->run(data)) {
              ADD_FAILURE() << "number " << data.nr << " args[" << index << "] " << word;
              return compared;
            }
          }
        }
      }
    }
  }
  return compared;
}

struct Container {
  const char* captured;
  const char* runtime;
  std::optional<std::vector<std::string>> caps;
  bool stub;
};

class Containers : public testing::TestWithParam<Container> {};

// Filters of containers that Debian 12's runc and crun started, read with
// PTRACE_SECCOMP_GET_FILTER. runc puts the parts of its stub in an order that changes from run to
// run; all else is the same.
TEST_P(Containers, have_the_filters_that_are_built_here) {
  Deployment deployment;
  deployment.runtime = GetParam().runtime;
  deployment.caps = GetParam().caps;
  const Loaded ours = must_load(file("profiles/docker_every_feature.json"), deployment);
  ReadOptions raw;
  raw.format = InputFormat::Raw;
  raw.order = ByteOrder::Little;
  const auto theirs =
      read_program(file(std::string("filters/containers/") + GetParam().captured), raw);
  ASSERT_TRUE(theirs);
  ASSERT_EQ(ours.filters.size(), 1U);
  const Program& program = ours.filters[0].program;
  ASSERT_EQ(program.size(), theirs->program.size());
  if (GetParam().stub) {
    // load, a jump for each token, one past the stub, 5 and 4 instructions for them, the ends
    const std::size_t stub = 1 + 2 + 1 + 5 + 3 + 2;
    EXPECT_TRUE(std::ranges::equal(std::span(program).subspan(stub),
                                   std::span(theirs->program).subspan(stub)));
  } else {
    EXPECT_EQ(program, theirs->program);
  }
  EXPECT_GT(compare(program, theirs->program), 400000U);
}

INSTANTIATE_TEST_SUITE_P(
    Debian12, Containers,
    testing::Values(Container{"every_feature-default.runc-1.1.5.bpf", "runc-1.1", {}, true},
                    Container{"every_feature-default.crun-1.8.1.bpf", "crun", {}, false},
                    Container{"every_feature-sys_admin.runc-1.1.5.bpf",
                              "runc-1.1",
                              {{"CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"}},
                              true},
                    Container{"every_feature-sys_admin.crun-1.8.1.bpf",
                              "crun",
                              {{"CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"}},
                              false}));

TEST(Oci, profiles_are_deployed_by_capability_architecture_and_kernel) {
  const std::string text = file("profiles/docker_every_feature.json");
  const auto verdict = [&](Deployment deployment, std::string_view name,
                           std::array<std::uint64_t, 6> args = {}) {
    const Arch arch = deployment.model.arch;
    return run_named(must_load(text, std::move(deployment)), arch, name, args);
  };
  Deployment admin;
  admin.caps = {"CAP_SYS_ADMIN"};
  Deployment nothing;
  nothing.caps.emplace();
  Deployment old;
  old.model.version = {4, 7, 0};
  Deployment s390x;
  s390x.model.arch = Arch::S390x;
  constexpr std::uint64_t kNewUser = 0x10000000;
  EXPECT_EQ(verdict({}, "mount"), kEperm);
  EXPECT_EQ(verdict(admin, "mount"), kAllow);
  EXPECT_EQ(verdict({}, "chroot"), kAllow);
  EXPECT_EQ(verdict(nothing, "chroot"), kEnosys);
  EXPECT_EQ(verdict({}, "clone", {0x11}), kAllow);
  EXPECT_EQ(verdict({}, "clone", {kNewUser}), kEnosys);
  EXPECT_EQ(verdict(s390x, "clone", {kNewUser, 0x11}), kAllow);
  EXPECT_EQ(verdict(s390x, "clone", {0x11, kNewUser}), kEnosys);
  EXPECT_EQ(verdict({}, "ptrace"), kAllow);
  EXPECT_EQ(verdict({}, "process_vm_readv"), kEnosys);
  EXPECT_EQ(verdict({}, "getpgrp"), kAllow);
  EXPECT_EQ(verdict({}, "kill", {1, 15}), kAllow);
  EXPECT_EQ(verdict({}, "kill", {1, 9}), kEnosys);
  EXPECT_EQ(verdict({}, "acct"), 0x7ff00007U);
  EXPECT_EQ(verdict({}, "quotactl"), 0x7ff00001U);
  EXPECT_EQ(verdict({}, "reboot"), 0x80000000U);
  // Kernels before 4.14 have neither LOG nor KILL_PROCESS: libseccomp refuses, and so does runc.
  EXPECT_THAT(refusal(text, old), HasSubstr("reboot: libseccomp refuses the rule (EINVAL)"));
}

TEST(Oci, profiles_are_deployed_on_every_architecture) {
  const std::string text = R"({"defaultAction": "SCMP_ACT_ERRNO",
    "syscalls": [{"names": ["read", "socket", "semop"], "action": "SCMP_ACT_ALLOW"}]})";
  std::size_t deployed = 0;
  for (const ArchInfo& row : arches()) {
    Deployment deployment;
    deployment.model.arch = row.arch;
    deployment.runtime = "crun";
    const auto out = loaded(text, deployment);
    if (!out) {
      // What libseccomp 2.5.4 has no word for.
      EXPECT_THAT(to_string(out.error()), HasSubstr("does not know the architecture")) << row.name;
      continue;
    }
    ++deployed;
    EXPECT_EQ(run_named(*out, row.arch, "read"), kAllow) << row.name;
    EXPECT_EQ(run_named(*out, row.arch, "write"), kEperm) << row.name;
  }
  EXPECT_GE(deployed, 15U);
}

TEST(Oci, runc_answers_enosys_above_the_largest_number) {
  const std::string text = R"({"defaultAction": "SCMP_ACT_ERRNO",
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
    "syscalls": [{"names": ["openat2"], "action": "SCMP_ACT_ALLOW"}]})";
  const Loaded runc = must_load(text);
  const Program& program = runc.filters[0].program;
  const std::uint32_t x86_64 = info(Arch::X86_64).token;
  for (const auto& [nr, value] :
       {std::pair(437, kAllow), std::pair(438, kEnosys), std::pair(400, kEperm),
        std::pair(0x40000000 + 437, kAllow), std::pair(0x40000000 + 438, kEnosys),
        std::pair(0x40000000 + 400, kEperm)}) {
    EXPECT_EQ(run(program, {.nr = nr, .arch = x86_64}), value) << nr;
  }
  Deployment crun;
  crun.runtime = "crun";
  EXPECT_EQ(run(must_load(text, crun).filters[0].program, {.nr = 438, .arch = x86_64}), kEperm);
  const std::string allows = R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["openat2"], "action": "SCMP_ACT_ERRNO"}]})";
  EXPECT_EQ(run(must_load(allows).filters[0].program, {.nr = 438, .arch = x86_64}), kAllow);
}

TEST(Oci, runc_before_1_2_leaves_the_machine_out_of_its_stub_where_no_architectures_are_named) {
  const std::string text = R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
    {"names": ["openat2"], "action": "SCMP_ACT_ALLOW"}]})";
  const SeccompData data{.nr = 438, .arch = info(Arch::X86_64).token};
  Deployment old;
  old.runtime = "runc-1.1";
  EXPECT_EQ(run(must_load(text, old).filters[0].program, data), kEperm);
  EXPECT_EQ(run(must_load(text).filters[0].program, data), kEnosys);
}

TEST(Oci, s390x_gets_enosys_for_the_number_that_unknown_calls_become) {
  Deployment s390x;
  s390x.model.arch = Arch::S390x;
  const Loaded out = must_load(
      R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {"names": ["read", "openat2"], "action": "SCMP_ACT_ALLOW"}]})",
      s390x);
  EXPECT_EQ(run(out.filters[0].program, {.nr = 0, .arch = info(Arch::S390x).token}, s390x.model),
            kEnosys);
}

TEST(Oci, runc_makes_a_tree_of_more_than_32_rules) {
  const auto text = [](int calls) {
    std::string names;
    int left = calls;
    for (const SyscallRow& row : syscalls(Arch::X86_64)) {
      if (left-- == 0) break;
      names += (names.empty() ? "\"" : ", \"") + std::string(row.name) + "\"";
    }
    return R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": [)" + names +
           R"(], "action": "SCMP_ACT_ALLOW"}]})";
  };
  EXPECT_EQ(must_load(text(32)).filters[0].lowering, Lowering::Libseccomp);
  EXPECT_EQ(must_load(text(33)).filters[0].lowering, Lowering::LibseccompTree);
  Deployment old;
  old.runtime = "runc-1.1";
  EXPECT_EQ(must_load(text(33), old).filters[0].lowering, Lowering::Libseccomp);
}

TEST(Oci, flags_and_listeners_come_through) {
  const std::string log = R"({"defaultAction": "SCMP_ACT_ALLOW",
    "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"]})";
  EXPECT_TRUE(must_load(log).filters[0].flags.log);
  Deployment old;
  old.runtime = "runc-1.1";
  EXPECT_EQ(refusal(log, old),
            "line 2, column 15: runc 1.1 takes no flags: it refuses the container");
  const std::string killable = R"({"defaultAction": "SCMP_ACT_ALLOW",
    "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]})";
  EXPECT_THAT(refusal(killable), HasSubstr("does not know this flag; it knows"));
  Deployment crun;
  crun.runtime = "crun";
  EXPECT_EQ(refusal(killable, crun), "read");

  const std::string notify = R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent",
    "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]})";
  EXPECT_TRUE(must_load(notify).filters[0].flags.new_listener);
  EXPECT_TRUE(must_load(notify, crun).filters[0].flags.new_listener);
  Deployment before;
  before.model.version = {5, 6, 0};
  EXPECT_EQ(refusal(notify, before),
            "line 2, column 18: runc takes SCMP_ACT_NOTIFY on Linux 5.7 and later alone");
  EXPECT_THAT(refusal(R"({"defaultAction": "SCMP_ACT_NOTIFY"})"),
              HasSubstr("refuses SCMP_ACT_NOTIFY as the default"));
  EXPECT_THAT(refusal(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"names": ["read", "write"], "action": "SCMP_ACT_NOTIFY"}]})"),
              testing::StartsWith("line 2, column 36: runc refuses SCMP_ACT_NOTIFY for write"));
}

TEST(Oci, podmans_errnos_have_names) {
  const Loaded out = must_load(
      R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "syscalls": [
        {"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errno": "EPERM", "errnoRet": 2},
        {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errno": "13"}]})");
  EXPECT_EQ(run_named(out, Arch::X86_64, "read"), kEnosys);
  EXPECT_EQ(run_named(out, Arch::X86_64, "mount"), kEperm);
  EXPECT_EQ(run_named(out, Arch::X86_64, "bpf"), 0x0005000dU);
  EXPECT_THAT(notes(out), HasSubstr("2:67: \"errno\" says 1 and \"errnoRet\" says 2"));
  EXPECT_EQ(refusal(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "O_RDWR"})"),
            "line 1, column 53: O_RDWR: not an errno (no such errno)");
}

TEST(Oci, a_whole_configuration_is_a_profile_with_its_capabilities) {
  const Loaded out = must_load(
      R"({"ociVersion": "1.0.2", "process": {"capabilities": {"bounding": ["CAP_SYS_ADMIN"]}},
        "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
          {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
          {"names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_CHROOT"]}}
        ]}}})");
  EXPECT_EQ(run_named(out, Arch::X86_64, "mount"), kAllow);
  EXPECT_EQ(run_named(out, Arch::X86_64, "chroot"), kEperm);
  const Loaded none = must_load(R"({"ociVersion": "1.0.2", "linux": {}})");
  EXPECT_TRUE(none.filters.empty());
  EXPECT_THAT(notes(none), HasSubstr("no seccomp profile"));
}

TEST(Oci, what_is_passed_over_is_said) {
  const Loaded out = must_load(
      R"({"defaultAction": "SCMP_ACT_ALLOW", "extra": 1, "syscalls": [
        {"names": ["raed", "listmount"], "action": "SCMP_ACT_KILL"},
        {"names": ["read"], "action": "SCMP_ACT_KILL",
         "args": [{"index": 0, "value": 3, "valueTwo": 16, "op": "SCMP_CMP_MASKED_EQ"}]},
        {"names": [], "action": "SCMP_ACT_KILL"}]})");
  const std::string said = notes(out);
  EXPECT_THAT(said, HasSubstr("1:37: \"extra\" is no key"));
  EXPECT_THAT(said, HasSubstr("2:20: raed: no architecture has such a syscall; runc passes over"));
  EXPECT_THAT(said, HasSubstr("2:28: listmount: libseccomp 2.5.4 is older than this call"));
  EXPECT_THAT(said, HasSubstr("bits outside of the mask"));
  EXPECT_THAT(said, HasSubstr("a rule without names"));
  EXPECT_THAT(notes(must_load(R"({"comment": "nothing"})")), HasSubstr("no filter is installed"));
}

TEST(Oci, errors_have_their_place) {
  const std::pair<const char*, const char*> kErrors[] = {
      {R"({"defaultAction": "SCMP_ACT_ALOW"})", "line 1, column 19: SCMP_ACT_ALOW: not an action"},
      {R"({"defaultAction": "ALLOW"})", "line 1, column 19: ALLOW: not an action"},
      {R"({"defaultAction": 1})", "line 1, column 19: defaultAction is a string, not an integer"},
      {R"({"defaultaction": "SCMP_ACT_ALLOW"})",
       "line 1, column 2: \"defaultaction\": some readers take this for \"defaultAction\""},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "defaultAction": "SCMP_ACT_KILL"})",
       "line 1, column 37: \"defaultAction\" stands here twice"},
      {R"({"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]})",
       "line 1, column 1: it has rules, but no \"defaultAction\""},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_ARM65"]})",
       "line 1, column 55: SCMP_ARCH_ARM65: not an architecture"},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"],
 "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]})",
       "line 2, column 13: both \"architectures\" and \"archMap\""},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "name": "write",
 "action": "SCMP_ACT_KILL"}]})",
       "line 1, column 78: both \"name\" and \"names\""},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"]}]})",
       "line 1, column 50: a rule has an \"action\""},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"],
 "action": "SCMP_ACT_KILL", "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]})",
       "line 2, column 48: index is 0 to 5, not 6"},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"],
 "action": "SCMP_ACT_KILL", "args": [{"index": 0, "value": -1, "op": "SCMP_CMP_EQ"}]}]})",
       "line 2, column 60: value is 0 to 18446744073709551615, not -1"},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"],
 "action": "SCMP_ACT_KILL", "args": [{"index": 0, "value": 1, "op": "=="}]}]})",
       "line 2, column 69: ==: not an operator"},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"],
 "action": "SCMP_ACT_KILL", "includes": {"minKernel": "5"}}]})",
       "line 2, column 55: 5: a minKernel is two numbers"},
      {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"],
 "action": "SCMP_ACT_KILL", "includes": {"minKernel": "5.256"}}]})",
       "line 2, column 55: 5.256: a minKernel is two numbers"},
      {R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096})",
       "libseccomp refuses the default action"},
      {R"([1])", "line 1, column 1: a profile is an object, not an array"},
  };
  for (const auto& [text, expected] : kErrors) EXPECT_THAT(refusal(text), HasSubstr(expected));
  Deployment crun;
  crun.runtime = "crun";
  EXPECT_THAT(refusal(R"({"defaultAction": "SCMP_ACT_KILL", "syscalls": [
                {"names": ["read"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1}]})",
                      crun),
              testing::StartsWith("line 2, column 17: crun refuses an errno"));
  EXPECT_THAT(
      refusal(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["read"], "action": "SCMP_ACT_KILL",
     "args": [{"index": 0, "value": 3, "op": "SCMP_CMP_EQ"}]},
    {"names": ["read"], "action": "SCMP_ACT_TRAP",
     "args": [{"index": 0, "value": 3, "op": "SCMP_CMP_EQ"}]}]})"),
      testing::StartsWith("line 4, column 16: read: the same tests stand with another action"));
}

}  // namespace
}  // namespace callgate::front_ends
