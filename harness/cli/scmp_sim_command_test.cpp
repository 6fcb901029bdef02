#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "harness/cli/command_test.hpp"
#include "vm/arches.hpp"

namespace callgate {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// As libseccomp's runner meets it: by a name of its own.
class ScmpSimFixture : public CommandFixture {
 protected:
  static std::string instruction(unsigned code, unsigned jt, unsigned jf, std::uint32_t k,
                                 bool big = false) {
    std::string out;
    const auto put = [&](std::uint32_t value, unsigned bytes) {
      for (unsigned i = 0; i < bytes; ++i) {
        const unsigned at = big ? bytes - 1 - i : i;
        out += static_cast<char>(value >> (8U * at) & 0xffU);
      }
    };
    put(code, 2);
    put(jt, 1);
    put(jf, 1);
    put(k, 4);
    return out;
  }

  std::string returning(std::uint32_t value) const {
    return file("filter", instruction(0x06, 0, 0, value));
  }

  Ended by_name(std::vector<std::string> words) const {
    const std::filesystem::path link = folder_ / "scmp_bpf_sim";
    if (!std::filesystem::exists(link)) {
      std::filesystem::create_symlink(CALLGATE_COMMAND, link);
    }
    // The shell puts the words where a program finds them: "$0" first.
    std::string line = "exec \"" + link.string() + "\"";
    for (const std::string& word : words) line += " '" + word + "'";
    const std::string script =
        file("start", "#!/bin/sh\n" + line + " > by_name.out 2> by_name.err\n");
    const std::string all = "cd '" + folder_.string() + "' && sh " + script;
    const int status = std::system(all.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(folder_ / "by_name.out"),
            content(folder_ / "by_name.err")};
  }
};

TEST_F(ScmpSimFixture, every_action_has_its_word) {
  const std::pair<std::uint32_t, const char*> kWords[] = {
      {0x7fff0000, "ALLOW\n"},       {0x00000000, "KILL\n"},     {0x80000000, "KILL_PROCESS\n"},
      {0x00030005, "TRAP\n"},        {0x00050000, "ERRNO(0)\n"}, {0x0005ffff, "ERRNO(65535)\n"},
      {0x7ff004d2, "TRACE(1234)\n"}, {0x7ffc0000, "LOG\n"},      {0x7fc00000, "NOTIFY\n"},
  };
  for (const auto& [value, word] : kWords) {
    const Ended ended = by_name({"-a", "x86_64", "-f", returning(value), "-s", "0"});
    EXPECT_EQ(ended.code, 0) << word;
    EXPECT_EQ(ended.out, word);
    EXPECT_EQ(ended.err, "");
  }
}

TEST_F(ScmpSimFixture, the_subcommand_is_the_same) {
  const Ended ended =
      run({"scmp-sim", "-a", "x86_64", "-f", returning(0x00050001), "-s", "1", "-0", "5"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out, "ERRNO(1)\n");
  EXPECT_EQ(run({"scmp-sim", "-h"}).code, 22);
  EXPECT_EQ(run({"scmp-sim"}).code, 22);
  const Ended help = run({"scmp-sim", "--help"});
  EXPECT_EQ(help.code, 0);
  // A name there would ask for the call 0.
  EXPECT_NE(help.out.find("-a x86_64 -s 257 -0 3"), std::string::npos);
}

TEST_F(ScmpSimFixture, every_architecture_has_its_token_and_byte_order) {
  for (const ArchInfo& row : arches()) {
    const bool big = row.byte_order == ByteOrder::Big;
    // ERRNO(7) where the token is the architecture's, and the upper half of args[5] is 9.
    const std::string filter =
        file("filter",
             instruction(0x20, 0, 0, 4, big) + instruction(0x15, 0, 3, row.token, big) +
                 instruction(0x20, 0, 0, big ? 56 : 60, big) + instruction(0x15, 0, 1, 9, big) +
                 instruction(0x06, 0, 0, 0x00050007, big) + instruction(0x06, 0, 0, 0, big));
    const Ended ended =
        by_name({"-f", filter, "-a", std::string(row.name), "-s", "-1", "-5", "0x900000000"});
    EXPECT_EQ(ended.out, "ERRNO(7)\n") << row.name << ended.err;
  }
}

TEST_F(ScmpSimFixture, wrong_use_is_22) {
  const std::string filter = returning(0x7fff0000);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, {"-h"}, {"-a", "x86_64"}, {"-f", filter, "-x"}, {"-s"}}) {
    const Ended ended = by_name(words);
    EXPECT_EQ(ended.code, 22);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr("usage: "));
    EXPECT_THAT(ended.err, HasSubstr(" -f <bpf_file> [-v] [-h] -a <arch> -s <syscall_num>"));
  }
}

TEST_F(ScmpSimFixture, what_cannot_be_run_is_a_fault_and_14) {
  const std::string filter = returning(0x7fff0000);
  const std::string behind =
      file("behind", instruction(0x20, 0, 0, 64) + instruction(0x06, 0, 0, 0));
  const auto fault = [&](const std::vector<std::string>& words) {
    const Ended ended = by_name(words);
    EXPECT_EQ(ended.code, 14);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, StartsWith("FAULT"));
    return ended.err;
  };
  EXPECT_THAT(fault({"-f", filter, "-a", "amd64", "-s", "0"}), HasSubstr("-a amd64: not an arch"));
  EXPECT_THAT(fault({"-f", filter, "-f", filter, "-s", "0"}), HasSubstr("given twice"));
  EXPECT_THAT(fault({"-f", (folder_ / "none").string(), "-s", "0"}), HasSubstr("none: "));
  EXPECT_THAT(fault({"-f", file("empty", ""), "-s", "0"}), HasSubstr("empty: "));
  EXPECT_THAT(fault({"-f", file("part", "\x06"), "-s", "0"}), HasSubstr("part: byte 0"));
  EXPECT_THAT(
      fault({"-a", "x86_64", "-f", behind, "-s", "0"}),
      HasSubstr("FAULT\n" + behind + ": refused by Linux 6.18 x86_64: EINVAL; instruction 0"));
  EXPECT_THAT(fault({"-v", "-f", behind, "-s", "0"}), StartsWith("FAULT: errno = 22\n"));
}

TEST_F(ScmpSimFixture, an_action_that_no_kernel_knows_is_an_error_and_8) {
  const Ended ended = by_name({"-f", returning(0x00060000), "-s", "0"});
  EXPECT_EQ(ended.code, 8);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, StartsWith("ERROR\n"));
  EXPECT_THAT(by_name({"-v", "-f", returning(0x00060000)}).err,
              StartsWith("ERROR: errno = 33, line = 0\n"));
}

TEST_F(ScmpSimFixture, numbers_are_read_as_the_simulator_reads_them) {
  // ERRNO of the number's low 16 bits.
  const std::string number =
      file("number", instruction(0x20, 0, 0, 0) + instruction(0x54, 0, 0, 0xffff) +
                         instruction(0x44, 0, 0, 0x50000) + instruction(0x16, 0, 0, 0));
  EXPECT_EQ(by_name({"-f", number}).out, "ERRNO(0)\n");
  EXPECT_EQ(by_name({"-f", number, "-s", "0x10"}).out, "ERRNO(16)\n");
  EXPECT_EQ(by_name({"-f", number, "-s", "010"}).out, "ERRNO(8)\n");
  EXPECT_EQ(by_name({"-f", number, "-s", "-1"}).out, "ERRNO(65535)\n");
  EXPECT_EQ(by_name({"-f", number, "-s", "4294957190"}).out, "ERRNO(55430)\n");
  EXPECT_EQ(by_name({"-f", number, "-s", "12ab"}).out, "ERRNO(12)\n");
  EXPECT_EQ(by_name({"-f", number, "-s", "cafe"}).out, "ERRNO(0)\n");
}

TEST_F(ScmpSimFixture, what_the_simulator_cannot_run_is_run) {
  std::string longest;
  for (int i = 0; i < 4095; ++i) longest += instruction(0x04, 0, 0, 1);
  longest += instruction(0x16, 0, 0, 0);
  // 4095 = 0x0fff: KILL_THREAD with data.
  EXPECT_EQ(by_name({"-f", file("longest", longest)}).out, "KILL\n");
  EXPECT_EQ(by_name({"-f", file("too_long", longest + instruction(0x06, 0, 0, 0))}).code, 14);
  const std::string scratch =
      file("scratch", instruction(0x01, 0, 0, 0x50003) + instruction(0x03, 0, 0, 1) +
                          instruction(0x60, 0, 0, 1) + instruction(0x16, 0, 0, 0));
  EXPECT_EQ(by_name({"-f", scratch}).out, "ERRNO(3)\n");
}

}  // namespace
}  // namespace callgate
