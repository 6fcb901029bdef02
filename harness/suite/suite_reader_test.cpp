// Suites as authors write them: every key, and what is wrong, with its place.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "harness/suite/suite.hpp"
#include "harness/testing/folder_test.hpp"

namespace callgate::suite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Suite> suites(std::string_view text, const std::string& path = "folder/s.yaml") {
  auto read = read_suites(text, path, false);
  EXPECT_TRUE(read.has_value()) << to_string(read.error());
  return read ? std::move(*read) : std::vector<Suite>(1);
}

Suite suite(std::string_view text) { return suites(text).front(); }

// The error of a suite: "LINE:COLUMN: message".
std::string wrong(std::string_view text) {
  const auto read = read_suites(text, "s.yaml", false);
  if (read) {
    ADD_FAILURE() << text;
    return {};
  }
  EXPECT_EQ(read.error().place.file, "s.yaml");
  return fmt::format("{}:{}: {}", read.error().place.line, read.error().place.column,
                     read.error().message);
}

std::vector<std::string> calls(const Expectation& of) {
  std::vector<std::string> out;
  for (const CallText& each : of.calls) out.push_back(each.text);
  return out;
}

TEST(Suite, every_key_is_read) {
  const Suite read = suite(R"yaml(callgate: 1
name: of everything
filter: [a.bpf, /b.json]
deploy: {format: oci, caps: all, runtime: crun, systemd: "252", with: c.json, denylist: yes}
arch: [x86_64, arm64]
kernel: [5.10, newest]
surroundings: {tracer: true, listener: yes, only_thread: false, sigsys_blocked: true}
high_half: exact
min_coverage: {instructions: 10, branches: 20.5%, rules: 100}
x-mine: [whatever, {it: is}]
expect:
  - allow: read
    reason: it reads
    arch: x86_64
    kernel: 5.10
    abi: [x32, i386]
    high_half: any
    x-mine: 1
  - same as: [old.json, base.json]
    level: outcome
  - no laxer than: old.json
recorded:
  - read(0x3): ALLOW
    "write(0x1)": ERRNO(1)
  - arch: arm64
    kernel: newest
    reason: seen
    calls: {"read()": LOG}
)yaml");
  EXPECT_EQ(read.path, "folder/s.yaml");
  EXPECT_EQ(read.name, "of everything");
  ASSERT_EQ(read.filters.size(), 2U);
  EXPECT_EQ(read.filters[0].path, "folder/a.bpf");
  EXPECT_EQ(read.filters[1].path, "/b.json");
  EXPECT_EQ(read.filters[0].place, (CasePlace{"folder/s.yaml", 3, 10}));
  EXPECT_EQ(read.deploy.format, "oci");
  EXPECT_EQ(read.deploy.caps, "all");
  EXPECT_EQ(read.deploy.runtime, "crun");
  EXPECT_EQ(read.deploy.systemd, "252");
  EXPECT_THAT(read.deploy.with, ElementsAre("folder/c.json"));
  EXPECT_TRUE(read.deploy.denylist);
  EXPECT_THAT(read.arches, ElementsAre(Arch::X86_64, Arch::AArch64));
  EXPECT_THAT(read.kernels, ElementsAre(*parse_version("5.10"), kNewestVersion));
  EXPECT_TRUE(read.around.tracer && read.around.listener && read.around.sigsys_blocked_or_ignored);
  EXPECT_FALSE(read.around.only_thread);
  EXPECT_EQ(read.high, HighHalf::Exact);
  EXPECT_EQ(read.least.instructions, 10.0);
  EXPECT_EQ(read.least.branches, 20.5);
  EXPECT_EQ(read.least.rules, 100.0);
  ASSERT_EQ(read.expectations.size(), 3U);
  const Expectation& first = read.expectations[0];
  EXPECT_EQ(first.kind, Expectation::Kind::Calls);
  EXPECT_EQ(first.verb, "allow");
  EXPECT_EQ(first.reason, "it reads");
  EXPECT_EQ(first.place, (CasePlace{"folder/s.yaml", 12, 5}));
  EXPECT_EQ(first.calls.at(0).place, (CasePlace{"folder/s.yaml", 12, 12}));
  EXPECT_THAT(first.scope.arches, ElementsAre(Arch::X86_64));
  EXPECT_THAT(first.abis, ElementsAre(Arch::X32, Arch::X86));
  EXPECT_EQ(first.high, HighHalf::Any);
  EXPECT_EQ(read.expectations[1].kind, Expectation::Kind::SameAs);
  EXPECT_EQ(read.expectations[1].others.size(), 2U);
  EXPECT_EQ(read.expectations[1].level, verifier::Level::Outcome);
  EXPECT_EQ(read.expectations[2].kind, Expectation::Kind::NoLaxerThan);
  EXPECT_EQ(read.expectations[2].others.at(0).path, "folder/old.json");
  ASSERT_EQ(read.recorded.size(), 2U);
  const auto& block = read.recorded[0].scope.arches.empty() ? read.recorded[1] : read.recorded[0];
  EXPECT_EQ(block.reason, "seen");
  EXPECT_EQ(block.calls.at(0).call, "read()");
}

TEST(Suite, a_scope_has_the_machines_that_it_names) {
  const Suite read = suite("filter: a\nexpect: [{allow: read, arch: arm, kernel: 5.10}]");
  KernelModel model;
  model.arch = Arch::Arm;
  model.version = *parse_version("5.10");
  const Scope& scope = read.expectations.at(0).scope;
  EXPECT_TRUE(scope.has(model));
  model.arch = Arch::X86_64;
  EXPECT_FALSE(scope.has(model));
  model.arch = Arch::Arm;
  model.version = *parse_version("5.11");
  EXPECT_FALSE(scope.has(model));
  EXPECT_TRUE(Scope{}.has(model));
}

TEST(Suite, what_it_does_not_name_is_this_machine_and_the_newest_kernel) {
  const Suite read = suite("filter: a");
  EXPECT_THAT(read.arches, ElementsAre(host_arch()));
  EXPECT_THAT(read.kernels, ElementsAre(kNewestVersion));
  EXPECT_EQ(read.high, std::nullopt);
}

TEST(Suite, a_percentage_for_all_is_one_for_each) {
  const Suite read = suite("filter: a\nmin_coverage: 90%");
  EXPECT_EQ(read.least.instructions, 90.0);
  EXPECT_EQ(read.least.branches, 90.0);
  EXPECT_EQ(read.least.rules, 90.0);
}

TEST(Suite, aliases_and_merge_keys_are_as_if_it_stood_there) {
  const Suite read = suite(R"yaml(filter: a
x-calls: &calls [read, write]
x-more: &more [*calls, close]
x-scope: &scope {arch: arm, reason: theirs}
x-other: &other {kernel: 5.10}
x-all: &all
  - deny: bpf
  - {<<: *scope, deny: mount, reason: mine}
expect:
  - {<<: [*scope, *other], allow: *more}
  - *all
  - [[{log: futex}], []]
)yaml");
  ASSERT_EQ(read.expectations.size(), 4U);
  EXPECT_THAT(calls(read.expectations[0]), ElementsAre("read", "write", "close"));
  EXPECT_EQ(read.expectations[0].reason, "theirs");
  EXPECT_THAT(read.expectations[0].scope.arches, ElementsAre(Arch::Arm));
  EXPECT_EQ(read.expectations[0].scope.kernels.size(), 1U);
  EXPECT_THAT(calls(read.expectations[1]), ElementsAre("bpf"));
  EXPECT_EQ(read.expectations[2].reason, "mine");
  EXPECT_THAT(calls(read.expectations[3]), ElementsAre("futex"));
  // Places are those of what the alias stands for.
  EXPECT_EQ(read.expectations[0].calls[0].place.line, 2U);
}

TEST(Suite, a_template_is_used_for_every_combination) {
  const Suite read = suite(R"yaml(filter: a
templates:
  no:
    parameters: [call, errno]
    expect:
      - errno {errno}: ["{call}", "{call}(arg0 == 1)", "{other}"]
        reason: "{call} is {errno}"
      - use: inner
        with: {name: "x32:{call}"}
  inner: {parameters: name, expect: [{deny: "{name}"}]}
expect:
  - use: no
    with: {call: [mount, bpf], errno: [EPERM, ENOSYS]}
)yaml");
  ASSERT_EQ(read.expectations.size(), 8U);
  std::vector<std::string> all;
  for (const Expectation& each : read.expectations) {
    all.push_back(each.verb + ": " + each.calls.at(0).text);
  }
  EXPECT_THAT(all, testing::UnorderedElementsAre("errno EPERM: mount", "errno EPERM: bpf",
                                                 "errno ENOSYS: mount", "errno ENOSYS: bpf",
                                                 "deny: x32:mount", "deny: x32:bpf",
                                                 "deny: x32:mount", "deny: x32:bpf"));
  EXPECT_THAT(calls(read.expectations[0]), ElementsAre("mount", "mount(arg0 == 1)", "{other}"));
  EXPECT_EQ(read.expectations[0].reason, "mount is EPERM");
}

TEST(Suite, a_use_has_a_reason_for_those_that_have_none) {
  const Suite read = suite(R"yaml(filter: a
templates:
  no: {parameters: c, expect: [{deny: "{c}"}, {deny: bpf, reason: its own}]}
expect: [{use: no, with: {c: mount}, reason: theirs}, {allow: read}]
)yaml");
  ASSERT_EQ(read.expectations.size(), 3U);
  EXPECT_EQ(read.expectations[0].reason, "theirs");
  EXPECT_EQ(read.expectations[1].reason, "its own");
  EXPECT_EQ(read.expectations[2].reason, "");
}

TEST(Suite, of_unused_templates_what_no_parameter_changes_is_kept_to_be_checked) {
  const Suite read = suite(R"yaml(filter: a
templates:
  t:
    parameters: [p, q]
    expect:
      - {"errno {p}": [read, "{q}", "x32:{q}(1)"], arch: "{p}", kernel: "{q}", abi: "{q}"}
      - {use: "{p}"}
      - {use: u, with: {r: "{p}"}}
      - {same as: "{p}", level: "{q}"}
      - {deny: open, high_half: "{p}"}
  u: {parameters: r, expect: [{deny: ["{r}", write]}]}
expect: [{allow: read}]
)yaml");
  EXPECT_EQ(read.expectations.size(), 1U);
  std::vector<std::string> all;
  for (const Expectation& each : read.unused) {
    all.push_back(each.verb + ":");
    for (const CallText& call : each.calls) all.back() += " " + call.text;
  }
  EXPECT_THAT(all, ElementsAre(": read", "deny: write", "same as:", "deny: open", "deny: write"));
}

TEST(Suite, documents_are_suites_of_their_own) {
  const auto read = suites("filter: &a a\nname: first\n---\nfilter: b\nexpect: [{allow: read}]\n");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].name, "first");
  EXPECT_EQ(read[1].name, "");
  EXPECT_EQ(read[1].filters[0].path, "folder/b");
  EXPECT_TRUE(read[0].expectations.empty());
}

TEST(Suite, what_is_wrong_is_said_with_line_and_column) {
  const struct {
    const char* text;
    const char* error;
  } kWrong[] = {
      {"", "there is no suite in it"},
      {"name: a\n", "1:1: filter: is missing"},
      {"- a\n", "1:1: a suite has keys with values"},
      {"filter: a\nfiltre: b\n", "2:1: filtre: no such key; there are callgate, name"},
      {"filter: a\nfilter: b\n", "2:1: filter stands here twice"},
      {"filter: []\n", "1:9: the file of a filter is missing"},
      {"filter: {a: b}\n", "1:9: a filter's file is a text"},
      {"callgate: 2\nfilter: a\n", "1:11: this Callgate knows version 1"},
      {"filter: a\narch: [arm, z80]\n", "2:13: z80: no architecture"},
      {"filter: a\narch: []\n", "2:7: an architecture is missing"},
      {"filter: a\nkernel: six\n", "2:9: six: no version of Linux"},
      {"filter: a\nkernel: []\n", "2:9: a version is missing"},
      {"filter: a\nhigh_half: low\n", "2:12: low: high_half is any, extended or exact"},
      {"filter: a\nmin_coverage: 101\n", "2:15: 101: it is a percentage"},
      {"filter: a\nmin_coverage: {lines: 1}\n", "2:16: lines: no such key"},
      {"filter: a\nmin_coverage: {rules: nan}\n", "2:23: nan: it is a percentage"},
      {"filter: a\nsurroundings: {moon: full}\n", "2:16: moon: no such key"},
      {"filter: a\nsurroundings: {tracer: 1}\n", "2:24: 1: it is true or false"},
      {"filter: a\ndeploy: {runtime: youki}\n", "2:19: youki: the runtime is"},
      {"filter: a\ndeploy: {rum: 1}\n", "2:10: rum: no such key"},
      {"filter: a\nexpect: {allow: read}\n", "2:9: expect: is a list"},
      {"filter: a\nexpect: [read]\n", "2:10: an expectation has keys with values"},
      {"filter: a\nexpect: [{reason: none}]\n", "2:10: nothing is expected"},
      {"filter: a\nexpect: [{allow: []}]\n", "2:18: no calls are named"},
      {"filter: a\nexpect: [{allow: [{a: b}]}]\n", "2:19: a call is a text"},
      {"filter: a\nexpect: [{allow: read, deny: bpf}]\n",
       "2:24: allow and deny are two expectations"},
      {"filter: a\nexpect: [{log: read, reson: x}]\n",
       "2:22: reson: no such key (is reason meant?); beside a verb there are"},
      {"filter: a\nexpect: [{hihg_half: any, log: read}]\n",
       "2:11: hihg_half: no such key (is high_half meant?);"},
      {"filter: a\nexpect: [{log: read, because: x}]\n", "2:22: because: no such key; beside"},
      {"filter: a\nexpect: [{errno EDEADLOCK: read, same as: x}]\n",
       "errno EDEADLOCK and same as are two expectations"},
      {"filter: a\nexpect:\n  - allow: [socket(1, 2)]\n",
       "3:13: socket(1: a ) is missing; YAML ends texts at commas and colons: put the pattern in "
       "quotes, as \"socket("},
      {"filter: a\nexpect:\n  - allow: [read(*, *)]\n", "put patterns in quotes: `allow: ["},
      {"filter: a\nexpect:\n  - allow: [*]\n", "put patterns in quotes: `allow: ["},
      {"filter: a\nexpect:\n  - allow: @unknown\n", "put patterns in quotes: `allow: ["},
      {"filter: a\nexpect:\n  - allow: read(fd: 1)\n", "put patterns in quotes: `allow: ["},
      {"filter: a\nexpect:\n  - allow: [read(fd: 1)]\n", "3:13: read(fd: a ) is missing;"},
      {"filter: a\nexpect:\n  - allow: [socket({AF_UNIX, AF_INET}, 1)]\n", "quotes"},
      {"filter: a\nexpect: [{same as: b, abi: x86}]\n",
       "2:23: abi: has no effect beside same as: filters are compared for all calls"},
      {"filter: a\nexpect: [{no laxer than: b, high_half: any}]\n",
       "2:29: high_half: has no effect beside no laxer than"},
      {"filter: a\nexpect: [{no laxer than: b, level: outcome}]\n",
       "2:36: nothing is laxer by that level"},
      {"filter: a\nexpect: [{allow: read, level: executes}]\n",
       "2:24: level: has no effect beside allow"},
      {"filter: a\ntemplates: {t: {expect: [{deny: []}]}}\n", "2:33: no calls are named"},
      {"filter: a\ntemplates: {t: {expect: [{use: u}]}}\n", "2:32: there is no template u"},
      {"filter: a\nexpect: [{same as: b, level: high}]\n", "2:30: high: the level is verdict"},
      {"filter: a\nexpect: [{use: no}]\n", "2:16: there is no template no"},
      {"filter: a\ntemplates: {t: {}}\n", "2:16: a template has expect:"},
      {"filter: a\ntemplates: {t: {expect: [], with: 1}}\n", "2:29: with: no such key"},
      {"filter: a\ntemplates: {t: {parameters: p, expect: []}}\nexpect: [{use: t}]\n",
       "3:10: the template's parameter p is missing"},
      {"filter: a\ntemplates: {t: {expect: []}}\nexpect: [{use: t, with: {q: 1}}]\n",
       "3:10: the template has no parameter q"},
      {"filter: a\ntemplates: {t: {parameters: p, expect: []}}\nexpect: [{use: t, with: {p: "
       "[]}}]\n",
       "3:10: p has no value"},
      {"filter: a\ntemplates: {t: {expect: [{use: t}]}}\nexpect: [{use: t}]\n",
       "2:26: templates are nested too deeply"},
      {"filter: a\nrecorded: [{read(): {a: b}}]\n", "a verdict is a text"},
      {"filter: a\nrecorded: [{calls: [], call: 1}]\n", "2:24: call: no such key"},
      {"filter: a\nrecorded: [{file: b}]\n", "2:12: no file is read here"},
      {"filter: a\ninclude: b\n", "2:10: no file is read here"},
      {"filter: a\nexpect: [{<<: 1, allow: read}]\n", "2:15: what `<<` names has keys"},
      {"filter: a\n? [b]\n: c\n", "a key is a text"},
      {"filter: &a [*a]\n", "1:13: an alias of what it stands in itself"},
      {"filter: *a\n", "1:9: "},
      {"filter: a\n\tname: b\n", "2:"},
  };
  for (const auto& each : kWrong) {
    EXPECT_THAT(wrong(each.text), HasSubstr(each.error)) << each.text;
  }
}

TEST(Suite, a_table_has_a_call_and_its_verdict_a_line) {
  const auto read =
      read_table("# calls\nread(0x3): ALLOW\n\n  i386:1(2) :\tERRNO(1)  # so\r\n", "t");
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].call, "read(0x3)");
  EXPECT_EQ((*read)[0].verdict, "ALLOW");
  EXPECT_EQ((*read)[0].line, 2U);
  EXPECT_EQ((*read)[0].verdict_column, 12U);
  EXPECT_EQ((*read)[1].verdict, "ERRNO(1)");
  EXPECT_EQ((*read)[1].line, 4U);
  EXPECT_EQ((*read)[1].column, 3U);
  EXPECT_EQ((*read)[1].verdict_column, 15U);
  for (const char* const each : {"read()", "read():", "\nread(): # ALLOW"}) {
    const auto error = read_table(each, "t");
    ASSERT_FALSE(error.has_value()) << each;
    EXPECT_THAT(error.error().message, HasSubstr("CALL: VERDICT"));
    EXPECT_EQ(error.error().place.file, "t");
  }
}

class SuiteFiles : public testing::Test {
 private:
  const TestFolder made_;

 protected:
  std::string file(const std::string& name, std::string_view text) const {
    return made_.file(name, text);
  }

  const std::filesystem::path folder_ = made_.path();
};

TEST_F(SuiteFiles, what_is_included_comes_first_and_finds_its_own_files) {
  file("part/more.yaml", "include: deepest.yaml\nexpect: [{use: t}, {same as: x.bpf}]\n");
  file("part/deepest.yaml", "templates: {t: {expect: [{deny: bpf}]}}\nrecorded: [{file: table}]\n");
  file("part/table", "read(): ALLOW\n");
  const std::string path =
      file("s.yaml", "filter: f\nexpect: [{allow: read}]\ninclude: [part/more.yaml]\n");
  const auto read = read_suite_file(path);
  ASSERT_TRUE(read.has_value()) << to_string(read.error());
  const Suite& suite = read->front();
  ASSERT_EQ(suite.expectations.size(), 3U);
  EXPECT_EQ(suite.expectations[0].verb, "deny");
  EXPECT_EQ(suite.expectations[0].place.file, (folder_ / "part/deepest.yaml").string());
  EXPECT_EQ(suite.expectations[1].others.at(0).path, (folder_ / "part/x.bpf").string());
  EXPECT_EQ(suite.expectations[2].verb, "allow");
  ASSERT_EQ(suite.recorded.size(), 1U);
  EXPECT_TRUE(suite.recorded[0].table);
  EXPECT_EQ(suite.recorded[0].file, (folder_ / "part/table").string());
  EXPECT_EQ(suite.recorded[0].calls.at(0).verdict, "ALLOW");
}

TEST_F(SuiteFiles, includes_that_have_no_end_are_refused) {
  const auto error = [&](const std::string& path) {
    const auto read = read_suite_file(path);
    EXPECT_FALSE(read.has_value());
    return read ? std::string{} : to_string(read.error());
  };
  file("a.yaml", "include: b.yaml\n");
  const std::string b = file("b.yaml", "include: a.yaml\n");
  EXPECT_THAT(error(file("cycle.yaml", "filter: f\ninclude: a.yaml\n")),
              HasSubstr("b.yaml:1:10: " + (folder_ / "a.yaml").string() + " includes itself"));
  for (int i = 0; i < 20; ++i) {
    file(fmt::format("deep{}.yaml", i), fmt::format("include: deep{}.yaml\n", i + 1));
  }
  EXPECT_THAT(error(file("deep.yaml", "filter: f\ninclude: deep0.yaml\n")),
              HasSubstr("includes are nested too deeply"));
  std::string many = "filter: f\ninclude: [";
  for (int i = 0; i < 65; ++i) {
    file(fmt::format("one{}.yaml", i), "{}");
    many += fmt::format("one{}.yaml, ", i);
  }
  EXPECT_THAT(error(file("many.yaml", many + "]\n")), HasSubstr("more than 64 files"));
  EXPECT_THAT(error(file("none.yaml", "filter: f\ninclude: nothing.yaml\n")),
              HasSubstr("none.yaml:2:10: "));
  file("two.yaml", "{}\n---\n{}\n");
  EXPECT_THAT(error(file("of_two.yaml", "filter: f\ninclude: two.yaml\n")),
              HasSubstr("what is included is one document"));
  file("setting.yaml", "kernel: 5.10\n");
  EXPECT_THAT(error(file("of_setting.yaml", "filter: f\ninclude: setting.yaml\n")),
              HasSubstr("setting.yaml:1:1: kernel: no such key"));
  file("broken.yaml", "expect: [\n");
  EXPECT_THAT(error(file("of_broken.yaml", "filter: f\ninclude: broken.yaml\n")),
              HasSubstr("broken.yaml:"));
}

TEST_F(SuiteFiles, what_is_included_twice_is_there_once) {
  file("common.yaml", "templates: {c: {expect: [{deny: bpf}]}}\nexpect: [{allow: read}]\n");
  file("ia.yaml", "include: common.yaml\nexpect: [{use: c}]\n");
  file("ib.yaml", "include: ./common.yaml\nexpect: [{use: c}]\n");
  file("inc.yaml", "include: [ia.yaml, ib.yaml]\n");
  const auto read = read_suite_file(file("s.yaml", "filter: f\ninclude: [inc.yaml, ia.yaml]\n"));
  ASSERT_TRUE(read.has_value()) << to_string(read.error());
  ASSERT_EQ(read->front().expectations.size(), 3U);
  EXPECT_EQ(read->front().expectations[0].verb, "allow");
}

TEST_F(SuiteFiles, a_file_that_is_not_there_is_an_error) {
  const auto read = read_suite_file((folder_ / "none.yaml").string());
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(to_string(read.error()), HasSubstr("none.yaml"));
}

}  // namespace
}  // namespace callgate::suite
