#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "harness/random/generator.hpp"
#include "vm/instruction.hpp"

/// Programs for the tests of engines.
namespace callgate {

/// Runs of equality compares, as linear filters have them and random programs have not: of dense
/// and scattered constants, some asked for twice, with targets that return, look at more, or
/// compare on. A program that the checker accepts.
[[nodiscard]] inline Program chain_program(random::Source& source) {
  Program program = {{0x20, 0, 0, 4 * source.below(16)}, {0x02, 0, 0, 0}};
  const std::uint32_t chains = 1 + source.below(3);
  for (std::uint32_t chain = 0; chain < chains; ++chain) {
    // What is compared with stands a few instructions ahead: see below.
    const std::size_t length = 1 + source.below(60);
    const std::size_t tail = 12;
    const std::uint32_t step = 1U << source.below(14);
    std::uint32_t k = random::edge_word(source);
    const bool returns_between = source.one_in(2);
    for (std::size_t i = 0; i < length; ++i) {
      k += source.one_in(8) ? step * source.below(64) : step;
      if (source.one_in(16)) k = random::edge_word(source);
      if (source.one_in(16) && i != 0) k = program.back().k;
      if (returns_between && source.one_in(2)) {
        program.push_back({0x15, 0, 1, k});
        program.push_back({0x06, 0, 0, 0x00050000U + source.below(4)});
      } else {
        const std::size_t left = 2 * (length - i - 1) + source.below(tail);
        program.push_back(
            {0x15, static_cast<std::uint8_t>(std::min<std::size_t>(left, 250)), 0, k});
      }
    }
    // More than the longest jump of the compares reaches.
    for (std::size_t i = 0; i < length + tail + 2; ++i) {
      static constexpr Instruction kParts[] = {
          {0x16, 0, 0, 0},          {0x06, 0, 0, 0x7fff0000}, {0x04, 0, 0, 1}, {0x60, 0, 0, 0},
          {0x07, 0, 0, 0},          {0x0c, 0, 0, 0},          {0x25, 1, 0, 9}, {0x15, 0, 1, 5},
          {0x20, 0, 0, 16},         {0x05, 0, 0, 1},          {0x02, 0, 0, 0}, {0x45, 0, 1, 6},
          {0x06, 0, 0, 0x80000000}, {0x87, 0, 0, 0},          {0x6c, 0, 0, 0}, {0x3c, 0, 0, 0},
      };
      program.push_back(kParts[source.below(std::size(kParts))]);
    }
    program.push_back({0x60, 0, 0, 0});
    program.push_back({0x60, 0, 0, 0});
  }
  program.push_back({0x16, 0, 0, 0});
  // Jumps beyond the end go to the last return.
  for (std::size_t i = 0; i < program.size(); ++i) {
    Instruction& each = program[i];
    const std::size_t room = program.size() - i - 2;
    if (each.code == 0x05) each.k = static_cast<std::uint32_t>(std::min<std::size_t>(each.k, room));
    if (each.code != 0x05 && (each.code & 7U) == 5) {
      each.jt = static_cast<std::uint8_t>(std::min<std::size_t>(each.jt, room));
      each.jf = static_cast<std::uint8_t>(std::min<std::size_t>(each.jf, room));
    }
  }
  return program;
}

}  // namespace callgate
