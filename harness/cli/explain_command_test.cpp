// `callgate explain` as a person meets it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "harness/cli/command_test.hpp"

namespace callgate {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// A filter that allows getpid always, write where its first argument is 1 (as 32 bits), and gives
// all else ERRNO(1); it does not ask for the architecture.
class ExplainCommand : public FilterCommandFixture {
 protected:
  // ERRNO(13) for unshare with CLONE_NEWUSER, on x86_64 alone.
  std::string no_user_namespaces() const {
    return file("no_user_namespaces",
                "{0x20, 0, 0, 4}, {0x15, 0, 5, 0xc000003e}, {0x20, 0, 0, 0}, {0x15, 0, 3, 272}, "
                "{0x20, 0, 0, 16}, {0x45, 0, 1, 0x10000000}, {0x06, 0, 0, 0x0005000d}, "
                "{0x06, 0, 0, 0x7fff0000}");
  }
  std::string profile() const {
    return file("profile.json", R"({
  "defaultAction": "SCMP_ACT_ERRNO",
  "architectures": ["SCMP_ARCH_X86_64"],
  "syscalls": [
    {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
     "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}
  ]
})");
  }
};

TEST_F(ExplainCommand, tells_for_each_abi_which_calls_get_what_and_when) {
  const Ended said = run({"explain", "-f", filter_, "--arch", "x86_64"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("\nx86_64\n"));
  EXPECT_THAT(said.out, HasSubstr("\nx32\n"));
  EXPECT_THAT(said.out, HasSubstr("\nx86\n"));
  EXPECT_THAT(said.out, HasSubstr("\nevery other architecture\n"));
  EXPECT_THAT(said.out, HasSubstr("  ALLOW\n    getpid\n    write if (fd as 32 bits) == 1\n"));
  EXPECT_THAT(said.out, HasSubstr("ERRNO(1), EPERM, for all that is not listed elsewhere"));
  EXPECT_THAT(said.out, HasSubstr("    write otherwise\n    all numbers that no call has\n"));
}

TEST_F(ExplainCommand, shows_the_abis_of_the_machine) {
  const Ended said = run({"explain", "-f", filter_, "--arch", "aarch64"});
  EXPECT_THAT(said.out, HasSubstr("\naarch64\n"));
  EXPECT_THAT(said.out, HasSubstr("\narm\n"));
  EXPECT_THAT(said.out, Not(HasSubstr("x86")));
}

TEST_F(ExplainCommand, tells_of_a_stack_who_decides_what) {
  const std::string other = no_user_namespaces();
  const Ended said = run({"explain", "-f", filter_, "-f", other, "--arch", "x86_64"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("ERRNO(1), EPERM, by filter 0 (" + filter_ + ")"));
  EXPECT_THAT(said.out, HasSubstr("ERRNO(13), EACCES, by filter 1 (" + other + ")"));
  EXPECT_THAT(said.out, HasSubstr("unshare if (flags & CLONE_NEWUSER) != 0"));
}

TEST_F(ExplainCommand, gives_the_same_to_machines) {
  const Ended said =
      run({"explain", "-f", no_user_namespaces(), "--arch", "x86_64", "--format", "json"});
  EXPECT_EQ(said.code, 0) << said.err;
  const json document = json::parse(said.out);
  EXPECT_EQ(document["whole"], true);
  const json& abi = document["abis"][0];
  EXPECT_EQ(abi["abi"], "x86_64");
  EXPECT_EQ(abi["usual"]["verdict"], "ALLOW");
  bool found = false;
  for (const json& each : abi["classes"]) {
    if (each["syscalls"] != json::parse(R"(["unshare"])")) continue;
    found = true;
    const json& rule = each["rules"][0];
    EXPECT_EQ(rule["value"], "0x0005000d");
    EXPECT_EQ(rule["filter"], 0);
    EXPECT_EQ(rule["fields"][0]["field"], "arg0");
    EXPECT_EQ(rule["fields"][0]["name"], "flags");
    EXPECT_EQ(rule["fields"][0]["masks"][0]["mask"], "0x10000000");
    EXPECT_EQ(each["otherwise"]["verdict"], "ALLOW");
  }
  EXPECT_TRUE(found);
}

TEST_F(ExplainCommand, writes_tables_for_pages) {
  const Ended said =
      run({"explain", "-f", no_user_namespaces(), "--arch", "x86_64", "--format", "markdown"});
  EXPECT_THAT(said.out, HasSubstr("## x86_64"));
  EXPECT_THAT(said.out,
              HasSubstr("| ERRNO(13), EACCES | unshare | if (flags & CLONE_NEWUSER) != 0 |"));
  EXPECT_THAT(said.out, HasSubstr("| ALLOW | every call |  |"));
}

TEST_F(ExplainCommand, says_why_a_call_gets_its_verdict) {
  const Ended said = run({"explain", "-f", filter_, "-f", no_user_namespaces(), "--arch", "x86_64",
                          "unshare", "CLONE_NEWUSER|CLONE_NEWNS"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("unshare on x86_64: ERRNO(13), returns -1, EACCES"));
  EXPECT_THAT(said.out, HasSubstr("decided by filter 1"));
  EXPECT_THAT(said.out, HasSubstr("every unshare gets this if (flags & CLONE_NEWUSER) != 0"));
  EXPECT_THAT(said.out, HasSubstr("filter 0 (" + filter_ + ") returns ERRNO(1)"));
  EXPECT_THAT(said.out, HasSubstr("if (nr != unshare)"));
  const Ended other = run({"explain", "-f", no_user_namespaces(), "--arch", "x86_64", "unshare"});
  EXPECT_THAT(other.out, HasSubstr("every unshare gets this unless (flags & CLONE_NEWUSER) != 0"));
}

TEST_F(ExplainCommand, names_the_rule_of_a_profile_and_its_line) {
  const std::string path = profile();
  const Ended said = run({"explain", "-f", path, "--arch", "x86_64", "personality", "8"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr(path + ": line 6, column "));
  EXPECT_THAT(said.out, HasSubstr("rule for personality: ALLOW"));
  EXPECT_THAT(said.out, HasSubstr("every personality gets this if persona == PER_LINUX32"));
  const Ended other = run({"explain", "-f", path, "--arch", "x86_64", "write"});
  EXPECT_THAT(other.out, HasSubstr("no rule fits: the default: ERRNO(1)"));
}

TEST_F(ExplainCommand, tells_a_call_to_machines) {
  const Ended said =
      run({"explain", "-f", filter_, "--arch", "x86_64", "--format", "json", "write", "2"});
  const json document = json::parse(said.out);
  EXPECT_EQ(document["verdict"], "ERRNO(1)");
  EXPECT_EQ(document["winner"], 0);
  EXPECT_EQ(document["condition"], "unless (fd as 32 bits) == 1");
  EXPECT_EQ(document["filters"][0]["comparisons"].size(), 3U);
}

TEST_F(ExplainCommand, says_that_a_comparison_is_a_formula) {
  // ALLOW where arg0 * arg1 > 7.
  const std::string product =
      file("product",
           "{0x20, 0, 0, 16}, {0x07, 0, 0, 0}, {0x20, 0, 0, 24}, {0x2c, 0, 0, 0}, {0x25, 0, 1, 7}, "
           "{0x06, 0, 0, 0x7fff0000}, {0x06, 0, 0, 0x00050001}");
  const Ended said = run({"explain", "-f", product, "--arch", "x86_64"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("    every call if (arg"));
}

TEST_F(ExplainCommand, says_what_is_left_out_and_ends_with_1) {
  // arg0 through eight multiplications, compared bit by bit: too much for the analysis.
  std::string text = "{0x20, 0, 0, 16}, ";
  for (int i = 0; i < 300; ++i) {
    text += "{0x45, 0, 1, " + std::to_string(1U << (i % 31)) + "}, {0x24, 0, 0, 3}, ";
  }
  text += "{0x16, 0, 0, 0}";
  const Ended said = run({"explain", "-f", file("long", text), "--arch", "x86_64"});
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.out, HasSubstr("not fully analysed:"));
}

TEST_F(ExplainCommand, ends_with_2_for_what_it_cannot_do) {
  EXPECT_EQ(run({"explain", "-f", filter_, "--format", "markdown", "getpid"}).code, 2);
  EXPECT_EQ(run({"explain", "-f", filter_, "no_such_call"}).code, 2);
  EXPECT_EQ(run({"explain"}).code, 2);
}

TEST_F(ExplainCommand, ends_with_1_for_a_filter_that_is_refused) {
  const Ended said = run({"explain", "-f", file("refused", "{0x20, 0, 0, 0}")});
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.err, HasSubstr("refused by"));
}

}  // namespace
}  // namespace callgate
