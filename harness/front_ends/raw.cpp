// Raw sock_filter structures, one after the other.

#include <fmt/format.h>

#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {

bool detect_raw(std::string_view bytes) {
  // The codes of all instructions are below 256, so each valid one holds a zero byte.
  return is_binary(bytes);
}

Parsed parse_raw(std::string_view bytes, const ReadOptions& options) {
  constexpr std::size_t kSize = sizeof(Instruction);
  const std::size_t length = bytes.size() / kSize;
  const std::size_t left = bytes.size() % kSize;
  const auto fail = [](std::size_t offset, std::string message) {
    return std::unexpected(ReadError{std::move(message), {}, {}, offset});
  };
  if (length > kMaxReadLength) return fail(kMaxReadLength * kSize, too_long_message());
  if (left != 0) {
    return fail(
        length * kSize,
        fmt::format("{} bytes are left over after {} instructions of 8 bytes", left, length));
  }
  if (length == 0) return fail(0, "there is no instruction in it");
  Program program;
  program.reserve(length);
  for (std::size_t at = 0; at < length; ++at) {
    program.push_back(instruction_from_bytes(bytes.substr(at * kSize, kSize), options.order));
  }
  return program;
}

}  // namespace callgate::front_ends
