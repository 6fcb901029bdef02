#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/arches.hpp"
#include "vm/instruction.hpp"

namespace callgate::report {

/// What A holds, the same on every path.
enum class Holds : std::uint8_t { Unvisited, Nr, ArchToken, Other };

/// What is known before an instruction.
struct Known {
  Holds a = Holds::Unvisited;
  std::optional<std::uint32_t> token;  ///< what `arch` is known to be
  bool token_varies = false;           ///< paths disagree

  void join(const Known& other);
};

/// What is known before each instruction.
[[nodiscard]] std::vector<Known> known_before(std::span<const Instruction> program);

/// A constant that has a name.
struct NamedConstant {
  Arch arch;              ///< itself, or the one that has the syscall
  std::string_view call;  ///< empty: the architecture is meant
};

/// The name of a constant that A is compared with: an architecture, or a syscall of the ABI that
/// the call is known to have, of `arch` where nothing is known; nothing where none fits.
[[nodiscard]] std::optional<NamedConstant> named_constant(const Known& known, std::uint32_t k,
                                                          Arch arch);

}  // namespace callgate::report
