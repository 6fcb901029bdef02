// Each statement of the languages of assemblers, and what it is.

#include "harness/front_ends/assembler_test.hpp"
#include "vm/opcodes.hpp"

namespace callgate::front_ends {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
                                           {"return TRAP(0x70002)", {0x06, 0, 0, 0x00030002U}},
                                           {"return (7)", {0x06, 0, 0, 7}},
                                           {"A -=\n\n# of the next line\n 9\n", {0x14, 0, 0, 9}},
                                           {"A =\n X", {0x87, 0, 0, 0}},
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
  EXPECT_EQ(jump("if (A <= X # so far\n)\n goto one\n ELSE\n goto 2"),
            (Instruction{0x2d, 2, 1, 0}));
  EXPECT_EQ(jump("if (!(!(!(A > X)))) goto one"), (Instruction{0x2d, 0, 1, 0}));
  EXPECT_EQ(jump("if (! (A >= X)) goto one"), (Instruction{0x3d, 0, 1, 0}));
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

TEST(Ceccomp, reads_its_listings) {
  EXPECT_EQ(
      read({},
           "#Label  CODE  JT   JF      K\n#---------------------------------\n"
           " L0001: 0x25 0x00 0x00 0x00000009 if ($A > 0x9) goto L0002\n"
           " L0002: 0x45 0x00 0x01 0x00000006 if !($A & 0x6) goto L0004\n"
           " L0003: 0x81 0x00 0x00 0x00000000 $X = $scmp_data_len # 0x40\n"
           " L0004: 0x06 0x00 0x00 0x7ff00000 return TRACE\n"
           "#---------------------------------\n"),
      (Program{{0x25, 0, 0, 9}, {0x45, 0, 1, 6}, {0x81, 0, 0, 0}, {0x06, 0, 0, 0x7ff00000U}}));
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

}  // namespace
}  // namespace callgate::front_ends
