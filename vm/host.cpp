// What the machine that this runs on is. All else of vm asks nobody, and is compiled for the
// browser too (harness/report/page).

#include <sys/utsname.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>

#include "vm/arches.hpp"
#include "vm/kernel_model.hpp"

namespace callgate {
namespace {

// The effective capabilities of this thread, as /proc shows them; 0 where it does not.
std::uint64_t effective_capabilities() {
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("CapEff:")) continue;
    const std::size_t start = line.find_first_not_of(" \t", 7);
    if (start == std::string::npos) return 0;
    std::uint64_t value = 0;
    std::from_chars(line.data() + start, line.data() + line.size(), value, 16);
    return value;
  }
  return 0;
}

bool host_blinds_constants() {
  int level = 0;
  std::ifstream file("/proc/sys/net/core/bpf_jit_harden");
  if (!(file >> level)) return false;
  constexpr unsigned kCapBpf = 39;
  constexpr unsigned kCapSysAdmin = 21;
  const std::uint64_t caps = effective_capabilities();
  const bool privileged = ((caps >> kCapBpf) & 1) != 0 || ((caps >> kCapSysAdmin) & 1) != 0;
  return level >= 2 || (level == 1 && !privileged);
}

}  // namespace

Arch host_arch() noexcept {
#if defined(__x86_64__) && defined(__ILP32__)
  return Arch::X32;
#elif defined(__x86_64__)
  return Arch::X86_64;
#elif defined(__i386__)
  return Arch::X86;
#elif defined(__aarch64__)
  return Arch::AArch64;
#elif defined(__arm__)
  return Arch::Arm;
#elif defined(__loongarch64)
  return Arch::LoongArch64;
#elif defined(__m68k__)
  return Arch::M68k;
#elif defined(__mips__)
#if defined(__mips64) && defined(_ABIN32) && _MIPS_SIM == _ABIN32
  return kHostByteOrder == ByteOrder::Little ? Arch::Mipsel64n32 : Arch::Mips64n32;
#elif defined(__mips64)
  return kHostByteOrder == ByteOrder::Little ? Arch::Mipsel64 : Arch::Mips64;
#else
  return kHostByteOrder == ByteOrder::Little ? Arch::Mipsel : Arch::Mips;
#endif
#elif defined(__hppa__)
  return Arch::Parisc;
#elif defined(__powerpc64__)
  return kHostByteOrder == ByteOrder::Little ? Arch::Ppc64le : Arch::Ppc64;
#elif defined(__powerpc__)
  return Arch::Ppc;
#elif defined(__riscv) && __riscv_xlen == 64
  return Arch::Riscv64;
#elif defined(__s390x__)
  return Arch::S390x;
#elif defined(__s390__)
  return Arch::S390;
#elif defined(__sh__)
  return kHostByteOrder == ByteOrder::Little ? Arch::Sh : Arch::Sheb;
#else
#error "an architecture that arches.def has no row for"
#endif
}

KernelModel KernelModel::host() {
  KernelModel model;
  model.arch = host_arch();
  utsname names{};
  if (uname(&names) == 0) {
    if (const auto version = parse_version(names.release)) model.version = *version;
  }
  model.blinds_constants = host_blinds_constants();
  return model;
}

}  // namespace callgate
