#include "harness/front_ends/formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace callgate::front_ends {

ReadError error_at(std::string_view text, std::size_t offset, std::string message) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const auto lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {std::move(message), lines + 1, offset - line_start + 1, offset};
}

std::unexpected<ReadError> fail_at(std::string_view text, std::size_t offset, std::string message) {
  return std::unexpected(error_at(text, offset, std::move(message)));
}

std::string too_long_message() {
  return fmt::format("more than {} instructions: the 16-bit len of sock_fprog cannot say so many",
                     kMaxReadLength);
}

bool is_binary(std::string_view bytes) noexcept {
  return std::ranges::any_of(bytes, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && !is_space(c)) || byte == 0x7f;
  });
}

Instruction instruction_from_bytes(std::string_view bytes, ByteOrder order) noexcept {
  const auto byte = [&](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at]));
  };
  const bool little = order == ByteOrder::Little;
  const std::uint32_t code = little ? (byte(0) | (byte(1) << 8U)) : ((byte(0) << 8U) | byte(1));
  std::uint32_t k = 0;
  for (std::size_t i = 0; i < 4; ++i) k = (k << 8U) | byte(little ? 7 - i : 4 + i);
  return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(byte(2)),
          static_cast<std::uint8_t>(byte(3)), k};
}

bool ByteCollector::add(std::uint8_t byte, std::size_t offset) {
  if (pending_.empty()) {
    pending_offset_ = offset;
    if (program_.size() == kMaxReadLength) {
      too_long_ = true;
      return false;
    }
  }
  pending_.push_back(static_cast<char>(byte));
  if (pending_.size() == sizeof(Instruction)) {
    program_.push_back(instruction_from_bytes(pending_, order_));
    pending_.clear();
  }
  return true;
}

Parsed ByteCollector::finish() {
  if (too_long_) return fail_at(text_, pending_offset_, too_long_message());
  if (!pending_.empty()) {
    return fail_at(text_, pending_offset_,
                   fmt::format("the last instruction is cut short: {} of its 8 bytes are there",
                               pending_.size()));
  }
  if (program_.empty()) {
    return fail_at(text_, text_.size(), "there is no instruction in it");
  }
  return std::move(program_);
}

}  // namespace callgate::front_ends
