#include "harness/front_ends/c_constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "harness/front_ends/constants.hpp"
#include "harness/report/words.hpp"
#include "vm/actions.hpp"
#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

struct Constant {
  std::string_view name;
  std::uint32_t value;
};

// include/uapi/linux/bpf_common.h, filter.h, seccomp.h, audit.h and elf-em.h.
constexpr std::array kConstants = {
    Constant{"BPF_LD", 0x00},
    Constant{"BPF_LDX", 0x01},
    Constant{"BPF_ST", 0x02},
    Constant{"BPF_STX", 0x03},
    Constant{"BPF_ALU", 0x04},
    Constant{"BPF_JMP", 0x05},
    Constant{"BPF_RET", 0x06},
    Constant{"BPF_MISC", 0x07},
    Constant{"BPF_W", 0x00},
    Constant{"BPF_H", 0x08},
    Constant{"BPF_B", 0x10},
    Constant{"BPF_IMM", 0x00},
    Constant{"BPF_ABS", 0x20},
    Constant{"BPF_IND", 0x40},
    Constant{"BPF_MEM", 0x60},
    Constant{"BPF_LEN", 0x80},
    Constant{"BPF_MSH", 0xa0},
    Constant{"BPF_ADD", 0x00},
    Constant{"BPF_SUB", 0x10},
    Constant{"BPF_MUL", 0x20},
    Constant{"BPF_DIV", 0x30},
    Constant{"BPF_OR", 0x40},
    Constant{"BPF_AND", 0x50},
    Constant{"BPF_LSH", 0x60},
    Constant{"BPF_RSH", 0x70},
    Constant{"BPF_NEG", 0x80},
    Constant{"BPF_MOD", 0x90},
    Constant{"BPF_XOR", 0xa0},
    Constant{"BPF_JA", 0x00},
    Constant{"BPF_JEQ", 0x10},
    Constant{"BPF_JGT", 0x20},
    Constant{"BPF_JGE", 0x30},
    Constant{"BPF_JSET", 0x40},
    Constant{"BPF_K", 0x00},
    Constant{"BPF_X", 0x08},
    Constant{"BPF_A", 0x10},
    Constant{"BPF_TAX", 0x00},
    Constant{"BPF_TXA", 0x80},
    Constant{"BPF_MAXINSNS", kMaxProgramLength},
    Constant{"BPF_MEMWORDS", kMemoryWords},
    Constant{"SKF_AD_OFF", 0xfffff000},
    Constant{"SKF_NET_OFF", 0xfff00000},
    Constant{"SKF_LL_OFF", 0xffe00000},
    Constant{"SECCOMP_RET_DATA", kDataMask},
    Constant{"SECCOMP_RET_ACTION", kOldActionMask},
    Constant{"SECCOMP_RET_ACTION_FULL", kActionMask},
    Constant{"__X32_SYSCALL_BIT", kX32Bit},
    Constant{"X32_SYSCALL_BIT", kX32Bit},
    Constant{"__AUDIT_ARCH_64BIT", 0x80000000},
    Constant{"__AUDIT_ARCH_LE", 0x40000000},
    Constant{"__AUDIT_ARCH_CONVENTION_MIPS64_N32", 0x20000000},
    Constant{"EM_386", 3},
    Constant{"EM_68K", 4},
    Constant{"EM_MIPS", 8},
    Constant{"EM_PARISC", 15},
    Constant{"EM_PPC", 20},
    Constant{"EM_PPC64", 21},
    Constant{"EM_S390", 22},
    Constant{"EM_ARM", 40},
    Constant{"EM_SH", 42},
    Constant{"EM_X86_64", 62},
    Constant{"EM_AARCH64", 183},
    Constant{"EM_RISCV", 243},
    Constant{"EM_LOONGARCH", 258},
};

// Second names of errnos that are the same on every architecture; EDEADLOCK is not one of them.
struct ErrnoAlias {
  std::string_view name;
  std::string_view stands_for;
};
constexpr std::array kErrnoAliases = {
    ErrnoAlias{"EWOULDBLOCK", "EAGAIN"},
    ErrnoAlias{"ENOTSUP", "EOPNOTSUPP"},
};

std::optional<int> errno_number(std::string_view name, Arch arch) {
  const auto alias = std::ranges::find(kErrnoAliases, name, &ErrnoAlias::name);
  if (alias != kErrnoAliases.end()) name = alias->stands_for;
  constexpr int kLast = 1200;
  for (int number = 1; number < kLast; ++number) {
    if (report::errno_name(number, arch) == name) return number;
  }
  return std::nullopt;
}

std::optional<std::string_view> after(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

}  // namespace

std::expected<std::uint64_t, std::string> constant(std::string_view name, Arch arch) {
  const auto row = std::ranges::find(kConstants, name, &Constant::name);
  if (row != kConstants.end()) return row->value;
  if (name.starts_with("SECCOMP_RET_")) {
    if (const auto action = action_from_name(name)) return static_cast<std::uint32_t>(*action);
  }
  if (name.starts_with("AUDIT_ARCH_")) {
    if (const auto known = arch_from_name(name)) return info(*known).token;
  }
  auto call = after(name, "__NR_");
  if (!call) call = after(name, "SYS_");
  if (call) {
    if (const auto number = syscall_number(arch, *call)) return *number;
    return std::unexpected(fmt::format("{} has no call {} ({})", info(arch).name, *call, name));
  }
  if (name.starts_with('E')) {
    if (const auto number = errno_number(name, arch)) return static_cast<std::uint64_t>(*number);
  }
  return find_constant(name, arch);
}

}  // namespace callgate::front_ends
