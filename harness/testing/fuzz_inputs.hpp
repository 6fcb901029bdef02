#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

/// Calls made of bytes, with values that programs compare with.
namespace callgate::testing {

/// Values that are worth trying, for each 32-bit word of seccomp_data.
class Dictionary {
 public:
  explicit Dictionary(const KernelModel& model);

  /// The constants of a program, each with its neighbours, for the words that it is compared with.
  void add(std::span<const Instruction> program);
  /// A value for every word, and for both halves of those of 64 bits.
  void add(std::uint64_t value);

  /// The call that bytes stand for; where they end, 0 bytes follow.
  [[nodiscard]] SeccompData call_from(std::span<const std::uint8_t> bytes) const;

 private:
  static constexpr std::size_t kWords = kSeccompDataSize / 4;
  using Words = std::uint16_t;  // a bit for each word of seccomp_data

  void add(Words words, std::uint32_t value);

  KernelModel model_;
  std::array<std::vector<std::uint32_t>, kWords> values_;
};

}  // namespace callgate::testing
