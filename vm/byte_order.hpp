#pragma once

#include <bit>
#include <cstdint>

namespace callgate {

/// The order of the bytes of a word in memory.
enum class ByteOrder : std::uint8_t { Little, Big };

/// The order of the machine that this was built for.
inline constexpr ByteOrder kHostByteOrder =
    std::endian::native == std::endian::little ? ByteOrder::Little : ByteOrder::Big;

}  // namespace callgate
