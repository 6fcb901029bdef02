#pragma once

#include <cstddef>
#include <cstdint>

#include "verifier/path_cost.hpp"
#include "vm/filter_stack.hpp"
#include "vm/seccomp_data.hpp"

/// The machine code that arm64's JIT makes of a filter, by its length.
namespace callgate::cost {

/// What differs between versions of the JIT, in instructions.
struct Arm64Code {
  std::size_t load = 1;    ///< of a word of seccomp_data
  std::size_t memory = 1;  ///< load or store of a slot
  std::size_t frame = 0;   ///< what a filter adds that has slots at all
};

/// What the code of all filters executes for a call of that number.
[[nodiscard]] verifier::Count arm64_body(const FilterStack& stack, std::uint32_t nr,
                                         const Arm64Code& code);
/// For that very call.
[[nodiscard]] std::size_t arm64_body(const FilterStack& stack, const SeccompData& data,
                                     const Arm64Code& code);

}  // namespace callgate::cost
