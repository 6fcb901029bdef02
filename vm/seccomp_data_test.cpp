#include "vm/seccomp_data.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace callgate {
namespace {

const SeccompData kCall{
    -2, 0xc000003eU, 0x1112131415161718U, {0x2122232425262728U, 2, 3, 4, 5, 0xffffffff00000001U}};

TEST(SeccompData, bytes_stand_where_the_kernel_puts_them) {
  const SeccompDataBytes little = to_bytes(kCall, ByteOrder::Little);
  EXPECT_EQ(little[0], 0xfe);
  EXPECT_EQ(little[4], 0x3e);
  EXPECT_EQ(little[8], 0x18);
  EXPECT_EQ(little[16], 0x28);
  EXPECT_EQ(little[63], 0xff);
  const SeccompDataBytes big = to_bytes(kCall, ByteOrder::Big);
  EXPECT_EQ(big[3], 0xfe);
  EXPECT_EQ(big[4], 0xc0);
  EXPECT_EQ(big[8], 0x11);
  EXPECT_EQ(big[16], 0x21);
  EXPECT_EQ(big[63], 0x01);
}

TEST(SeccompData, comes_back_from_its_bytes) {
  for (const ByteOrder order : {ByteOrder::Little, ByteOrder::Big}) {
    EXPECT_EQ(from_bytes(to_bytes(kCall, order), order), kCall);
  }
}

TEST(SeccompData, lies_in_memory_as_its_bytes_in_the_hosts_order) {
  const SeccompDataBytes bytes = to_bytes(kCall, kHostByteOrder);
  EXPECT_EQ(std::memcmp(&kCall, bytes.data(), bytes.size()), 0);
}

TEST(SeccompData, words_are_those_of_the_bytes_in_either_order) {
  for (const ByteOrder order : {ByteOrder::Little, ByteOrder::Big}) {
    const SeccompDataBytes bytes = to_bytes(kCall, order);
    for (std::uint32_t offset = 0; offset < kSeccompDataSize; offset += 4) {
      std::uint32_t word = 0;
      for (std::uint32_t i = 0; i < 4; ++i) {
        const std::uint32_t shift = order == ByteOrder::Little ? 8 * i : 24 - 8 * i;
        word |= std::uint32_t{bytes[offset + i]} << shift;
      }
      EXPECT_EQ(load_word(kCall, offset, order), word) << offset;
    }
  }
}

}  // namespace
}  // namespace callgate
