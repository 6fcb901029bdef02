#include "harness/workload/workload.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/front_ends/constants.hpp"
#include "harness/random/generator.hpp"
#include "harness/report/arguments.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/trace/binary.hpp"
#include "harness/workload/words.hpp"
#include "vm/syscalls.hpp"

namespace callgate::workload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using verifier::high_known;
using verifier::kArchKnown;
using verifier::kNumberKnown;
using verifier::low_known;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::expected<Workload, ReadError> read_x86_64(std::string_view text, Keep keep = Keep::All) {
  trace::ReadOptions options;
  options.arch = Arch::X86_64;
  return read(text, options, keep);
}

Workload read_well(std::string_view text, Keep keep = Keep::All) {
  auto out = read_x86_64(text, keep);
  EXPECT_TRUE(out.has_value()) << to_string(out.error()) << "\n" << text;
  return out ? std::move(*out) : Workload{};
}

// "openat(AT_FDCWD, *, O_RDONLY) 3"
std::vector<std::string> lines_of(const Workload& workload) {
  std::vector<std::string> out;
  ArgumentValues values;
  for (const KnownCall& call : workload.calls) {
    out.push_back(values.call(call) + " " + std::to_string(call.count));
  }
  return out;
}

TEST(Workloads, are_lines_of_names_and_counts) {
  const Workload workload = read_well("# calls\n\nread 10\n  write\t3 # of them\r\n39 2\nread 5\n");
  EXPECT_THAT(lines_of(workload), ElementsAre("read 15", "write 3", "getpid 2"));
  EXPECT_THAT(workload.notes, ElementsAre("calls"));
  EXPECT_EQ(workload.total(), 20U);
}

TEST(Workloads, are_frequencies_of_minijail) {
  EXPECT_THAT(lines_of(read_well("# by hand\nread: 10\nwrite:3\n")),
              ElementsAre("read 10", "write 3"));
}

TEST(Workloads, are_what_strace_counts) {
  const Workload workload = read_well(
      "% time     seconds  usecs/call     calls    errors syscall\n"
      "------ ----------- ----------- --------- --------- ----------------\n"
      " 60.00    0.000120          12        10         4 openat\n"
      " 40.00    0.000080           8        12           read\n"
      "------ ----------- ----------- --------- --------- ----------------\n"
      "100.00    0.000200          10        22         4 total\n");
  EXPECT_THAT(lines_of(workload), ElementsAre("read 12", "openat 10"));
  EXPECT_THAT(workload.notes, ElementsAre("from strace-counts"));
}

TEST(Workloads, are_logs_of_strace_of_which_low_halves_are_known) {
  const Workload workload = read_well(
      "openat(AT_FDCWD, \"/a\", O_RDONLY|O_CLOEXEC) = 3\n"
      "openat(AT_FDCWD, \"/b\", O_RDONLY|O_CLOEXEC) = 3\n"
      "mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7f0000000000\n");
  EXPECT_THAT(lines_of(workload),
              ElementsAre("mmap(0, 0x2000:low, PROT_READ:low, MAP_PRIVATE:low, 3:low, 0:low) 1",
                          "openat(AT_FDCWD:low, *, O_CLOEXEC:low) 2"));
}

TEST(Workloads, are_records_of_audit_and_perf_trace) {
  EXPECT_THAT(lines_of(read_well(
                  "type=SECCOMP msg=audit(1.2:3): auid=0 uid=0 gid=0 ses=1 pid=7 comm=\"a\" sig=31 "
                  "arch=c000003e syscall=41 compat=0 ip=0x7f0000001234 code=0x80000000\n")),
              ElementsAre("socket 1"));
  EXPECT_THAT(lines_of(read_well("     0.050 ( 0.015 ms): ls/18420 brk(                  ) = 0\n"
                                 "     0.070 ( 0.001 ms): ls/18420 brk(                  ) = 0\n")),
              ElementsAre("brk 2"));
}

TEST(Workloads, are_tables_of_perf_trace) {
  const Workload workload = read_well(
      "\n Summary of events:\n\n a (b), c (19654), 288 events, 97.3%\n\n"
      "   syscall            calls  errors  total       min       avg       max       stddev\n"
      "                                     (msec)    (msec)    (msec)    (msec)        (%)\n"
      "   --------------- --------  ------ -------- --------- --------- ---------     ------\n"
      "   mmap                  30      0     0.122     0.003     0.004     0.011      7.71%\n"
      "   openat                34     13     0.089     0.002     0.003     0.008      8.24%\n"
      "\t\t\t\tENOENT: 13\n\n\n ls (19655), 3 events, 2.7%\n\n"
      "   syscall            calls  errors  total       min       avg       max       stddev\n"
      "   mmap                   3      0     0.122     0.003     0.004     0.011      7.71%\n");
  EXPECT_THAT(lines_of(workload), ElementsAre("mmap 33", "openat 34"));
  EXPECT_THAT(workload.notes, ElementsAre("from perf-summary"));
}

TEST(Workloads, are_traces_without_their_pointers) {
  trace::BinaryWriter writer;
  writer.header("6.18.1", "x86_64", {"cat", "a b"});
  SeccompData data;
  data.arch = info(Arch::X86_64).token;
  data.nr = 257;
  for (const std::uint64_t pointer : {0x1000U, 0x2000U, 0x3000U}) {
    data.instruction_pointer = pointer;
    data.args = {0xffffff9cU, pointer, 0x80000, pointer, 0, 7};
    writer.call(1, data);
  }
  writer.end();
  const Workload all = read_well(writer.bytes);
  EXPECT_EQ(all.calls.size(), 3U);
  EXPECT_EQ(all.calls[0].data.instruction_pointer, 0U);
  EXPECT_EQ(all.calls[0].known & verifier::kPointerKnown, 0);
  EXPECT_THAT(all.notes, ElementsAre("from callgate record, Linux 6.18.1, x86_64: cat a b"));
  // -100 as 32 bits is no AT_FDCWD of 64.
  const auto kept = ElementsAre("openat(0xffffff9c, *, O_CLOEXEC) 3");
  EXPECT_THAT(lines_of(condensed(all)), kept);
  EXPECT_THAT(lines_of(read_well(writer.bytes, Keep::Tested)), kept);
}

TEST(Workloads, have_arguments_halves_and_sections) {
  const std::string_view text =
      "workload every form # and its name\n"
      "# first note\n"
      "#second note\n"
      "#\n"
      "arch i386\n"
      "socketcall(1, *) 2\n"
      "arch x86_64 # the usual\n"
      "# no note\n"
      "openat(AT_FDCWD, *, (O_RDWR | O_CREAT)) 4\n"
      "ioctl(*, 0x5401:low) 3\n"
      "ioctl(0x7:high, -1, -2:low) 2\n"
      "read() 1\n"
      "-1 9\n"
      "* 8\n"
      "arch 0x12345678\n"
      "7(1) 6\n";
  const Workload workload = read_well(text);
  EXPECT_EQ(workload.name, "every form # and its name");
  EXPECT_THAT(workload.notes, ElementsAre("first note", "second note"));
  EXPECT_THAT(lines_of(workload),
              ElementsAre("7(1) 6", "socketcall(SYS_SOCKET) 2", "read 1", "ioctl(*, TCGETS:low) 3",
                          "ioctl(7:high, 0xffffffffffffffff, 0xfffffffe:low) 2",
                          "openat(AT_FDCWD, *, (O_RDWR|O_CREAT)) 4", "-1 9", "* 8"));
  const KnownCall& halves = workload.calls[4];
  EXPECT_EQ(halves.data.args[0], 0x700000000U);
  EXPECT_EQ(halves.known, kNumberKnown | kArchKnown | high_known(0) | low_known(1) | high_known(1) |
                              low_known(2));
  EXPECT_EQ(halves.data.args[2], 0xfffffffeU);
  EXPECT_EQ(read_well(written(workload)), workload);
  EXPECT_THAT(written(workload), HasSubstr("arch x86\nsocketcall(SYS_SOCKET) 2\n"));
}

TEST(Workloads, that_cannot_be_read_are_refused_with_the_line) {
  const std::string strace = "% time seconds usecs/call calls errors syscall\n";
  for (const auto& [text, line, words] :
       std::vector<std::tuple<std::string, std::size_t, std::string>>{
           {"read 1\nno_such_call 2\n", 2, "no architecture has a call no_such_call"},
           {"read\n", 1, "a call's name and its count"},
           {"read 1 2\n", 1, "a call's name and its count"},
           {"# one\n\nread -1\n", 3, "-1: not a count"},
           {"read 18446744073709551616\n", 1, "not a count"},
           {"read 1\nread(1 2\n", 2, "`)` is missing"},
           {"read(1, 2, 3, 4, 5, 6, 7) 1\n", 1, "6 arguments"},
           {"read(0x100000000:low) 1\n", 1, "32 bits"},
           {"read(-0x80000001:low) 1\n", 1, "32 bits"},
           {"read(1:middle) 1\n", 1, "`low` or `high`"},
           {"read(NO_SUCH) 1\n", 1, "NO_SUCH"},
           {"0x100000000 1\n", 1, "32 bits"},
           {"arch pdp11\n", 1, "no architecture"},
           {"arch *\nread 1\n", 2, "a number is wanted"},
           {"read 1\nworkload late\n", 2, "before the calls"},
           {"socketcall 1\n", 1, "x86_64 has no call socketcall"},
           {strace + "1.0 2.0 read\n", 2, "row"},
           {strace + "1.0 2.0 3 x read\n", 2, "no number"},
       }) {
    const auto workload = read_x86_64(text);
    ASSERT_FALSE(workload.has_value()) << text;
    EXPECT_EQ(workload.error().line, line) << text;
    EXPECT_THAT(workload.error().message, HasSubstr(words)) << text;
  }
  EXPECT_EQ(read_x86_64("read(1, NO_SUCH) 1\n").error().column, 9U);
  for (const std::string_view nothing : {"", "# nothing\n", "read 0\n", "arch x86_64\n"}) {
    EXPECT_EQ(read_x86_64(nothing).error().message, "there is no call in it") << nothing;
  }
  const std::string long_line = "read 1\n" + std::string(std::size_t{1} << 21U, ' ') + "write 1\n";
  EXPECT_EQ(read_x86_64(long_line).error().line, 2U);
}

TEST(Workloads, have_counts_that_end_at_64_bits) {
  const Workload workload = read_well("read 18446744073709551615\nread 1\nwrite 5\n");
  EXPECT_EQ(workload.calls[0].count, kMost);
  EXPECT_EQ(workload.total(), kMost);
  EXPECT_EQ(read_well(written(workload)), workload);
}

KnownCall random_call(random::Source& source) {
  static constexpr Arch kArches[] = {Arch::X86_64, Arch::X86, Arch::AArch64, Arch::X32};
  KnownCall call;
  const Arch arch = kArches[source.below(4)];
  const auto rows = syscalls(arch);
  call.data.arch = source.one_in(20) ? static_cast<std::uint32_t>(source.next()) : info(arch).token;
  const std::uint32_t nr = rows[source.below(static_cast<std::uint32_t>(rows.size()))].nr;
  call.data.nr =
      static_cast<std::int32_t>(source.one_in(10) ? static_cast<std::uint32_t>(source.next()) : nr);
  call.known = static_cast<KnownWords>(source.next() & 0xffffU);
  if (!source.one_in(20)) call.known |= KnownWords{kArchKnown | kNumberKnown};
  for (std::uint64_t& each : call.data.args) {
    const unsigned bits = source.below(64);
    each = source.next() >> bits;
    if (source.one_in(4)) each = 0 - (each & 0xffU);
  }
  const unsigned bits = source.below(64);
  call.count = (source.next() >> bits) | 1U;
  return call;
}

Workload random_workload(random::Source& source) {
  Workload out;
  if (source.one_in(2)) out.name = "a name";
  for (std::uint32_t i = source.below(3); i > 0; --i)
    out.notes.push_back("note " + std::to_string(i));
  for (std::uint32_t i = source.below(60) + 1; i > 0; --i) out.calls.push_back(random_call(source));
  normalise(out.calls);
  return out;
}

TEST(Workloads, that_are_written_are_read_as_the_same) {
  random::Source source(1);
  for (int i = 0; i < 500; ++i) {
    const Workload workload = random_workload(source);
    const std::string text = written(workload);
    const auto again = read_x86_64(text);
    ASSERT_TRUE(again.has_value()) << to_string(again.error()) << "\n" << text;
    ASSERT_EQ(*again, workload) << text;
  }
}

TEST(Workloads, have_notes_of_a_line_each) {
  Workload workload = read_well("read 1\n");
  workload.name = " two\nlines\x1b ";
  workload.notes = {"a\nread 7", "  ", "tab\there"};
  const Workload again = read_well(written(workload));
  EXPECT_EQ(again.name, "two lines\\x1b");
  EXPECT_THAT(again.notes, ElementsAre("a read 7", "tab here"));
  EXPECT_EQ(again.calls, workload.calls);
}

TEST(Condensed, arguments_are_those_that_filters_test) {
  const Workload workload = read_well(
      "socket(AF_INET, SOCK_STREAM, 6, 0x1111) 1\n"
      "newfstatat(AT_FDCWD, 0x1000, 0x2000, 0) 2\n"
      "newfstatat(7, 0x1000, 0x2000, AT_EMPTY_PATH) 1\n"
      "openat(AT_FDCWD, 1, O_RDONLY, 0x1234) 1\n"
      "openat(AT_FDCWD, 1, (O_RDWR|O_CREAT), 0x1b6) 1\n"
      "openat(AT_FDCWD, 1, *, 0x1b6) 1\n"
      "fcntl(3, F_GETFD, 0x1234) 1\n"
      "fcntl(3, F_SETFD, 1) 1\n"
      "prlimit64(0, RLIMIT_NOFILE, 0, 0x1234) 1\n"
      "prlimit64(77, RLIMIT_NOFILE, 0x55, 0x1234) 1\n"
      "mmap(0, 4096, PROT_READ, MAP_PRIVATE, 3, 0) 1\n"
      "read(3, 0x1000, 512) 1\n"
      "1000(1, 2, 3) 1\n"
      "*(1, 2) 1\n");
  EXPECT_THAT(
      lines_of(condensed(workload)),
      ElementsAre("read 1", "mmap(*, *, PROT_READ, MAP_PRIVATE) 1",
                  "socket(AF_INET, SOCK_STREAM, 6) 1", "fcntl(*, F_GETFD) 1",
                  "fcntl(*, F_SETFD, 1) 1", "openat(AT_FDCWD) 1", "openat(AT_FDCWD, *, 0) 1",
                  "openat(AT_FDCWD, *, (O_RDWR|O_CREAT), (S_IWOTH|S_IROTH|S_IWGRP|S_IRGRP|"
                  "S_IWUSR|S_IRUSR)) 1",
                  "newfstatat(AT_FDCWD, *, *, 0) 2", "newfstatat(*, *, *, AT_EMPTY_PATH) 1",
                  "prlimit64(*, RLIMIT_NOFILE) 1", "prlimit64(0, RLIMIT_NOFILE, 0) 1", "1000 1",
                  "* 1"));
}

TEST(Condensed, arguments_are_told_by_a_table_of_calls_and_constants_that_there_are) {
  const auto families = report::argument_families();
#define FAMILY(family, part, reason) \
  EXPECT_NE(std::ranges::find(families, #family, &report::ArgumentFamily::name), families.end());
#define ARGUMENT(call, index, part, reason)             \
  EXPECT_TRUE(suite::is_call_anywhere(#call)) << #call; \
  EXPECT_LT(index, 6) << #call;
#define ARGUMENT_WHEN(call, index, other, constants, reason)                                     \
  EXPECT_TRUE(suite::is_call_anywhere(#call)) << #call;                                          \
  EXPECT_NE(report::argument_words(#call, other, Arch::X86_64).family, nullptr) << #call;        \
  EXPECT_EQ(front_ends::constants_of(constants, Arch::X86_64).size(),                            \
            1U + static_cast<std::size_t>(std::ranges::count(std::string_view(constants), ' '))) \
      << #call;
#include "harness/workload/tested_arguments.def"
#undef ARGUMENT_WHEN
#undef ARGUMENT
#undef FAMILY
}

TEST(Condensed, entries_are_few_and_the_rest_is_one_of_which_that_is_known_that_all_share) {
  std::string text = "read 5\n";
  for (int i = 0; i < 100; ++i) {
    text += "ioctl(1, " + std::to_string(0x5400 + i) + ", 2) " + std::to_string(1000 - i) + "\n";
  }
  for (int i = 0; i < 30; ++i) {
    text += "openat(AT_FDCWD, *, " + std::to_string(i) + ") " + std::to_string(100 - i) + "\n";
  }
  const Workload all = read_well(text);
  const Workload few = condensed(all, {.most = 4});
  EXPECT_EQ(few.total(), all.total());
  EXPECT_THAT(lines_of(few),
              ElementsAre("read 5", "ioctl(*, 0:high) 92053", "ioctl(*, 0x5400) 1000",
                          "ioctl(*, TCGETS) 999", "ioctl(*, TCSETS) 998",
                          "openat(AT_FDCWD, *, 0:high) 2268", "openat(AT_FDCWD, *, 0) 100",
                          "openat(AT_FDCWD, *, O_WRONLY) 99", "openat(AT_FDCWD, *, O_RDWR) 98"));
  EXPECT_EQ(condensed(few, {.most = 4}), few);
  EXPECT_THAT(lines_of(condensed(all, {.most = 1})),
              ElementsAre("read 5", "ioctl(*, 0:high) 95050", "openat(AT_FDCWD, *, 0:high) 2565"));
}

TEST(Condensed, workloads_say_nothing_that_was_not_known) {
  random::Source source(2);
  for (int i = 0; i < 200; ++i) {
    const Workload all = random_workload(source);
    const Workload few = condensed(all, {.most = 1 + source.below(5)});
    // Each call is of an entry of the few that agrees with it in all that is known there.
    for (const KnownCall& call : all.calls) {
      EXPECT_TRUE(std::ranges::any_of(few.calls, [&](const KnownCall& each) {
        if ((each.known & ~call.known) != 0) return false;
        for (unsigned at = 0; at < 6; ++at) {
          const std::uint64_t mask = ((each.known & low_known(at)) != 0 ? 0xffffffffU : 0) |
                                     ((each.known & high_known(at)) != 0 ? ~0xffffffffULL : 0);
          if (((each.data.args[at] ^ call.data.args[at]) & mask) != 0) return false;
        }
        return each.data.nr == call.data.nr && each.data.arch == call.data.arch;
      }));
    }
    EXPECT_EQ(few.total(), all.total());
  }
}

TEST(Merged, workloads_are_the_sum) {
  const std::vector<Workload> both = {
      read_well("workload a\n# one\n# two\nread(1) 5\nread 1\n"),
      read_well("workload b\n# two\nread(1) 7\nwrite 18446744073709551615\n"),
      read_well("workload a\nwrite 1\n")};
  const Workload sum = merged(both);
  EXPECT_EQ(sum.name, "a + b");
  EXPECT_THAT(sum.notes, ElementsAre("one", "two"));
  EXPECT_THAT(lines_of(sum), ElementsAre("read(1) 12", "read 1", "write 18446744073709551615"));
  EXPECT_THAT(merged({}).calls, IsEmpty());
}

TEST(Scaled, to_a_sum_workloads_have_that_sum) {
  Workload workload = read_well("read 2\nwrite 1\ngetpid 1\n");
  EXPECT_THAT(scale_to(workload, 10).vanished, IsEmpty());
  EXPECT_THAT(lines_of(workload), ElementsAre("read 5", "write 3", "getpid 2"));
  const Scaled gone = scale_to(workload, 2);
  EXPECT_THAT(lines_of(workload), ElementsAre("read 1", "write 1"));
  ASSERT_EQ(gone.vanished.size(), 1U);
  EXPECT_EQ(gone.vanished[0].data.nr, 39);
  EXPECT_EQ(gone.vanished[0].count, 2U);
  random::Source source(3);
  for (int i = 0; i < 300; ++i) {
    Workload any = random_workload(source);
    const std::uint64_t total = (source.next() >> source.below(64)) | 1U;
    const std::size_t before = any.calls.size();
    const Scaled scaled = scale_to(any, total);
    EXPECT_EQ(any.total(), total);
    EXPECT_EQ(any.calls.size() + scaled.vanished.size(), before);
  }
  Workload nothing;
  EXPECT_THAT(scale_to(nothing, 5).vanished, IsEmpty());
}

TEST(Scaled, by_a_factor_counts_are_rounded_to_the_nearest) {
  Workload workload = read_well("read 2\nwrite 1\ngetpid 1000\n");
  const Scaled scaled = scale_by(workload, 1, 4);
  EXPECT_THAT(lines_of(workload), ElementsAre("read 1", "getpid 250"));
  ASSERT_EQ(scaled.vanished.size(), 1U);
  EXPECT_EQ(scaled.vanished[0].data.nr, 1);
  EXPECT_FALSE(scaled.saturated);
  EXPECT_TRUE(scale_by(workload, kMost, 2).saturated);
  EXPECT_THAT(lines_of(workload),
              ElementsAre("read 9223372036854775808", "getpid 18446744073709551615"));
  EXPECT_FALSE(scale_by(workload, kMost, kMost).saturated);
  EXPECT_EQ(workload.calls[0].count, std::uint64_t{1} << 63U);
}

TEST(ByNumber, calls_are_those_of_the_abi) {
  const Workload workload = read_well(
      "openat(AT_FDCWD, *, 0) 3\nopenat(AT_FDCWD, *, 1) 4\nread 5\n-2 1\n999 2\n* 10\n"
      "arch x32\nread 20\narch i386\nread 40\n* 80\n");
  const NumberCounts native = by_number(workload, Arch::X86_64);
  EXPECT_THAT(native.calls, ElementsAre(CallCount{257, "openat", 7}, CallCount{0, "read", 5},
                                        CallCount{999, "999", 2}, CallCount{0xfffffffeU, "-2", 1}));
  EXPECT_EQ(native.without_number, 10U);
  EXPECT_EQ(native.of_other_abis, 140U);
  EXPECT_EQ(by_number(workload, Arch::X86).calls[0], (CallCount{3, "read", 40}));
  EXPECT_EQ(by_number(workload, Arch::AArch64).of_other_abis, 165U);
}

}  // namespace
}  // namespace callgate::workload
