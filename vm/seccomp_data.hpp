#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "vm/byte_order.hpp"

namespace callgate {

/// What a filter sees of a call: the kernel's `struct seccomp_data`, as plain numbers. The order of
/// bytes comes in when a word is loaded.
struct SeccompData {
  std::int32_t nr = 0;                    ///< the low 32 bits of the number register
  std::uint32_t arch = 0;                 ///< AUDIT_ARCH_*
  std::uint64_t instruction_pointer = 0;  ///< of the instruction after the call
  std::array<std::uint64_t, 6> args{};    ///< the registers as they are, used by the call or not

  friend bool operator==(const SeccompData&, const SeccompData&) = default;
};

/// The size of seccomp_data in bytes; every multiple of 4 below it can be loaded.
inline constexpr std::uint32_t kSeccompDataSize = 64;
static_assert(sizeof(SeccompData) == kSeccompDataSize);

/// The word at `offset` (a multiple of 4, below 64) as a kernel of that byte order loads it: on a
/// big-endian machine the high half of a 64-bit field comes first.
[[nodiscard]] constexpr std::uint32_t load_word(const SeccompData& data, std::uint32_t offset,
                                                ByteOrder order) noexcept {
  if (offset == 0) return static_cast<std::uint32_t>(data.nr);
  if (offset == 4) return data.arch;
  const std::uint64_t field =
      offset < 16 ? data.instruction_pointer : data.args[(offset - 16U) / 8U];
  const bool high = ((offset & 4U) != 0) == (order == ByteOrder::Little);
  return static_cast<std::uint32_t>(high ? field >> 32U : field);
}

/// Where the word that a kernel of that byte order loads from `offset` lies in a SeccompData of
/// this machine, in bytes.
[[nodiscard]] constexpr std::uint32_t host_offset(std::uint32_t offset, ByteOrder order) noexcept {
  return offset >= 8 && order != kHostByteOrder ? offset ^ 4U : offset;
}

/// The word at such a place.
[[nodiscard]] inline std::uint32_t host_word(const SeccompData& data,
                                             std::uint32_t host_offset) noexcept {
  std::uint32_t word = 0;
  std::memcpy(&word, reinterpret_cast<const std::byte*>(&data) + host_offset, sizeof word);
  return word;
}

/// One 64-byte record of seccomp_data, fields in `order`.
using SeccompDataBytes = std::array<std::uint8_t, kSeccompDataSize>;
[[nodiscard]] SeccompData from_bytes(const SeccompDataBytes& bytes, ByteOrder order) noexcept;
[[nodiscard]] SeccompDataBytes to_bytes(const SeccompData& data, ByteOrder order) noexcept;

}  // namespace callgate
