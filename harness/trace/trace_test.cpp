#include "harness/trace/trace.hpp"

#include <gmock/gmock.h>

#include "harness/trace/binary.hpp"
#include "harness/trace/replay.hpp"
#include "harness/trace/strace_words.hpp"
#include "verifier/check.hpp"
#include "vm/syscalls.hpp"

namespace callgate::trace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Read {
  std::expected<Header, ReadError> header;
  std::vector<Call> calls;
  std::vector<Returned> returned;
};

Read read_all(std::string_view text, std::string_view format = {}, bool trusting = false) {
  Read out;
  Sink sink;
  sink.call = [&](const Call& call) { out.calls.push_back(call); };
  sink.returned = [&](const Returned& each) { out.returned.push_back(each); };
  out.header = read(text, format, {.arch = Arch::X86_64, .trust_numbers = trusting}, sink);
  return out;
}

std::int32_t number(std::string_view name, Arch arch = Arch::X86_64) {
  return static_cast<std::int32_t>(syscall_number(arch, name).value());
}

SeccompData some_call() {
  SeccompData data;
  data.nr = 39;
  data.arch = 0xc000003e;
  data.instruction_pointer = 0x7f0000001234;
  data.args = {1, ~std::uint64_t{0}, 0x8000000000000000, 0, 5, 6};
  return data;
}

std::string some_trace() {
  BinaryWriter writer;
  writer.header("6.18.1", "x86_64", {"a", "b c"});
  SeccompData data = some_call();
  writer.call(7, data);
  writer.returned(7, -38);
  data.nr = -1;
  data.args[2] = 3;
  writer.call(8, data);
  writer.end();
  return writer.bytes;
}

TEST(Trace, what_is_written_is_read_as_the_same) {
  const Read read = read_all(some_trace());
  ASSERT_TRUE(read.header) << read.header.error().message;
  EXPECT_EQ(read.header->format, "callgate");
  EXPECT_EQ(read.header->kernel, "6.18.1");
  EXPECT_EQ(read.header->arch, "x86_64");
  EXPECT_THAT(read.header->command, ElementsAre("a", "b c"));
  EXPECT_FALSE(read.header->cut);
  ASSERT_EQ(read.calls.size(), 2U);
  EXPECT_EQ(read.calls[0].data, some_call());
  EXPECT_EQ(read.calls[0].tid, 7);
  EXPECT_EQ(read.calls[0].known, kAllKnown);
  EXPECT_EQ(read.calls[1].data.nr, -1);
  EXPECT_EQ(read.calls[1].data.args[2], 3U);
  EXPECT_EQ(read.calls[1].tid, 8);
  EXPECT_THAT(read.returned, ElementsAre(Returned{7, -38}));
}

TEST(Trace, a_trace_that_is_cut_anywhere_is_read_as_far_as_it_goes) {
  const std::string whole = some_trace();
  for (std::size_t size = kMagic.size(); size < whole.size(); ++size) {
    const Read read = read_all(std::string_view(whole).substr(0, size));
    if (!read.header) {
      EXPECT_EQ(read.header.error().message, "cut off in its header");
      continue;
    }
    EXPECT_TRUE(read.header->cut) << size;
    EXPECT_EQ(read.header->notes.size(), 1U);
  }
}

TEST(Trace, errors_have_the_byte) {
  std::string bytes = some_trace();
  bytes[kMagic.size()] = 9;
  EXPECT_EQ(read_all(bytes).header.error().offset, kMagic.size());
  EXPECT_THAT(read_all(bytes).header.error().message, HasSubstr("version 9"));
  EXPECT_EQ(read_all(some_trace() + "x").header.error().message, "bytes after the end");
  EXPECT_THAT(read_all("hello\n").header.error().message, HasSubstr("not a trace"));
  EXPECT_THAT(read_all("hello\n", "nothing").header.error().message, HasSubstr("is no format"));
}

TEST(PerfSummary, has_tables_of_threads_with_counts) {
  const std::string head =
      "   syscall            calls  errors  total       min       avg       max       stddev\n";
  const Read read = read_all(" a (b) (7), 5 events, 9.0%\n" + head + "   read   5  0  0.1\n");
  ASSERT_TRUE(read.header) << read.header.error().message;
  EXPECT_EQ(read.header->format, "perf-summary");
  EXPECT_EQ(read.header->calls, 5U);
  ASSERT_EQ(read.calls.size(), 1U);
  EXPECT_EQ(read.calls[0].tid, 7);
  EXPECT_EQ(read.calls[0].count, 5U);
  EXPECT_EQ(read.calls[0].known, kNumberKnown | kArchKnown);
  for (const std::string row :
       {"   read\n", "   read x\n", "   5 5\n", "   read 5x\n", "   read 99999999999999999999 0\n",
        "   read 281474976710657 0\n"}) {
    EXPECT_EQ(read_all(head + row).header.error().line, 2U) << row;
  }
}

TEST(Strace, prefixes_and_decorations_are_passed_over) {
  const Read read = read_all(
      "18396 02:09:18.045777 [ 257] [00007fea12afbb1d] openat(AT_FDCWD</tmp/a,b>, \"x\", "
      "O_RDONLY|O_CLOEXEC) = 3</x>\n"
      "[pid 18405]      0.000020 <... clone resumed>, child_tidptr=0x7fd6b540fa10) = 18406\n"
      "[pid 18406]      0.000032 close(3 <unfinished ...>\n"
      "18396 --- SIGCHLD {si_signo=SIGCHLD} ---\n18396 +++ exited with 0 +++\n"
      "      (+     0.000015) getppid() = 5\n");
  ASSERT_TRUE(read.header) << read.header.error().message;
  EXPECT_TRUE(read.header->notes.empty());
  ASSERT_EQ(read.calls.size(), 3U);
  const Call& open = read.calls[0];
  EXPECT_EQ(open.tid, 18396);
  EXPECT_EQ(open.data.nr, 257);
  EXPECT_EQ(open.data.instruction_pointer, 0x7fea12afbb1dU);
  EXPECT_EQ(open.data.args[0], 0xffffff9cU);
  EXPECT_EQ(open.data.args[2], 0x80000U);
  EXPECT_EQ(open.known, kNumberKnown | kArchKnown | kPointerKnown | low_known(0) | low_known(2));
  EXPECT_EQ(read.calls[1].data.args[0], 3U);
  EXPECT_EQ(read.calls[1].place, 3U);
  EXPECT_EQ(read.calls[2].known, kNumberKnown | kArchKnown);
}

TEST(Strace, what_is_not_printed_whole_is_not_known) {
  const auto known = [](std::string_view piece, bool trusting = false) {
    const Register each = register_of(piece, Arch::X86_64, trusting);
    return std::pair(each.low, each.high);
  };
  constexpr std::pair kNothing(false, false);
  constexpr std::pair kLow(true, false);
  constexpr std::pair kWhole(true, true);
  EXPECT_EQ(known("3"), kLow);
  EXPECT_EQ(known("-1"), kLow);
  EXPECT_EQ(known("NULL"), kWhole);
  EXPECT_EQ(known("0x7ffd00000000"), kWhole);
  EXPECT_EQ(known("O_RDONLY|O_CLOEXEC"), kLow);
  EXPECT_EQ(known("3", true), kWhole);
  for (const std::string_view each :
       {"0644", "\"x\"", "{a=1}", "[1]", "O_RDONLY|NO_SUCH", "O_RDONLY|", "...", "", "O_LARGEFILE",
        "makedev(0x1, 0x3)", "21<<MAP_HUGE_SHIFT", "99999999999999999999"}) {
    EXPECT_EQ(known(each), kNothing) << each;
  }
}

TEST(Strace, named_arguments_are_in_no_order) {
  const Read read = read_all(
      "clone(child_stack=NULL, flags=CLONE_VM|SIGCHLDstrace: Process 6 attached\n"
      " <unfinished ...>\nclone(child_stack=NULL, flags=0x11) = 5\n");
  ASSERT_EQ(read.calls.size(), 2U);
  for (const Call& each : read.calls) EXPECT_EQ(each.known, kNumberKnown | kArchKnown);
}

TEST(Strace, calls_of_32_bits_are_told_and_what_socketcall_hides_is_not) {
  const Read read = read_all(
      "[pid 5] close(1) = 0\nstrace: [ Process PID=5 runs in 32 bit mode. ]\n"
      "[pid 5] close(1) = 0\n[pid 5] socket(AF_INET, SOCK_STREAM, 0) = 3\n[pid 6] close(1) = 0\n");
  ASSERT_EQ(read.calls.size(), 4U);
  EXPECT_EQ(read.calls[0].data.nr, 3);
  EXPECT_EQ(read.calls[1].data.nr, number("close", Arch::X86));
  EXPECT_EQ(read.calls[1].data.arch, info(Arch::X86).token);
  EXPECT_EQ(read.calls[2].known, kArchKnown);
  EXPECT_EQ(read.calls[2].name, "socket");
  EXPECT_EQ(read.calls[3].known, 0);  // its creator may be of 32 bits
}

TEST(StraceCounts, rows_are_calls_with_counts) {
  const Read read = read_all(
      "% time     seconds  usecs/call     calls    errors syscall\n"
      "------ ----------- ----------- --------- --------- ----------------\n"
      "  0.00    0.000000           0         8           read\n"
      "  0.00    0.000000           0         9         2 openat\n"
      "100.00    0.000000           0        17         2 total\n");
  ASSERT_TRUE(read.header) << read.header.error().message;
  EXPECT_EQ(read.header->calls, 17U);
  ASSERT_EQ(read.calls.size(), 2U);
  EXPECT_EQ(read.calls[1].data.nr, 257);
  EXPECT_EQ(read.calls[1].count, 9U);
  const Read bad =
      read_all("% time seconds usecs/call calls errors syscall\n0.0 0.0 0 many read\n");
  ASSERT_FALSE(bad.header);
  EXPECT_EQ(bad.header.error().line, 2U);
}

TEST(Audit, records_have_numbers_and_no_arguments) {
  const Read read = read_all(
      "type=SECCOMP msg=audit(1.2:3): auid=0 pid=12 comm=\" arch=1\" sig=31 arch=40000003 "
      "syscall=5 compat=1 ip=0xf7f00001 code=0x80000000\n"
      "[ 9.1] audit: type=1326 audit(1.2:4): pid=13 arch=c000003e syscall=59 ip=0x7f01 code=0x0\n");
  ASSERT_TRUE(read.header) << read.header.error().message;
  ASSERT_EQ(read.calls.size(), 2U);
  EXPECT_EQ(read.calls[0].data.arch, 0x40000003U);
  EXPECT_EQ(read.calls[0].data.instruction_pointer, 0xf7f00001U);
  EXPECT_EQ(read.calls[0].known, kNumberKnown | kArchKnown | kPointerKnown);
  EXPECT_EQ(read.calls[1].data.nr, 59);
  const Read bad = read_all("audit: type=1326 arch=x86_64 syscall=execve\n", "audit");
  ASSERT_FALSE(bad.header);
  EXPECT_EQ(bad.header.error().line, 1U);
}

TEST(Perf, calls_are_known_and_arguments_are_not) {
  const Read read = read_all(
      "         ? (         ): ls/18420  ... [continued]: execve()) = 0\n"
      "     0.390 ( 0.018 ms): my ls/18420 openat(dfd: CWD, filename: 0xfafe70b1) = 3\n"
      "     0.050 ( 0.015 ms): brk() = 0x55d503b5e000\n");
  ASSERT_TRUE(read.header) << read.header.error().message;
  ASSERT_EQ(read.calls.size(), 2U);
  EXPECT_EQ(read.calls[0].data.nr, 257);
  EXPECT_EQ(read.calls[0].tid, 18420);
  EXPECT_EQ(read.calls[1].known, kNumberKnown | kArchKnown);
}

// write(2) where its first argument is 1 is allowed, all else gets ERRNO(1).
TEST(Judging, what_depends_on_an_unknown_word_is_unknown) {
  const Program program = {{0x20, 0, 0, 0}, {0x15, 0, 3, 1},          {0x20, 0, 0, 16},
                           {0x15, 0, 1, 1}, {0x06, 0, 0, 0x7fff0000}, {0x06, 0, 0, 0x00050001}};
  const KernelModel model;
  const auto checked = verifier::check(program, model);
  ASSERT_TRUE(checked);
  FilterStack stack(model);
  ASSERT_TRUE(stack.push(*checked));
  Call call;
  call.data.nr = 1;
  call.data.arch = 0xc000003e;
  call.data.args[0] = 1;
  EXPECT_EQ(judge(stack, call).verdict.value, 0x7fff0000U);
  call.known = kNumberKnown | kArchKnown | high_known(0);
  EXPECT_EQ(judge(stack, call).unknown, "argument 0 is not in the log");
  call.known = kNumberKnown | kArchKnown | low_known(0);
  EXPECT_EQ(judge(stack, call).unknown, "");
  call.known = kNumberKnown | kArchKnown;
  call.data.nr = 2;
  const Judgement other = judge(stack, call);
  EXPECT_EQ(other.verdict.value, 0x00050001U);
  EXPECT_EQ(other.last, 5U);
  call.known = kArchKnown;
  EXPECT_NE(judge(stack, call).unknown, "");
}

}  // namespace
}  // namespace callgate::trace
