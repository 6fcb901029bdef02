#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"
#include "vm/seccomp_data.hpp"

/// What fuzz targets make of the fuzzer's bytes.
namespace callgate::fuzz {

/// Programs, inputs, a kernel: what every target that has to do with programs starts from, so that
/// they share seeds, mutator and tools. Any bytes are a case, and what is missing is 0.
///
///     4 bytes  kernel: major, minor, patch level, architecture (model() says how)
///     1 byte   surroundings, a bit each: tracer, listener, other threads, SIGSYS blocked,
///     FLAG_LOG;
///              3 bits: the filter that has the listener
///     1 byte   inputs, at most kMostInputs
///     1 byte   programs, 1 to kMostPrograms
///     1 byte   not used
///     64 bytes each input
///     each program but the last: 2 bytes (its length, little endian), 8 bytes an instruction
///     the last program: all that is left
struct Case {
  std::array<std::uint8_t, 4> kernel{};
  std::uint8_t around = 0;
  std::vector<SeccompData> inputs;
  std::vector<Program> programs;  ///< oldest first; one at least

  /// A kernel of any version from 3.0 to 7.31, any architecture.
  [[nodiscard]] KernelModel model() const;
  [[nodiscard]] Surroundings surroundings() const;
  /// Which of so many filters, from the oldest (0), has the listener; nothing where none has.
  [[nodiscard]] std::optional<std::size_t> listener(std::size_t filters) const;
  /// The newest program: what targets with one program look at.
  [[nodiscard]] const Program& program() const { return programs.back(); }
  /// The inputs, and `more` that lean to the program's constants: the same for the same case.
  [[nodiscard]] std::vector<SeccompData> inputs_and(std::size_t more, std::uint32_t arch) const;
};

inline constexpr std::size_t kMostInputs = 16;
inline constexpr std::size_t kMostPrograms = 8;
/// Inputs that targets take beside those of a case, at most.
inline constexpr std::size_t kMoreInputs = 8;
/// Instructions of one program: more than the kernel takes.
inline constexpr std::size_t kLongestProgram = kMaxProgramLength + 8;

[[nodiscard]] Case case_of(std::span<const std::uint8_t> bytes);

/// The bytes that case_of() makes the same case of.
[[nodiscard]] std::vector<std::uint8_t> bytes_of(const Case& a_case);

/// The four bytes for a kernel.
[[nodiscard]] std::array<std::uint8_t, 4> kernel_bytes(const KernelModel& model);

/// Case::around where that filter has a listener and nothing else is there.
[[nodiscard]] std::uint8_t listener_byte(std::size_t filter);

/// A program as rows of `{ 0x20, 0, 0, 0x00000000 },`, for messages.
[[nodiscard]] std::string rows_of(std::span<const Instruction> program);

}  // namespace callgate::fuzz
