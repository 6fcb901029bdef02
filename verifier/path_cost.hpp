#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "verifier/known_call.hpp"
#include "vm/checked_program.hpp"
#include "vm/filter_stack.hpp"

/// How many instructions a call costs of which number and architecture are known, or more, where
/// filters run for it at all (cache.hpp).
namespace callgate::verifier {

/// The fewest and the most.
struct Count {
  std::size_t least = 0;
  std::size_t most = 0;

  friend bool operator==(const Count&, const Count&) = default;
};

/// Over everything that the call may hold in words that are not known.
struct PathCost {
  Count classic;              ///< instructions of the programs
  std::optional<Count> ebpf;  ///< converted ones; nothing where the kernel does not convert
  /// Of the classic ones, jumps and branches that go elsewhere than to the next instruction, and
  /// arithmetic. Bounds, each by itself: the way with most of one may not be that of the other.
  Count jumps_taken;
  Count arithmetic;
  /// Both ends are the one true figure of every call: no branch asks for words that are not known,
  /// or all ways are as long. Otherwise no call runs less than `least` or more than
  /// `most`, and there may be none that comes to either: both are bounds.
  bool exact = true;
};

/// Of one program. What follows from the words that are known is followed; branches on anything
/// else are taken both ways.
[[nodiscard]] PathCost path_cost(const CheckedProgram& program, const KnownCall& call);

/// The same where number and token are known; `arch` is the token that the program sees.
[[nodiscard]] PathCost path_cost(const CheckedProgram& program, std::uint32_t nr,
                                 std::uint32_t arch);

/// Of all filters together: a call that the cache does not serve runs each.
[[nodiscard]] PathCost path_cost(const FilterStack& stack, const KnownCall& call);

/// The same for a number of the model's ABI.
[[nodiscard]] PathCost path_cost(const FilterStack& stack, std::uint32_t nr);

/// How an instruction is left: branches by a side, everything else by what follows.
enum class Way : std::uint8_t { Plain, Taken, NotTaken };

/// What a caller counts of the instruction at a place of a program that is left so.
using Weigher = std::function<std::size_t(std::span<const Instruction>, std::size_t, Way)>;

/// The least and the most of the sums of `weigh` over the ways that path_cost() follows.
[[nodiscard]] Count weighed_path(const CheckedProgram& program, const KnownCall& call,
                                 const Weigher& weigh);

}  // namespace callgate::verifier
