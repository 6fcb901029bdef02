#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vm/checked_program.hpp"
#include "vm/engine.hpp"

/// The engine `jit`: machine code for x86-64 and AArch64. It is there only where Callgate was built
/// with asmjit.
namespace callgate::jit {

/// A processor that code can be made for.
enum class Target : std::uint8_t { X86_64, AArch64 };

/// "x86_64", "aarch64".
[[nodiscard]] std::string_view to_string(Target target) noexcept;

/// The processor that this was built for; nothing where no code can be made for it.
[[nodiscard]] std::optional<Target> host_target() noexcept;

/// Which instruction of the program became the code that begins at an offset. Not every instruction
/// became code: some are never reached, what nobody reads is not computed, and a chain of compares
/// stands under its first. Two with one offset were made one.
struct Origin {
  std::size_t offset = 0;
  std::optional<std::size_t> instruction;  ///< nothing: where all undefined results return 0
};

/// `uint32_t f(const SeccompData*)` by the C ABI of the target's Linux. It calls nothing, keeps
/// every callee-saved register, and may lie at any address that is a multiple of 8.
struct MachineCode {
  std::vector<std::uint8_t> bytes;
  std::size_t code_size = 0;    ///< behind that many bytes come tables of 32-bit words
  std::vector<Origin> origins;  ///< by rising offset
};

/// Translates a program for a processor, which need not be this one: the code reads SeccompData as
/// a little-endian machine lays it out. An error says what asmjit could not do.
[[nodiscard]] std::expected<MachineCode, std::string> assemble(const CheckedProgram& program,
                                                               Target target);

/// The one engine of that name. It declines programs where it can make no code for this processor
/// or is given no pages to execute; no page is ever writable and executable at once.
[[nodiscard]] const Engine& jit_engine() noexcept;

}  // namespace callgate::jit
