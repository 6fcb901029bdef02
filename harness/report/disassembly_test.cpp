#include "harness/report/disassembly.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "harness/random/generator.hpp"
#include "harness/report/syntaxes.hpp"
#include "harness/report/words.hpp"
#include "vm/opcodes.hpp"

namespace callgate::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Disassembly, names_syscalls_and_architectures_where_a_holds_them) {
  const Program program = {{0x20, 0, 0, 4},  {0x15, 0, 3, 0xc00000b7U}, {0x20, 0, 0, 0},
                           {0x15, 0, 1, 56}, {0x06, 0, 0, 0x00050001U}, {0x06, 0, 0, 0x7fff0000U}};
  EXPECT_THAT(
      statements(program, Arch::X86_64),
      ElementsAre("A = arch", "if (arch != aarch64) goto 0005", "A = nr",
                  "if (nr != openat) goto 0005", "return ERRNO(1)  # EPERM", "return ALLOW"));
}

TEST(Disassembly, does_not_guess_what_a_holds_where_paths_disagree) {
  const Program program = {{0x20, 0, 0, 0}, {0x15, 0, 1, 1}, {0x20, 0, 0, 16}, {0x15, 0, 0, 2},
                           {0x15, 0, 1, 3}, {0x06, 0, 0, 0}, {0x06, 0, 0, 0}};
  const auto lines = statements(program, Arch::X86_64);
  EXPECT_EQ(lines[1], "if (nr != write) goto 0003");
  EXPECT_EQ(lines[4], "if (A != 3) goto 0006");
}

TEST(Disassembly, shows_the_halves_in_the_byte_order_of_the_architecture) {
  const Program program = {{0x20, 0, 0, 16}, {0x20, 0, 0, 20}, {0x20, 0, 0, 8}, {0x16, 0, 0, 0}};
  EXPECT_THAT(statements(program, Arch::X86_64),
              ElementsAre("A = args[0].low", "A = args[0].high", "A = ip.low", "return A"));
  EXPECT_THAT(statements(program, Arch::S390x),
              ElementsAre("A = args[0].high", "A = args[0].low", "A = ip.high", "return A"));
}

TEST(Disassembly, says_every_operation_that_seccomp_takes) {
  const Program program = {
      {0x00, 0, 0, 5},  {0x01, 0, 0, 77}, {0x02, 0, 0, 1},       {0x03, 0, 0, 2}, {0x04, 0, 0, 1},
      {0x0c, 0, 0, 0},  {0x14, 0, 0, 1},  {0x24, 0, 0, 1},       {0x34, 0, 0, 1}, {0x44, 0, 0, 1},
      {0x54, 0, 0, 31}, {0xa4, 0, 0, 1},  {0x64, 0, 0, 1},       {0x7c, 0, 0, 0}, {0x84, 0, 0, 0},
      {0x07, 0, 0, 0},  {0x87, 0, 0, 0},  {0x60, 0, 0, 1},       {0x61, 0, 0, 2}, {0x80, 0, 0, 0},
      {0x81, 0, 0, 0},  {0x05, 0, 0, 0},  {0x25, 1, 2, 9},       {0x3d, 0, 1, 0}, {0x45, 1, 0, 4},
      {0x4d, 0, 1, 0},  {0x15, 0, 0, 1},  {0x06, 0, 0, 0x60000U}};
  EXPECT_THAT(
      statements(program, Arch::X86_64),
      ElementsAre("A = 5", "X = 0x4d", "M[1] = A", "M[2] = X", "A += 1", "A += X", "A -= 1",
                  "A *= 1", "A /= 1", "A |= 1", "A &= 0x1f", "A ^= 1", "A <<= 1", "A >>= X",
                  "A = -A", "X = A", "A = X", "A = M[1]", "X = M[2]", "A = 64", "X = 64",
                  "goto 0022", "if (A > 9) goto 0024 else 0025", "if (A < X) goto 0025",
                  "if ((A & 4) != 0) goto 0026", "if ((A & X) == 0) goto 0027",
                  "goto 0027  # whatever A and 1 are", "return 0x00060000  # unknown action"));
}

TEST(Disassembly, marks_what_the_checker_refuses) {
  const Program program = {{0x94, 0, 0, 3}, {0x1234, 0, 0, 0}, {0x60, 0, 0, 3}, {0x06, 0, 0, 0}};
  const std::string text = listing(program, KernelModel{});
  EXPECT_THAT(text, HasSubstr(".code 0x0094  # ModK: for socket filters  # refused: "));
  EXPECT_THAT(text, HasSubstr(".code 0x1234  # refused: "));
  EXPECT_THAT(text, HasSubstr("A = M[3]  # refused: memory slot 3"));
}

TEST(Disassembly, writes_what_bpf_asm_reads) {
  const Program program = {{0x20, 0, 0, 4}, {0x15, 0, 1, 0xc000003eU}, {0x05, 0, 0, 0},
                           {0x01, 0, 0, 3}, {0x0c, 0, 0, 0},           {0x60, 0, 0, 1},
                           {0x80, 0, 0, 0}, {0x84, 0, 0, 0},           {0x16, 0, 0, 0},
                           {0x06, 9, 0, 0}};
  EXPECT_EQ(bpf_asm(program).text,
            "       ld [4]\n"
            "       jeq #0xc000003e, L0002, L0003\n"
            "L0002: jmp L0003\n"
            "L0003: ldx #0x3\n"
            "       add x\n"
            "       ld M[1]\n"
            "       ld #len\n"
            "       neg\n"
            "       ret a\n"
            "       ret #0x0 /* jt 9 jf 0 k 0x0 */\n");
}

TEST(Disassembly, has_words_of_bpf_asm_for_all_of_classic_bpf) {
  const Program program = {{0x28, 0, 0, 12}, {0x30, 0, 0, 23},  {0x40, 0, 0, 4}, {0x48, 0, 0, 14},
                           {0x50, 0, 0, 1},  {0xb1, 0, 0, 14},  {0x94, 0, 0, 3}, {0x9c, 0, 0, 0},
                           {0x03, 0, 0, 15}, {0x1234, 1, 2, 3}, {0x06, 0, 0, 0}};
  EXPECT_EQ(bpf_asm(program).text,
            "       ldh [12]\n"
            "       ldb [23]\n"
            "       ld [x + 4]\n"
            "       ldh [x + 14]\n"
            "       ldb [x + 1]\n"
            "       ldxb 4*([14]&0xf)\n"
            "       mod #0x3\n"
            "       mod x\n"
            "       stx M[15]\n"
            "       /* code 0x1234 jt 1 jf 2 k 0x00000003 */\n"
            "       ret #0x0\n");
}

// As much of bpf_asm as bpf_asm() writes: labels are looked up, the other words go by opcodes.def.
Program assembled(const std::string& text) {
  std::map<std::string, std::size_t> labels;
  std::vector<std::string> statements;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos) labels[line.substr(0, colon)] = statements.size();
    statements.push_back(line.substr(7));
  }
  Program program;
  for (const std::string& statement : statements) {
    const std::size_t space = statement.find(' ');
    const std::string mnemonic = statement.substr(0, space);
    std::string operand = space == std::string::npos ? "" : statement.substr(space + 1);
    std::vector<std::uint32_t> skips;
    for (std::size_t label = operand.find('L'); label != std::string::npos;
         label = operand.find('L', label + 1)) {
      const std::string name = operand.substr(label, operand.find(',', label) - label);
      skips.push_back(static_cast<std::uint32_t>(labels.at(name) - program.size() - 1));
    }
    operand = operand.substr(0, operand.find(','));
    const Operand kind = operand.empty() || operand[0] == 'L' ? Operand::None
                         : operand == "#len"                  ? Operand::Length
                         : operand[0] == '#'                  ? Operand::K
                         : operand == "x"                     ? Operand::X
                         : operand == "a"                     ? Operand::A
                         : operand[0] == '['                  ? Operand::Data
                                                              : Operand::Memory;
    const auto row = std::ranges::find_if(opcodes(), [&](const OpcodeInfo& each) {
      return each.mnemonic == mnemonic && each.operand == kind;
    });
    if (row == opcodes().end()) {
      ADD_FAILURE() << statement;
      return program;
    }
    Instruction i{static_cast<std::uint16_t>(row->opcode), 0, 0, 0};
    const std::size_t digits = operand.find_first_of("0123456789");
    if (digits != std::string::npos && kind != Operand::None) {
      i.k = static_cast<std::uint32_t>(std::stoul(operand.substr(digits), nullptr, 0));
    }
    if (skips.size() == 1) i.k = skips[0];
    if (skips.size() == 2) {
      i.jt = static_cast<std::uint8_t>(skips[0]);
      i.jf = static_cast<std::uint8_t>(skips[1]);
    }
    program.push_back(i);
  }
  return program;
}

TEST(Disassembly, writes_bpf_asm_that_assembles_to_the_same_program) {
  random::Source source(5);
  for (int round = 0; round < 500; ++round) {
    Program program = random::valid_program(source);
    for (Instruction& i : program) {
      // What an instruction does not use has no place in the syntax.
      const OpcodeInfo& row = *find_opcode(i.code);
      if (row.kind != OpcodeKind::Branch) i.jt = i.jf = 0;
      const bool uses_k = row.operand == Operand::K || row.operand == Operand::Data ||
                          row.operand == Operand::Memory || row.kind == OpcodeKind::Jump;
      if (!uses_k) i.k = 0;
    }
    const std::string text = bpf_asm(program).text;
    EXPECT_THAT(text, Not(HasSubstr("/*")));
    EXPECT_EQ(assembled(text), program) << text;
  }
}

TEST(Disassembly, names_errnos_only_where_their_numbers_are_this_machines) {
  const Program program = {{0x06, 0, 0, 0x00050001U}, {0x06, 0, 0, 0x00050026U}};
  if (host_arch() != Arch::X86_64) GTEST_SKIP() << "written for the numbers of x86_64";
  EXPECT_THAT(statements(program, Arch::AArch64),
              ElementsAre("return ERRNO(1)  # EPERM", "return ERRNO(38)  # ENOSYS"));
  EXPECT_THAT(statements(program, Arch::Mips),
              ElementsAre("return ERRNO(1)  # EPERM", "return ERRNO(38)"));
}

TEST(Disassembly, says_why_a_program_is_refused_as_a_whole) {
  const Program program(4097, {0x06, 0, 0, 0});
  const Refusals found = refusals(program, KernelModel{});
  EXPECT_EQ(found.of_instruction.size(), program.size());
  EXPECT_THAT(found.of_program, ElementsAre(HasSubstr("4097")));
  EXPECT_THAT(listing(program, KernelModel{}), HasSubstr("\n# refused: the program has 4097"));
}

TEST(Disassembly, gives_the_places_that_control_may_go_to) {
  EXPECT_THAT(targets({0x15, 1, 2, 0}, 10), ElementsAre(12, 13));
  EXPECT_THAT(targets({0x05, 0, 0, 7}, 10), ElementsAre(18));
  EXPECT_THAT(targets({0x00, 0, 0, 7}, 10), ElementsAre(11));
  EXPECT_TRUE(targets({0x06, 0, 0, 7}, 10).empty());
}

TEST(Words, say_what_a_process_sees) {
  const KernelModel model;
  EXPECT_EQ(verdict_words(0x00050001U, model), "ERRNO(1)");
  EXPECT_EQ(verdict_words(0x7fff1234U, model), "ALLOW(4660)");
  EXPECT_EQ(verdict_words(0x80000000U, model), "KILL_PROCESS");
  EXPECT_EQ(verdict_words(0x00060000U, model), "0x00060000 (unknown)");
  EXPECT_EQ(verdict_words(0x7fc00000U, KernelModel{.version = {4, 19, 0}}), "0x7fc00000 (unknown)");
  Outcome outcome;
  outcome.kind = OutcomeKind::Returns;
  outcome.value = -4095;
  EXPECT_EQ(outcome_words(outcome, "uname"), "returns -1, errno 4095");
  outcome.value = 0;
  EXPECT_EQ(outcome_words(outcome, "uname"), "returns 0");
  outcome.value = -65535;
  EXPECT_EQ(outcome_words(outcome, "uname"), "returns -65535");
}

}  // namespace
}  // namespace callgate::report
