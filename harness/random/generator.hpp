#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/random/mutations.hpp"
#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

/// Programs and inputs to test with. The same seed gives the same on every machine: no distribution
/// of the standard library is used.
namespace callgate::random {

/// xoshiro256**, seeded by splitmix64; or the bytes of a fuzzer.
class Source {
 public:
  explicit Source(std::uint64_t seed) noexcept;
  /// Takes its numbers from these bytes, and is 0 where they have run out. They must outlive it.
  explicit Source(std::span<const std::uint8_t> bytes) noexcept;
  [[nodiscard]] std::uint64_t next() noexcept;
  /// 0 to bound - 1; bound is not 0.
  [[nodiscard]] std::uint32_t below(std::uint32_t bound) noexcept;
  /// True one time in `times`.
  [[nodiscard]] bool one_in(std::uint32_t times) noexcept { return below(times) == 0; }

 private:
  std::uint64_t take(std::size_t count) noexcept;

  std::uint64_t state_[4];
  std::span<const std::uint8_t> bytes_;
  bool from_bytes_ = false;
};

/// What programs are made of.
struct Shape {
  std::uint32_t longest = 64;  ///< instructions, 2 at least
  bool shifts_by_x = true;     ///< off where architectures that disagree are compared
};

/// A program that the checker accepts: every operation occurs, constants lean to edges, jumps go
/// anywhere ahead, memory is read only where it is sure to be stored.
[[nodiscard]] Program valid_program(Source& source, const Shape& shape = {});

/// A program as generators of filters make them, that the checker accepts: compares of the number
/// in chains and trees, of the architecture, of halves of arguments, masked now and then, with
/// shared ends. `longest`: instructions, 8 at least. `arch`: the token that it asks for first.
[[nodiscard]] Program filter_like(Source& source, std::uint32_t longest, std::uint32_t arch);

/// A filter that decides by the number, here and there by what the kernel's cache does not follow;
/// plain ALLOWs and other results. For calls up to 469. `length`: instructions; 10 returns follow.
[[nodiscard]] Program decisions(Source& source, std::size_t length);

/// A word that lies near a power of two, near a constant of `program`, or anywhere.
[[nodiscard]] std::uint32_t edge_word(Source& source, std::span<const Instruction> program = {});

/// An input for `program`: numbers, arguments and instruction pointer lean to its constants. `arch`
/// is kept.
[[nodiscard]] SeccompData input(Source& source, std::span<const Instruction> program,
                                std::uint32_t arch);

}  // namespace callgate::random
