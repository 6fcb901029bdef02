#include "harness/random/policies.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "vm/syscalls.hpp"

namespace callgate::random {
namespace {

using front_ends::ArgTest;
using front_ends::Comparison;
using front_ends::kAllBits;
using front_ends::Policy;
using front_ends::Rule;

const std::vector<Arch>& arches(Source& source) {
  static const std::vector<std::vector<Arch>> kTogether = {
      {Arch::X86_64},
      {Arch::X86_64, Arch::X86, Arch::X32},
      {Arch::X86_64, Arch::X86},
      {Arch::X86_64, Arch::X32},
      {Arch::X32},
      {Arch::X86},
      {Arch::AArch64},
      {Arch::AArch64, Arch::Arm},
      {Arch::S390x, Arch::S390},
      {Arch::Ppc64le},
      {Arch::Ppc64, Arch::Ppc},
      {Arch::Mips},
      {Arch::Mipsel64, Arch::Mipsel, Arch::Mipsel64n32},
      {Arch::Riscv64},
      {Arch::Parisc},
  };
  return kTogether[source.below(static_cast<std::uint32_t>(kTogether.size()))];
}

std::uint32_t value(Source& source) {
  constexpr std::array kValues = {0x7fff0000U, 0x00050001U, 0x00050026U, 0x80000000U, 0x00000000U,
                                  0x00030000U, 0x7ff00005U, 0x7ffc0000U, 0x00050fffU};
  return kValues[source.below(kValues.size())];
}

std::uint64_t word(Source& source) {
  constexpr std::array<std::uint64_t, 14> kWords = {0,
                                                    1,
                                                    2,
                                                    3,
                                                    16,
                                                    0x7fffffff,
                                                    0x80000000,
                                                    0xffffffff,
                                                    0x100000000,
                                                    0x100000001,
                                                    0x1ffffffff,
                                                    0x7fffffffffffffff,
                                                    0x8000000000000000,
                                                    0xffffffffffffffff};
  return source.one_in(16) ? source.next() : kWords[source.below(kWords.size())];
}

const char* name(Source& source) {
  constexpr std::array kNames = {"read",   "write",  "personality", "clone",  "socket",  "bind",
                                 "accept", "shmget", "semop",       "openat", "ioctl",   "mmap",
                                 "mmap2",  "stat",   "fstatat64",   "futex",  "accept4", "recv"};
  // Few at a time, so that rules meet.
  return kNames[source.one_in(3) ? source.below(kNames.size()) : source.below(3)];
}

std::vector<ArgTest> tests(Source& source) {
  std::vector<ArgTest> out;
  if (source.one_in(4)) return out;
  const unsigned first = source.below(2);
  for (unsigned index = first; index < 6 && out.size() < 3; ++index) {
    if (!out.empty() && source.one_in(2)) break;
    ArgTest test{index, static_cast<Comparison>(source.below(6)), word(source), kAllBits};
    if (test.comparison == Comparison::Equal && source.one_in(3)) {
      test.mask = word(source);
      if (!source.one_in(4)) test.value &= test.mask;
    }
    out.push_back(test);
  }
  return out;
}

}  // namespace

Policy policy(Source& source) {
  Policy out;
  out.arches = arches(source);
  out.default_value = value(source);
  out.foreign_value = value(source);
  out.multiplexed = true;
  const std::uint32_t rules = 1 + source.below(source.one_in(8) ? 40 : 6);
  const std::uint32_t usual = value(source);
  for (std::uint32_t i = 0; i < rules; ++i) {
    Rule rule;
    rule.syscall = name(source);
    rule.value = source.one_in(3) ? value(source) : usual;
    rule.tests = tests(source);
    if (rule.value != out.default_value) out.rules.push_back(std::move(rule));
  }
  return out;
}

SeccompData call_for(Source& source, const Policy& policy) {
  SeccompData data;
  const Arch arch = policy.arches[source.below(static_cast<std::uint32_t>(policy.arches.size()))];
  data.arch = source.one_in(20) ? info(Arch::AArch64).token : info(arch).token;
  const std::vector<front_ends::ResolvedRule> rules = resolve(policy, arch);
  for (auto& each : data.args) each = word(source);
  if (rules.empty() || source.one_in(10)) {
    data.nr = static_cast<std::int32_t>(source.one_in(2) ? edge_word(source) : source.below(500));
    return data;
  }
  const auto& rule = rules[source.below(static_cast<std::uint32_t>(rules.size()))];
  data.nr = static_cast<std::int32_t>(rule.nr);
  if (source.one_in(30)) data.nr = static_cast<std::int32_t>(rule.nr ^ 0x40000000U);
  // Each test is met, missed by one, or met in one half.
  for (const ArgTest& test : rule.tests) {
    std::uint64_t& argument = data.args[test.index];
    switch (source.below(6)) {
      case 0:
        argument = test.value - 1;
        break;
      case 1:
        argument = test.value + 1;
        break;
      case 2:
        argument = test.value ^ 0x100000000U;
        break;
      case 3:
        argument = test.value | (word(source) & ~test.mask);
        break;
      case 4:
        break;
      default:
        argument = test.value;
    }
  }
  return data;
}

}  // namespace callgate::random
