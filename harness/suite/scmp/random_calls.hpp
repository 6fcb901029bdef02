#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "vm/arches.hpp"
#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::suite::scmp {

/// The calls of a line of bpf-sim-fuzz. The same seed, batch and line make the same calls on every
/// machine.
class RandomCalls {
 public:
  RandomCalls(std::uint64_t seed, std::string_view batch, std::size_t line,
              std::span<const Instruction> program, Arch arch);

  [[nodiscard]] SeccompData next();

 private:
  [[nodiscard]] std::uint64_t value();
  [[nodiscard]] std::uint32_t near_constant();

  std::mt19937_64 random_;
  std::vector<std::uint32_t> constants_;  // that the filter compares with
  std::uint32_t token_;
};

}  // namespace callgate::suite::scmp
