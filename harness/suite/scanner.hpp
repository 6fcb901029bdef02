#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "vm/arches.hpp"

/// What patterns and explicit calls are written with: names, numbers, constants of the kernel.
namespace callgate::suite {

/// What is wrong with a text, and where.
struct TextError {
  std::size_t offset = 0;  ///< in bytes, from 0
  std::string message;
};

/// Reads a text from its beginning on. The text must outlive it.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  /// Back to a place that at() gave.
  void go_back(std::size_t at) noexcept { at_ = at; }

  /// Whether nothing but white space is left.
  [[nodiscard]] bool at_end() noexcept;
  /// The next character that is no white space; 0 at the end.
  [[nodiscard]] char peek() noexcept;
  /// Passes a sign if it comes next.
  [[nodiscard]] bool accept(std::string_view sign) noexcept;
  /// Passes a word if it comes next, whole.
  [[nodiscard]] bool accept_word(std::string_view word) noexcept;
  /// Letters, digits and _, the first no digit; empty where none comes next.
  [[nodiscard]] std::string_view word() noexcept;
  /// What comes next, for messages: "`)`", "`12`", "the end".
  [[nodiscard]] std::string next_words() noexcept;

  [[nodiscard]] std::unexpected<TextError> error(std::string message) noexcept {
    static_cast<void>(peek());
    return std::unexpected(TextError{at_, std::move(message)});
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

/// A value of an argument.
struct Value {
  std::uint64_t bits = 0;
  bool negative = false;      ///< it was written as a number below 0, or its constant is one
  bool computed = false;      ///< by ~ or between operators: C may have made an int below 0 of it
  std::string_view constant;  ///< the name, where it is nothing but one
};

/// Decimal digits, or hexadecimal ones after 0x, up to 64 bits; the text is nothing else.
[[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view text) noexcept;

/// The same as C reads it: octal after a 0. Nothing where a digit is none of that base.
[[nodiscard]] std::optional<std::uint64_t> c_number_of(std::string_view text) noexcept;

/// How many letters have to be changed, put in or left out to make one word of the other.
[[nodiscard]] std::size_t letters_apart(std::string_view a, std::string_view b);

/// The words of a value as the argument `index` of a call, where that has constants and
/// read_value() reads the same from them: "AF_VSOCK", "(O_RDWR|O_CREAT)".
[[nodiscard]] std::optional<std::string> value_words(std::uint64_t value, std::string_view call,
                                                     unsigned index, Arch abi);

/// Reads `12`, `0x1f`, `0755` (octal), `-1`, `~0x3`, `O_RDWR`, or an expression in parentheses:
/// `(O_RDWR|O_CREAT)`,
/// `(1 << 3)`, with C's operators ~ - + << >> & ^ | and their precedence. Constants are those of
/// the kernel's headers on that ABI.
[[nodiscard]] std::expected<Value, TextError> read_value(Scanner& scanner, Arch arch);

}  // namespace callgate::suite
