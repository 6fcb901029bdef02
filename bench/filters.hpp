#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

/// The filters and calls that benchmarks use. All are made here: nothing is downloaded.
namespace callgate::bench {

struct NamedFilter {
  std::string name;
  Program program;
};

/// demo5        read, write, exit, exit_group, getpid allowed, as libseccomp writes it
/// linear       a container profile (x86_64, i386, x32) through libseccomp, one compare after
/// another tree         the same, as libseccomp's binary tree jeq300       300 numbers compared in
/// a row args         a profile that looks at arguments, through libseccomp max4096_jeq  4096
/// instructions that compare max4096_alu  4096 instructions of arithmetic over the arguments
[[nodiscard]] const std::vector<NamedFilter>& filters();

/// A chain of `length` numbers, each allowed where it fits.
[[nodiscard]] Program chain(std::uint32_t length);

/// Calls of each input set.
inline constexpr std::size_t kCalls = 8192;

enum class Mix : std::uint8_t {
  Traced,   ///< drawn by the counts of bench/workloads/tools.txt
  Uniform,  ///< numbers 0 to 469 alike
  Best,     ///< the call that executes fewest instructions, again and again
  Worst,    ///< the one that executes most
};

inline constexpr Mix kMixes[] = {Mix::Traced, Mix::Uniform, Mix::Best, Mix::Worst};

[[nodiscard]] std::string name_of(Mix mix);

/// kCalls inputs of x86_64, the same each time.
[[nodiscard]] std::vector<SeccompData> calls(Mix mix, const Program& program);

}  // namespace callgate::bench
