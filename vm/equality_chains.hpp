#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vm/instruction.hpp"

namespace callgate {

/// A run of `jeq #k` that asks one A for one constant after the other: each is reached from the one
/// before it alone, when that found nothing. Linear filters are made of such runs.
struct EqualityChain {
  struct Key {
    std::uint32_t k = 0;
    std::uint16_t target = 0;  ///< the instruction where control goes when A == k
  };
  std::size_t head = 0;       ///< the first instruction of the run
  std::vector<Key> keys;      ///< by rising k; of equal ones only the first in the run, which wins
  std::size_t otherwise = 0;  ///< where control goes when A is none of them
};

/// For each instruction where control really goes that goes there: past every unconditional jump.
/// `program` must be one that the checker accepts.
[[nodiscard]] std::vector<std::uint16_t> past_jumps(std::span<const Instruction> program);

/// Every chain of at least `shortest` compares, by rising head. No instruction is in two of them,
/// so that all together have no more keys than the program has instructions. `program` must be one
/// that the checker accepts, `lands` what past_jumps() says of it.
[[nodiscard]] std::vector<EqualityChain> equality_chains(std::span<const Instruction> program,
                                                         std::span<const std::uint16_t> lands,
                                                         std::size_t shortest);

}  // namespace callgate
