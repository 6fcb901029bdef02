#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>

#include "harness/cost/estimate.hpp"
#include "harness/live/child.hpp"
#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::cost {

/// How often to measure.
struct BodyOptions {
  unsigned rounds = 7;
  unsigned windows = 40;  ///< of each round; each goes through all inputs
  int cpu = -1;           ///< the core; -1: the last one that this process may use
};

/// What the running kernel's own run of a program costs.
struct BodyCost {
  int install_error = 0;     ///< errno where the program was refused; no figures then
  Estimate nanoseconds{};    ///< for one input
  Estimate trivial_total{};  ///< of a whole call under `ld [16]; ret ERRNO`, what it is less
};

/// Nanoseconds for one input in the kernel's own engine, by calls of the list's numbers with their
/// arguments under the program, every return of which is a refusal (nothing is executed, and the
/// kernel's cache has nothing), less the same calls under `ld [16]; ret ERRNO`. Rounds of the two
/// alternate. Inputs must be x86_64's, and such that filters see them; their instruction pointer
/// does not count. An error where the kernel cannot be asked, or an input ends the program by a
/// division by X = 0.
[[nodiscard]] std::expected<BodyCost, live::LiveError> kernel_body_cost(
    std::span<const Instruction> program, std::span<const SeccompData> inputs,
    const BodyOptions& options = {});

}  // namespace callgate::cost
