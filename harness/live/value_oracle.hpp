#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include "harness/live/call_sites.hpp"
#include "harness/live/child.hpp"
#include "vm/instruction.hpp"
#include "vm/reference.hpp"
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

/// Whether the kernel's value is another than ours, of that call. A lost answer is; a call that was
/// not made is not.
[[nodiscard]] bool differs(const reference::Result& ours, const Value& value) noexcept;

/// What is known of one program.
struct ValueAnswer {
  int install_error = 0;      ///< errno of installing it (the rewritten program); no values then
  std::string_view why{};     ///< not empty: the program could not be asked at all
  std::vector<Value> values;  ///< one for each call, in order
};

/// Asks the running kernel for the full 32-bit value of programs. Each is rewritten so that every
/// return becomes an errno, so that nothing is ever executed; it runs in a child of one serving
/// process, a few short ones in one child, each above those before it: of equal actions the newest
/// filter's counts. A division by X = 0, which ends a program with 0, is seen as the death that it
/// is. A program or a call that cannot be asked is answered with the reason.
[[nodiscard]] std::expected<std::vector<ValueAnswer>, LiveError> values(
    std::span<const ValueJob> jobs, CallSites& sites, int patience_milliseconds = kPatience);

/// How a program is asked.
enum class RewriteKind : std::uint8_t {
  NoRoom,    ///< not at all: the rewritten program would be too long
  ByIndex,   ///< no return of A: each constant becomes the errno of its index, one call a value
  Selected,  ///< 12 bits a call, chosen by an argument that the program does not read
  ThreeFold  ///< the same, but it reads all of them: one program for each 12 bits
};

/// The rewritten programs, as asked by values().
struct Rewritten {
  RewriteKind kind = RewriteKind::NoRoom;
  std::vector<Program> programs;         ///< three for ThreeFold, else one
  std::vector<std::uint32_t> constants;  ///< ByIndex: what an errno stands for
  /// Selected: the argument (0 to 5) whose low word says by how many bits to shift
  std::size_t selector = 0;
};

[[nodiscard]] Rewritten rewrite(std::span<const Instruction> program);

}  // namespace callgate::live
