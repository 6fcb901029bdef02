#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "harness/random/generator.hpp"
#include "vm/instruction.hpp"

/// Changes of programs that keep what they return for every input: to test proofs of equality with.
namespace callgate::random {

enum class Rewrite : std::uint8_t {
  Layout,       ///< other blocks first; jumps where there were none, none where there were
  NoOperation,  ///< instructions that change nothing, put in
  Fold,         ///< constants made of others, compares with X in place of k
  Scratch,      ///< A taken through scratch memory, or through X
  Invert,       ///< tests put the other way round
  Duplicate,    ///< instructions doubled for one of those that come to them
  Decide,       ///< compares of A: as a chain in any order, or as a tree
};
inline constexpr std::size_t kRewrites = 7;

/// "layout", and so on.
[[nodiscard]] std::string_view to_string(Rewrite rewrite) noexcept;

/// The program after a rewrite; it may be longer than a kernel takes. `program` is one that the
/// checker accepts.
[[nodiscard]] Program rewritten(Source& source, std::span<const Instruction> program,
                                Rewrite rewrite);

/// After some of them, one after another. Accepted where `program` is: what would be too long is
/// left out.
[[nodiscard]] Program rewritten(Source& source, std::span<const Instruction> program);

}  // namespace callgate::random
