#include "harness/suite/vector.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "harness/suite/vector_writer.hpp"
#include "vm/actions.hpp"
#include "vm/opcodes.hpp"

namespace callgate::suite {
namespace {

VectorError error_of(std::string_view text, VectorKind kind = VectorKind::Run) {
  const auto vector = parse_vector(text, kind);
  return vector ? VectorError{0, "none"} : vector.error();
}

Program program_of(std::string_view lines) {
  const std::string text = "# Rule.\nprogram:\n" + std::string(lines) + "accepted\n";
  const auto vector = parse_vector(text, VectorKind::Check);
  EXPECT_TRUE(vector.has_value()) << vector.error().line << ": " << vector.error().message;
  return vector ? vector->programs.front().instructions : Program{};
}

TEST(Vector, is_read_whole) {
  const auto vector = parse_vector(
      "# First line.\n# Second line.\n\nkernel: 4.14\narch: s390x\nfeature: ErrnoClamp\n"
      "program:\n  ld [16]  ; the high half\n  ret a\n"
      "input: nr=-1 arch=x86_64 ip=0x10 args=1,0x2\nreturns: 0x00000002\nexecuted: 2\n"
      "input:\nreturns: ERRNO(3)\n",
      VectorKind::Run);
  ASSERT_TRUE(vector.has_value()) << vector.error().message;
  EXPECT_EQ(vector->story, "First line.\nSecond line.\n");
  EXPECT_EQ(vector->kernel.version, (Version{4, 14, 0}));
  EXPECT_EQ(vector->kernel.arch, Arch::S390x);
  ASSERT_EQ(vector->features.size(), 1U);
  ASSERT_EQ(vector->cases.size(), 2U);
  const SeccompData expected{-1, 0xc000003eU, 0x10, {1, 2, 0, 0, 0, 0}};
  EXPECT_EQ(vector->cases[0].data, expected);
  EXPECT_EQ(vector->cases[0].returns, 2U);
  EXPECT_EQ(vector->cases[0].executed, 2U);
  EXPECT_EQ(vector->cases[1].data.arch, 0x80000016U) << "the kernel's own, where none is given";
  EXPECT_EQ(vector->cases[1].returns, 0x00050003U);
}

TEST(Vector, of_a_stack_is_read_whole) {
  const auto vector = parse_vector(
      "# Rule.\nprogram: 2 times log\n  ret ERRNO(1)\nprogram:\n  ret ALLOW\n"
      "verdict: ERRNO(1) winner 1\nlogged: yes\n",
      VectorKind::Stack);
  ASSERT_TRUE(vector.has_value()) << vector.error().message;
  ASSERT_EQ(vector->programs.size(), 2U);
  EXPECT_EQ(vector->programs[0].times, 2U);
  EXPECT_TRUE(vector->programs[0].flags.log);
  EXPECT_EQ(vector->cases[0].verdict, (Verdict{0x00050001U, 1}));
  EXPECT_EQ(vector->cases[0].logged, true);
}

TEST(Vector, of_an_outcome_is_read_whole) {
  const auto vector = parse_vector(
      "# Rule.\nvalue: TRAP(7)\ntracer: yes\nlistener: no\nthreads: 2\nsigsys: blocked\n"
      "log flag: yes\ninput: nr=39\noutcome: process-dies 31\ncore: yes\n"
      "siginfo: signo=31 code=1 errno=7 addr=0x10 syscall=39 arch=x86\n",
      VectorKind::Outcome);
  ASSERT_TRUE(vector.has_value()) << vector.error().message;
  EXPECT_EQ(vector->value, 0x00030007U);
  EXPECT_TRUE(vector->around.tracer && vector->around.sigsys_blocked_or_ignored);
  EXPECT_FALSE(vector->around.only_thread || vector->around.listener);
  EXPECT_EQ(vector->cases[0].outcome->kind, OutcomeKind::ProcessDies);
  EXPECT_EQ(vector->cases[0].outcome->number, 31);
  EXPECT_EQ(vector->cases[0].siginfo.arch, 0x40000003U);
}

TEST(Vector, of_a_check_names_its_diagnostics) {
  const auto vector = parse_vector(
      "# Rule.\nprogram:\n  { 0x60, 0, 0, 3 }\nrefused: EINVAL\n  slot-not-stored at 0 (3)\n"
      "  last-not-return at 0 (0x60)\n  program-too-long (4097, 4096)\n",
      VectorKind::Check);
  ASSERT_TRUE(vector.has_value()) << vector.error().message;
  const Diagnostics expected = {
      {DiagnosticId::SlotNotStored, 0, {3, 0}},
      {DiagnosticId::LastNotReturn, 0, {0x60, 0}},
      {DiagnosticId::ProgramTooLong, std::nullopt, {4097, 4096}},
  };
  EXPECT_EQ(vector->diagnostics, expected);
}

TEST(Vector, instructions_have_the_codes_of_the_kernels_header) {
  const Program program = program_of(
      "  ld #1\n  ldx #0xffffffff\n  ld [60]\n  ld M[15]\n  ldx M[0]\n  ld len\n  ldx len\n"
      "  st M[2]\n  stx M[3]\n  add x\n  neg\n  tax\n  txa\n  jset x, 1, 2\n"
      "  repeat 2: jmp 4294967295\n  ret a\n  ret KILL_PROCESS\n");
  const Program expected = {
      {0x00, 0, 0, 1},           {0x01, 0, 0, 0xffffffffU}, {0x20, 0, 0, 60},
      {0x60, 0, 0, 15},          {0x61, 0, 0, 0},           {0x80, 0, 0, 0},
      {0x81, 0, 0, 0},           {0x02, 0, 0, 2},           {0x03, 0, 0, 3},
      {0x0c, 0, 0, 0},           {0x84, 0, 0, 0},           {0x07, 0, 0, 0},
      {0x87, 0, 0, 0},           {0x4d, 1, 2, 0},           {0x05, 0, 0, 0xffffffffU},
      {0x05, 0, 0, 0xffffffffU}, {0x16, 0, 0, 0},           {0x06, 0, 0, 0x80000000U},
  };
  EXPECT_EQ(program, expected);
}

TEST(Vector, labels_become_distances) {
  const Program program = program_of(
      "  jeq #5, good, 0\n  jmp bad\n  repeat 3: ret #0\n  good: ret #1\n  bad:\n  ret #2\n");
  EXPECT_EQ(program[0], (Instruction{0x15, 4, 0, 5}));
  EXPECT_EQ(program[1], (Instruction{0x05, 0, 0, 4}));
}

TEST(Vector, says_in_which_line_an_error_is) {
  EXPECT_EQ(error_of("# R\nprogram:\n  ret a\n  bet a\nreturns: 1\n").line, 4U);
  EXPECT_EQ(error_of("# R\nprogam:\n  ret a\nreturns: 1\n"),
            (VectorError{2, "unknown key: progam"}));
  EXPECT_EQ(error_of("# R\nprogram:\n  jmp there\n  ret a\nreturns: 1\n"),
            (VectorError{3, "no such label: there"}));
  EXPECT_EQ(error_of("# R\nprogram:\n  a: ret a\n  jmp a\nreturns: 1\n"),
            (VectorError{4, "a label behind the jump"}));
}

TEST(Vector, that_says_too_much_or_too_little_is_refused) {
  const std::string program = "# Rule.\nprogram:\n  ret a\n";
  EXPECT_EQ(error_of(program + "returns: 1\n").message, "none");
  for (const std::string_view rest : {
           "",
           "input: nr=1\n",
           "returns: 1\nreturns: 1\n",
           "returns: 0x100000000\n",
           "returns: 1x\n",
           "returns: -1\n",
           "returns:\n",
           "returns\n",
           "executed: 4097\nreturns: 1\n",
           "verdict: ALLOW winner 0\n",
           "input: nr=1 nr\nreturns: 1\n",
           "input: mr=1\nreturns: 1\n",
           "input: nr=4294967296\nreturns: 1\n",
           "input: args=1,2,3,4,5,6,7\nreturns: 1\n",
           "input: args=1,,2\nreturns: 1\n",
           "kernel: six\nreturns: 1\n",
           "arch: z80\nreturns: 1\n",
           "feature: Speed\nreturns: 1\n",
           "returns: 1\nkernel: 6.1\n",
           "returns: 1\n  indented: 1\n",
           "program:\n  ret a\nreturns: 1\n",
           "returns: 1\ninput: nr=2\n",
       }) {
    EXPECT_NE(error_of(program + std::string(rest)).message, "none") << rest;
  }
  EXPECT_NE(error_of("program:\n  ret a\nreturns: 1\n").message, "none") << "no story";
}

TEST(Vector, instructions_that_are_not_well_formed_are_refused) {
  for (const std::string_view line : {
           "ret",
           "ret x",
           "ret #",
           "ret #4294967296",
           "ret #-1",
           "ret KILL",
           "ret ERRNO(1",
           "ret ERRNO(65536)",
           "ld",
           "ld x",
           "ld [1",
           "ld M[1",
           "ld [x]",
           "st #1",
           "neg x",
           "jeq #1",
           "jeq #1, 2",
           "jeq #1, 2, 256",
           "jeq #1, 2, 3, 4",
           "jmp",
           "jmp -1",
           "add #1, 2",
           "{ 1, 2, 3 }",
           "{ 65536, 0, 0, 0 }",
           "{ 0, 256, 0, 0 }",
           "{ 0, 0, 0 0 }",
           "repeat 2 ret a",
           "repeat x: ret a",
           "repeat 65536: ret a",
           "1: ret a",
           "a b: ret a",
       }) {
    const std::string text = "# R\nprogram:\n  " + std::string(line) + "\n  ret a\naccepted\n";
    const VectorError error = error_of(text, VectorKind::Check);
    EXPECT_EQ(error.line, 3U) << line;
    EXPECT_NE(error.message, "none") << line;
  }
}

TEST(Vector, of_a_check_says_one_thing) {
  const std::string program = "# Rule.\nprogram:\n  ret a\n";
  for (const std::string_view rest : {
           "",
           "accepted: yes\n",
           "accepted\naccepted\n",
           "accepted\nrefused: EINVAL\n  empty-program\n",
           "refused: EINVAL\n",
           "refused: EPERM\n  empty-program\n",
           "refused: EINVAL\n  empty\n",
           "refused: EINVAL\n  unknown-code on 0 (1)\n",
           "refused: EINVAL\n  unknown-code at 0 (1\n",
           "refused: EINVAL\n  unknown-code at 0 (1, 2, 3)\n",
           "accepted\ncounts as new: 1\n",
           "accepted\nreturns: 1\n",
       }) {
    EXPECT_NE(error_of(program + std::string(rest), VectorKind::Check).message, "none") << rest;
  }
}

TEST(Vector, of_an_outcome_says_what_is_known_of_it) {
  for (const std::string_view rest : {
           "value: ALLOW\n",
           "outcome: executes\n",
           "value: ALLOW\nmode: strict\noutcome: executes\n",
           "value: ALLOW\noutcome: executes 1\n",
           "value: ALLOW\noutcome: returns\n",
           "value: ALLOW\noutcome: dies 1\n",
           "value: ALLOW\nthreads: 0\noutcome: executes\n",
           "value: ALLOW\ntracer: maybe\noutcome: executes\n",
           "value: ALLOW\noutcome: executes\nsiginfo: color=1\n",
           "value: ALLOW\noutcome: executes\ncore: 1\n",
       }) {
    const std::string text = "# Rule.\n" + std::string(rest);
    EXPECT_NE(error_of(text, VectorKind::Outcome).message, "none") << rest;
  }
}

TEST(VectorWriter, writes_every_operation_as_what_is_read_as_the_same) {
  Program program;
  for (const OpcodeInfo& row : opcodes()) {
    const auto code = static_cast<std::uint16_t>(row.opcode);
    program.push_back({code, 0, 0, 0});
    program.push_back({code, 0, 0, 0x00050003});
    program.push_back({code, 3, 0, 0});
    program.push_back({code, 0, 255, 0xffffffff});
  }
  program.push_back({0xffff, 1, 2, 3});
  EXPECT_EQ(program_of(program_text(program)), program);
}

TEST(VectorWriter, says_words_where_they_say_all) {
  const Program program = {{0x20, 0, 0, 16}, {0x15, 1, 2, 39},         {0x00, 0, 0, 1},
                           {0x00, 0, 0, 1},  {0x00, 0, 0, 1},          {0x40, 0, 0, 4},
                           {0x87, 0, 0, 1},  {0x06, 0, 0, 0x00050002}, {0x06, 0, 0, 0x00060001}};
  EXPECT_EQ(program_text(program, ""),
            "ld [16]\njeq #39, 1, 2\nrepeat 3: ld #1\n{ 0x40, 0, 0, 4 }\n{ 0x87, 0, 0, 1 }\n"
            "ret ERRNO(2)\nret #0x60001\n");
}

TEST(VectorWriter, writes_a_whole_vector_back) {
  const std::string text =
      "# First line.\n# Second line.\nkernel: 4.14\narch: s390x\nfeature: ErrnoClamp\n"
      "program: 2 times log\n  ret ERRNO(1)\nprogram:\n  ret ALLOW\n"
      "input: nr=-1 arch=x86_64 ip=0x10 args=1,2\nverdict: ERRNO(1) winner 1\nlogged: yes\n";
  const auto vector = parse_vector(text, VectorKind::Stack);
  ASSERT_TRUE(vector.has_value()) << vector.error().message;
  EXPECT_EQ(vector_text(*vector), text);
}

}  // namespace
}  // namespace callgate::suite
