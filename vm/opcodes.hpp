#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace callgate {

/// The operations of opcodes.def; the value is the 16-bit code.
enum class Opcode : std::uint16_t {
#define OPCODE(enumerator, code, ...) enumerator = code,
#include "vm/opcodes.def"
#undef OPCODE
};

/// What an operation does to control and registers.
enum class OpcodeKind : std::uint8_t {
  Load,
  LoadX,
  Store,
  StoreX,
  Alu,
  Jump,
  Branch,
  Return,
  Tax,
  Txa,
};

/// Where an operation's value comes from.
enum class Operand : std::uint8_t { None, K, X, A, Data, Memory, Length };

/// What the checker asks of `k`.
enum class KRule : std::uint8_t { Any, NonZero, Shift, Slot, DataOffset, Target };

/// Whom an operation is accepted by.
enum class Acceptance : std::uint8_t { Seccomp, ClassicOnly };

/// A row of opcodes.def.
struct OpcodeInfo {
  Opcode opcode;
  std::string_view name;  ///< the enumerator
  std::string_view mnemonic;
  OpcodeKind kind;
  Operand operand;
  KRule k_rule;
  std::uint8_t ebpf;     ///< instructions after conversion to eBPF; see limits.hpp for branches
  std::uint8_t blinded;  ///< the same with blinded constants
  Acceptance acceptance;
};

/// Every row, by rising code.
[[nodiscard]] std::span<const OpcodeInfo> opcodes() noexcept;

/// The row of a code, or nullptr where classic BPF has no such instruction. All 16 bits count.
[[nodiscard]] const OpcodeInfo* find_opcode(std::uint16_t code) noexcept;

}  // namespace callgate
