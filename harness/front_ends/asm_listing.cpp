// Our own listing, as `callgate disasm` writes it: `0000  20 00 00 00000004  A = arch`. The four
// columns are the instruction, whatever it is; the statement after them says it in words, and is
// not read.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "harness/front_ends/asm_dialects.hpp"
#include "harness/front_ends/asm_text.hpp"
#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

struct Field {
  std::string_view name;
  std::size_t digits;  // at most
};
constexpr std::array kFields = {Field{"code", 4}, Field{"jt", 2}, Field{"jf", 2}, Field{"k", 8}};

std::size_t skip_blanks(std::string_view line, std::size_t at) {
  while (at < line.size() && is_space(line[at])) ++at;
  return at;
}

std::size_t word_end(std::string_view line, std::size_t at) {
  while (at < line.size() && !is_space(line[at])) ++at;
  return at;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), builder_(text, AsmStyle{}) {}

  std::expected<Assembled, ReadError> parse() {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    std::size_t at = text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    while (at < text_.size() && !builder_.failed()) {
      const std::size_t end = std::min(text_.find('\n', at), text_.size());
      line(text_.substr(at, end - at), at);
      at = end + 1;
    }
    return builder_.finish(InputFormat::Listing);
  }

 private:
  bool line(std::string_view line, std::size_t offset) {
    const std::size_t start = skip_blanks(line, 0);
    if (start == line.size() || line[start] == '#') return true;
    std::size_t end = word_end(line, start);
    if (!place(line.substr(start, end - start), offset + start)) return false;
    std::array<std::uint32_t, kFields.size()> values{};
    for (std::size_t i = 0; i < kFields.size(); ++i) {
      const std::size_t at = skip_blanks(line, end);
      end = word_end(line, at);
      if (!field(line.substr(at, end - at), offset + at, kFields[i], values[i])) return false;
    }
    builder_.add({static_cast<std::uint16_t>(values[0]), static_cast<std::uint8_t>(values[1]),
                  static_cast<std::uint8_t>(values[2]), values[3]},
                 offset + start);
    return !builder_.failed();
  }

  // Jumps count instructions: a row that was put in or taken out would lead them astray.
  bool place(std::string_view word, std::size_t offset) {
    const auto value = std::ranges::all_of(word, is_digit)
                           ? asm_number(word, {.binary_and_octal = false, .wraps = false})
                           : std::unexpected(std::string{});
    const std::size_t next = builder_.size();
    if (value && *value == next) return true;
    return builder_.fail(
        offset, fmt::format("{:04} is expected here, not {}: each instruction of a listing begins "
                            "with its place, and none may be left out or put in, since jumps count "
                            "them; write labels in another language (--syntax) for that",
                            next, quoted(word)));
  }

  bool field(std::string_view word, std::size_t offset, const Field& field, std::uint32_t& out) {
    out = 0;
    for (const char c : word) {
      const int digit = hex_digit(c);
      if (digit < 0) word = {};
      out = out * 16 + static_cast<std::uint32_t>(digit < 0 ? 0 : digit);
      if (digit < 0) break;
    }
    if (!word.empty() && word.size() <= field.digits) return true;
    const std::size_t end = word_end(text_, offset);
    return builder_.fail(
        offset,
        fmt::format("{} is expected here, up to {} hexadecimal digits, not {}: a row is its "
                    "place, then code, jt, jf and k",
                    field.name, field.digits, quoted(text_.substr(offset, end - offset))));
  }

  std::string_view text_;
  AsmBuilder builder_;
};

}  // namespace

bool is_listing_row(std::string_view line) {
  std::size_t at = skip_blanks(line, 0);
  const auto run = [&](std::size_t least, std::size_t most, const auto& belongs) {
    std::size_t length = 0;
    while (at < line.size() && belongs(line[at]) && length <= most) {
      ++at;
      ++length;
    }
    const bool fits = length >= least && length <= most;
    const bool ends = at == line.size() || is_space(line[at]);
    at = skip_blanks(line, at);
    return fits && ends;
  };
  const auto is_hex = [](char c) { return hex_digit(c) >= 0; };
  if (!run(4, 5, is_digit) || !run(2, 4, is_hex) || !run(2, 2, is_hex) || !run(2, 2, is_hex) ||
      !run(8, 8, is_hex)) {
    return false;
  }
  // What is digits and nothing else are bytes in hexadecimal.
  return std::ranges::any_of(line.substr(at), [&](char c) { return !is_hex(c) && !is_space(c); });
}

std::expected<Assembled, ReadError> assemble_listing(std::string_view text,
                                                     const ReadOptions& /*options*/) {
  return Parser(text).parse();
}

}  // namespace callgate::front_ends
