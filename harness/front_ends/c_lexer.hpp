#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "harness/front_ends/formats.hpp"

/// As much of C as rows of instructions need.
namespace callgate::front_ends {

enum class TokenKind : std::uint8_t {
  End,
  Identifier,
  Number,
  String,      ///< with its double quotes
  Character,   ///< with its single quotes; Python's strings are this too
  Directive,   ///< a line of the preprocessor that may change what follows
  Punctuator,  ///< one character, or << or >>
  Bad,         ///< what cannot be a token; `problem` says why
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::size_t offset = 0;
  std::string_view text;
  std::uint64_t value = 0;  ///< of a number
  std::string_view problem;

  [[nodiscard]] bool is(std::string_view spelling) const noexcept {
    return (kind == TokenKind::Punctuator || kind == TokenKind::Identifier) && text == spelling;
  }
};

/// Hands out tokens one by one, in linear time whatever the bytes. Comments and line markers
/// (`# 12 "file"`) are white space.
class Lexer {
 public:
  explicit Lexer(std::string_view text, std::size_t offset = 0) : text_(text), at_(offset) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (at_ == 0 && text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    current_ = scan();
  }

  /// The next token, without taking it.
  [[nodiscard]] const Token& peek() const noexcept { return current_; }
  /// Takes the next token.
  Token next();
  /// Takes the next token if it is spelled so.
  bool accept(std::string_view spelling);
  /// Takes a token spelled so, or says what is expected.
  std::expected<Token, ReadError> expect(std::string_view spelling);
  /// An error at the next token: its own problem if it is bad, or `message`.
  [[nodiscard]] std::unexpected<ReadError> fail(std::string message) const;

  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  Token scan();
  bool skip_space(Token& out);
  Token take(TokenKind kind, std::size_t end, std::string_view problem = {});
  Token scan_number();
  Token scan_quoted(char quote);

  std::string_view text_;
  std::size_t at_;
  bool line_start_ = true;
  Token current_;
};

}  // namespace callgate::front_ends
