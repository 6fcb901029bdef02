// JSON filters of seccompiler and of Firecracker.

#include "harness/front_ends/profile_reader_test.hpp"

namespace callgate::front_ends {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string filter(std::string_view rules, std::string_view mismatch = "\"trap\"",
                   std::string_view match = "\"allow\"") {
  return "{ \"vmm\": { \"mismatch_action\": " + std::string(mismatch) +
         ", \"match_action\": " + std::string(match) + ", \"filter\": [" + std::string(rules) +
         "] } }";
}

std::string condition(std::string_view type, std::string_view op, std::string_view value) {
  return "{ \"syscall\": \"ioctl\", \"args\": [ { \"index\": 1, \"type\": \"" + std::string(type) +
         "\", \"op\": " + std::string(op) + ", \"val\": " + std::string(value) + " } ] }";
}

std::string wrong(std::string_view text, std::string_view path = {},
                  std::string_view format = "seccompiler", const Deployment& deployment = {}) {
  Read read(format, deployment);
  read.text(text, path);
  return read.error().empty() ? "read; notes: " + read.notes() : read.error();
}

TEST(Seccompiler, has_an_action_for_what_fits_and_one_for_the_rest) {
  Read read("seccompiler");
  read.text(filter("{ \"syscall\": \"read\", \"comment\": \"why\" }, { \"syscall\": \"write\" }",
                   "{ \"errno\": 65537 }", "\"log\""));
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("read"), "LOG");
  EXPECT_EQ(read.says("openat"), "ERRNO(1)");
  EXPECT_EQ(read.says("read", {}, Arch::X86), "KILL_PROCESS");
  EXPECT_EQ(read.says_of(0x40000000, {}, 0xc000003e), "ERRNO(1)");
  EXPECT_EQ(read.profile().layers.front().name, "vmm");
  for (const auto& [action, verdict] :
       {std::pair("\"kill_thread\"", "KILL_THREAD"), std::pair("\"kill_process\"", "KILL_PROCESS"),
        std::pair("{\"trace\": 3}", "TRACE(3)"), std::pair("{\"trap\": null}", "TRAP")}) {
    EXPECT_EQ(read.text(filter("", action)).says("read"), verdict);
  }
}

TEST(Seccompiler, compares_words_and_double_words) {
  const auto says = [](std::string_view type, std::string_view op, std::string_view value,
                       std::uint64_t argument) {
    Read read("seccompiler");
    return read.text(filter(condition(type, op, value))).says("ioctl", {0, argument});
  };
  EXPECT_EQ(says("dword", "\"eq\"", "5", 0x100000005), "ALLOW");
  EXPECT_EQ(says("qword", "\"eq\"", "5", 0x100000005), "TRAP");
  EXPECT_EQ(says("dword", "\"eq\"", "4294967301", 5), "ALLOW");
  EXPECT_EQ(says("qword", "\"ne\"", "5", 0x100000005), "ALLOW");
  EXPECT_EQ(says("dword", "\"ne\"", "5", 0x100000005), "TRAP");
  EXPECT_EQ(says("qword", "\"gt\"", "4294967295", 0x100000000), "ALLOW");
  EXPECT_EQ(says("dword", "\"gt\"", "7", 0x100000000), "TRAP");
  EXPECT_EQ(says("qword", "\"ge\"", "8", 8), "ALLOW");
  EXPECT_EQ(says("qword", "\"le\"", "8", 9), "TRAP");
  EXPECT_EQ(says("dword", "\"lt\"", "8", 0xffffffff00000007), "ALLOW");
  EXPECT_EQ(says("qword", "{ \"masked_eq\": 6 }", "13", 5), "ALLOW");
  EXPECT_EQ(says("dword", "{ \"masked_eq\": 1099511627782 }", "4", 4), "ALLOW");
  EXPECT_EQ(says("qword", "{ \"masked_eq\": 1099511627782 }", "4", 0x10000000004), "TRAP");
}

TEST(Seccompiler, puts_conditions_and_rules_of_a_call_together) {
  Read read("seccompiler");
  read.text(filter(
      "{ \"syscall\": \"ioctl\" },"
      "{ \"syscall\": \"ioctl\", \"args\": [ { \"index\": 0, \"type\": \"dword\", \"op\": \"eq\", "
      "\"val\": 1 }, { \"index\": 1, \"type\": \"qword\", \"op\": \"eq\", \"val\": 2 } ] },\n" +
      condition("dword", "\"eq\"", "9")));
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("ioctl", {1, 2}), "ALLOW");
  EXPECT_EQ(read.says("ioctl", {2, 2}), "TRAP");
  EXPECT_EQ(read.says("ioctl", {2, 9}), "ALLOW");
  EXPECT_EQ(read.notes(),
            "1: ioctl: the call has rules with args, too; seccompiler passes over this one\n");
}

TEST(Seccompiler, chooses_the_thread_that_the_path_names) {
  const std::string two =
      "{ \"vmm\": { \"mismatch_action\": \"trap\", \"match_action\": \"allow\", \"filter\": [] },\n"
      "  \"vcpu\": { \"mismatch_action\": \"log\", \"match_action\": \"allow\", \"filter\": [] } }";
  Read read("seccompiler");
  EXPECT_EQ(read.text(two, "x.json#vcpu").says("read"), "LOG");
  EXPECT_EQ(read.text(two, "x.json#vmm").says("read"), "TRAP");
  EXPECT_THAT(wrong(two, "x.json"), HasSubstr("FILE#vmm (there are vmm, vcpu)"));
  EXPECT_THAT(wrong(two, "x.json#api"), HasSubstr("no thread api in it; there are vmm, vcpu"));
}

TEST(Seccompiler, that_is_wrong_is_refused_with_the_place) {
  EXPECT_THAT(wrong("{"), HasSubstr("not JSON"));
  EXPECT_THAT(wrong("[]"), HasSubstr("an object with a filter for each thread"));
  EXPECT_THAT(wrong("{}"), HasSubstr("an object with a filter for each thread"));
  EXPECT_THAT(wrong(filter("{ \"syscall\": \"raed\" }")),
              StartsWith("line 1, column 88: raed: no call of x86_64"));
  EXPECT_THAT(wrong(filter("", "\"allow\"")), HasSubstr("both actions are equal"));
  EXPECT_THAT(wrong(filter("", "\"deny\"")), HasSubstr("deny: no action"));
  EXPECT_THAT(wrong(filter("", "\"errno\"")), HasSubstr("write {\"errno\": 1}"));
  EXPECT_THAT(wrong(filter("", "{\"errno\": -1}")), HasSubstr("0 to 4294967295"));
  EXPECT_THAT(wrong(filter("", "{\"trap\": 1}")), HasSubstr("write \"trap\""));
  EXPECT_THAT(wrong(filter("{ \"args\": null }")), HasSubstr("syscall is missing"));
  EXPECT_THAT(wrong(filter("{ \"syscall\": \"read\", \"args\": [] }")),
              HasSubstr("leave args out"));
  EXPECT_THAT(wrong(filter("{ \"syscall\": \"read\", \"arg\": 1 }")),
              HasSubstr("refuses such a key"));
  EXPECT_THAT(wrong(filter("{ \"syscall\": \"read\", \"syscall\": \"read\" }")),
              HasSubstr("stands twice"));
  EXPECT_THAT(wrong(filter("{ \"syscall\": \"read\", \"comment\": 1 }")),
              HasSubstr("a string is wanted"));
  EXPECT_THAT(wrong(filter(condition("word", "\"eq\"", "1"))), HasSubstr("dword and qword"));
  EXPECT_THAT(wrong(filter(condition("dword", "\"is\"", "1"))), HasSubstr("no operator"));
  EXPECT_THAT(wrong(filter(condition("dword", "\"eq\"", "-1"))), HasSubstr("from 0 to"));
  EXPECT_THAT(
      wrong(filter("{ \"syscall\": \"read\", \"args\": [ { \"index\": 6, \"type\": \"dword\", "
                   "\"op\": \"eq\", \"val\": 1 } ] }")),
      HasSubstr("args 0 to 5"));
  EXPECT_THAT(wrong(filter(""), {}, "seccompiler", on(Arch::X86)), HasSubstr("no filters for x86"));
  std::string many = condition("dword", "\"le\"", "14");
  for (int i = 1; i < 999; ++i) many += "," + condition("dword", "\"le\"", "14");
  // 3 + 1 + 1 + 999 rules of 5, the compare and the return before the next call: 5002.
  EXPECT_THAT(wrong(filter(many)), HasSubstr("makes 5002 instructions"));
}

TEST(Firecracker, goes_through_libseccomp) {
  const auto filters = [](std::string_view rules) {
    return "{ \"vmm\": { \"default_action\": \"trap\", \"filter_action\": \"allow\", \"filter\": "
           "[" +
           std::string(rules) + "] } }";
  };
  Read read("firecracker");
  read.text(
      filters("{ \"syscall\": \"read\", \"comment\": 5 }," + condition("dword", "\"eq\"", "5")));
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("read"), "ALLOW");
  EXPECT_EQ(read.says("read", {}, Arch::X86), "KILL_THREAD");
  EXPECT_EQ(read.says_of(0x40000000, {}, 0xc000003e), "KILL_THREAD");
  EXPECT_EQ(read.says("ioctl", {0, 0x100000005}), "ALLOW");
  // Only eq knows of dword.
  read.text(filters(condition("dword", "\"le\"", "5")));
  EXPECT_EQ(read.says("ioctl", {0, 0x100000005}), "TRAP");
  read.text(filters("{ \"syscall\": \"read\", \"args\": [] }"));
  EXPECT_EQ(read.says("read"), "ALLOW");
  EXPECT_THAT(wrong(filter(""), {}, "firecracker"), HasSubstr("default_action is missing"));
}

TEST(Seccompiler, and_firecracker_are_told_by_their_keys) {
  EXPECT_EQ(detected(filter("")), "seccompiler");
  EXPECT_EQ(detected("{\"a\":{\"default_action\":1,\"filter_action\":1,\"filter\":1}}"),
            "firecracker");
  EXPECT_EQ(detected("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}"), "oci");
}

}  // namespace
}  // namespace callgate::front_ends
