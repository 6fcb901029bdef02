// The raw bytes as C literals: strings (`"\x20\x00..."`, several in a row) and arrays of numbers.

#include <fmt/format.h>

#include <array>
#include <optional>

#include "harness/front_ends/c_expression.hpp"
#include "harness/front_ends/c_lexer.hpp"
#include "harness/front_ends/c_list.hpp"

namespace callgate::front_ends {
namespace {

// The first literal, where only what can begin a declaration stands before it.
std::optional<Token> find_string(std::string_view text) {
  Lexer lexer(text);
  for (;;) {
    const Token token = lexer.next();
    switch (token.kind) {
      case TokenKind::String:
      case TokenKind::Character:
        return token;
      case TokenKind::Identifier:
      case TokenKind::Number:
      case TokenKind::Directive:
        continue;
      case TokenKind::Punctuator:
        if (std::string_view("[]*=(").find(token.text) != std::string_view::npos) continue;
        return std::nullopt;
      case TokenKind::End:
      case TokenKind::Bad:
        return std::nullopt;
    }
  }
}

// Bytes printed without quotes.
std::size_t naked_start(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && is_space(text[at])) ++at;
  return at < text.size() && text[at] == '\\' ? at : text.size();
}

std::optional<std::uint8_t> simple_escape(char c) {
  struct Escape {
    char letter;
    std::uint8_t value;
  };
  constexpr std::array kEscapes =
      {
          Escape{'a', 7},     Escape{'b', 8},   Escape{'e', 27},    Escape{'f', 12},
          Escape{'n', 10},    Escape{'r', 13},  Escape{'t', 9},     Escape{'v', 11},
          Escape{'\\', '\\'}, Escape{'"', '"'}, Escape{'\'', '\''}, Escape{'?', '?'},
          Escape{'#', '#'},  // Ruby writes \# where { or $ or @ follows
      };
  for (const Escape& escape : kEscapes) {
    if (escape.letter == c) return escape.value;
  }
  return std::nullopt;
}

struct Step {
  std::uint8_t byte = 0;
  std::size_t length = 0;
  std::string problem;
};

// One byte of a literal's inside. After \x at most two digits count, as Ruby and Python print them;
// C would take more, and make of them a number that no byte holds.
Step decode(std::string_view inside) {
  if (inside[0] != '\\') return {static_cast<std::uint8_t>(inside[0]), 1, {}};
  if (inside.size() < 2) return {0, 1, "an escape is cut short"};
  const char letter = inside[1];
  std::size_t length = 2;
  if (letter == 'x') {
    int value = 0;
    for (; length < inside.size() && length < 4 && hex_digit(inside[length]) >= 0; ++length) {
      value = value * 16 + hex_digit(inside[length]);
    }
    if (length == 2) return {0, 2, "a hexadecimal digit is expected after \\x"};
    return {static_cast<std::uint8_t>(value), length, {}};
  }
  if (letter >= '0' && letter <= '7') {
    int value = 0;
    for (length = 1; length < inside.size() && length < 4; ++length) {
      const char digit = inside[length];
      if (digit < '0' || digit > '7') break;
      value = value * 8 + (digit - '0');
    }
    if (value > 255) return {0, length, "this escape is out of range for a byte"};
    return {static_cast<std::uint8_t>(value), length, {}};
  }
  const auto value = simple_escape(letter);
  if (!value) return {0, 2, "this escape is not known"};
  return {*value, 2, {}};
}

// Adds the bytes of `inside`, which begins at `offset`; the error, if there is one.
std::optional<ReadError> add_inside(std::string_view text, std::string_view inside,
                                    std::size_t offset, ByteCollector& collector) {
  while (!inside.empty()) {
    const Step step = decode(inside);
    if (!step.problem.empty()) return error_at(text, offset, step.problem);
    if (!collector.add(step.byte, offset)) {
      const Parsed too_long = collector.finish();
      return too_long.error();
    }
    inside.remove_prefix(step.length);
    offset += step.length;
  }
  return std::nullopt;
}

// The brace that an array of bytes begins with, or the first number of a bare list.
struct ByteList {
  std::size_t first = 0;
  std::optional<std::size_t> opener;
};

std::optional<ByteList> find_bytes(std::string_view text) {
  Lexer lexer(text);
  if (lexer.peek().kind == TokenKind::Number) {
    const std::size_t first = lexer.next().offset;
    return lexer.peek().is(",") ? std::optional(ByteList{first, {}}) : std::nullopt;
  }
  for (Token token = lexer.next(); token.kind != TokenKind::End; token = lexer.next()) {
    if (!token.is("{")) continue;
    const TokenKind inside = lexer.peek().kind;
    if (inside == TokenKind::Number || inside == TokenKind::Character) {
      return ByteList{lexer.peek().offset, token.offset};
    }
  }
  return std::nullopt;
}

}  // namespace

bool detect_c_string(std::string_view bytes) {
  if (naked_start(bytes) < bytes.size()) return true;
  const auto token = find_string(bytes);
  return token && token->text.find('\\') != std::string_view::npos;
}

Parsed parse_c_string(std::string_view bytes, const ReadOptions& options) {
  ByteCollector collector(bytes, options.order);
  if (const std::size_t start = naked_start(bytes); start < bytes.size()) {
    std::string_view inside = bytes.substr(start);
    while (is_space(inside.back())) inside.remove_suffix(1);
    const auto error = add_inside(bytes, inside, start, collector);
    if (error) return std::unexpected(*error);
    return collector.finish();
  }
  const auto first = find_string(bytes);
  if (!first) return fail_at(bytes, 0, "no string literal begins here");
  Lexer lexer(bytes, first->offset);
  while (lexer.peek().kind == TokenKind::String || lexer.peek().kind == TokenKind::Character) {
    const Token token = lexer.next();
    const std::string_view inside = token.text.substr(1, token.text.size() - 2);
    const auto error = add_inside(bytes, inside, token.offset + 1, collector);
    if (error) return std::unexpected(*error);
  }
  while (lexer.accept(";") || lexer.accept(")")) {
  }
  if (lexer.peek().kind != TokenKind::End) return lexer.fail("something follows the string");
  return collector.finish();
}

bool detect_c_bytes(std::string_view bytes) { return find_bytes(bytes).has_value(); }

Parsed parse_c_bytes(std::string_view bytes, const ReadOptions& options) {
  const auto list = find_bytes(bytes);
  if (!list) return fail_at(bytes, 0, "no list of numbers is in it");
  ByteCollector collector(bytes, options.order);
  Lexer lexer(bytes, list->first);
  while (lexer.peek().kind != TokenKind::End && !lexer.peek().is("}")) {
    const std::size_t offset = lexer.peek().offset;
    const auto value = parse_field(lexer, options.arch, "a byte", 0xff);
    if (!value) return std::unexpected(value.error());
    if (!collector.add(static_cast<std::uint8_t>(*value), offset)) return collector.finish();
    if (lexer.accept(",")) continue;
    if (lexer.peek().kind != TokenKind::End && !lexer.peek().is("}")) {
      return lexer.fail("a comma or the end of the list is expected here");
    }
  }
  if (lexer.accept("}")) {
    if (!list->opener)
      return fail_at(bytes, lexer.peek().offset, "a bracket closes that none opens");
    if (!may_follow_list(lexer.peek())) return lexer.fail("something follows the list");
    for (; lexer.peek().kind != TokenKind::End; lexer.next()) {
      if (lexer.peek().is("{")) return lexer.fail("a second list begins here; give one at a time");
    }
  } else if (list->opener) {
    return fail_at(bytes, *list->opener, "this bracket is not closed");
  }
  return collector.finish();
}

}  // namespace callgate::front_ends
