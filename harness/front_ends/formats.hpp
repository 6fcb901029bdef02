#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "harness/front_ends/program_reader.hpp"

/// What the formats share, and the functions that the registry in program_reader.cpp names.
namespace callgate::front_ends {

using Parsed = std::expected<Program, ReadError>;

/// An error at a place of a text.
[[nodiscard]] ReadError error_at(std::string_view text, std::size_t offset, std::string message);

/// The same, ready to be returned.
[[nodiscard]] std::unexpected<ReadError> fail_at(std::string_view text, std::size_t offset,
                                                 std::string message);

/// The message for a program of more than kMaxReadLength instructions.
[[nodiscard]] std::string too_long_message();

/// Whether there are bytes that no text has: control characters other than white space.
[[nodiscard]] bool is_binary(std::string_view bytes) noexcept;

[[nodiscard]] constexpr bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// The value of a hexadecimal digit, or -1.
[[nodiscard]] constexpr int hex_digit(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The instruction that 8 bytes hold.
[[nodiscard]] Instruction instruction_from_bytes(std::string_view bytes, ByteOrder order) noexcept;

/// Gathers the raw bytes that a text stands for, and remembers where an instruction began.
class ByteCollector {
 public:
  ByteCollector(std::string_view text, ByteOrder order) : text_(text), order_(order) {}

  /// One more byte, written at `offset` of the text. False: there are too many; finish() says so.
  bool add(std::uint8_t byte, std::size_t offset);

  /// The program; refuses nothing at all and an instruction cut short.
  [[nodiscard]] Parsed finish();

 private:
  std::string_view text_;
  ByteOrder order_;
  Program program_;
  std::string pending_;
  std::size_t pending_offset_ = 0;
  bool too_long_ = false;
};

[[nodiscard]] bool detect_raw(std::string_view bytes);
[[nodiscard]] Parsed parse_raw(std::string_view bytes, const ReadOptions& options);
[[nodiscard]] bool detect_hex(std::string_view bytes);
[[nodiscard]] Parsed parse_hex(std::string_view bytes, const ReadOptions& options);
[[nodiscard]] bool detect_c_string(std::string_view bytes);
[[nodiscard]] Parsed parse_c_string(std::string_view bytes, const ReadOptions& options);
[[nodiscard]] bool detect_c_bytes(std::string_view bytes);
[[nodiscard]] Parsed parse_c_bytes(std::string_view bytes, const ReadOptions& options);
[[nodiscard]] bool detect_c_rows(std::string_view bytes);
[[nodiscard]] Parsed parse_c_rows(std::string_view bytes, const ReadOptions& options);
[[nodiscard]] bool detect_c_macros(std::string_view bytes);
[[nodiscard]] Parsed parse_c_macros(std::string_view bytes, const ReadOptions& options);
[[nodiscard]] bool detect_decimal(std::string_view bytes);
[[nodiscard]] Parsed parse_decimal(std::string_view bytes, const ReadOptions& options);
[[nodiscard]] bool detect_listing(std::string_view bytes);
[[nodiscard]] Parsed parse_listing(std::string_view bytes, const ReadOptions& options);
[[nodiscard]] bool detect_bpf_asm(std::string_view bytes);
[[nodiscard]] Parsed parse_bpf_asm(std::string_view bytes, const ReadOptions& options);
[[nodiscard]] bool detect_seccomp_tools(std::string_view bytes);
[[nodiscard]] Parsed parse_seccomp_tools(std::string_view bytes, const ReadOptions& options);
[[nodiscard]] bool detect_ceccomp(std::string_view bytes);
[[nodiscard]] Parsed parse_ceccomp(std::string_view bytes, const ReadOptions& options);

}  // namespace callgate::front_ends
