// The command as a person meets it: what it prints, where, and what it ends with.

#include "harness/cli/command_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::uint32_t kAllow = 0x7fff0000U;

class Command : public CommandFixture {
 protected:
  std::string filter(const std::string& name, const Program& program) {
    std::string bytes;
    for (const Instruction& each : program) {
      const auto raw = std::bit_cast<std::array<char, sizeof(each)>>(each);
      bytes.append(raw.begin(), raw.end());
    }
    return file(name, bytes);
  }

  // ERRNO(1) for everything but getpid.
  std::string getpid_only() {
    return filter(
        "getpid_only",
        {{0x20, 0, 0, 0}, {0x15, 0, 1, 39}, {0x06, 0, 0, kAllow}, {0x06, 0, 0, 0x00050001}});
  }
};

TEST_F(Command, help_is_there_with_an_example_for_everything) {
  const Ended all = run({"--help"});
  EXPECT_EQ(all.code, 0);
  EXPECT_THAT(all.out, HasSubstr("Exit codes"));
  for (std::string subcommand : {
#define SUBCOMMAND(name) #name,
#include "harness/cli/subcommands.def"
#undef SUBCOMMAND
       }) {
    std::ranges::replace(subcommand, '_', '-');
    const Ended help = run({subcommand, "--help"});
    EXPECT_EQ(help.code, 0) << subcommand;
    EXPECT_THAT(help.out, HasSubstr("Example")) << subcommand;
    EXPECT_THAT(help.out, HasSubstr("callgate " + subcommand)) << subcommand;
    EXPECT_THAT(all.out, HasSubstr(subcommand));
  }
}

TEST_F(Command, wrong_use_ends_with_2_and_says_what_to_do) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"nonsense"},
           {"check"},
           {"run", "getpid"},
           {"run", "-f", getpid_only()},
           {"run", "-f", getpid_only(), "--engine", "warp", "getpid"},
           {"run", "-f", getpid_only(), "--batch", "x", "getpid"},
           {"run", "-f", getpid_only(), "--format", "raw", "getpid"},
           {"run", "-f", getpid_only(), "no_such_call"},
           {"run", "-f", getpid_only(), "getpid", "NO_SUCH_CONSTANT"},
           {"run", "-f", getpid_only(), "getpid", "1", "2", "3", "4", "5", "6", "7"},
           {"run", "-f", getpid_only(), "0x100000000"},
           {"check", "--kernel", "six", getpid_only()},
           {"check", "--arch", "vax", getpid_only()},
           {"check", "--input-format", "tea-leaves", getpid_only()},
           {"check", "/nonexistent"},
           {"check", "/"},
           {"disasm", "/nonexistent"}}) {
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.code, 2) << ::testing::PrintToString(arguments);
    EXPECT_EQ(ended.out, "") << ::testing::PrintToString(arguments);
    EXPECT_THAT(ended.err, StartsWith("callgate: ")) << ::testing::PrintToString(arguments);
  }
}

TEST_F(Command, check_accepts_with_the_limit_used) {
  const Ended ended = run({"check", "--arch", "x86_64", getpid_only()});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out,
              HasSubstr("accepted by Linux 6.18 x86_64: 4 instructions, 9 of the 32768"));
  EXPECT_EQ(ended.err, "");
}

TEST_F(Command, check_shows_every_error_in_program_order) {
  const std::string path =
      filter("bad", {{0x60, 0, 0, 3}, {0x34, 0, 0, 0}, {0x05, 0, 0, 9}, {0x00, 0, 0, 0}});
  const Ended ended = run({"check", path});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.out, HasSubstr("refused by Linux 6.18"));
  const auto place = [&](const std::string& what) {
    const std::size_t at = ended.out.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return at;
  };
  EXPECT_LT(place("instruction 0: memory slot 3"), place("instruction 1: division"));
  EXPECT_LT(place("instruction 1: division"), place("instruction 2: jump"));
  EXPECT_LT(place("instruction 2: jump"), place("instruction 3: the last instruction"));
}

TEST_F(Command, check_writes_json) {
  const std::string bad = filter("bad", {{0x94, 0, 0, 3}, {0x06, 0, 0, 0}});
  const Ended ended = run({"check", "--format", "json", "--arch", "arm64", getpid_only(), bad});
  EXPECT_EQ(ended.code, 1);
  const auto document = nlohmann::json::parse(ended.out);
  EXPECT_EQ(document["arch"], "aarch64");
  EXPECT_EQ(document["limit"], 32768);
  ASSERT_EQ(document["filters"].size(), 2U);
  EXPECT_EQ(document["filters"][0]["accepted"], true);
  EXPECT_EQ(document["filters"][0]["limit_used"], 9);
  EXPECT_EQ(document["filters"][1]["errno"], "EINVAL");
  EXPECT_EQ(document["filters"][1]["diagnostics"][0]["id"], "classic-only-code");
  EXPECT_EQ(document["filters"][1]["diagnostics"][0]["instruction"], 0);
}

TEST_F(Command, check_reads_standard_input) {
  const Ended ended = run({"check", "-"}, "{ 0x06, 0, 0, 0x7fff0000 },\n");
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("standard input: accepted"));
}

TEST_F(Command, check_says_where_a_file_cannot_be_read) {
  const Ended partial =
      run({"check", "--input-format", "raw", file("partial", std::string(13, 'x'))});
  EXPECT_EQ(partial.code, 2);
  EXPECT_THAT(partial.err, HasSubstr("partial"));
  EXPECT_THAT(partial.err, HasSubstr("byte 8"));
  const Ended empty = run({"check", file("empty", "")});
  EXPECT_EQ(empty.code, 2);
  EXPECT_THAT(empty.err, HasSubstr("empty"));
}

TEST_F(Command, run_says_who_decided) {
  const Ended ended = run({"run", "--arch", "x86_64", "-f", getpid_only(), "uname"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, StartsWith("uname  ERRNO(1)  returns -1, EPERM\n"));
  EXPECT_THAT(ended.out, HasSubstr("at instruction 3"));
  EXPECT_THAT(ended.out, HasSubstr("3 instructions executed"));
  const Ended allowed = run({"run", "--arch", "x86_64", "-f", getpid_only(), "getpid"});
  EXPECT_THAT(allowed.out, StartsWith("getpid  ALLOW  returns what getpid returns\n"));
}

TEST_F(Command, run_takes_the_newest_filter_of_equals) {
  const std::string one = filter("one", {{0x06, 0, 0, 0x00050001}});
  const std::string two = filter("two", {{0x06, 0, 0, 0x00050002}});
  const Ended ended = run({"run", "-f", one, "-f", two, "--format", "json", "read"});
  const auto document = nlohmann::json::parse(ended.out);
  EXPECT_EQ(document["verdict"], "ERRNO(2)");
  EXPECT_EQ(document["winner"], 1);
  EXPECT_EQ(document["outcome"]["value"], -2);
  EXPECT_EQ(document["filters"].size(), 2U);
}

TEST_F(Command, run_takes_names_negative_and_hexadecimal_arguments) {
  const std::string high = filter("high", {{0x20, 0, 0, 20}, {0x16, 0, 0, 0}});
  const auto value = [&](std::vector<std::string> rest) {
    std::vector<std::string> arguments = {"run", "--arch",   "x86_64", "-f",
                                          high,  "--format", "json"};
    arguments.insert(arguments.end(), rest.begin(), rest.end());
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.code, 0) << ended.err;
    return nlohmann::json::parse(ended.out)["value"].get<std::string>();
  };
  EXPECT_EQ(value({"openat", "AT_FDCWD"}), "0xffffffff");
  EXPECT_EQ(value({"openat", "0x123456789abcdef0"}), "0x12345678");
  EXPECT_EQ(value({"openat", "--", "-2"}), "0xffffffff");
  EXPECT_EQ(value({"openat", "O_RDWR|O_CREAT"}), "0x00000000");
}

TEST_F(Command, run_shows_every_instruction_on_request) {
  const Ended ended = run({"run", "-v", "--arch", "x86_64", "-f", getpid_only(), "getpid"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, HasSubstr("A=00000027"));
  EXPECT_THAT(ended.out, HasSubstr("to 0002"));
}

TEST_F(Command, run_reports_a_refused_filter_and_ends_with_1) {
  const Ended ended = run({"run", "-f", filter("bad", {{0x00, 0, 0, 0}}), "read"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("last-not-return"));
}

TEST_F(Command, run_knows_the_calls_that_no_filter_sees) {
  const std::string kill = filter("kill", {{0x06, 0, 0, 0x80000000U}});
  const Ended exempt = run({"run", "--arch", "x86_64", "-f", kill, "336"});
  EXPECT_THAT(exempt.out, HasSubstr("ALLOW"));
  EXPECT_THAT(exempt.out, HasSubstr("no filter is asked"));
  const Ended before = run({"run", "--arch", "x86_64", "--kernel", "6.17", "-f", kill, "336"});
  EXPECT_THAT(before.out, HasSubstr("KILL_PROCESS"));
}

TEST_F(Command, run_says_unknown_rather_than_guess) {
  const std::string shift = filter("shift", {{0x01, 0, 0, 40}, {0x6c, 0, 0, 0}, {0x16, 0, 0, 0}});
  const Ended ended = run({"run", "--arch", "x86_64", "--kernel", "4.4", "-f",
                           filter("old", {{0x64, 0, 0, 40}, {0x16, 0, 0, 0}}), "read"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.out, HasSubstr("unknown, because"));
  EXPECT_EQ(run({"run", "--arch", "x86_64", "-f", shift, "read"}).code, 0);
  for (const char* command : {"run", "explain"}) {
    const Ended json = run({command, "--arch", "x86_64", "--kernel", "4.4", "--format", "json",
                            "-f", filter("old", {{0x64, 0, 0, 40}, {0x16, 0, 0, 0}}), "read"});
    EXPECT_EQ(json.code, 1);
    const auto document = nlohmann::json::parse(json.out, nullptr, false);
    ASSERT_TRUE(document.is_object()) << json.out;
    EXPECT_EQ(document["callgate"], 1);
    EXPECT_TRUE(document["value"].is_null());
    EXPECT_EQ(document["verdict"], "unknown");
    EXPECT_THAT(document["reason"].get<std::string>(),
                testing::StartsWith("filter 0 at instruction 0 makes a shift"));
  }
}

TEST_F(Command, batch_writes_a_line_a_record) {
  std::string records;
  for (const std::int32_t nr : {39, 63, 39}) {
    const SeccompDataBytes bytes = to_bytes({.nr = nr, .arch = 0xc000003eU}, kHostByteOrder);
    records.append(bytes.begin(), bytes.end());
  }
  const std::string path = file("records", records);
  const Ended raw = run({"run", "-f", getpid_only(), "--batch", path, "--format", "raw"});
  EXPECT_EQ(raw.code, 0) << raw.err;
  EXPECT_EQ(raw.out, "7fff0000\n00050001\n7fff0000\n");
  const Ended json = run({"run", "-f", getpid_only(), "--batch", "-", "--format", "json"}, records);
  EXPECT_EQ(std::ranges::count(json.out, '\n'), 3);
  EXPECT_EQ(nlohmann::json::parse(json.out.substr(0, json.out.find('\n')))["verdict"], "ALLOW");
  const Ended partial =
      run({"run", "-f", getpid_only(), "--batch", file("partial", records + "x")});
  EXPECT_EQ(partial.code, 2);
  EXPECT_EQ(partial.out, "");
  EXPECT_THAT(partial.err, HasSubstr("byte 192"));
}

TEST_F(Command, batch_records_are_in_the_byte_order_of_the_architecture) {
  const SeccompDataBytes bytes = to_bytes({.nr = 20, .arch = 0x80000016U}, ByteOrder::Big);
  const std::string path = file("records", std::string(bytes.begin(), bytes.end()));
  const std::string program =
      file("program", "4\n32 0 0 0\n21 0 1 20\n6 0 0 2147418112\n6 0 0 0\n");
  const Ended ended =
      run({"run", "--arch", "s390x", "-f", program, "--batch", path, "--format", "raw"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out, "7fff0000\n");
}

TEST_F(Command, disasm_writes_forms_that_it_reads) {
  const std::string bytes = content(getpid_only());
  for (const std::string form : {"raw", "hex", "c", "c-string", "decimal"}) {
    const Ended written = run({"disasm", "--format", form, getpid_only()});
    EXPECT_EQ(written.code, 0) << form;
    std::vector<std::string> arguments = {"disasm", "--format", "raw", "-"};
    if (form == "raw") arguments.insert(arguments.end(), {"--input-format", "raw"});
    EXPECT_EQ(run(arguments, written.out).out, bytes) << form;
  }
}

TEST_F(Command, disasm_shows_statements_and_json) {
  const Ended text = run({"disasm", "--arch", "x86_64", getpid_only()});
  EXPECT_THAT(text.out, HasSubstr("0001  15 00 01 00000027  if (nr != getpid) goto 0003\n"));
  const Ended json = run({"disasm", "--arch", "x86_64", "--format", "json", getpid_only()});
  const auto document = nlohmann::json::parse(json.out);
  EXPECT_EQ(document["instructions"][1]["targets"], (std::vector<int>{2, 3}));
}

TEST_F(Command, disasm_shows_the_machine_code_of_an_engine) {
  const std::string refused = filter("refused", {{0x99, 0, 0, 0}});
#ifdef CALLGATE_WITH_JIT_LISTING
  const Ended text = run({"disasm", "--engine", "jit", "--arch", "x86_64", getpid_only()});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, StartsWith("# 0000  A = nr\n# 0001  if (nr != getpid) goto 0003\n"
                                   "000000  833f27                cmp dword ptr [rdi], 0x27\n"));
  EXPECT_THAT(text.out, HasSubstr("# 0002  return ALLOW\n"));
  const Ended json =
      run({"disasm", "--engine", "jit", "--arch", "aarch64", "--format", "json", getpid_only()});
  const auto code = nlohmann::json::parse(json.out)["code"];
  EXPECT_EQ(code[0]["text"], "ldr w1, [x0]");
  EXPECT_EQ(code[0]["bytes"], "010040b9");
  EXPECT_EQ(code[0]["instructions"][0]["index"], 0);
  EXPECT_EQ(run({"disasm", "--engine", "jit", "--arch", "x86_64", refused}).code, 1);
  const Ended other = run({"disasm", "--engine", "jit", "--arch", "ppc64le", getpid_only()});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("x86_64 and aarch64, not for ppc64le"));
#else
  const Ended ended = run({"disasm", "--engine", "jit", "--arch", "x86_64", getpid_only()});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("built without asmjit or without capstone"));
#endif
  EXPECT_EQ(run({"disasm", "--engine", "decoded", getpid_only()}).code, 2);
  EXPECT_EQ(run({"disasm", "--engine", "jit", "--format", "raw", getpid_only()}).code, 2);
}

TEST_F(Command, run_gives_one_answer_on_every_engine_and_names_them) {
  const Ended wrong = run({"run", "-f", getpid_only(), "--engine", "warp", "getpid"});
  const std::string names = wrong.err.substr(wrong.err.find("there are: ") + 11);
  EXPECT_THAT(run({"run", "--help"}).out, HasSubstr(names.substr(0, names.find('\n'))));
  std::istringstream list(names);
  std::size_t seen = 0;
  for (std::string name; list >> name; ++seen) {
    if (name.ends_with(',')) name.pop_back();
    const std::string path = getpid_only();
    EXPECT_THAT(run({"run", "-f", path, "--arch", "x86_64", "--engine", name, "uname"}).out,
                HasSubstr("ERRNO(1)"))
        << name;
  }
  EXPECT_GE(seen, 3U);
}

TEST_F(Command, kernels_shows_how_each_change_is_known) {
  const Ended ended = run({"kernels", "--kernel", "5.10", "--format", "json"});
  EXPECT_EQ(ended.code, 0);
  const auto document = nlohmann::json::parse(ended.out);
  for (const auto& row : document["features"]) {
    const std::string name = row["name"];
    if (name == "UnknownKillsProcess" || name == "UprobeExempt") {
      EXPECT_EQ(row["has"], name == "UnknownKillsProcess");
    }
  }
  EXPECT_THAT(run({"kernels"}).out, HasSubstr("memory"));
}

TEST_F(Command, live_agrees_with_the_running_kernel) {
  const Ended ended = run({"live", "-f", getpid_only(), "--arch", "x86_64", "getpid", "uname"});
  if (ended.code == 2) GTEST_SKIP() << "the running kernel cannot be asked: " << ended.err;
  EXPECT_EQ(ended.code, 0) << ended.out;
  EXPECT_THAT(ended.out, HasSubstr("2 agree, 0 differ, 0 not asked"));
}

TEST_F(Command, live_reports_a_filter_that_the_kernel_refuses_too) {
  const Ended ended = run({"live", "-f", filter("bad", {{0x00, 0, 0, 0}}), "getpid"});
  if (ended.code == 2) GTEST_SKIP() << "the running kernel cannot be asked: " << ended.err;
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.out, HasSubstr("kernel agrees"));
}

// What `live` says where this machine's kernel cannot be asked.
#define SKIP_UNLESS_ASKED(ended) \
  if ((ended).code == 2) GTEST_SKIP() << (ended).err

TEST_F(Command, live_says_that_the_kernel_agrees) {
  const Ended ended = run({"live", "-f", getpid_only(), "getpid", "exit_group", "uretprobe"});
  SKIP_UNLESS_ASKED(ended);
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, HasSubstr("returns what getpid returns"));
  EXPECT_THAT(ended.out, HasSubstr("returns -1, EPERM"));
  EXPECT_THAT(ended.out, HasSubstr("kernel not asked: no filter sees this number"));
  EXPECT_THAT(ended.out, HasSubstr("2 agree, 0 differ, 1 not asked"));
  EXPECT_EQ(ended.err, "");
}

// What takes a sanitizer minutes, and is tested by the libraries' own tests there too.
#ifdef CALLGATE_SANITIZED
#define LEFT_TO_THE_OTHER_BUILD() \
  GTEST_SKIP() << "left to the build without a sanitizer, which takes seconds, not minutes"
#else
#define LEFT_TO_THE_OTHER_BUILD() static_cast<void>(0)
#endif

TEST_F(Command, live_asks_all_calls_of_an_abi_under_a_stack) {
  LEFT_TO_THE_OTHER_BUILD();
  const std::string kills = filter("kills", {{0x06, 0, 0, 0}});
  for (const std::string arch : {"x86_64", "x86", "x32"}) {
    const Ended ended = run(
        {"live", "-f", getpid_only(), "-f", kills, "--arch", arch, "--all", "--format", "json"});
    SKIP_UNLESS_ASKED(ended);
    EXPECT_EQ(ended.code, 0) << arch;
    const auto document = nlohmann::json::parse(ended.out);
    EXPECT_EQ(document.at("differ"), 0) << arch;
    EXPECT_GT(document.at("agree"), 300) << arch;
    EXPECT_EQ(document.at("calls").at(0).at("verdict"), "KILL_THREAD") << arch;
  }
}

TEST_F(Command, live_without_calls_is_wrong_use) {
  const Ended ended = run({"live", "-f", getpid_only()});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("SYSCALLs or --all"));
}

TEST_F(Command, nothing_is_coloured_in_a_file) {
  EXPECT_THAT(run({"check", getpid_only()}).out, Not(HasSubstr("\033")));
}

TEST_F(Command, a_full_disk_is_no_success) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "there is no /dev/full";
  const std::string line =
      std::string(CALLGATE_COMMAND) + " check " + getpid_only() + " > /dev/full 2> /dev/null";
  const int status = std::system(line.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 2);
}

TEST_F(Command, words_in_brackets_are_words) {
  const std::string same = "{0x06, 0, 0, 0x7fff0000}";
  file("[b]", same);
  file("[b,c]", same);
  const auto run_there = [&](std::vector<std::string> words) {
    std::string line = "cd '" + folder_.string() + "' && exec '" CALLGATE_COMMAND "'";
    for (const std::string& each : words) line += " '" + each + "'";
    return std::system((line + " >out 2>err").c_str());
  };
  EXPECT_EQ(run_there({"check", "[b]", "[b,c]"}), 0) << content(folder_ / "err");
  EXPECT_THAT(content(folder_ / "out"), HasSubstr("[b,c]: accepted"));
  EXPECT_EQ(run_there({"diff", "[b]", "[b,c]"}), 0) << content(folder_ / "err");
  EXPECT_EQ(run_there({"cases", "--per", "verdict", "[b]", "[b,c]"}), 0)
      << content(folder_ / "err");
  EXPECT_NE(run_there({"check", "[]"}), 0);
  EXPECT_EQ(content(folder_ / "err"), "callgate: []: No such file or directory\n");
  EXPECT_NE(run_there({"disasm", "[b]", "[b,c]"}), 0);
  EXPECT_THAT(content(folder_ / "err"), HasSubstr("not expected: [b,c]\n"));
}

TEST_F(Command, what_files_hold_does_nothing_to_a_terminal_and_begins_no_line) {
  const std::string profile = file(
      "n.json",
      R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x\n::error::forged\u001b[31m"],"action":"SCMP_ACT_ERRNO"}]})");
  const Ended notes = run({"check", profile});
  EXPECT_EQ(notes.code, 0);
  EXPECT_THAT(notes.err, HasSubstr("x\\n::error::forged\\x1b[31m: no architecture has such"));
  EXPECT_EQ(std::ranges::count(notes.err, '\n'), 1);
  const Ended suite =
      run({"test", "--format", "github", "-"},
          "filter: " + profile + "\nexpect: [{allow: [\"re\\n::error::forged\"]}]\n");
  EXPECT_EQ(suite.code, 2);
  const Ended action =
      run({"check", file("a.json", R"({"defaultAction":"SCMP_ACT_\u001b[31m","syscalls":[]})")});
  EXPECT_EQ(action.code, 2);
  const Ended task = run({"task", file("t", "\033]0;pwn\007\033[31m x\n")});
  EXPECT_EQ(task.code, 2);
  const Ended name = run({"check", "no\n::error::such\xff"});
  EXPECT_EQ(name.code, 2);
  for (const Ended& each : {notes, suite, action, task, name}) {
    EXPECT_FALSE(each.err.starts_with("::") || each.err.contains("\n::")) << each.err;
    EXPECT_FALSE(each.err.contains('\033') || each.err.contains('\007')) << each.err;
    EXPECT_FALSE(each.err.contains('\xff')) << each.err;
  }
}

TEST_F(Command, task_says_what_each_step_comes_to) {
  const std::string script =
      "nnp\nseccomp filter program={ret ERRNO(1)}\nfork\n"
      "seccomp filter flags=64 header=null\nthread\n";
  const Ended text = run({"task", "--kernel", "6.18", "--arch", "x86_64", "-"}, script);
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.out, HasSubstr("returns 0, filter 1"));
  EXPECT_THAT(text.out, HasSubstr("returns -1, EPERM")) << "the filter denies clone";
  const Ended json =
      run({"task", "--format", "json", "--kernel", "6.18", "--arch", "x86_64", "-"}, script);
  const auto document = nlohmann::json::parse(json.out);
  EXPECT_EQ(document["steps"][2]["value"], -1);
  EXPECT_EQ(document["tasks"][0]["filters"], 1);
}

TEST_F(Command, task_names_the_line_that_is_wrong) {
  const Ended wrong = run({"task", file("script", "nnp\n# all well so far\nfrok\n")});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("script: line 3: frok: not a step"));
  EXPECT_EQ(wrong.out, "");
}

TEST_F(Command, task_that_cannot_be_told_is_an_answer_of_no) {
  const Ended ended = run({"task", "-"}, "call clone3\n");
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.out, HasSubstr("unknown"));
}

TEST_F(Command, corpus_lists_how_much_there_is_of_what_a_pattern_names) {
  LEFT_TO_THE_OTHER_BUILD();
  const Ended all = run({"corpus", "list"});
  EXPECT_EQ(all.code, 0);
  EXPECT_THAT(all.out, HasSubstr("different programs"));
  const Ended some = run({"corpus", "list", "--filter", "check/length/409?"});
  EXPECT_EQ(some.code, 0);
  EXPECT_THAT(some.out, HasSubstr("check         4 cases"));
  EXPECT_THAT(some.out, HasSubstr("in all        4 cases       4 expectations, 4 different"));
  const Ended none = run({"corpus", "list", "--filter", "nosuch"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("no id matches 'nosuch'"));
}

TEST_F(Command, corpus_is_exported_once_and_again_with_the_same_bytes) {
  LEFT_TO_THE_OTHER_BUILD();
  const std::string folder = (folder_ / "corpus").string();
  std::string first;
  for (const bool again : {false, true}) {
    const Ended done = run({"corpus", "export", "--format", "json", folder});
    EXPECT_EQ(done.code, 0) << done.err;
    const std::string bytes = content(folder + "/value.json") + content(folder + "/check.json") +
                              content(folder + "/corpus.json");
    EXPECT_GT(bytes.size(), 1'000'000U);
    if (again) {
      EXPECT_TRUE(bytes == first);
    }
    first = bytes;
  }
  const auto index = nlohmann::json::parse(content(folder + "/corpus.json"));
  EXPECT_EQ(index["schema"], "callgate-corpus/1");
  EXPECT_GE(index["programs"], 2'000);
  EXPECT_TRUE(index["live"].is_null());
}

TEST_F(Command, corpus_export_says_what_is_wrong_and_writes_nothing) {
  LEFT_TO_THE_OTHER_BUILD();
  const Ended format = run({"corpus", "export", "--format", "xml", (folder_ / "new").string()});
  EXPECT_EQ(format.code, 2);
  EXPECT_THAT(format.err, HasSubstr("use --format json"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
  file("mine", "precious");
  const Ended full = run({"corpus", "export", folder_.string()});
  EXPECT_EQ(full.code, 2);
  EXPECT_THAT(full.err, HasSubstr("not empty"));
  EXPECT_EQ(content(folder_ / "mine"), "precious");
  EXPECT_EQ(run({"corpus", "export"}).code, 2);
  EXPECT_EQ(run({"corpus"}).code, 2);
}

}  // namespace
}  // namespace callgate
