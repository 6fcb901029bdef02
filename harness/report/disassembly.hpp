#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/arches.hpp"
#include "vm/byte_order.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

/// Programs as text: what they say, and in forms that other tools read.
namespace callgate::report {

/// Each instruction as a statement: "A = args[0].low", "if (nr == openat) goto 0007 else 0008",
/// "return ERRNO(1)  # EPERM". Names of syscalls and architectures stand where it is known, on
/// every path, that A holds `nr` or `arch`; those of syscalls are the ABI's that the program has
/// found the call to have, or `arch`'s. Codes that are no instruction are ".code 0x1234".
[[nodiscard]] std::vector<std::string> statements(std::span<const Instruction> program, Arch arch);

/// Where control may go after an instruction: nothing after a return, two places after a branch.
[[nodiscard]] std::vector<std::size_t> targets(const Instruction& instruction, std::size_t at);

/// Why a kernel refuses a program, in words; all empty where it does not.
struct Refusals {
  std::vector<std::vector<std::string>> of_instruction;  ///< as many as there are instructions
  std::vector<std::string> of_program;  ///< what no one instruction is to blame for
};
[[nodiscard]] Refusals refusals(std::span<const Instruction> program, const KernelModel& model);

/// A line for each instruction: place, the four fields, statement; what the checker refuses is
/// marked.
[[nodiscard]] std::string listing(std::span<const Instruction> program, const KernelModel& model);

/// The raw bytes, fields in `order`.
[[nodiscard]] std::string raw_bytes(std::span<const Instruction> program, ByteOrder order);

/// The raw bytes as hexadecimal digits, an instruction a line.
[[nodiscard]] std::string hex_text(std::span<const Instruction> program, ByteOrder order);

/// The raw bytes as C string literals, an instruction a line.
[[nodiscard]] std::string c_string(std::span<const Instruction> program, ByteOrder order);

/// "{ 0x20, 0, 0, 0x00000004 }," rows.
[[nodiscard]] std::string c_rows(std::span<const Instruction> program);

/// "BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0x00000004)," rows; codes that are no instruction as
/// numbers.
[[nodiscard]] std::string c_macros(std::span<const Instruction> program);

/// The raw bytes as an array of numbers in braces.
[[nodiscard]] std::string c_bytes(std::span<const Instruction> program, ByteOrder order);

/// As `tcpdump -ddd`: the count, then a line of four decimals an instruction.
[[nodiscard]] std::string decimal(std::span<const Instruction> program);

}  // namespace callgate::report
