#include "harness/front_ends/systemd_arches.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace callgate::front_ends::systemd {
namespace {

struct Word {
  Arch arch;
  std::string_view word;
};

constexpr std::array kWords = {
    Word{Arch::X86_64, "x86-64"},
    Word{Arch::X86, "x86"},
    Word{Arch::X32, "x32"},
    Word{Arch::Arm, "arm"},
    Word{Arch::AArch64, "arm64"},
    Word{Arch::Mips, "mips"},
    Word{Arch::Mipsel, "mips-le"},
    Word{Arch::Mips64, "mips64"},
    Word{Arch::Mipsel64, "mips64-le"},
    Word{Arch::Mips64n32, "mips64-n32"},
    Word{Arch::Mipsel64n32, "mips64-le-n32"},
    Word{Arch::Parisc, "parisc"},
    Word{Arch::Parisc64, "parisc64"},
    Word{Arch::Ppc, "ppc"},
    Word{Arch::Ppc64, "ppc64"},
    Word{Arch::Ppc64le, "ppc64-le"},
    Word{Arch::Riscv64, "riscv64"},
    Word{Arch::S390, "s390"},
    Word{Arch::S390x, "s390x"},
};

constexpr std::array kX86_64 = {Arch::X86, Arch::X32, Arch::X86_64};
constexpr std::array kX86 = {Arch::X86};
constexpr std::array kAArch64 = {Arch::Arm, Arch::AArch64};
constexpr std::array kArm = {Arch::Arm};
constexpr std::array kRiscv64 = {Arch::Riscv64};
constexpr std::array kS390x = {Arch::S390, Arch::S390x};
constexpr std::array kS390 = {Arch::S390};

// The machines whose ABIs are modelled.
struct Machine {
  Arch native;
  std::span<const Arch> abis;
  std::optional<Arch> secondary;  // what Personality= has PER_LINUX32 for
};

constexpr std::array kMachines = {
    Machine{Arch::X86_64, kX86_64, Arch::X86},      Machine{Arch::X86, kX86, std::nullopt},
    Machine{Arch::AArch64, kAArch64, Arch::Arm},    Machine{Arch::Arm, kArm, std::nullopt},
    Machine{Arch::Riscv64, kRiscv64, std::nullopt}, Machine{Arch::S390x, kS390x, Arch::S390},
    Machine{Arch::S390, kS390, std::nullopt},
};

const Machine* machine_of(Arch native) {
  const auto row = std::ranges::find(kMachines, native, &Machine::native);
  return row == kMachines.end() ? nullptr : &*row;
}

}  // namespace

std::string_view word_of(Arch arch) noexcept {
  const auto row = std::ranges::find(kWords, arch, &Word::arch);
  return row == kWords.end() ? info(arch).name : row->word;
}

std::optional<Arch> arch_of(std::string_view word) noexcept {
  const auto row = std::ranges::find(kWords, word, &Word::word);
  if (row == kWords.end()) return std::nullopt;
  return row->arch;
}

std::span<const Arch> local_abis(Arch machine) noexcept {
  const Machine* row = machine_of(machine);
  return row == nullptr ? std::span<const Arch>{} : row->abis;
}

std::optional<std::uint32_t> personality_of(std::string_view word, Arch machine) noexcept {
  constexpr std::uint32_t kLinux = 0;
  constexpr std::uint32_t kLinux32 = 8;
  if (word == word_of(machine)) return kLinux;
  const Machine* row = machine_of(machine);
  if (row != nullptr && row->secondary && word == word_of(*row->secondary)) return kLinux32;
  return std::nullopt;
}

}  // namespace callgate::front_ends::systemd
