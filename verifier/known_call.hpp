#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/byte_order.hpp"
#include "vm/seccomp_data.hpp"

/// Calls of which not every word is known: what logs and workloads tell of.
namespace callgate::verifier {

/// Which of the 16 words of seccomp_data are known: a bit each, see word_bit().
using KnownWords = std::uint16_t;
inline constexpr KnownWords kAllKnown = 0xffff;
inline constexpr KnownWords kNumberKnown = 1;
inline constexpr KnownWords kArchKnown = 2;
inline constexpr KnownWords kPointerKnown = 0xc;
/// The halves of an argument: the low one, and the high one.
[[nodiscard]] constexpr KnownWords low_known(std::size_t argument) {
  return static_cast<KnownWords>(1U << (4U + 2U * argument));
}
[[nodiscard]] constexpr KnownWords high_known(std::size_t argument) {
  return static_cast<KnownWords>(2U << (4U + 2U * argument));
}

/// The bit of the word that a filter loads from `offset` (a multiple of 4, below 64): a field's low
/// half before its high half, whatever the byte order.
[[nodiscard]] constexpr unsigned word_bit(std::uint32_t offset, ByteOrder order) {
  if (offset < 8) return offset / 4;
  const bool high = ((offset & 4U) != 0) == (order == ByteOrder::Little);
  return (offset / 8) * 2 + (high ? 1U : 0U);
}

/// A call, or several that nothing tells apart.
struct KnownCall {
  SeccompData data;              ///< words that are not known are 0
  KnownWords known = kAllKnown;  ///< which of its words are known
  std::uint64_t count = 1;

  friend bool operator==(const KnownCall&, const KnownCall&) = default;
};

/// A call of which number and architecture alone are known.
[[nodiscard]] constexpr KnownCall call_of(std::uint32_t nr, std::uint32_t arch,
                                          std::uint64_t count = 1) {
  KnownCall call;
  call.data.nr = static_cast<std::int32_t>(nr);
  call.data.arch = arch;
  call.known = kNumberKnown | kArchKnown;
  call.count = count;
  return call;
}

}  // namespace callgate::verifier
