#include "harness/front_ends/c_lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace callgate::front_ends {
namespace {

constexpr bool starts_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool in_name(char c) noexcept { return starts_name(c) || is_digit(c); }

}  // namespace

Token Lexer::next() {
  const Token taken = current_;
  current_ = scan();
  return taken;
}

bool Lexer::accept(std::string_view spelling) {
  if (!current_.is(spelling)) return false;
  next();
  return true;
}

std::expected<Token, ReadError> Lexer::expect(std::string_view spelling) {
  if (!current_.is(spelling)) return fail(fmt::format("{} is expected here", spelling));
  return next();
}

std::unexpected<ReadError> Lexer::fail(std::string message) const {
  if (current_.kind == TokenKind::Bad) message = std::string(current_.problem);
  return fail_at(text_, current_.offset, std::move(message));
}

Token Lexer::take(TokenKind kind, std::size_t end, std::string_view problem) {
  Token token{kind, at_, text_.substr(at_, end - at_), 0, problem};
  at_ = end;
  line_start_ = false;
  return token;
}

// False where a comment does not end; `out` is the token that says so.
bool Lexer::skip_space(Token& out) {
  while (at_ < text_.size()) {
    const std::string_view rest = text_.substr(at_);
    if (is_space(rest[0])) {
      line_start_ = line_start_ || rest[0] == '\n';
      ++at_;
    } else if (rest.starts_with("\\\n") || rest.starts_with("\\\r\n")) {
      at_ += rest.find('\n') + 1;
    } else if (rest.starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (rest.starts_with("/*")) {
      const std::size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) {
        out = take(TokenKind::Bad, text_.size(), "this comment does not end");
        return false;
      }
      at_ = end + 2;
    } else {
      return true;
    }
  }
  return true;
}

Token Lexer::scan() {
  for (;;) {
    Token bad;
    if (!skip_space(bad)) return bad;
    if (at_ >= text_.size()) return take(TokenKind::End, text_.size());
    const char c = text_[at_];
    if (c == '#' && line_start_) {
      std::size_t end = at_;
      do {
        end = std::min(text_.find('\n', end + 1), text_.size());
      } while (end < text_.size() && text_[end - 1] == '\\');
      const Token line = take(TokenKind::Directive, end);
      // `# 12 "file"` is what the preprocessor leaves behind: it changes nothing.
      const std::size_t word = line.text.find_first_not_of(" \t", 1);
      if (word != std::string_view::npos && is_digit(line.text[word])) continue;
      return line;
    }
    if (starts_name(c)) {
      std::size_t end = at_;
      while (end < text_.size() && in_name(text_[end])) ++end;
      return take(TokenKind::Identifier, end);
    }
    if (is_digit(c)) return scan_number();
    if (c == '"' || c == '\'') return scan_quoted(c);
    const std::string_view two = text_.substr(at_, 2);
    return take(TokenKind::Punctuator, at_ + (two == "<<" || two == ">>" ? 2 : 1));
  }
}

Token Lexer::scan_number() {
  std::size_t end = at_;
  while (end < text_.size() && in_name(text_[end])) ++end;
  std::string_view digits = text_.substr(at_, end - at_);
  while (digits.size() > 1 &&
         std::string_view("uUlL").find(digits.back()) != std::string_view::npos) {
    digits.remove_suffix(1);
  }
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char mark = digits[1];
    base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
    digits.remove_prefix(base == 8 ? 1 : 2);
  }
  std::uint64_t value = 0;
  const char* const last = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), last, value, base);
  if (stop != last || error == std::errc::invalid_argument) {
    return take(TokenKind::Bad, end, "this is no number");
  }
  if (error != std::errc{}) return take(TokenKind::Bad, end, "this number is too large");
  Token token = take(TokenKind::Number, end);
  token.value = value;
  return token;
}

Token Lexer::scan_quoted(char quote) {
  std::size_t end = at_ + 1;
  while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
    end += text_[end] == '\\' ? std::size_t{2} : std::size_t{1};
  }
  end = std::min(end, text_.size());
  if (end < text_.size() && text_[end] == quote) {
    return take(quote == '"' ? TokenKind::String : TokenKind::Character, end + 1);
  }
  // All of the line is taken, so that many quotes do not make many searches.
  return take(TokenKind::Bad, end, "this quote is not closed on its line");
}

}  // namespace callgate::front_ends
