// The languages of assemblers: what each statement is, and what is said about what is none.

#include "harness/front_ends/assembler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "vm/opcodes.hpp"

namespace callgate::front_ends {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint32_t kAllow = 0x7fff0000U;

ReadOptions options_for(std::optional<InputFormat> format, Arch arch) {
  ReadOptions options;
  options.format = format;
  options.arch = arch;
  return options;
}

// The one instruction of a statement.
Instruction one(InputFormat format, const std::string& statement, Arch arch = Arch::X86_64) {
  const auto read = assemble(statement, options_for(format, arch));
  EXPECT_TRUE(read.has_value()) << statement << ": " << to_string(read.error());
  if (!read) return {};
  EXPECT_EQ(read->program.size(), 1U) << statement;
  return read->program.front();
}

Program read(std::optional<InputFormat> format, const std::string& text, Arch arch = Arch::X86_64) {
  auto got = assemble(text, options_for(format, arch));
  EXPECT_TRUE(got.has_value()) << text.substr(0, 400) << ": " << to_string(got.error());
  return got ? std::move(got->program) : Program{};
}

std::string refused(std::optional<InputFormat> format, const std::string& text) {
  const auto got = assemble(text, options_for(format, Arch::X86_64));
  EXPECT_FALSE(got.has_value()) << text.substr(0, 200);
  return got ? std::string{} : to_string(got.error());
}

struct Row {
  const char* statement;
  Instruction instruction;
};

void all_are_read(InputFormat format, std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(one(format, row.statement), row.instruction) << row.statement;
  }
}

TEST(BpfAsm, reads_every_load_and_store) {
  all_are_read(InputFormat::BpfAsm, {{"ld [4]", {0x20, 0, 0, 4}},
                                     {"ldh [12]", {0x28, 0, 0, 12}},
                                     {"ldb [0x17]", {0x30, 0, 0, 0x17}},
                                     {"ld [x+4]", {0x40, 0, 0, 4}},
                                     {"ldh [%x + 4]", {0x48, 0, 0, 4}},
                                     {"ldb [X+4]", {0x50, 0, 0, 4}},
                                     {"ld #5", {0x00, 0, 0, 5}},
                                     {"ldi #5", {0x00, 0, 0, 5}},
                                     {"ldi 5", {0x00, 0, 0, 5}},
                                     {"ld len", {0x80, 0, 0, 0}},
                                     {"ld #len", {0x80, 0, 0, 0}},
                                     {"ld M[3]", {0x60, 0, 0, 3}},
                                     {"ldx #5", {0x01, 0, 0, 5}},
                                     {"ldx len", {0x81, 0, 0, 0}},
                                     {"ldx #len", {0x81, 0, 0, 0}},
                                     {"ldx m[3]", {0x61, 0, 0, 3}},
                                     {"ldxi #5", {0x01, 0, 0, 5}},
                                     {"ldxi 5", {0x01, 0, 0, 5}},
                                     {"ldxb 4*([14]&0xf)", {0xb1, 0, 0, 14}},
                                     {"ldx 4*([14]&15)", {0xb1, 0, 0, 14}},
                                     {"st M[15]", {0x02, 0, 0, 15}},
                                     {"stx M[0]", {0x03, 0, 0, 0}}});
}

TEST(BpfAsm, reads_every_extension_of_socket_filters) {
  all_are_read(InputFormat::BpfAsm, {{"ld #proto", {0x20, 0, 0, 0xfffff000U}},
                                     {"ld #type", {0x20, 0, 0, 0xfffff004U}},
                                     {"ld #ifidx", {0x20, 0, 0, 0xfffff008U}},
                                     {"ld #nla", {0x20, 0, 0, 0xfffff00cU}},
                                     {"ld #nlan", {0x20, 0, 0, 0xfffff010U}},
                                     {"ld #mark", {0x20, 0, 0, 0xfffff014U}},
                                     {"ld #queue", {0x20, 0, 0, 0xfffff018U}},
                                     {"ld #hatype", {0x20, 0, 0, 0xfffff01cU}},
                                     {"ld #rxhash", {0x20, 0, 0, 0xfffff020U}},
                                     {"ldb cpu", {0x30, 0, 0, 0xfffff024U}},
                                     {"ld vlan_tci", {0x20, 0, 0, 0xfffff02cU}},
                                     {"ld vlan_avail", {0x20, 0, 0, 0xfffff030U}},
                                     {"ld vlan_pr", {0x20, 0, 0, 0xfffff030U}},
                                     {"ldh #poff", {0x28, 0, 0, 0xfffff034U}},
                                     {"ld #rand", {0x20, 0, 0, 0xfffff038U}},
                                     {"ld #vlan_tpid", {0x20, 0, 0, 0xfffff03cU}}});
}

TEST(BpfAsm, reads_every_operation_and_return) {
  for (const OpcodeInfo& row : opcodes()) {
    if (row.kind != OpcodeKind::Alu || row.operand == Operand::None) continue;
    const auto code = static_cast<std::uint16_t>(row.opcode);
    const std::string mnemonic(row.mnemonic);
    if (row.operand == Operand::K) {
      EXPECT_EQ(one(InputFormat::BpfAsm, mnemonic + " #7"), (Instruction{code, 0, 0, 7}));
    } else {
      EXPECT_EQ(one(InputFormat::BpfAsm, mnemonic + " x"), (Instruction{code, 0, 0, 0}));
      EXPECT_EQ(one(InputFormat::BpfAsm, mnemonic + " %x"), (Instruction{code, 0, 0, 0}));
    }
  }
  all_are_read(InputFormat::BpfAsm, {{"neg", {0x84, 0, 0, 0}},
                                     {"tax", {0x07, 0, 0, 0}},
                                     {"TXA", {0x87, 0, 0, 0}},
                                     {"ret #7", {0x06, 0, 0, 7}},
                                     {"ret a", {0x16, 0, 0, 0}},
                                     {"ret %a", {0x16, 0, 0, 0}},
                                     {"ret x", {0x0e, 0, 0, 0}},
                                     {"ret %x", {0x0e, 0, 0, 0}}});
}

TEST(BpfAsm, reads_every_jump) {
  const auto jump = [](const std::string& statement) {
    const Program program =
        read(InputFormat::BpfAsm, statement + "\nret #0\none_: ret #1\ntwo_: ret #2");
    return program.empty() ? Instruction{} : program.front();
  };
  EXPECT_EQ(jump("jmp two_"), (Instruction{0x05, 0, 0, 2}));
  EXPECT_EQ(jump("ja two_"), (Instruction{0x05, 0, 0, 2}));
  EXPECT_EQ(jump("jeq #1, one_, two_"), (Instruction{0x15, 1, 2, 1}));
  EXPECT_EQ(jump("jeq x, one_"), (Instruction{0x1d, 1, 0, 0}));
  EXPECT_EQ(jump("jgt #1, one_, two_"), (Instruction{0x25, 1, 2, 1}));
  EXPECT_EQ(jump("jge %x, one_, two_"), (Instruction{0x3d, 1, 2, 0}));
  EXPECT_EQ(jump("jset #1, one_"), (Instruction{0x45, 1, 0, 1}));
  EXPECT_EQ(jump("jneq #1, two_"), (Instruction{0x15, 0, 2, 1}));
  EXPECT_EQ(jump("jne x, two_"), (Instruction{0x1d, 0, 2, 0}));
  EXPECT_EQ(jump("jlt #1, two_"), (Instruction{0x35, 0, 2, 1}));
  EXPECT_EQ(jump("jle #1, two_"), (Instruction{0x25, 0, 2, 1}));
}

TEST(BpfAsm, reads_numbers_comments_and_statements_in_one_line) {
  all_are_read(InputFormat::BpfAsm, {{"ld #010", {0x00, 0, 0, 8}},
                                     {"ld #0b11", {0x00, 0, 0, 3}},
                                     {"ld #0xFf", {0x00, 0, 0, 255}},
                                     {"ld #-1", {0x00, 0, 0, 0xffffffffU}},
                                     {"ld [-4096]", {0x20, 0, 0, 0xfffff000U}},
                                     {"/* a\n b */ ld #1 ; ld #2\n# ret #0\n", {0x00, 0, 0, 1}}});
  EXPECT_EQ(read(InputFormat::BpfAsm, "ret #1 ret\n #2").size(), 2U);
}

TEST(SeccompTools, reads_every_statement) {
  all_are_read(InputFormat::SeccompTools, {{"A += X", {0x0c, 0, 0, 0}},
                                           {"A -= 5", {0x14, 0, 0, 5}},
                                           {"A *= 5", {0x24, 0, 0, 5}},
                                           {"A /= x", {0x3c, 0, 0, 0}},
                                           {"A |= 5", {0x44, 0, 0, 5}},
                                           {"a &= 0xff", {0x54, 0, 0, 255}},
                                           {"A ^= X", {0xac, 0, 0, 0}},
                                           {"A <<= 3", {0x64, 0, 0, 3}},
                                           {"A >>= 3", {0x74, 0, 0, 3}},
                                           {"A = -A", {0x84, 0, 0, 0}},
                                           {"A = X", {0x87, 0, 0, 0}},
                                           {"X = A", {0x07, 0, 0, 0}},
                                           {"A = 010", {0x00, 0, 0, 10}},
                                           {"A = -1", {0x00, 0, 0, 0xffffffffU}},
                                           {"A = 0x1ffffffff", {0x00, 0, 0, 0xffffffffU}},
                                           {"X = (5)", {0x01, 0, 0, 5}},
                                           {"X = read", {0x01, 0, 0, 0}},
                                           {"A = mem[15]", {0x60, 0, 0, 15}},
                                           {"X = MEM[0]", {0x61, 0, 0, 0}},
                                           {"mem[1] = A", {0x02, 0, 0, 1}},
                                           {"mem[2] = X", {0x03, 0, 0, 2}},
                                           {"A = len", {0x80, 0, 0, 0}},
                                           {"A = sys_number", {0x20, 0, 0, 0}},
                                           {"A = arch", {0x20, 0, 0, 4}},
                                           {"A = data[60]", {0x20, 0, 0, 60}},
                                           {"A = args[1]", {0x20, 0, 0, 24}},
                                           {"A = args[1] >> 32", {0x20, 0, 0, 28}},
                                           {"A = args_h[1]", {0x20, 0, 0, 28}},
                                           {"A = args_h[1] >> 32", {0x20, 0, 0, 24}},
                                           {"A = instruction_pointer", {0x20, 0, 0, 8}},
                                           {"A = INSTRUCTION_POINTER >> 32", {0x20, 0, 0, 12}},
                                           {"return A", {0x16, 0, 0, 0}},
                                           {"return 5", {0x06, 0, 0, 5}},
                                           {"return KILL", {0x06, 0, 0, 0}},
                                           {"return KILL_THREAD", {0x06, 0, 0, 0}},
                                           {"return KILL_PROCESS", {0x06, 0, 0, 0x80000000U}},
                                           {"return TRAP(3)", {0x06, 0, 0, 0x00030003U}},
                                           {"return ERRNO(0x1)", {0x06, 0, 0, 0x00050001U}},
                                           {"return ERRNO", {0x06, 0, 0, 0x00050000U}},
                                           {"return USER_NOTIF", {0x06, 0, 0, 0x7fc00000U}},
                                           {"return LOG", {0x06, 0, 0, 0x7ffc0000U}},
                                           {"return TRACE(1)", {0x06, 0, 0, 0x7ff00001U}},
                                           {"RETURN ALLOW # all of it", {0x06, 0, 0, kAllow}}});
}

TEST(SeccompTools, reads_conditions_and_jumps) {
  const auto jump = [](const std::string& statement) {
    const Program program =
        read(InputFormat::SeccompTools, statement + "\nreturn 0\none:\nuno: return 1\n2: return 2");
    return program.empty() ? Instruction{} : program.front();
  };
  for (const char* const word : {"goto", "jmp", "jump"}) {
    EXPECT_EQ(jump(std::string(word) + " uno"), (Instruction{0x05, 0, 0, 1}));
  }
  EXPECT_EQ(jump("goto next"), (Instruction{0x05, 0, 0, 0}));
  EXPECT_EQ(jump("goto 1"), (Instruction{0x05, 0, 0, 1})) << "no label: instructions to skip";
  EXPECT_EQ(jump("if (A == 5) goto one"), (Instruction{0x15, 1, 0, 5}));
  EXPECT_EQ(jump("if (A != X) goto one"), (Instruction{0x1d, 0, 1, 0}));
  EXPECT_EQ(jump("if (A > 5) goto one else goto 2"), (Instruction{0x25, 1, 2, 5}));
  EXPECT_EQ(jump("if (\n A <= 5\n) goto one\n\n else goto 2"), (Instruction{0x25, 2, 1, 5}));
  EXPECT_EQ(jump("if (A >= 5) goto one"), (Instruction{0x35, 1, 0, 5}));
  EXPECT_EQ(jump("if (A < 5) goto one"), (Instruction{0x35, 0, 1, 5}));
  EXPECT_EQ(jump("if (A & X) goto one"), (Instruction{0x4d, 1, 0, 0}));
  EXPECT_EQ(jump("if (!(A & 5)) goto one"), (Instruction{0x45, 0, 1, 5}));
  EXPECT_EQ(jump("if (!(!(A == (5)))) goto one"), (Instruction{0x15, 1, 0, 5}));
  EXPECT_EQ(jump("A == 5 ? one : next"), (Instruction{0x15, 1, 0, 5}));
  EXPECT_EQ(jump("A < X ? one : 2"), (Instruction{0x3d, 2, 1, 0}));
  EXPECT_EQ(jump("A == 5 ? one : uno"), (Instruction{0x05, 0, 0, 1})) << "equal targets";
  EXPECT_EQ(jump("if (A == openat) goto one").k, 257U);
  EXPECT_EQ(jump("if (A == aarch64.openat) goto one").k, 56U);
  EXPECT_EQ(jump("if (A == i386.openat) goto one").k, 295U);
  EXPECT_EQ(jump("if (A == x32_read) goto one").k, 0x40000000U);
  EXPECT_EQ(jump("if (A == ARCH_X86_64) goto one").k, 0xc000003eU);
  EXPECT_EQ(jump("if (A == ARCH_I386) goto one").k, 0x40000003U);
  EXPECT_EQ(jump("if (A == ARCH_AARCH64) goto one").k, 0xc00000b7U);
  EXPECT_EQ(jump("if (A == ARCH_RISCV64) goto one").k, 0xc00000f3U);
  EXPECT_EQ(jump("if (A == ARCH_S390X) goto one").k, 0x80000016U);
}

TEST(SeccompTools, reads_its_listings_by_their_columns) {
  const std::string text =
      " line  CODE  JT   JF      K\n=================================\n"
      " 0000: 0x20 0x00 0x00 0x00000004  A = arch\n"
      " 0001: 0x15 0x00 0x01 0xc000003e  if (A != ARCH_X86_64) goto 0003\n"
      " 0002: 0x20 0x07 0x00 0x00000010  A = fd # read(fd, buf, count)\n"
      " 0003: 0x06 0x00 0x00 0x7fff0000  return ALLOW\n";
  const auto got = assemble(text);
  ASSERT_TRUE(got.has_value()) << to_string(got.error());
  EXPECT_EQ(got->format, InputFormat::SeccompTools);
  EXPECT_EQ(
      got->program,
      (Program{
          {0x20, 0, 0, 4}, {0x15, 0, 1, 0xc000003eU}, {0x20, 7, 0, 16}, {0x06, 0, 0, kAllow}}));
  EXPECT_THAT(got->lines, ElementsAre(3, 4, 5, 6));
  EXPECT_EQ(read(InputFormat::SeccompTools, "0000: A = arch\n0001: return A"),
            (Program{{0x20, 0, 0, 4}, {0x16, 0, 0, 0}}));
  EXPECT_THAT(refused(InputFormat::SeccompTools, "0000: 0x20 0x100 0x00 0x0 A = arch"),
              HasSubstr("line 1, column 12: `0x100` is out of range"));
}

TEST(Ceccomp, reads_every_statement) {
  all_are_read(InputFormat::Ceccomp,
               {{"$A = $X", {0x87, 0, 0, 0}},
                {"$A = $arch", {0x20, 0, 0, 4}},
                {"$A = $syscall_nr", {0x20, 0, 0, 0}},
                {"$A = $low_pc", {0x20, 0, 0, 8}},
                {"$A = $high_pc", {0x20, 0, 0, 12}},
                {"$A = $low_args[5]", {0x20, 0, 0, 56}},
                {"$A = $high_args[5]", {0x20, 0, 0, 60}},
                {"$A = $scmp_data_len", {0x80, 0, 0, 0}},
                {"$A = $mem[0xf]", {0x60, 0, 0, 15}},
                {"$A = 0b101", {0x00, 0, 0, 5}},
                {"$A = 017", {0x00, 0, 0, 15}},
                {"$X = $A", {0x07, 0, 0, 0}},
                {"$X = 7", {0x01, 0, 0, 7}},
                {"$X = $mem[1]", {0x61, 0, 0, 1}},
                {"$X = $scmp_data_len", {0x81, 0, 0, 0}},
                {"$mem[1] = $A", {0x02, 0, 0, 1}},
                {"$mem[1] = $X", {0x03, 0, 0, 1}},
                {"$A += 1", {0x04, 0, 0, 1}},
                {"$A -= $X", {0x1c, 0, 0, 0}},
                {"$A *= 2", {0x24, 0, 0, 2}},
                {"$A /= 2", {0x34, 0, 0, 2}},
                {"$A &= 2", {0x54, 0, 0, 2}},
                {"$A |= 2", {0x44, 0, 0, 2}},
                {"$A ^= 2", {0xa4, 0, 0, 2}},
                {"$A <<= 2", {0x64, 0, 0, 2}},
                {"$A >>= $X", {0x7c, 0, 0, 0}},
                {"$A = -$A", {0x84, 0, 0, 0}},
                {"return $A", {0x16, 0, 0, 0}},
                {"return 0x7fff0000", {0x06, 0, 0, kAllow}},
                {"return ALLOW", {0x06, 0, 0, kAllow}},
                {"return KILL", {0x06, 0, 0, 0}},
                {"return KILL_PROCESS", {0x06, 0, 0, 0x80000000U}},
                {"return TRAP(1)", {0x06, 0, 0, 0x00030001U}},
                {"return ERRNO(13)", {0x06, 0, 0, 0x0005000dU}},
                {"return TRACE(2)", {0x06, 0, 0, 0x7ff00002U}},
                {"return LOG", {0x06, 0, 0, 0x7ffc0000U}},
                {"L0001: 0x06 0x00 0x00 0x00000000  return NOTIFY", {0x06, 0, 0, 0x7fc00000U}}});
}

TEST(Ceccomp, reads_conditions_and_passes_over_colours_and_columns) {
  const auto jump = [](const std::string& statement) {
    const Program program =
        read(InputFormat::Ceccomp, statement + "\nreturn 0\none: return 1\ntwo: return 2");
    return program.empty() ? Instruction{} : program.front();
  };
  EXPECT_EQ(jump("goto two"), (Instruction{0x05, 0, 0, 2}));
  EXPECT_EQ(jump("if ($A == 1) goto one"), (Instruction{0x15, 1, 0, 1}));
  EXPECT_EQ(jump("if ($A != read) goto one, else goto two"), (Instruction{0x15, 2, 1, 0}));
  EXPECT_EQ(jump("if ($A > $X) goto one"), (Instruction{0x2d, 1, 0, 0}));
  EXPECT_EQ(jump("if ($A >= 1) goto one"), (Instruction{0x35, 1, 0, 1}));
  EXPECT_EQ(jump("if ($A < 1) goto one"), (Instruction{0x35, 0, 1, 1}));
  EXPECT_EQ(jump("if ($A <= 1) goto one"), (Instruction{0x25, 0, 1, 1}));
  EXPECT_EQ(jump("if ($A & 1) goto one"), (Instruction{0x45, 1, 0, 1}));
  EXPECT_EQ(jump("if !($A & 1) goto one"), (Instruction{0x45, 0, 1, 1}));
  EXPECT_EQ(jump("if ($A == aarch64.read) goto one").k, 63U);
  EXPECT_EQ(jump("if ($A == ARCH_X86_64) goto one").k, 0xc000003eU);
  EXPECT_EQ(jump("if ($A == 1) goto one, else goto one"), (Instruction{0x15, 1, 1, 1}));
  EXPECT_EQ(read({},
                 " Label  CODE  JT   JF      K\n---------------------------------\n"
                 " \033[36mL0001\033[0m: 0x20 0x00 0x00 0x00000004  \033[1;31m$A\033[0m = $arch\n"
                 " L0002: 0x06 0x00 0x00 0x7fff0000  return ALLOW\n"),
            (Program{{0x20, 0, 0, 4}, {0x06, 0, 0, kAllow}}));
}

TEST(Assembler, takes_words_of_the_given_architecture) {
  EXPECT_EQ(one(InputFormat::SeccompTools, "A = args[0]", Arch::S390x).k, 20U);
  EXPECT_EQ(one(InputFormat::Ceccomp, "$A = $low_pc", Arch::S390x).k, 12U);
  EXPECT_EQ(one(InputFormat::SeccompTools, "A = openat", Arch::AArch64).k, 56U);
}

TEST(Listing, reads_the_columns_and_nothing_else) {
  EXPECT_EQ(read({},
                 "# a filter\n0000  20 00 00 00000004  A = nr\n\n"
                 "0001  1234 ff fe 00000001  .code 0x1234  # refused: it is none\n"
                 "# refused: too long\n"),
            (Program{{0x20, 0, 0, 4}, {0x1234, 255, 254, 1}}));
  EXPECT_THAT(refused({}, "0000  20 00 00 00000004  A = arch\n0002  06 00 00 00000000  return"),
              HasSubstr("line 2, column 1: 0001 is expected here, not `0002`"));
  EXPECT_THAT(refused({}, "0000  06 00 00 00000000  return\n0001  06 000 00 00000000  return"),
              HasSubstr("line 2, column 10: jt is expected here"));
}

TEST(Assembler, tells_the_languages_apart_by_the_strongest_sign) {
  const auto told = [](const std::string& text) {
    const auto got = assemble(text, options_for({}, Arch::X86_64));
    EXPECT_TRUE(got.has_value()) << text << ": " << to_string(got.error());
    return got ? got->format : InputFormat::Raw;
  };
  EXPECT_EQ(told("return ALLOW"), InputFormat::SeccompTools);
  EXPECT_EQ(told("goto x\nx: return KILL\n"), InputFormat::SeccompTools);
  EXPECT_EQ(told("goto x\nx: $A = 1\nreturn KILL\n"), InputFormat::Ceccomp);
  EXPECT_EQ(told("return NOTIFY"), InputFormat::Ceccomp);
  EXPECT_EQ(told("jmp xx\nxx: ret #0"), InputFormat::BpfAsm);
  EXPECT_EQ(told("jmp x\nx: return 0"), InputFormat::SeccompTools);
  EXPECT_EQ(told("/* A = 1 */ ld [0]\n ret a"), InputFormat::BpfAsm);
  EXPECT_EQ(told("tax\ntxa\nret a"), InputFormat::BpfAsm);
  EXPECT_EQ(told("0000  06 00 00 00000000  return"), InputFormat::Listing);
  EXPECT_EQ(told("L0: 0x06 0x00 0x00 0x00000000  return KILL"), InputFormat::Ceccomp);
  EXPECT_EQ(told("0000: 0x06 0x00 0x00 0x00000000  return KILL"), InputFormat::SeccompTools);
}

TEST(Assembler, leaves_other_formats_theirs) {
  const auto format = [](const std::string& text) {
    const auto got = read_program(text, options_for({}, Arch::X86_64));
    EXPECT_TRUE(got.has_value()) << text << ": " << to_string(got.error());
    return got ? got->format : InputFormat::Listing;
  };
  EXPECT_EQ(format("/* A = arch */\nstruct sock_filter f[] = {\n{ 6, 0, 0, 0 },\n};\n"),
            InputFormat::CRows);
  EXPECT_EQ(format("// ld [4]\nBPF_STMT(BPF_RET|BPF_K,\n 0)"), InputFormat::CMacros);
  EXPECT_EQ(format("0600000000000000"), InputFormat::Hex);
  EXPECT_EQ(format("add0add0add0add0"), InputFormat::Hex);
  EXPECT_EQ(format("0000  06 00 00 00000000  0000 0000000000"), InputFormat::Hex);
  EXPECT_EQ(format("1\n6 0 0 0\n"), InputFormat::Decimal);
  EXPECT_EQ(format(std::string("A = arch\0\0\0\0\0\0\0\0", 16)), InputFormat::Raw);
  EXPECT_THAT(to_string(read_program("Dear kernel, please return.", {}).error()),
              HasSubstr("none of the forms"));
}

TEST(Assembler, gives_the_line_of_each_instruction) {
  const auto got =
      assemble("# no\nA = arch\n\nx:\ny: return A\n if (\nA == 1)\ngoto z\nz: return 0");
  ASSERT_TRUE(got.has_value()) << to_string(got.error());
  EXPECT_THAT(got->lines, ElementsAre(2, 5, 6, 9));
}

TEST(Assembler, says_what_is_wrong_with_labels) {
  EXPECT_THAT(refused(InputFormat::BpfAsm, "aa: ret #0\naa: ret #1"),
              AllOf(HasSubstr("line 2, column 1"), HasSubstr("`aa` is there already, in line 1")));
  EXPECT_THAT(refused(InputFormat::BpfAsm, "jmp bb\nret #0"),
              AllOf(HasSubstr("line 1, column 5"), HasSubstr("no label `bb`: write `bb:`")));
  EXPECT_THAT(refused(InputFormat::SeccompTools, "a1: A = 1\ngoto a1\nreturn 0"),
              AllOf(HasSubstr("line 2, column 6"), HasSubstr("`a1` lies behind, in line 1")));
  EXPECT_THAT(refused(InputFormat::Ceccomp, "me: goto me\nreturn 0"), HasSubstr("lies behind"));
  EXPECT_THAT(refused(InputFormat::Ceccomp, "goto end\nend:\n"),
              AllOf(HasSubstr("line 2, column 1"), HasSubstr("no statement follows")));
  EXPECT_THAT(refused(InputFormat::BpfAsm, "jmp x\n"), HasSubstr("`x` is a word of bpf_asm"));
  EXPECT_THAT(refused(InputFormat::BpfAsm, "jmp b\n"), HasSubstr("two or more letters"));
  EXPECT_THAT(refused(InputFormat::SeccompTools, "goto 99999999999\nreturn 0"),
              HasSubstr("no label"));
}

TEST(Assembler, says_the_way_out_where_a_conditional_jump_is_too_long) {
  for (const auto& [format, first, filler, last, advice] :
       {std::tuple(InputFormat::BpfAsm, "jeq #1, bad", "tax", "bad: ret #0", "`jmp bad`"),
        std::tuple(InputFormat::SeccompTools, "if (A == 1) goto bad", "X = A", "bad: return 0",
                   "`goto bad`"),
        std::tuple(InputFormat::Ceccomp, "if ($A == 1) goto bad", "$X = $A", "bad: return 0",
                   "`goto bad`")}) {
    std::string text = std::string(first) + "\n";
    for (int i = 0; i < 255; ++i) text += std::string(filler) + "\n";
    EXPECT_EQ(read(format, text + last).front().jt, 255);
    EXPECT_THAT(refused(format, text + filler + "\n" + last),
                AllOf(HasSubstr("line 1, column"), HasSubstr("256 instructions long"),
                      HasSubstr("reaches 255: jump to a nearer " + std::string(advice))));
    // Without a condition it reaches as far as a program is long.
    std::string far = format == InputFormat::BpfAsm ? "jmp bad\n" : "goto bad\n";
    for (int i = 0; i < 300; ++i) far += std::string(filler) + "\n";
    EXPECT_EQ(read(format, far + last).front().k, 300U);
  }
}

TEST(Assembler, names_the_token_that_has_no_place) {
  using enum InputFormat;
  for (const auto& [format, text, message] : {
           std::tuple(BpfAsm, "ld [4] nonsense", "line 1, column 8: `nonsense` is no statement"),
           std::tuple(BpfAsm, "ld [4", "`]` is expected here, and the text ends"),
           std::tuple(BpfAsm, "ld (4)",
                      "line 1, column 4: [k], [x+k], #k, M[k] or #len is expected"),
           std::tuple(BpfAsm, "ldh #4", "[k] or [x+k] is expected here"),
           std::tuple(BpfAsm, "ldx 5*([4]&0xf)", "all that can be loaded"),
           std::tuple(BpfAsm, "ldx [4]", "#k, M[k], #len or 4*([k]&0xf) is expected here, not `[`"),
           std::tuple(BpfAsm, "st 4", "M[0] to M[15] is expected here, not `4`"),
           std::tuple(BpfAsm, "add [4]", "#k or x is expected here, not `[`"),
           std::tuple(BpfAsm, "ret M[0]", "#k, a or x is expected here, not `M`"),
           std::tuple(BpfAsm, "ld #0x", "`0x` is no number of base 8"),
           std::tuple(BpfAsm, "ld #08", "`08` is no number of base 8"),
           std::tuple(BpfAsm, "ld #4294967296", "`4294967296` is out of range"),
           std::tuple(BpfAsm, "ld #-2147483649", "-2147483649 is out of range"),
           std::tuple(BpfAsm, "ld #1 /* no end", "line 1, column 7: this comment has no end"),
           std::tuple(BpfAsm, "ld #1\n\x01", "line 2, column 1: `?` has no place"),
           std::tuple(BpfAsm, "jneq #1, aa, aa\naa: ret #0", "line 1, column 12"),
           std::tuple(SeccompTools, "A = mem[16]", "line 1, column 9: mem[16]: 0 to 15"),
           std::tuple(SeccompTools, "A = data[2]", "data[2]: 0 to 60 is what there is, a multiple"),
           std::tuple(SeccompTools, "A = args[6]", "args[6]: 0 to 5"),
           std::tuple(SeccompTools, "A = args[0] >> 31", "32 is the only shift"),
           std::tuple(SeccompTools, "X = len", "`len` is no syscall of x86_64"),
           std::tuple(SeccompTools, "A = nosuch", "line 1, column 5: `nosuch` is no syscall"),
           std::tuple(SeccompTools, "A %= 5", "line 1, column 3: = += -= *= /= &="),
           std::tuple(SeccompTools, "A = 1 2", "the end of the line is expected here, not `2`"),
           std::tuple(SeccompTools, "if A == 1 goto x", "`(` is expected here, not `A`"),
           std::tuple(SeccompTools, "if (X == 1) goto x", "A, which is all that can be compared"),
           std::tuple(SeccompTools, "if (A == 1 goto x", "`)` is expected here, not `goto`"),
           std::tuple(SeccompTools, "return allow", "an action (KILL, KILL_PROCESS"),
           std::tuple(SeccompTools, "return ERRNO(65536)", "65535 at most"),
           std::tuple(SeccompTools, "A = (5", "`)` is expected here, and the text ends"),
           std::tuple(Ceccomp, "$A = read", "a number is expected here, not `read`"),
           std::tuple(Ceccomp, "A = 1", "a statement ($A = ..., if (...), goto, return)"),
           std::tuple(Ceccomp, "$A = $mem[16]", "$mem[16]: 0 to 15"),
           std::tuple(Ceccomp, "$A %= 1", "= += -="),
           std::tuple(Ceccomp, "if ($A == 1) goto x, y", "else is expected here, not `y`"),
           std::tuple(Ceccomp, "$Q = 1", "not `$Q`"),
       }) {
    EXPECT_THAT(refused(format, text), HasSubstr(message)) << text;
  }
}

TEST(Assembler, says_what_it_reads) {
  EXPECT_THAT(refused({}, "hello"), AllOf(HasSubstr("bpf_asm"), HasSubstr("seccomp-tools"),
                                          HasSubstr("ceccomp"), HasSubstr("callgate")));
  EXPECT_THAT(refused({}, ""), HasSubstr("empty"));
  EXPECT_THAT(refused(InputFormat::Hex, "0600000000000000"), HasSubstr("none of the languages"));
  for (const InputFormat format : {InputFormat::Listing, InputFormat::BpfAsm,
                                   InputFormat::SeccompTools, InputFormat::Ceccomp}) {
    EXPECT_THAT(refused(format, "\n"), HasSubstr("no instruction"));
  }
}

TEST(Assembler, refuses_more_instructions_than_a_length_can_say) {
  std::string text;
  for (int i = 0; i < 65536; ++i) text += "ret #0\n";
  EXPECT_THAT(refused({}, text), AllOf(HasSubstr("line 65536"), HasSubstr("65535")));
  EXPECT_EQ(read({}, text.substr(7)).size(), 65535U);
}

// A reader that looked at a text again for each of its parts would need hours.
TEST(Assembler, takes_time_linear_in_the_length) {
  const auto repeated = [](const std::string& part) {
    std::string out;
    while (out.size() < 500000) out += part;
    return out;
  };
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string part :
       {"(", "!(", "-", "x:", "\n", "/*", "if(", "if (A == 1) goto x\n\n", "a1: ", "A = arch # x\n",
        "0000: ", "0x0 ", "[", "\033[1m", ";\n", "jmp aa ", "return ", "1", "\xff"}) {
    const std::string text = repeated(part);
    for (const std::string& start : {std::string{}, std::string("if "), std::string("A = "),
                                     std::string("ld "), std::string("$A = ")}) {
      for (const std::optional<InputFormat> format :
           {std::optional<InputFormat>{}, std::optional(InputFormat::BpfAsm),
            std::optional(InputFormat::SeccompTools), std::optional(InputFormat::Ceccomp)}) {
        static_cast<void>(assemble(start + text, options_for(format, Arch::X86_64)));
      }
    }
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
}

}  // namespace
}  // namespace callgate::front_ends
