#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include "harness/live/call_sites.hpp"
#include "harness/live/child.hpp"
#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::live {

/// A program and the calls to ask it about.
struct ValueJob {
  Program program;
  std::vector<Call> calls;
};

/// What is known of one call.
struct Value {
  enum class State : std::uint8_t { Known, NotReachable, Lost };
  State state = State::Lost;
  std::uint32_t value = 0;  ///< Known: the 32 bits that the program returned
  SeccompData data;         ///< Known: what it was asked about, the instruction pointer included
  std::string_view why{};   ///< the others: why there is no value
};

/// What is known of one program.
struct ValueAnswer {
  int install_error = 0;      ///< errno of installing it (the rewritten program); no values then
  std::string_view why{};     ///< not empty: the program could not be asked at all
  std::vector<Value> values;  ///< one for each call, in order
};

/// Asks the running kernel for the full 32-bit value of programs. Each is rewritten so that every
/// return becomes an errno (12 bits a call, three calls a value), so that nothing is ever executed;
/// it runs in a child of one serving process. Return values of programs that end by a division by X
/// = 0 are seen as the death that they are.
[[nodiscard]] std::expected<std::vector<ValueAnswer>, LiveError> values(
    std::span<const ValueJob> jobs, CallSites& sites);

/// The rewritten program, as asked by values().
struct Rewritten {
  Program program;
  /// where the 12 bits are chosen: the argument (0 to 5) whose low word the program does not read,
  /// and whose low word says by how many bits to shift; -1: one program for each shift, none reads
  /// it
  int selector = -1;
};

/// `shift` is 0, 12 or 24 where there is no selector. Empty where the result has no room in 4096.
[[nodiscard]] Rewritten rewrite(std::span<const Instruction> program, std::uint32_t shift);

}  // namespace callgate::live
