#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vm/arches.hpp"
#include "vm/checked_program.hpp"
#include "vm/engine.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate {

/// The registers with which a run begins.
struct Registers {
  std::uint32_t a = 0;
  std::uint32_t x = 0;
  std::array<std::uint32_t, kMemoryWords> memory;  ///< set where the program has stored
};

/// A program with its operations decoded once, a load and the compare after it made one, dispatched
/// by the address of their code, and runs of equality compares looked up in tables. Its tables have
/// at most eight entries for each instruction.
class DecodedProgram {
 public:
  explicit DecodedProgram(const CheckedProgram& program);

  [[nodiscard]] std::uint32_t run(const SeccompData& data) const noexcept {
    return execute(data, 0, 0, 0, nullptr);
  }

  /// Goes on from an instruction of the program with the registers as they are there. What those
  /// slots hold that the program stored to before is in `registers`.
  [[nodiscard]] std::uint32_t resume(const SeccompData& data, std::size_t at,
                                     const Registers& registers) const noexcept {
    return execute(data, at, registers.a, registers.x, &registers.memory);
  }

 private:
  /// One operation.
  struct Operation {
    std::int32_t code = 0;  ///< where its code lies, from that of the first
    std::uint32_t k = 0;    ///< constant, slot, offset of a load
    std::uint16_t yes = 0;  ///< where a branch that is taken goes: a place in operations_
    std::uint16_t no = 0;
    std::uint32_t more = 0;  ///< fused: the offset of the load; Table, Search: the first entry
  };
  static_assert(sizeof(Operation) == 16);

  class Decoder;

  [[nodiscard]] std::uint32_t execute(
      const SeccompData& data, std::size_t at, std::uint32_t a, std::uint32_t x,
      const std::array<std::uint32_t, kMemoryWords>* memory) const noexcept {
    return interpret(this, &data, at, a, x, memory, nullptr);
  }
  static std::uint32_t interpret(const DecodedProgram* self, const SeccompData* data,
                                 std::size_t at, std::uint32_t a, std::uint32_t x,
                                 const std::array<std::uint32_t, kMemoryWords>* memory,
                                 const std::int32_t** codes) noexcept;

  std::vector<Operation> operations_;   ///< one for each instruction, then those that were added
  std::vector<std::uint16_t> targets_;  ///< of tables and searches
  std::vector<std::uint32_t> keys_;     ///< of searches, beside their targets
  std::optional<ShiftRule> shifts_;
};

/// The engine `decoded`.
class DecodedExecutable final : public Executable {
 public:
  explicit DecodedExecutable(const CheckedProgram& program) : program_(program) {}

  [[nodiscard]] std::uint32_t run(const SeccompData& data) const noexcept override {
    return program_.run(data);
  }
  void run_many(std::span<const SeccompData> inputs,
                std::span<std::uint32_t> results) const noexcept override;

 private:
  DecodedProgram program_;
};

/// The one engine of that name.
[[nodiscard]] const Engine& decoded_engine() noexcept;

}  // namespace callgate
