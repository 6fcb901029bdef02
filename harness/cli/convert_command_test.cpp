// Profiles as FILTER of every command, and `callgate convert`.

#include <gmock/gmock.h>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kCorpus = std::string(CALLGATE_SOURCE_DIR) + "/corpus/";
const std::string kContainer = kCorpus + "profiles/docker_every_feature.json";
const std::string kUnit = kCorpus + "profiles/systemd/everything.service";

class Convert : public CommandFixture {
 protected:
  [[nodiscard]] std::string in_folder(const std::string& name) const {
    return (folder_ / name).string();
  }
};

TEST_F(Convert, a_profile_is_a_filter_of_every_command) {
  const Ended mount = run({"run", "-f", kContainer, "--arch", "x86_64", "mount"});
  EXPECT_EQ(mount.code, 0);
  EXPECT_THAT(mount.out, HasSubstr("mount  ERRNO(1)  returns -1, EPERM"));
  EXPECT_THAT(
      run({"run", "-f", kContainer, "--arch", "x86_64", "--caps", "SYS_ADMIN", "mount"}).out,
      HasSubstr("mount  ALLOW"));
  EXPECT_EQ(run({"check", "--arch", "x86_64", kContainer}).code, 0);
  EXPECT_EQ(run({"disasm", "--arch", "aarch64", "--runtime", "crun", kContainer}).code, 0);
  EXPECT_EQ(run({"cost", "-f", kContainer, "--arch", "x86_64"}).code, 0);
}

TEST_F(Convert, notes_have_their_place_and_verbose_says_what_it_is) {
  const Ended quiet = run({"check", "--arch", "x86_64", kContainer});
  EXPECT_THAT(quiet.err, HasSubstr(kContainer + ":158:63: no_such_call: no architecture has"));
  EXPECT_THAT(quiet.err, testing::Not(HasSubstr("read as")));
  EXPECT_THAT(run({"check", "-v", "--arch", "x86_64", kContainer}).err,
              HasSubstr(kContainer + ": read as oci (a JSON object"));
}

TEST_F(Convert, verbose_shows_calls_on_which_libseccomp_departs) {
  const std::string profile = file("profile.json", R"({"defaultAction": "SCMP_ACT_ERRNO",
    "syscalls": [
    {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
     "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_LE"}]},
    {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
     "args": [{"index": 0, "value": 4294967297, "op": "SCMP_CMP_GE"}]}]})");
  EXPECT_THAT(run({"check", "-v", "--arch", "aarch64", profile}).err,
              AllOf(HasSubstr("personality(0x3, 0x0, 0x0, 0x0, 0x0, 0x0) gets ERRNO(1) by the "
                              "profile, and ALLOW by libseccomp's program"),
                    HasSubstr("libseccomp may join them")));
}

TEST_F(Convert, a_unit_is_a_stack_and_goes_into_a_folder) {
  const Ended one = run({"disasm", "--arch", "x86_64", kUnit});
  EXPECT_EQ(one.code, 2);
  EXPECT_THAT(one.err, HasSubstr("filters, and this takes one"));
  EXPECT_EQ(run({"convert", "--arch", "x86_64", kUnit}).code, 2);
  const std::string out = in_folder("out_folder");
  EXPECT_EQ(run({"convert", "--arch", "x86_64", "--systemd", "252", "-o", out, kUnit}).code, 0);
  EXPECT_TRUE(std::filesystem::exists(out + "/000.bpf"));
  EXPECT_TRUE(std::filesystem::exists(out + "/010.bpf"));
  const Ended again = run({"convert", "--arch", "x86_64", "-o", out, kUnit});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("not an empty folder"));
}

TEST_F(Convert, one_of_several_policies_in_a_file_has_a_name) {
  const std::string file = kCorpus + "profiles/seccompiler.json";
  EXPECT_THAT(run({"run", "-f", file + "#worker", "--arch", "x86_64", "read"}).out,
              HasSubstr("read  ALLOW"));
  EXPECT_EQ(run({"run", "-f", file + "#nobody", "--arch", "x86_64", "read"}).code, 2);
}

TEST_F(Convert, programs_are_written_in_every_form_as_the_same) {
  const std::string raw = in_folder("raw");
  ASSERT_EQ(run({"convert", "--arch", "x86_64", "-o", raw, kContainer}).code, 0);
  for (const std::string to : {"hex", "c-rows", "c-string", "c-bytes", "c-macros", "decimal",
                               "callgate", "bpf_asm", "seccomp-tools", "ceccomp"}) {
    const Ended text = run({"convert", "--arch", "x86_64", "--to", to, raw});
    EXPECT_EQ(text.code, 0) << to << text.err;
    const std::string other = file("other", text.out);
    EXPECT_EQ(run({"convert", "--arch", "x86_64", other}).out, content(raw)) << to;
  }
}

TEST_F(Convert, a_policy_is_written_as_a_profile_that_means_the_same) {
  const std::string out = in_folder("again.json");
  const Ended written = run(
      {"convert", "--arch", "x86_64", "--runtime", "crun", "--to", "oci", "-o", out, kContainer});
  EXPECT_EQ(written.code, 0) << written.err;
  for (const std::string call : {"mount", "read", "bpf", "personality", "reboot"}) {
    EXPECT_EQ(run({"run", "--arch", "x86_64", "--runtime", "crun", "-f", out, call, "3"})
                  .out.substr(0, 30),
              run({"run", "--arch", "x86_64", "--runtime", "crun", "-f", kContainer, call, "3"})
                  .out.substr(0, 30));
  }
}

TEST_F(Convert, a_policy_is_written_in_other_languages_as_the_same) {
  const std::string minijail = kCorpus + "profiles/minijail.policy";
  for (const std::string to : {"minijail", "minijail-compiler", "kafel"}) {
    const Ended written = run({"convert", "--arch", "x86_64", "--to", to, minijail});
    EXPECT_EQ(written.code, 0) << to << written.err;
    const std::string again = file("again", written.out);
    for (const std::string call : {"read", "mmap", "clone", "ioctl", "ptrace", "reboot"}) {
      // The first line: the call, and what becomes of it.
      const auto asked = [&](const std::string& format, const std::string& path) {
        const std::string out = run({"run", "--input-format", format, "--arch", "x86_64", "-f",
                                     path, call, "1", "0x5401", "4"})
                                    .out;
        return out.substr(0, out.find('\n'));
      };
      EXPECT_EQ(asked(to, again), asked("minijail", minijail)) << to << call;
      EXPECT_THAT(asked(to, again), HasSubstr(call));
    }
  }
  const Ended several = run({"convert", "--arch", "x86_64", "--to", "seccompiler", minijail});
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.err, HasSubstr("clone (line 7): seccompiler policies have one action"));
}

TEST_F(Convert, what_is_not_kept_is_said) {
  const Ended program = run({"convert", "--to", "oci", "-"}, "{0x06, 0, 0, 0x7fff0000}");
  EXPECT_EQ(program.code, 2);
  EXPECT_THAT(program.err, HasSubstr("a program does not become a profile"));
  // minijail's x32 calls meet its rules; a container's filter takes them for foreign.
  const Ended policy =
      run({"convert", "--arch", "x86_64", "--to", "oci", kCorpus + "profiles/minijail.policy"});
  EXPECT_NE(policy.code, 0);
  EXPECT_NE(policy.err, "");
}

TEST_F(Convert, wrong_words_are_refused) {
  EXPECT_THAT(run({"convert", "--to", "elf", kContainer}).err,
              HasSubstr("--to elf: not a format that is written; these are: raw hex"));
  EXPECT_THAT(run({"check", "--input-format", "elf", kContainer}).err,
              HasSubstr("--input-format elf: not a format; see --help"));
  EXPECT_THAT(run({"check", "--caps", "CAP_FOO", kContainer}).err,
              HasSubstr("CAP_FOO is no capability"));
  EXPECT_EQ(run({"check", "--runtime", "lxc", kContainer}).code, 2);
  EXPECT_THAT(run({"check", "-"}, "hello, world\n").err,
              AllOf(HasSubstr("none of the forms"), HasSubstr("nor a profile: oci (")));
}

}  // namespace
}  // namespace callgate
