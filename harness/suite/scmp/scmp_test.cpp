#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <string>

#include "harness/suite/scmp/arch_sets.hpp"
#include "harness/suite/scmp/generators.hpp"
#include "harness/suite/scmp/random_calls.hpp"
#include "harness/suite/scmp/result_words.hpp"
#include "harness/suite/scmp/runner.hpp"
#include "harness/suite/scmp/tests_file.hpp"
#include "harness/testing/folder_test.hpp"
#include "vm/actions.hpp"
#include "vm/syscalls.hpp"

namespace callgate::suite::scmp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

DataLine only_line(const std::string& text) {
  const auto file = parse_tests("test type: bpf-sim\n" + text + "\n");
  EXPECT_TRUE(file.has_value()) << to_string(file.error());
  if (!file || file->lines.size() != 1) return {};
  return file->lines.front();
}

std::string error_of(const std::string& text) {
  const auto file = parse_tests(text);
  EXPECT_FALSE(file.has_value()) << text;
  return file ? "" : to_string(file.error());
}

std::string error_of_line(const std::string& line) {
  return error_of("test type: bpf-sim\n" + line);
}

TEST(Tests, comments_blanks_and_spaces_are_passed_over) {
  const auto file = parse_tests(
      "# a comment\n\n  \t\n\t# another\n  test type: bpf-sim  \n\t01-name  +x86_64\tread 1 0x2 N "
      "N N "
      "0-3 ALLOW \n");
  ASSERT_TRUE(file.has_value());
  ASSERT_THAT(file->lines, SizeIs(1));
  const DataLine& line = file->lines.front();
  EXPECT_EQ(line.line, 6U);
  EXPECT_EQ(line.number, 1U);
  EXPECT_EQ(line.text, "01-name +x86_64 read 1 0x2 N N N 0-3 ALLOW");
  EXPECT_EQ(line.generator, "01-name");
  EXPECT_EQ(line.syscall, "read");
  EXPECT_THAT(line.arches,
              ElementsAre(ArchTerm{ArchTerm::Sign::Always, std::nullopt, Arch::X86_64}));
  EXPECT_EQ(line.arguments[1], (Range{2, 2}));
  EXPECT_EQ(line.arguments[2], std::nullopt);
  EXPECT_EQ(line.arguments[5], (Range{0, 3}));
  EXPECT_EQ(line.result, "ALLOW");
  EXPECT_EQ(line.calls(), 4U);
}

TEST(Tests, a_line_belongs_to_the_type_above_it) {
  const auto file = parse_tests(
      "test type: bpf-sim-fuzz\na 5\ntest type: bpf-valgrind\na\ntest type: basic\nb.sh\n"
      "test type: live\nc 3 KILL_PROCESS\nc 1 ERRNO\n");
  ASSERT_TRUE(file.has_value()) << to_string(file.error());
  ASSERT_THAT(file->lines, SizeIs(5));
  EXPECT_EQ(file->lines[0].type, TestType::BpfSimFuzz);
  EXPECT_EQ(file->lines[0].count, 5U);
  EXPECT_EQ(file->lines[1].type, TestType::BpfValgrind);
  EXPECT_EQ(file->lines[2].type, TestType::Basic);
  EXPECT_EQ(file->lines[2].generator, "b.sh");
  EXPECT_EQ(file->lines[3].type, TestType::Live);
  EXPECT_EQ(file->lines[3].api_level, 3);
  EXPECT_EQ(file->lines[4].result, "ERRNO");
  EXPECT_EQ(file->lines[4].number, 5U);
}

TEST(Tests, numbers_are_decimal_hexadecimal_negative_and_ranges) {
  const DataLine line =
      only_line("a all -10 0xFFFFFFFFFFFFFFFF -1 18446744073709551615 0x02-0x0A N 7 LOG");
  EXPECT_EQ(line.first_number, -10);
  EXPECT_EQ(line.last_number, -10);
  EXPECT_EQ(line.arguments[0], (Range{UINT64_MAX, UINT64_MAX}));
  EXPECT_EQ(line.arguments[1], (Range{UINT64_MAX, UINT64_MAX}));
  EXPECT_EQ(line.arguments[2], (Range{UINT64_MAX, UINT64_MAX}));
  EXPECT_EQ(line.arguments[3], (Range{2, 10}));
  const DataLine calls = only_line("a all 4294957190-4294957195 0-9 N N N N N LOG");
  EXPECT_EQ(calls.calls(), 60U);
}

TEST(Tests, ranges_are_not_multiplied_out_when_they_are_read) {
  const std::string whole = " 0-0xffffffffffffffff";
  EXPECT_EQ(only_line("a all 0-4294967295" + whole + whole + whole + whole + whole + whole + " LOG")
                .calls(),
            UINT64_MAX);
  EXPECT_EQ(only_line("a all 1 0-0xffffffff 0-0xfffffffe N N N N LOG").calls(),
            0xffffffffULL << 32U);
}

TEST(Tests, an_error_has_its_line_and_says_what_to_write) {
  EXPECT_EQ(error_of("\n# x\n\na +arm 1 N N N N N N ALLOW"),
            "line 4: a data line before any `test type:`; put one above it");
  EXPECT_THAT(error_of("test type: bpf-simulation\n"),
              StartsWith("line 1: test type  bpf-simulation: write"));
  EXPECT_THAT(error_of("test type:bpf-sim\n"), StartsWith("line 1: test type"));
  EXPECT_THAT(error_of_line("a all read N N N N N ALLOW"), HasSubstr("9 columns; a line of"));
  EXPECT_THAT(error_of_line("a all read N N N N N N ALLOW x"), HasSubstr("11 columns"));
  EXPECT_THAT(error_of_line("../a all read N N N N N N ALLOW"),
              HasSubstr("not a name of a generator"));
  EXPECT_THAT(error_of_line("-a all read N N N N N N ALLOW"),
              HasSubstr("not a name of a generator"));
  EXPECT_THAT(error_of_line("a amd64 read N N N N N N ALLOW"),
              HasSubstr("amd64: not an architecture"));
  EXPECT_THAT(error_of_line("a all,,arm read N N N N N N ALLOW"), HasSubstr("not an architecture"));
  EXPECT_THAT(error_of_line("a -all_le read N N N N N N ALLOW"), HasSubstr("removes nothing"));
  EXPECT_THAT(error_of_line("a +all read N N N N N N ALLOW"), HasSubstr("+all_le or +all_be"));
  EXPECT_THAT(error_of_line("a all 0x10 N N N N N N ALLOW"), HasSubstr("syscall 0x10"));
  EXPECT_THAT(error_of_line("a all 5-3 N N N N N N ALLOW"), HasSubstr("a range goes upwards"));
  EXPECT_THAT(error_of_line("a all -5-3 N N N N N N ALLOW"), HasSubstr("no ranges of negative"));
  EXPECT_THAT(error_of_line("a all 4294967296 N N N N N N ALLOW"), HasSubstr("32 bits"));
  EXPECT_THAT(error_of_line("a all 99999999999999999999 N N N N N N ALLOW"), HasSubstr("32 bits"));
  EXPECT_THAT(error_of_line("a all re-ad N N N N N N ALLOW"), HasSubstr("not a name of a syscall"));
  EXPECT_THAT(error_of_line("a all 1 010 N N N N N ALLOW"),
              HasSubstr("A0 010: a number with a leading 0"));
  EXPECT_THAT(error_of_line("a all 1 N n N N N N ALLOW"), HasSubstr("A1 n: write a number"));
  EXPECT_THAT(error_of_line("a all 1 N N 0x1ffffffffffffffff N N N ALLOW"), HasSubstr("64 bits"));
  EXPECT_THAT(error_of_line("a all 1 N N N 9-8 N N ALLOW"), HasSubstr("a range goes upwards"));
  EXPECT_THAT(error_of_line("a all 1 N N N N N N KILL_THREAD"), HasSubstr("result KILL_THREAD"));
  EXPECT_THAT(error_of_line("a all 1 N N N N N N ERRNO(70000)"), HasSubstr("result ERRNO(70000)"));
  EXPECT_THAT(error_of_line("a all 1 N N N N N N ERRNO"), HasSubstr("result ERRNO"));
  EXPECT_THAT(error_of_line("a all 1 N N N N N N ALLOW\r\n"), HasSubstr("carriage return"));
  EXPECT_THAT(error_of("test type: bpf-sim-fuzz\na x\n"), HasSubstr("line 2: count x"));
  EXPECT_THAT(error_of("test type: live\na x KILL\n"), HasSubstr("line 2: API x"));
}

TEST(Tests, a_text_has_a_longest_form) {
  std::string lines = "test type: basic\n";
  for (int i = 0; i < 100'000; ++i) lines += "a\n";
  EXPECT_TRUE(parse_tests(lines).has_value());
  EXPECT_THAT(error_of(lines + "a\n"), StartsWith("line 100002: more than 100000 data lines"));
  std::string arches = "all";
  for (int i = 1; i < 100; ++i) arches += ",+all_le";
  EXPECT_TRUE(parse_tests("test type: bpf-sim\na " + arches + " 1 N N N N N N LOG").has_value());
  EXPECT_THAT(error_of_line("a " + arches + ",all 1 N N N N N N LOG"),
              HasSubstr("more than 100 architectures"));
}

TEST(Tests, any_bytes_are_read_or_refused) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_FALSE(parse_tests(bytes).has_value());
  EXPECT_FALSE(parse_tests(std::string(1000, '\0')).has_value());
  EXPECT_THAT(error_of_line(std::string(100'000, '\x1b')), HasSubstr("line 2: 1 columns"));
  EXPECT_THAT(error_of_line("\x1b[2J all 1 N N N N N N ALLOW"), HasSubstr("?[2J: not a name"));
  EXPECT_TRUE(parse_tests("").has_value());
  EXPECT_TRUE(parse_tests("#").has_value());
}

TEST(Words, are_those_of_the_simulator_and_are_read_back) {
  const KernelModel model;
  for (const ActionInfo& row : actions()) {
    for (const std::uint32_t data : {0U, 1U, 65535U}) {
      const auto word = result_word(static_cast<std::uint32_t>(row.action) | data, model);
      ASSERT_TRUE(word.has_value());
      EXPECT_TRUE(is_result_word(*word)) << *word;
    }
  }
  EXPECT_EQ(result_word(0x00000000, model), "KILL");
  EXPECT_EQ(result_word(0x80000000, model), "KILL_PROCESS");
  EXPECT_EQ(result_word(0x0003000d, model), "TRAP");
  EXPECT_EQ(result_word(0x0005ffff, model), "ERRNO(65535)");
  EXPECT_EQ(result_word(0x7ff00007, model), "TRACE(7)");
  EXPECT_EQ(result_word(0x7fc00000, model), "NOTIFY");
  EXPECT_EQ(result_word(0x00060000, model), std::nullopt);
  EXPECT_EQ(result_word(0x7fc00000, {.version = {4, 19, 0}, .arch = Arch::X86_64}), std::nullopt);
  for (const char* const bad :
       {"", "allow", "ERRNO()", "ERRNO(01)", "ERRNO(1", "ERRNO", "TRAP(1)"}) {
    EXPECT_FALSE(is_result_word(bad)) << bad;
  }
}

std::vector<Arch> arches_named(const std::string& column, Arch native) {
  return arches_of(only_line("a " + column + " 1 N N N N N N LOG").arches, native);
}

TEST(ArchSets, a_plain_name_and_all_are_the_native_one) {
  EXPECT_THAT(arches_named("all", Arch::X86_64), ElementsAre(Arch::X86_64));
  EXPECT_THAT(arches_named("all,-x32", Arch::X86_64), ElementsAre(Arch::X86_64));
  EXPECT_THAT(arches_named("all,-x32", Arch::X32), IsEmpty());
  EXPECT_THAT(arches_named("x86_64", Arch::X86_64), ElementsAre(Arch::X86_64));
  EXPECT_THAT(arches_named("x86_64", Arch::AArch64), IsEmpty());
  EXPECT_THAT(arches_named("all_le", Arch::S390x), IsEmpty());
  EXPECT_THAT(arches_named("all_be", Arch::S390x), ElementsAre(Arch::S390x));
  EXPECT_THAT(arches_named("all_32", Arch::Arm), ElementsAre(Arch::Arm));
  EXPECT_THAT(arches_named("all_64", Arch::Arm), IsEmpty());
}

TEST(ArchSets, plus_is_everywhere_and_minus_takes_away) {
  EXPECT_THAT(arches_named("+arm,+s390", Arch::X86_64), ElementsAre(Arch::Arm, Arch::S390));
  EXPECT_THAT(arches_named("-arm,+arm,+s390", Arch::X86_64), ElementsAre(Arch::S390));
  EXPECT_THAT(arches_named("+arm,+arm,all,x86_64", Arch::X86_64),
              ElementsAre(Arch::Arm, Arch::X86_64));
  for (const Arch each : arches_named("+all_le", Arch::X86_64)) {
    EXPECT_EQ(byte_order(each), ByteOrder::Little);
  }
  EXPECT_THAT(arches_named("+all_le", Arch::X86_64), testing::Contains(Arch::Riscv64));
  EXPECT_THAT(arches_named("+all_be", Arch::X86_64), testing::Contains(Arch::Parisc64));
}

TEST(ArchSets, groups_of_widths_are_those_of_libseccomps_runner) {
  const auto wide = arches_named("+all_64", Arch::X86_64);
  const auto narrow = arches_named("+all_32", Arch::X86_64);
  EXPECT_THAT(wide, testing::Contains(Arch::Mips64));
  EXPECT_THAT(wide, testing::Not(testing::Contains(Arch::Ppc64le)));
  EXPECT_THAT(wide, testing::Not(testing::Contains(Arch::Mipsel64)));
  EXPECT_THAT(narrow, testing::Contains(Arch::X32));
  EXPECT_THAT(narrow, testing::Contains(Arch::Mipsel64n32));
}

TEST(ArchSets, names_are_resolved_as_libseccomp_does) {
  EXPECT_EQ(resolve_syscall(Arch::X86_64, "openat"), 257);
  EXPECT_EQ(resolve_syscall(Arch::X32, "read"), 0x40000000);
  EXPECT_EQ(resolve_syscall(Arch::Mips, "read"), 4003);
  // By socketcall(2), which has a number of its own there as well.
  EXPECT_EQ(resolve_syscall(Arch::X86, "socket"), 102);
  EXPECT_EQ(resolve_syscall(Arch::X86, "shmget"), 117);
  EXPECT_EQ(resolve_syscall(Arch::X86_64, "socket"), 41);
  // What it has not: libseccomp's negative numbers.
  EXPECT_LT(resolve_syscall(Arch::AArch64, "open").value_or(0), -1);
  EXPECT_EQ(resolve_syscall(Arch::X86_64, "no_such_call"), std::nullopt);
  // Of later releases of libseccomp: from the tables.
  EXPECT_EQ(resolve_syscall(Arch::LoongArch64, "openat"), 56);
}

TEST(ArchSets, libseccomp_and_the_tables_give_one_number_to_a_call) {
  std::size_t compared = 0;
  for (const ArchInfo& row : arches()) {
    for (const SyscallRow& call : syscalls(row.arch)) {
      const auto number = resolve_syscall(row.arch, std::string(call.name));
      ASSERT_TRUE(number.has_value());
      const bool multiplexed = number == syscall_number(row.arch, "socketcall") ||
                               number == syscall_number(row.arch, "ipc");
      // Calls that are newer than this libseccomp have a negative number there.
      if (multiplexed || *number < 0) continue;
      ++compared;
      EXPECT_EQ(static_cast<std::uint32_t>(*number), call.nr) << row.name << ' ' << call.name;
    }
  }
  EXPECT_GT(compared, 5000U);
}

class RunFixture : public ::testing::Test {
 private:
  const TestFolder made_;

 protected:
  void SetUp() override {
    options_.generators = folder_.string();
    options_.native = Arch::X86_64;
  }

  void script(const std::string& name, const std::string& text, bool executable = true) const {
    made_.file(name, text);
    ASSERT_EQ(chmod((folder_ / name).c_str(), executable ? 0700 : 0600), 0);
  }

  // A generator whose filter allows the call 1, and gives all else ERRNO(1); it counts its starts.
  void generator(const std::string& name) const {
    script(name,
           "#!/bin/sh\necho >> starts\n[ \"$1\" = -b ] || exit 3\n"
           "printf '\\040\\0\\0\\0\\0\\0\\0\\0\\025\\0\\0\\001\\001\\0\\0\\0"
           "\\006\\0\\0\\0\\0\\0\\377\\177\\006\\0\\0\\0\\001\\0\\005\\0'\n");
  }

  RunResults results_of(const std::string& text) {
    auto file = parse_tests(text);
    EXPECT_TRUE(file.has_value()) << to_string(file.error());
    if (!file) return {};
    file->batch = "07-batch";
    file->path = "some/07-batch.tests";
    return run(std::span(&*file, 1), options_);
  }

  CaseResult only_result(const std::string& text) {
    const RunResults results = results_of(text);
    EXPECT_THAT(results.cases, SizeIs(1));
    return results.cases.empty() ? CaseResult{} : results.cases.front();
  }

  const std::filesystem::path folder_ = made_.path();
  Options options_;
};

TEST_F(RunFixture, a_line_is_a_case_for_each_architecture) {
  generator("gen");
  const RunResults results =
      results_of("test type: bpf-sim\n\ngen +x86_64,+arm 1 N N N N N N ALLOW\n");
  ASSERT_THAT(results.cases, SizeIs(2));
  const CaseResult& first = results.cases.front();
  EXPECT_EQ(first.suite, "some/07-batch.tests");
  EXPECT_EQ(first.name, "07-batch%%001 [x86_64]");
  EXPECT_EQ(first.arch, "x86_64");
  EXPECT_EQ(first.place, (CasePlace{"some/07-batch.tests", 3, 1}));
  EXPECT_EQ(first.status, Status::Passed) << first.note;
  EXPECT_EQ(first.how, "run, 1 call");
  EXPECT_EQ(results.cases.back().name, "07-batch%%001 [arm]");
  EXPECT_EQ(results.counts().passed, 2U);
}

TEST_F(RunFixture, a_text_that_was_read_elsewhere_is_named_by_its_path) {
  generator("gen");
  auto file = parse_tests("test type: bpf-sim\ngen +arm 1 N N N N N N ALLOW\n");
  ASSERT_TRUE(file.has_value());
  file->path = "some/08-other.tests";
  const RunResults results = run(std::span(&*file, 1), options_);
  ASSERT_THAT(results.cases, SizeIs(1));
  EXPECT_EQ(results.cases.front().name, "08-other%%001 [arm]");
}

TEST_F(RunFixture, a_generator_is_run_once) {
  generator("gen");
  static_cast<void>(results_of(
      "test type: bpf-sim\ngen +x86_64,+arm 0-9 0-9 N N N N N ERRNO(1)\ngen all 1 N N N N N N "
      "ALLOW\ntest type: bpf-sim-fuzz\ngen 100\n"));
  EXPECT_EQ(content(folder_ / "starts"), "\n");
}

TEST_F(RunFixture, a_failure_names_the_call_and_its_number) {
  generator("gen");
  const CaseResult result =
      only_result("test type: bpf-sim\ngen +x86_64 0-2 5-6 N 0x9 N N N ERRNO(1)\n");
  EXPECT_EQ(result.status, Status::Failed);
  EXPECT_EQ(result.how, "run, 6 calls; 2 failed");
  ASSERT_THAT(result.failures, SizeIs(2));
  EXPECT_EQ(result.failures[0].call, "07-batch%%001-00003: write(0x5, N, 0x9)");
  EXPECT_EQ(result.failures[0].expected, "ERRNO(1)");
  EXPECT_EQ(result.failures[0].actual, "ALLOW");
  EXPECT_EQ(result.failures[0].outcome, "returns what write returns");
  EXPECT_THAT(result.failures[0].path, SizeIs(3));
  EXPECT_EQ(result.failures[1].call, "07-batch%%001-00004: write(0x6, N, 0x9)");
}

TEST_F(RunFixture, few_failures_are_told_and_all_are_counted) {
  generator("gen");
  options_.most_failures = 3;
  const CaseResult result = only_result("test type: bpf-sim\ngen +x86_64 1 0-9 N N N N N KILL\n");
  EXPECT_EQ(result.how, "run, 10 calls; 10 failed, and the first 3 are told");
  EXPECT_THAT(result.failures, SizeIs(3));
}

TEST_F(RunFixture, too_many_calls_are_an_error) {
  generator("gen");
  const CaseResult result = only_result(
      "test type: bpf-sim\ngen +x86_64 1 0-0xffffffff 0-0xffffffff 0-0xffffffff N N N ALLOW\n");
  EXPECT_EQ(result.status, Status::Error);
  EXPECT_THAT(result.note, HasSubstr("10000000 are run at most; narrow its ranges"));
}

TEST_F(RunFixture, a_generator_that_fails_is_an_error_with_its_last_words) {
  script("fails", "#!/bin/sh\necho one >&2\nprintf 'two\\033' >&2\nexit 7\n");
  script("dies", "#!/bin/sh\nkill -9 $$\n");
  script("empty", "#!/bin/sh\n");
  script("partial", "#!/bin/sh\nprintf '\\006\\0\\0\\0\\0\\0\\0'\n");
  const auto note = [&](const std::string& name) {
    const CaseResult result =
        only_result("test type: bpf-sim\n" + name + " +arm 1 N N N N N N ALLOW\n");
    EXPECT_EQ(result.status, Status::Error);
    return result.note;
  };
  EXPECT_THAT(note("fails"), HasSubstr("fails -b ended with exit code 7: two?"));
  EXPECT_THAT(note("dies"), HasSubstr("dies -b died by signal 9"));
  EXPECT_THAT(note("empty"), StartsWith("the filter of empty: "));
  EXPECT_THAT(note("partial"), HasSubstr("partial: byte 0"));
  EXPECT_THAT(note("nowhere"), HasSubstr("no program of this name"));
}

TEST_F(RunFixture, a_generator_that_hangs_or_prints_without_end_is_killed) {
  script("hangs", "#!/bin/sh\nsleep 1000 & sleep 1000\n");
  script("closes", "#!/bin/sh\nexec >&- 2>&-\nsleep 1000\n");
  script("floods", "#!/bin/sh\nyes\n");
  options_.time_limit = std::chrono::milliseconds(300);
  const RunResults late = results_of(
      "test type: bpf-sim\nhangs +arm 1 N N N N N N ALLOW\ncloses +arm 1 N N N N N N ALLOW\n");
  ASSERT_THAT(late.cases, SizeIs(2));
  for (const CaseResult& each : late.cases) {
    EXPECT_THAT(each.note, HasSubstr("was killed after 0.3 s"));
  }
  options_.time_limit = std::chrono::seconds(60);
  EXPECT_THAT(only_result("test type: bpf-sim\nfloods +arm 1 N N N N N N ALLOW\n").note,
              HasSubstr("printed more than any filter has"));
}

TEST_F(RunFixture, a_filter_that_the_kernel_refuses_is_an_error) {
  // A load behind seccomp_data.
  script("gen", "#!/bin/sh\nprintf '\\040\\0\\0\\0\\100\\0\\0\\0\\006\\0\\0\\0\\0\\0\\377\\177'\n");
  const CaseResult result = only_result("test type: bpf-sim\ngen all 1 N N N N N N ALLOW\n");
  EXPECT_EQ(result.status, Status::Error);
  EXPECT_THAT(
      result.note,
      StartsWith("the filter of gen: refused by Linux 6.18 x86_64: EINVAL; instruction 0: "));
}

TEST_F(RunFixture, bytes_are_in_the_order_of_the_architecture) {
  script("gen", "#!/bin/sh\nprintf '\\0\\006\\0\\0\\177\\374\\0\\0'\n");
  EXPECT_EQ(only_result("test type: bpf-sim\ngen +s390x 1 N N N N N N LOG\n").status,
            Status::Passed);
  EXPECT_EQ(only_result("test type: bpf-sim\ngen +x86_64 1 N N N N N N LOG\n").status,
            Status::Error);
}

TEST_F(RunFixture, scripts_are_found_by_their_endings) {
  script("a.sh", "printf '\\006\\0\\0\\0\\0\\0\\374\\177'\n", false);
  script("b.py", "import sys\nsys.stdout.buffer.write(bytes([6, 0, 0, 0, 0, 0, 0xfc, 0x7f]))\n",
         false);
  const RunResults results =
      results_of("test type: bpf-sim\na all 1 N N N N N N LOG\nb all 1 N N N N N N LOG\n");
  EXPECT_EQ(results.counts().passed, 2U) << results.cases[0].note << results.cases[1].note;
}

TEST_F(RunFixture, what_cannot_be_asked_is_absent_and_says_why) {
  generator("gen");
  const RunResults results = results_of(
      "test type: bpf-sim\ngen arm 1 N N N N N N ALLOW\ngen all no_such_call N N N N N N ALLOW\n"
      "test type: bpf-valgrind\ngen\ntest type: live\ngen 1 ALLOW\n");
  EXPECT_EQ(results.counts().absent, 4U);
  EXPECT_THAT(results.cases[0].note, HasSubstr("this machine (x86_64) is none"));
  EXPECT_EQ(results.cases[0].name, "07-batch%%001");
  EXPECT_THAT(results.cases[1].note, HasSubstr("x86_64 has no call no_such_call"));
  EXPECT_THAT(results.cases[2].note, HasSubstr("valgrind"));
  EXPECT_THAT(results.cases[3].note, HasSubstr("regression -T live"));
}

TEST_F(RunFixture, a_basic_test_is_its_exit_code) {
  script("good", "#!/bin/sh\n[ $# = 0 ] && [ -e good ]\n");
  script("bad", "#!/bin/sh\necho why >&2\nexit 4\n");
  const RunResults results = results_of("test type: basic\ngood\nbad\nnowhere\n");
  ASSERT_THAT(results.cases, SizeIs(3));
  EXPECT_EQ(results.cases[0].status, Status::Passed);
  EXPECT_EQ(results.cases[1].status, Status::Failed);
  EXPECT_EQ(results.cases[1].failures.front().actual, "ended with exit code 4: why");
  EXPECT_EQ(results.cases[2].status, Status::Error);
}

TEST_F(RunFixture, a_fuzz_test_finds_what_is_no_action) {
  generator("good");
  // Returns the number of the call.
  script("bad", "#!/bin/sh\nprintf '\\040\\0\\0\\0\\0\\0\\0\\0\\026\\0\\0\\0\\0\\0\\0\\0'\n");
  const RunResults results = results_of("test type: bpf-sim-fuzz\ngood 100\nbad 100\n");
  ASSERT_THAT(results.cases, SizeIs(2));
  EXPECT_EQ(results.cases[0].status, Status::Passed);
  EXPECT_EQ(results.cases[0].how, "run, 100 calls of seed 1");
  EXPECT_EQ(results.cases[1].status, Status::Failed);
  EXPECT_THAT(results.cases[1].failures, SizeIs(5));
  EXPECT_THAT(results.cases[1].failures.front().actual, HasSubstr("unknown"));
}

TEST_F(RunFixture, after_a_failure_the_others_can_be_left) {
  generator("gen");
  options_.fail_fast = true;
  const RunResults results = results_of(
      "test type: bpf-sim\ngen all 1 N N N N N N ALLOW\ngen all 1 N N N N N N KILL\n"
      "gen +arm,+x86 1 N N N N N N ALLOW\n");
  EXPECT_THAT(results.cases, SizeIs(2));
  EXPECT_EQ(results.not_run, 2U);
}

TEST_F(RunFixture, cases_can_be_chosen_by_parts_of_names) {
  generator("gen");
  options_.only = {"%%002", "[arm]"};
  const RunResults results = results_of(
      "test type: bpf-sim\ngen +arm,+x86 1 N N N N N N ALLOW\ngen +x86 1 N N N N N N ALLOW\n");
  ASSERT_THAT(results.cases, SizeIs(2));
  EXPECT_EQ(results.cases[0].name, "07-batch%%001 [arm]");
  EXPECT_EQ(results.cases[1].name, "07-batch%%002 [x86]");
}

TEST_F(RunFixture, files_are_read_and_folders_are_searched) {
  script("b.tests", "test type: basic\nx\n", false);
  script("a.tests", "test type: nothing\n", false);
  const auto found = find_tests({folder_.string()});
  ASSERT_TRUE(found.has_value());
  ASSERT_THAT(*found, SizeIs(2));
  EXPECT_EQ(to_string(read_tests(found->at(0)).error()).find(found->at(0) + ":1: test type"), 0U);
  const auto file = read_tests(found->at(1));
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->batch, "b");
  EXPECT_FALSE(read_tests((folder_ / "c.tests").string()).has_value());
  std::filesystem::create_directory(folder_ / "empty");
  EXPECT_THAT(to_string(find_tests({(folder_ / "empty").string()}).error()),
              HasSubstr("no file in this folder ends in .tests"));
}

TEST(RandomCalls, are_the_same_for_the_same_seed_and_use_all_bits) {
  const Instruction compare{0x15, 0, 0, 0x1234};
  const auto calls = [&](std::uint64_t seed, std::size_t line) {
    RandomCalls random(seed, "batch", line, std::span(&compare, 1), Arch::X86_64);
    std::vector<SeccompData> out;
    for (int i = 0; i < 1000; ++i) out.push_back(random.next());
    return out;
  };
  EXPECT_EQ(calls(1, 1), calls(1, 1));
  EXPECT_NE(calls(1, 1), calls(2, 1));
  EXPECT_NE(calls(1, 1), calls(1, 2));
  std::uint64_t ones = 0;
  std::uint64_t zeros = 0;
  std::set<std::uint64_t> values;
  for (const SeccompData& each : calls(1, 1)) {
    EXPECT_EQ(each.arch, info(Arch::X86_64).token);
    for (const std::uint64_t value : each.args) {
      ones |= value;
      zeros |= ~value;
      values.insert(value);
    }
  }
  EXPECT_EQ(ones, UINT64_MAX);
  EXPECT_EQ(zeros, UINT64_MAX);
  EXPECT_TRUE(values.contains(0x1234) && values.contains(0x1233) && values.contains(0x1235));
}

}  // namespace
}  // namespace callgate::suite::scmp
