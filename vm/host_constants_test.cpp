// Our constants beside those of the headers that this machine has.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>

#include "vm/actions.hpp"
#include "vm/arches.hpp"
#include "vm/instruction.hpp"
#include "vm/opcodes.hpp"
#include "vm/outcome.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate {
namespace {

constexpr std::uint32_t value_of(Action action) { return static_cast<std::uint32_t>(action); }

TEST(HostConstants, actions) {
  EXPECT_EQ(value_of(Action::KillProcess), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(value_of(Action::KillThread), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(value_of(Action::Trap), SECCOMP_RET_TRAP);
  EXPECT_EQ(value_of(Action::Errno), SECCOMP_RET_ERRNO);
  EXPECT_EQ(value_of(Action::UserNotif), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(value_of(Action::Trace), SECCOMP_RET_TRACE);
  EXPECT_EQ(value_of(Action::Log), SECCOMP_RET_LOG);
  EXPECT_EQ(value_of(Action::Allow), SECCOMP_RET_ALLOW);
  EXPECT_EQ(kActionMask, SECCOMP_RET_ACTION_FULL);
  EXPECT_EQ(kOldActionMask, SECCOMP_RET_ACTION);
  EXPECT_EQ(kDataMask, SECCOMP_RET_DATA);
}

TEST(HostConstants, tokens) {
  EXPECT_EQ(info(Arch::X86_64).token, AUDIT_ARCH_X86_64);
  EXPECT_EQ(info(Arch::X32).token, AUDIT_ARCH_X86_64);
  EXPECT_EQ(info(Arch::X86).token, AUDIT_ARCH_I386);
  EXPECT_EQ(info(Arch::Arm).token, AUDIT_ARCH_ARM);
  EXPECT_EQ(info(Arch::AArch64).token, AUDIT_ARCH_AARCH64);
  EXPECT_EQ(info(Arch::LoongArch64).token, AUDIT_ARCH_LOONGARCH64);
  EXPECT_EQ(info(Arch::M68k).token, AUDIT_ARCH_M68K);
  EXPECT_EQ(info(Arch::Mips).token, AUDIT_ARCH_MIPS);
  EXPECT_EQ(info(Arch::Mipsel).token, AUDIT_ARCH_MIPSEL);
  EXPECT_EQ(info(Arch::Mips64).token, AUDIT_ARCH_MIPS64);
  EXPECT_EQ(info(Arch::Mipsel64).token, AUDIT_ARCH_MIPSEL64);
  EXPECT_EQ(info(Arch::Mips64n32).token, AUDIT_ARCH_MIPS64N32);
  EXPECT_EQ(info(Arch::Mipsel64n32).token, AUDIT_ARCH_MIPSEL64N32);
  EXPECT_EQ(info(Arch::Parisc).token, AUDIT_ARCH_PARISC);
  EXPECT_EQ(info(Arch::Parisc64).token, AUDIT_ARCH_PARISC64);
  EXPECT_EQ(info(Arch::Ppc).token, AUDIT_ARCH_PPC);
  EXPECT_EQ(info(Arch::Ppc64).token, AUDIT_ARCH_PPC64);
  EXPECT_EQ(info(Arch::Ppc64le).token, AUDIT_ARCH_PPC64LE);
  EXPECT_EQ(info(Arch::Riscv64).token, AUDIT_ARCH_RISCV64);
  EXPECT_EQ(info(Arch::S390).token, AUDIT_ARCH_S390);
  EXPECT_EQ(info(Arch::S390x).token, AUDIT_ARCH_S390X);
  EXPECT_EQ(info(Arch::Sheb).token, AUDIT_ARCH_SH);
  EXPECT_EQ(info(Arch::Sh).token, AUDIT_ARCH_SHEL);
}

TEST(HostConstants, layout_of_an_instruction) {
  EXPECT_EQ(sizeof(Instruction), sizeof(sock_filter));
  EXPECT_EQ(offsetof(Instruction, jt), offsetof(sock_filter, jt));
  EXPECT_EQ(offsetof(Instruction, jf), offsetof(sock_filter, jf));
  EXPECT_EQ(offsetof(Instruction, k), offsetof(sock_filter, k));
  EXPECT_EQ(kMaxProgramLength, std::size_t{BPF_MAXINSNS});
  EXPECT_EQ(kMemoryWords, std::size_t{BPF_MEMWORDS});
}

TEST(HostConstants, layout_of_seccomp_data) {
  EXPECT_EQ(sizeof(SeccompData), sizeof(seccomp_data));
  EXPECT_EQ(offsetof(SeccompData, arch), offsetof(seccomp_data, arch));
  EXPECT_EQ(offsetof(SeccompData, instruction_pointer),
            offsetof(seccomp_data, instruction_pointer));
  EXPECT_EQ(offsetof(SeccompData, args), offsetof(seccomp_data, args));
}

TEST(HostConstants, errnos_and_signals) {
  const SystemNumbers& ours = info(host_arch()).numbers;
  EXPECT_EQ(ours.sigsys, SIGSYS);
  EXPECT_EQ(ours.enosys, ENOSYS);
  EXPECT_EQ(ours.eopnotsupp, EOPNOTSUPP);
  EXPECT_EQ(ours.o_cloexec, std::uint32_t{O_CLOEXEC});
}

TEST(HostConstants, codes) {
  const auto is = [](Opcode opcode, unsigned code) {
    return static_cast<std::uint16_t>(opcode) == code;
  };
  EXPECT_TRUE(is(Opcode::LdImm, BPF_LD | BPF_IMM));
  EXPECT_TRUE(is(Opcode::LdxImm, BPF_LDX | BPF_IMM));
  EXPECT_TRUE(is(Opcode::LdAbs, BPF_LD | BPF_W | BPF_ABS));
  EXPECT_TRUE(is(Opcode::LdhAbs, BPF_LD | BPF_H | BPF_ABS));
  EXPECT_TRUE(is(Opcode::LdbAbs, BPF_LD | BPF_B | BPF_ABS));
  EXPECT_TRUE(is(Opcode::LdInd, BPF_LD | BPF_W | BPF_IND));
  EXPECT_TRUE(is(Opcode::LdhInd, BPF_LD | BPF_H | BPF_IND));
  EXPECT_TRUE(is(Opcode::LdbInd, BPF_LD | BPF_B | BPF_IND));
  EXPECT_TRUE(is(Opcode::LdxMsh, BPF_LDX | BPF_B | BPF_MSH));
  EXPECT_TRUE(is(Opcode::LdMem, BPF_LD | BPF_MEM));
  EXPECT_TRUE(is(Opcode::LdxMem, BPF_LDX | BPF_MEM));
  EXPECT_TRUE(is(Opcode::LdLen, BPF_LD | BPF_W | BPF_LEN));
  EXPECT_TRUE(is(Opcode::LdxLen, BPF_LDX | BPF_W | BPF_LEN));
  EXPECT_TRUE(is(Opcode::St, BPF_ST));
  EXPECT_TRUE(is(Opcode::Stx, BPF_STX));
  EXPECT_TRUE(is(Opcode::AddK, BPF_ALU | BPF_ADD | BPF_K));
  EXPECT_TRUE(is(Opcode::AddX, BPF_ALU | BPF_ADD | BPF_X));
  EXPECT_TRUE(is(Opcode::SubK, BPF_ALU | BPF_SUB | BPF_K));
  EXPECT_TRUE(is(Opcode::SubX, BPF_ALU | BPF_SUB | BPF_X));
  EXPECT_TRUE(is(Opcode::MulK, BPF_ALU | BPF_MUL | BPF_K));
  EXPECT_TRUE(is(Opcode::MulX, BPF_ALU | BPF_MUL | BPF_X));
  EXPECT_TRUE(is(Opcode::DivK, BPF_ALU | BPF_DIV | BPF_K));
  EXPECT_TRUE(is(Opcode::DivX, BPF_ALU | BPF_DIV | BPF_X));
  EXPECT_TRUE(is(Opcode::ModK, BPF_ALU | BPF_MOD | BPF_K));
  EXPECT_TRUE(is(Opcode::ModX, BPF_ALU | BPF_MOD | BPF_X));
  EXPECT_TRUE(is(Opcode::OrK, BPF_ALU | BPF_OR | BPF_K));
  EXPECT_TRUE(is(Opcode::OrX, BPF_ALU | BPF_OR | BPF_X));
  EXPECT_TRUE(is(Opcode::AndK, BPF_ALU | BPF_AND | BPF_K));
  EXPECT_TRUE(is(Opcode::AndX, BPF_ALU | BPF_AND | BPF_X));
  EXPECT_TRUE(is(Opcode::XorK, BPF_ALU | BPF_XOR | BPF_K));
  EXPECT_TRUE(is(Opcode::XorX, BPF_ALU | BPF_XOR | BPF_X));
  EXPECT_TRUE(is(Opcode::LshK, BPF_ALU | BPF_LSH | BPF_K));
  EXPECT_TRUE(is(Opcode::LshX, BPF_ALU | BPF_LSH | BPF_X));
  EXPECT_TRUE(is(Opcode::RshK, BPF_ALU | BPF_RSH | BPF_K));
  EXPECT_TRUE(is(Opcode::RshX, BPF_ALU | BPF_RSH | BPF_X));
  EXPECT_TRUE(is(Opcode::Neg, BPF_ALU | BPF_NEG));
  EXPECT_TRUE(is(Opcode::Ja, BPF_JMP | BPF_JA));
  EXPECT_TRUE(is(Opcode::JeqK, BPF_JMP | BPF_JEQ | BPF_K));
  EXPECT_TRUE(is(Opcode::JeqX, BPF_JMP | BPF_JEQ | BPF_X));
  EXPECT_TRUE(is(Opcode::JgtK, BPF_JMP | BPF_JGT | BPF_K));
  EXPECT_TRUE(is(Opcode::JgtX, BPF_JMP | BPF_JGT | BPF_X));
  EXPECT_TRUE(is(Opcode::JgeK, BPF_JMP | BPF_JGE | BPF_K));
  EXPECT_TRUE(is(Opcode::JgeX, BPF_JMP | BPF_JGE | BPF_X));
  EXPECT_TRUE(is(Opcode::JsetK, BPF_JMP | BPF_JSET | BPF_K));
  EXPECT_TRUE(is(Opcode::JsetX, BPF_JMP | BPF_JSET | BPF_X));
  EXPECT_TRUE(is(Opcode::RetK, BPF_RET | BPF_K));
  EXPECT_TRUE(is(Opcode::RetA, BPF_RET | BPF_A));
  EXPECT_TRUE(is(Opcode::Tax, BPF_MISC | BPF_TAX));
  EXPECT_TRUE(is(Opcode::Txa, BPF_MISC | BPF_TXA));
}

}  // namespace
}  // namespace callgate
