#include "vm/seccomp_data.hpp"

#include <concepts>

namespace callgate {
namespace {

template <std::unsigned_integral Word>
Word read(const SeccompDataBytes& bytes, std::size_t offset, ByteOrder order) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    const std::size_t shift = order == ByteOrder::Little ? i : sizeof(Word) - 1 - i;
    word |= std::uint64_t{bytes[offset + i]} << (8U * shift);
  }
  return static_cast<Word>(word);
}

template <std::unsigned_integral Word>
void write(SeccompDataBytes& bytes, std::size_t offset, ByteOrder order, Word word) noexcept {
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    const std::size_t shift = order == ByteOrder::Little ? i : sizeof(Word) - 1 - i;
    bytes[offset + i] = static_cast<std::uint8_t>(std::uint64_t{word} >> (8U * shift));
  }
}

}  // namespace

SeccompData from_bytes(const SeccompDataBytes& bytes, ByteOrder order) noexcept {
  SeccompData data;
  data.nr = static_cast<std::int32_t>(read<std::uint32_t>(bytes, 0, order));
  data.arch = read<std::uint32_t>(bytes, 4, order);
  data.instruction_pointer = read<std::uint64_t>(bytes, 8, order);
  for (std::size_t i = 0; i < data.args.size(); ++i) {
    data.args[i] = read<std::uint64_t>(bytes, 16 + 8 * i, order);
  }
  return data;
}

SeccompDataBytes to_bytes(const SeccompData& data, ByteOrder order) noexcept {
  SeccompDataBytes bytes{};
  write(bytes, 0, order, static_cast<std::uint32_t>(data.nr));
  write(bytes, 4, order, data.arch);
  write(bytes, 8, order, data.instruction_pointer);
  for (std::size_t i = 0; i < data.args.size(); ++i) {
    write(bytes, 16 + 8 * i, order, data.args[i]);
  }
  return bytes;
}

}  // namespace callgate
